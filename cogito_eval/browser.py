"""The part of a report that one can search: every question with pictures, answers, verdict and rule.

The rows travel as JSON inside the page and are drawn fifty at a time, so ten thousand stay quick. Text is only ever
set as text: a question with markup in it shows the markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cogito_core.html import data_uri

MAX_TEXT = 4000
"""Characters of an answer that the report shows; the result files hold all of it."""
MAX_PICTURE_BYTES = 24 * 2**20
"""Encoded pictures beyond this are left out of the page, and the page says so."""

_STYLE = """
<style>
.bar{display:flex;flex-wrap:wrap;gap:8px;margin:10px 0;align-items:center}.bar select,.bar input{font:inherit;
padding:4px 6px;border:1px solid var(--line);border-radius:6px;background:var(--card);color:var(--ink);
max-width:220px}
.q{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:12px 14px;margin:10px 0;
display:grid;grid-template-columns:minmax(0,240px) minmax(0,1fr);gap:14px;overflow-wrap:anywhere}
.q .pics img{max-width:100%;max-height:200px;background:#fff;border-radius:4px;margin-bottom:6px;display:block}
.q pre{white-space:pre-wrap;margin:4px 0;font:12.5px/1.45 ui-monospace,Menlo,Consolas,monospace;max-height:260px;
overflow:auto}.q .tag{color:var(--soft);font-size:12.5px}.q .answer{border-top:1px solid var(--line);margin-top:8px;
padding-top:6px}.pager button{font:inherit;padding:4px 12px}@media(max-width:640px){.q{grid-template-columns:1fr}}
</style>
"""

_SCRIPT = """
<script>
(function(){
"use strict";
const rows=JSON.parse(document.getElementById("rows").textContent);
const pics=JSON.parse(document.getElementById("pics").textContent);
const sides=JSON.parse(document.getElementById("sides").textContent);
const page=50;let shown=rows,at=0;
const by=id=>document.getElementById(id);
function el(tag,cls,text){const e=document.createElement(tag);if(cls)e.className=cls;
  if(text!==undefined)e.textContent=text;return e;}
function fill(select,values,label){select.append(new Option(label,""));
  [...values].sort().forEach(v=>select.append(new Option(v,v)));}
function collect(f){const s=new Set();rows.forEach(r=>f(r).forEach(v=>s.add(v)));return s;}
fill(by("f-bench"),collect(r=>[r.b]),"all benchmarks");
fill(by("f-cat"),collect(r=>r.c),"all categories");
fill(by("f-rule"),collect(r=>r.a.map(a=>a.r)),"all rules");
fill(by("f-status"),collect(r=>r.a.map(a=>a.s)),"all answers");
["right","wrong","undecidable","official differs"].concat(sides.length>1?["gained","lost"]:[])
  .forEach(v=>by("f-verdict").append(new Option(v,v)));
const lengths={"short":[0,200],"middle":[200,1000],"long":[1000,1e9]};
function first(r,side){return r.a.find(a=>a.k===side)||r.a[0];}
function matches(r){
  const b=by("f-bench").value,c=by("f-cat").value,v=by("f-verdict").value,u=by("f-rule").value,
    s=by("f-status").value,l=by("f-length").value,t=by("f-text").value.toLowerCase();
  if(b&&r.b!==b||c&&!r.c.includes(c))return false;
  if(u&&!r.a.some(a=>a.r===u)||s&&!r.a.some(a=>a.s===s))return false;
  if(l&&!r.a.some(a=>a.t.length>=lengths[l][0]&&a.t.length<lengths[l][1]))return false;
  if(v==="gained"&&!(first(r,0).v!=="right"&&first(r,1).v==="right"))return false;
  if(v==="lost"&&!(first(r,0).v==="right"&&first(r,1).v!=="right"))return false;
  if(v==="official differs"&&!r.a.some(a=>a.o!==null&&(a.o==="right")!==(a.v==="right")))return false;
  if(["right","wrong","undecidable"].includes(v)&&!r.a.some(a=>a.v===v))return false;
  return !t||(r.i+" "+r.q+" "+r.g+" "+r.a.map(a=>a.t).join(" ")).toLowerCase().includes(t);
}
function draw(){
  const list=by("list");list.replaceChildren();
  shown.slice(at,at+page).forEach(r=>{
    const q=el("div","q"),left=el("div","pics"),right=el("div");
    r.p.forEach(k=>{if(pics[k]){const i=el("img");i.loading="lazy";i.alt="";i.src=pics[k];
      i.onload=()=>{if(i.naturalWidth<120){i.style.width="168px";i.style.imageRendering="pixelated";}};left.append(i);}
      else left.append(el("div","tag","picture "+k+" is in the run directory"));});
    left.append(el("div","tag",r.b+" · "+r.i));left.append(el("div","tag",r.c.join(", ")));
    right.append(el("pre","",r.q));right.append(el("div","","gold: "+r.g));
    r.a.forEach(a=>{const box=el("div","answer"),head=el("div");
      head.append(el("span",a.v==="right"?"right":"wrong",(sides.length>1?sides[a.k]+": ":"")+a.v));
      head.append(el("span","tag","  strict: "+a.r+(a.o===null?"":", official: "+a.o+" ("+a.or+")")+
        ", "+a.s+(a.e===null?"":", read: "+a.e)));
      box.append(head);box.append(el("pre","",a.t));box.append(el("div","tag",a.w));right.append(box);});
    q.append(left,right);list.append(q);});
  by("count").textContent=shown.length+" of "+rows.length+" questions"+
    (shown.length>page?", "+(at+1)+" to "+Math.min(at+page,shown.length):"");
}
function update(){shown=rows.filter(matches);at=0;draw();}
document.querySelectorAll(".bar select").forEach(e=>e.addEventListener("change",update));
let wait;by("f-text").addEventListener("input",()=>{clearTimeout(wait);wait=setTimeout(update,150);});
by("back").addEventListener("click",()=>{at=Math.max(0,at-page);draw();});
by("on").addEventListener("click",()=>{if(at+page<shown.length){at+=page;draw();}});
draw();
})();
</script>
"""

_CONTROLS = """
<div class=bar><select id=f-bench></select><select id=f-cat></select>
<select id=f-verdict><option value="">all verdicts</option></select><select id=f-rule></select>
<select id=f-status></select><select id=f-length><option value="">any length</option>
<option value=short>under 200 characters</option><option value=middle>200 to 1,000</option>
<option value=long>over 1,000</option></select><input id=f-text type=search placeholder="search text"></div>
<div class="bar pager"><button id=back>previous</button><button id=on>next</button>
<span id=count class=soft></span></div>
<div id=list></div>
"""


def answer_entry(row: Mapping[str, Any], side: int = 0) -> dict[str, Any]:
    """One stored answer as the page needs it; `side` tells which run it is from."""
    strict, official = row["strict"], row["official"]
    return {
        "k": side, "t": _shortened(row.get("error") or row["response"]), "v": strict["outcome"], "r": strict["rule"],
        "e": strict["extracted"], "s": row["status"], "w": strict["reason"],
        "o": official["outcome"] if official else None, "or": official["rule"] if official else "",
    }


def question_entry(bench: str, row: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One question with its answers as the page needs it."""
    categories = [value for values in row["tags"].values() for value in values]
    return {"b": bench, "i": row["id"], "q": _shortened(row["question"]), "g": row["gold"], "p": row["pictures"],
            "c": categories, "a": list(answers)}


def browser(entries: Sequence[Mapping[str, Any]], pictures: Mapping[str, bytes], sides: Sequence[str]) -> str:
    """Markup, data and script of the searchable part. `sides` names the runs, one or two."""
    kept: dict[str, str] = {}
    size = left_out = 0
    for entry in entries:
        for key in entry["p"]:
            if key in kept or key not in pictures:
                continue
            if size + len(pictures[key]) > MAX_PICTURE_BYTES:
                left_out += 1
                continue
            size += len(pictures[key])
            kept[key] = data_uri(pictures[key])
    note = f"<p class=soft>{left_out} pictures are left out to keep this file small.</p>" if left_out else ""
    data = _json("rows", entries) + _json("pics", kept) + _json("sides", list(sides))
    return f"{_STYLE}{note}{_CONTROLS}{data}{_SCRIPT}"


def _json(name: str, value: Any) -> str:
    # "<" must not close the script element from within the data.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ... [{len(text) - MAX_TEXT} more characters]"
