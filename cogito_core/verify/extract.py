"""Find the final answer of a response, with the evidence, apart from judging it.

Ranks, strongest first: answer tag, JSON or ####; box; "the answer is"; a concluding sentence; the last line. Within a
rank the later place wins. Thinking never counts. Two different boxes, "A or B", a letter against another
option's text
are conflicts: then there is no answer, and the reason is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogito_core.verify import candidates, meter
from cogito_core.verify.clause import readable, reduce_clause
from cogito_core.verify.clean import as_text, fold, strip_dress
from cogito_core.verify.kinds import MATH_KINDS, NO, YES, canonical_kind
from cogito_core.verify.letters import extract_choice
from cogito_core.verify.prose import value_in_response
from cogito_core.verify.verdict import Candidate, Extraction
from cogito_core.verify.visible import moved, squeezed, visible
from cogito_core.verify.wording import words

TAIL = 6_000
"""Of a longer response this much is read: its end, or what follows the last box or answer tag if that is earlier."""

_JOINER = re.compile(r"[\s,;&.$\\()\[\]]|\\(?:text|mathrm|textbf|quad|qquad)|and|或|和|or", re.I)


@meter.budgeted(meter.EXTRACTION_STEPS)
def extract(
    response: object, *, kind: str | None = None, choices: Sequence[str] = (), gold_side: bool = False
) -> Extraction:
    """The final answer of `response`. `kind` and `choices` say what to look for. Never raises on any string.

    >>> extract("<think>maybe 3</think> So the answer is 42 because 6*7 = 42.", kind="number").text
    '42'
    """
    full = as_text(response)
    wanted = "integer" if kind == "integer" else canonical_kind(kind)
    try:
        text = visible(full)
        start = len(text) - len(text.lstrip())
        text = text.strip()
        if len(text) > TAIL:
            marked = max(text.rfind("\\boxed"), text.rfind("<answer>"))
            cut = len(text) - TAIL if marked < 0 else min(marked, len(text) - TAIL)
            start, text = start + cut, text[cut : cut + TAIL]
        text, places = squeezed(_first_answer(text))
        if wanted in ("choice", "choices") or (choices and wanted in ("", "choice")):
            found = extract_choice(text, [as_text(choice) for choice in choices], wanted == "choices")
        else:
            found = _extract_free(text, wanted, gold_side)
        return moved(found, start, places) if start or places else found
    except (RecursionError, MemoryError, ValueError, LookupError, ArithmeticError, TypeError) as error:
        return Extraction(None, "failure", None, f"the extraction failed: {type(error).__name__}")


_NEXT_QUESTION = re.compile(
    r"\n[\s#*]*(?:(?:next )?question(?: \d+)?|hint|human|user|q|the question is|问题|题目)\s*\**\s*[:：]", re.I
)


def _first_answer(text: str) -> str:
    """`text` up to where the model runs on with a new question, if something before that is marked as the answer."""
    for match in _NEXT_QUESTION.finditer(text):
        before = text[: match.start()]
        if "\\boxed" in before or "</answer>" in before or "####" in before or candidates.phrases(before):
            return before
    return text


def _extract_free(text: str, kind: str, gold_side: bool) -> Extraction:
    if not text.strip():
        return Extraction(None, "none", None, "the response is empty")
    tags = list(candidates.tags(text))
    if tags:
        last = tags[-1]
        said = {_key(tag.text) for tag in tags if tag.text and tag.rule == last.rule == "answer tag"}
        if len(said) > 1 and not gold_side:
            return Extraction(None, "conflict", last.span, "two different answer tags", tuple(reversed(tags)))
        inner = candidates.boxes(last.text)
        if inner:
            return _from_boxes(last.text, inner, kind, gold_side, tags, last.span[0])
        clause = _reduced(last, kind) if kind in MATH_KINDS or kind == "yes_no" else last
        return (
            Extraction(
                clause.text,
                last.rule,
                clause.span,
                "" if clause.text else "the answer tag is empty",
                tuple(reversed(tags)),
            )
            if clause.text
            else Extraction(None, last.rule, last.span, "the answer tag is empty", tuple(tags))
        )
    boxes = candidates.boxes(text)
    if boxes:
        found = _from_boxes(text, boxes, kind, gold_side, [], 0)
        return found if gold_side else _after_the_box(text, boxes[-1], kind) or found
    if kind == "yes_no":
        return _yes_no(text)
    body = text.strip()
    start = text.find(body)
    whole = Candidate(body, "whole response", candidates.LAST, (start, start + len(body)))
    if gold_side or (len(body) <= 300 and "\n" not in strip_dress(body) and _readable(whole, kind)):
        return Extraction(body, "whole response", whole.span, "", (whole,))
    if kind in MATH_KINDS or kind in ("time", "date"):
        return value_in_response(text, kind)
    return words(text, whole)


def _readable(whole: Candidate, kind: str) -> bool:
    if kind in MATH_KINDS or kind in ("time", "date"):
        return readable(whole.text, kind)
    return len(whole.text) <= 80 and not candidates.phrases(whole.text)


def _reduced(candidate: Candidate, kind: str) -> Candidate:
    """A tag's content down to the value, where it holds a sentence."""
    if kind == "yes_no" or readable(candidate.text, kind):
        return candidate
    found = value_in_response(candidate.text, kind)
    if found.text is None or found.span is None:
        return candidate
    offset = candidate.span[0]
    return Candidate(found.text, candidate.rule, candidate.rank, (offset + found.span[0], offset + found.span[1]))


