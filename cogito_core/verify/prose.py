"""The value that a response ends in: "... Thus, the area of the triangle is 15 square centimetres."."""

from __future__ import annotations

import re

from cogito_core.verify import candidates
from cogito_core.verify.clause import SINGLE_KINDS, STRONG, reduce_clause
from cogito_core.verify.letter_patterns import REFUSAL
from cogito_core.verify.surroundings import is_bare
from cogito_core.verify.verdict import Extraction

_CLOSING = re.compile(
    r"\W*(?:i hope|let me know|do you have|is there anything|would you like|feel free|please (?:let|feel|note)|"
    r"hope this|thank|if you have|happy to)\b",
    re.I,
)
_ASIDE = re.compile(
    r"\W*(?:this is because|because|note|however|for example|alternatively|where|but|here|this means|this|"
    r"these|since|in other words|remember)\b",
    re.I,
)
_OPENING = re.compile(
    r"\W*(?:in the [^,.\n]{0,40},\s*)?(?:there (?:is|are|was|were)\s+(?:a total of\s+|only\s+|exactly\s+)?\S+|"
    r"the (?:\w+ ){1,6}(?:is|are) [^.,;]{1,30}$)",
    re.I,
)
_NONE_LEFT = re.compile(
    r"\W*(?:(?:therefore|thus|hence|so|then)[,\s]+)?there\s+(?:is|are|was|were|will be|would be)\s+"
    r"(?:no|zero|none)\b(?!\s+(?:way|need|reason|doubt|information|answer|solution|data|evidence|indication|other|"
    r"images?|pictures?|photos?|figures?|files?|attachments?|questions?|texts?|options?|such|mention|labels?|choices?)\b)[^.\d]*\.?\s*|"
    r"\W*no\s+(?:[a-z]+\s+){1,5}(?:is|are|was|were|can be|could be)\s+"
    r"(?:visible|seen|shown|present|found|left|there|remaining)\W*",
    re.I,
)
_BROKEN_OFF = re.compile(
    r"(?:\b(?:is|are|was|were|the|of|and|or|by|to|a|an|since|because|has|have|with|for|then|number of|equals?|that|"
    r"which|as|on|we|if|but|so|from)|[=+×/,(]|\s[-*])\s*$"
)
_RANGE = re.compile(r"\s*(?:%|percent)?\s*(?:to|[-–~])\s*\$?\d")


def _is_range(text: str, start: int, end: int) -> bool:
    """Whether a value in prose is the lower end of a range: "40 to 60", "between 40 and 60"."""
    return bool(_RANGE.match(text[end : end + 12])) or bool(
        re.search(r"\bbetween\s*$", text[max(0, start - 12) : start])
    )


def value_in_response(text: str, kind: str) -> Extraction:
    """The value a response ends in, see `_found`; a range, a bound or a part of another value is no value."""
    found = _found(text, kind)
    if (
        found.span is None
        or found.text is None
        or kind not in SINGLE_KINDS | {"closed form", "expression", "complex", "ratio", "time", "date"}
    ):
        return found
    if _is_range(text, *found.span):
        return Extraction(None, "conflict", found.span, "a range of values", found.candidates)
    start = found.span[0]
    if kind in ("time", "date") and re.search(
        r"\b(?:before|after|until|till|past|since)\s+$", text[:start][-12:], re.I
    ):
        return Extraction(None, "conflict", found.span, "before or after a time", found.candidates)
    if not is_bare(text, *found.span):
        return Extraction(None, "conflict", found.span, "a part of a value, a bound or a denial", found.candidates)
    return found


def _found(text: str, kind: str) -> Extraction:
    """The value a response ends in: after the last answer phrase, in the last concluding sentence, or in the
    last one with a value."""
    for candidate in reversed(candidates.phrases(text)):
        if REFUSAL.search(candidate.text):
            return Extraction(None, "refusal", candidate.span, "the response declines to answer")
        reduced = reduce_clause(text[candidate.span[0] : candidate.span[1]], kind, first=True)
        if reduced is not None:
            span = (candidate.span[0] + reduced.start, candidate.span[0] + reduced.end)
            return Extraction(_as_kind(reduced.text, kind), "answer phrase", span, "", (candidate,))
    spans = [
        span
        for span in candidates.sentences(text)
        if not _CLOSING.match(text[span[0] : span[1]]) and text[span[1] : span[1] + 1] != "?"
    ][-12:]
    if any(REFUSAL.search(text[start:end]) for start, end in spans[-2:]):
        return Extraction(None, "refusal", spans[-1], "the response declines to answer")
    if _BROKEN_OFF.search(text):
        return Extraction(None, "none", None, "the response breaks off before an answer")
    fallback: Extraction | None = None
    if len(spans) > 1 and not any(
        candidates.concludes(text[start:end]) or "**" in text[start:end] for start, end in spans
    ):
        start, end = spans[0]
        if _OPENING.match(text[start:end]):
            reduced = reduce_clause(text[start:end], kind, first=False)
            if reduced is not None and kind in SINGLE_KINDS:
                return Extraction(
                    _as_kind(reduced.text, kind), "opening statement", (start + reduced.start, start + reduced.end)
                )
    for distance, (start, end) in enumerate(reversed(spans)):
        piece = text[start:end]
        bold = [m for m in re.finditer(r"\*\*([^*\n]+)\*\*", piece) if not m.group(1).rstrip().endswith(":")]
        for match in reversed(bold):
            reduced = reduce_clause(match.group(1), kind, first=False)
            if reduced is not None:
                offset = start + match.start(1)
                return Extraction(
                    _as_kind(reduced.text, kind), "bold", (offset + reduced.start, offset + reduced.end)
                )
        concluding = candidates.concludes(piece)
        states = not distance and bool(STRONG.search(piece)) and not _ASIDE.match(piece)
        if concluding or states or fallback is None:
            reduced = reduce_clause(piece, kind, first=False)
            if reduced is not None:
                rule = "conclusion" if concluding else "last sentence"
                found = Extraction(_as_kind(reduced.text, kind), rule, (start + reduced.start, start + reduced.end))
                if concluding or states:
                    return found
                fallback = found
    if fallback is None and kind == "integer" and spans and _NONE_LEFT.fullmatch(text[spans[-1][0] : spans[-1][1]]):
        return Extraction("0", "none left", spans[-1])
    return fallback or Extraction(None, "none", None, "no value found")


def _as_kind(text: str, kind: str) -> str:
    """The value as written; where an integer is asked for, a percentage in prose is that many per cent."""
    text = text.strip()
    return re.sub(r"\s*(?:\\?%|percent)$", "", text) if kind == "integer" else text
