"""A gallery of samples that one can search and filter in the browser: one HTML file, no server, opens offline."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.html import Page, data_uri, escape
from cogito_core.images import PictureError, open_picture
from cogito_core.sample import Sample
from cogito_core.shards import SampleStore, shard_folder, shard_paths

THUMBNAIL = 320
"""Longest side of a shown picture in pixels; smaller pictures keep their bytes."""

_STYLE = """
.bar{position:sticky;top:0;background:var(--bg);padding:10px 0;display:flex;flex-wrap:wrap;gap:10px;z-index:2;
border-bottom:1px solid var(--line)}.bar input,.bar select{font:inherit;padding:5px 8px;border:1px solid var(--line);
border-radius:6px;background:var(--card);color:var(--ink)}.bar input[type=search]{flex:1 1 260px}
.bar input[type=number]{width:74px}
.bar label{display:flex;align-items:center;gap:6px;font-size:13px;color:var(--soft)}
.rate{height:5px;background:var(--line);border-radius:3px;margin:6px 0}
.rate i{display:block;height:5px;border-radius:3px;background:var(--accent)}
.tag{display:inline-block;font-size:12px;color:var(--soft);margin-right:8px}
.card[hidden]{display:none}.card a{color:var(--accent);cursor:pointer;text-decoration:none}
"""

_SCRIPT = """
const cards=[...document.querySelectorAll('.card')],by=id=>document.getElementById(id);
const texts=cards.map(c=>c.textContent.toLowerCase());
function show(){const words=by('q').value.toLowerCase().split(/\\s+/).filter(Boolean);
const picks=['source','category','split','kind','rule'].map(k=>[k,by(k).value]).filter(p=>p[1]);
const low=+by('low').value/100,high=+by('high').value/100;let n=0;
cards.forEach((c,i)=>{const r=c.dataset.rate;
const ok=words.every(w=>texts[i].includes(w))&&picks.every(([k,v])=>c.dataset[k]===v)
&&(r===''?low===0&&high===1:+r>=low&&+r<=high);c.hidden=!ok;n+=ok});
by('n').textContent=n+' of '+cards.length+' shown'}
document.querySelector('.bar').addEventListener('input',show);
document.addEventListener('click',e=>{const p=e.target.dataset&&e.target.dataset.picture;
if(p){by('q').value=p;show();window.scrollTo(0,0)}});show();
"""


def write_gallery(directory: Path, out: Path | None, limit: int) -> tuple[Path, int, int]:
    """Write the gallery of a run directory (its `data/`) or of a folder of shards.

    Returns the file, the rows shown and the rows there are.

    Raises:
        CogitoError: there are no shards.
    """
    data = shard_folder(directory)
    if not shard_paths(data):
        raise CogitoError(f"{directory} holds no shards")
    splits = sorted({path.name.rsplit("-", 1)[0] for path in shard_paths(data)})
    stores = {split: SampleStore(data, split) for split in splits}
    total = sum(len(store) for store in stores.values())
    step = max(1.0, total / limit)
    wanted = [int(i * step) for i in range(min(limit, total))]
    cards = []
    values: dict[str, Counter[str]] = {name: Counter() for name in ("source", "category", "split", "kind", "rule")}
    start = 0
    for split, store in stores.items():
        asked = Counter(store.column("image_hash"))
        for index in wanted:
            if start <= index < start + len(store):
                cards.append(_card(store[index - start], split, asked, values))
        start += len(store)
    page = Page(f"Samples of {directory}", f"{len(cards):,} of {total:,} rows, evenly spread")
    page.raw(
        f"<style>{_STYLE}</style>{_bar(values)}<div class=cards>{''.join(cards)}</div><script>{_SCRIPT}</script>"
    )
    from cogito_core.files import write_atomic

    path = out or directory / "gallery.html"
    write_atomic(path, page.render())
    return path, len(cards), total


def _bar(values: dict[str, Counter[str]]) -> str:
    picks = []
    for name, counts in values.items():
        options = "".join(
            f'<option value="{escape(v)}">{escape(v)} ({n})</option>' for v, n in sorted(counts.items())
        )
        picks.append(f'<select id="{name}"><option value="">any {name}</option>{options}</select>')
    rates = "".join(
        f'<label>{word} <input id="{name}" type=number min=0 max=100 step=5 value={value}>%</label>'
        for name, word, value in (("low", "pass rate from", 0), ("high", "to", 100))
    )
    search = '<input id="q" type=search placeholder="search question, gold, id">'
    return f"<div class=bar>{search}{''.join(picks)}{rates}<span id=n class=soft></span></div>"


def _card(sample: Sample, split: str, asked: Counter[str], values: dict[str, Counter[str]]) -> str:
    rule = "none" if sample.reformulation.startswith("none") else sample.reformulation
    data = {
        "source": sample.source,
        "category": sample.category,
        "split": split,
        "kind": sample.answer_kind,
        "rule": rule,
    }
    for name, value in data.items():
        values[name][value] += 1
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    rate = "" if sample.pass_rate is None else f"{sample.pass_rate:.4g}"
    tags = "".join(f"<span class=tag>{escape(value)}</span>" for value in data.values())
    neighbours = asked[sample.image_hash] - 1 if sample.images else 0
    picture = escape(sample.image_hash)
    more = f'<a data-picture="{picture}">{neighbours} more on this picture</a>' if neighbours else ""
    return (
        f'<div class=card{attributes} data-rate="{rate}">{"".join(_picture(p.bytes) for p in sample.images)}{tags}'
        f"{_rate(sample)}<pre>{escape(sample.problem)}</pre><b>{escape(sample.answer)}</b>{_rewrite(sample)}"
        f"<div class=soft>{escape(sample.id)} <span hidden>{picture}</span> {more}</div></div>"
    )


def _rate(sample: Sample) -> str:
    if sample.pass_rate is None:
        return ""
    said = f"{sample.n_correct} of {sample.n_trials} right"
    filled = f'<i style="width:{sample.pass_rate * 100:.0f}%"></i>'
    return f'<div class=rate title="{said}">{filled}</div><span class=tag>{said}</span>'


def _rewrite(sample: Sample) -> str:
    if sample.reformulation.startswith("none"):
        return f"<div class=soft>{escape(sample.reformulation)}</div>" if sample.choices else ""
    before = sample.original_problem + "".join(f"\n- {option}" for option in sample.choices)
    summary = f"<summary class=soft>before: {escape(sample.reformulation)}</summary>"
    return f"<details>{summary}<pre>{escape(before)}</pre></details>"


def _picture(data: bytes) -> str:
    small = ' class="small"' if len(data) < 3000 else ""
    return f'<img{small} loading=lazy alt="" src="{data_uri(_shown(data))}">'


def _shown(data: bytes) -> bytes:
    """The picture, scaled down if it is large: two thousand photographs would make a file nobody can open."""
    if len(data) < 20_000:
        return data
    try:
        picture: Any = open_picture(data, where="gallery")
    except PictureError:
        return data
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=80)
    return buffer.getvalue()