def _from_boxes(
    text: str, boxes: list[Candidate], kind: str, gold_side: bool, before: list[Candidate], offset: int
) -> Extraction:
    """One box; or several joined by "and"; or a conflict."""
    evidence = tuple(reversed([*before, *boxes]))
    last = boxes[-1]
    span = (last.span[0] + offset, last.span[1] + offset)
    group = [last]
    for one in reversed(boxes[:-1]):
        between = text[one.span[1] : group[0].span[0]]
        between = re.sub(r"^\s*\}|\\+(?:boxed|fbox)\s*\{?$", "", between)
        named = re.sub(r"(?:\\?[A-Za-z]|\w)(?:_\{?\w+\}?)?\s*=\s*$", "", between.strip().rstrip("$").rstrip())
        plain = _JOINER.sub("", re.sub(r"part\s*\(?\w\)?|for\b|\\+[a-z]+", "", named))
        joined = bool(re.search(r"and|,|;|&|和|^\s*\}?\s*$", between, re.I)) and len(plain.strip(" {}$~")) == 0
        if (
            not joined
            and re.search(r"\band\b|,", between)
            and len(between) <= 40
            and len(re.findall(r"[A-Za-z]{2,}", plain)) <= 2
            and "then" not in between
        ):
            joined = kind in ("list", "") or gold_side
        if not joined:
            break
        group.insert(0, one)
    if len(group) > 1:
        texts = [one.text for one in group]
        distinct = list(dict.fromkeys(fold(strip_dress(one)) for one in texts))
        if len(distinct) > 1:
            adjacent = not re.search(r"and|,|;|和", text[group[0].span[1] : last.span[0]], re.I)
            if adjacent and not gold_side:
                return Extraction(None, "conflict", span, "two different boxes side by side", evidence)
            either = re.search(r"\bor\b|或", text[group[0].span[1] : last.span[0]], re.I)
            names = [_name_before(text, one.span[0]) for one in group]
            if all(names) and not any("=" in one for one in texts):
                texts = [f"{name} = {one}" for name, one in zip(names, texts, strict=True)]
            return Extraction(
                (" or " if either else ", ").join(texts), "boxes", (group[0].span[0] + offset, span[1]), "", evidence
            )
    others = [one for one in boxes if one not in group]
    differing = [one for one in others if _key(one.text) != _key(last.text)]
    if differing and not gold_side and not _final(text, last, differing[-1]):
        return Extraction(None, "conflict", span, "two different boxes", evidence)
    inner = candidates.boxes(last.text)
    content = inner[-1].text if inner and len(inner[-1].text) + 12 > len(last.text) else last.text
    tail = re.match(r"\}?\s*\$?\s*(\\?%|percent\b|pct\b)", text[last.span[1] : last.span[1] + 16])
    if tail and "%" not in content:
        content += " %"
    return Extraction(content, "box", span, "", evidence)


def _after_the_box(text: str, box: Candidate, kind: str) -> Extraction | None:
    """A "final answer" stated after the last box and different from it: the later and explicit statement counts."""
    last = next((one for one in reversed(candidates.phrases(text)) if one.span[0] > box.span[1]), None)
    if (
        last is None
        or "final" not in text[max(0, last.span[0] - 40) : last.span[0]].lower()
        or kind not in MATH_KINDS
    ):
        return None
    reduced = reduce_clause(text[last.span[0] : last.span[1]], kind, first=True)
    if reduced is None or _key(reduced.text) == _key(box.text):
        return None
    return Extraction(
        reduced.text.strip(),
        "final answer phrase",
        (last.span[0] + reduced.start, last.span[0] + reduced.end),
        "",
        (last, box),
    )


def _key(text: str) -> str:
    return re.sub(r"\s|\\left|\\right|\\[,;!]|\\d?t?frac", "", strip_dress(text))


def _name_before(text: str, start: int) -> str:
    match = re.search(r"((?:\\[a-z]+|[A-Za-z])(?:_\{?\w+\}?)?)\s*=\s*\\+boxed\s*\{\s*$", text[:start])
    return match.group(1) if match else ""


def _final(text: str, last: Candidate, earlier: Candidate) -> bool:
    """Whether the last box is announced as the final answer, after the sentence of the other one."""
    between = text[earlier.span[1] : last.span[0]]
    return bool(
        re.search(r"final|answer|therefore|thus|hence|response|conclusion|so,? the|答案|因此|所以", between, re.I)
    ) and ("\n" in between or "." in between or "#" in between)


_UNSAID = re.compile(r"\b(?:not|never|cannot|no\s+reason|hardly)\b|n['’]t\b", re.I)


def _yes_no(text: str) -> Extraction:
    """Yes or no: the answer phrase's first word, else the response's, else a concluding sentence's."""
    word = re.compile(r"[\s*\"'(\[“]*(yes|no|true|false|是的?|不是|否|对|错|正确|错误)(?![A-Za-z])", re.I)
    for one in reversed(candidates.phrases(text)):
        match = word.match(one.text)
        if match and re.match(r"\W*(?:or|/)\W*(?:yes|no|true|false)\b", one.text[match.end() :], re.I):
            return Extraction(None, "conflict", one.span, "both yes and no", (one,))
        if match:
            return Extraction(match.group(1), "answer phrase", one.span, "", (one,))
    body = text.strip()
    start = text.find(body)
    match = word.match(body)
    if match:
        return Extraction(match.group(1), "first word", (start, start + match.end()))
    for begin, end in reversed(candidates.sentences(text)):
        piece = text[begin:end]
        found = {w.lower() for w in re.findall(r"\b(?:yes|no|true|false)\b", piece, re.I)} & (YES | NO)
        match = re.match(r"\W*(?:(?:so|therefore|thus|hence)\W+)?(yes|no|true|false)\b", piece, re.I) or re.search(
            r"\b(?:say|statement\s+is|claim\s+is|it\s+is|so|therefore|thus|hence)\W+(yes|no|true|false)\W*$",
            piece,
            re.I,
        )
        if match and not (found & YES and found & NO) and not _UNSAID.search(piece[: match.start(1)]):
            return Extraction(match.group(1), "conclusion", (begin, end))
    return Extraction(None, "none", None, "neither yes nor no is said")
