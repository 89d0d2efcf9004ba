"""What a short answer says besides its value: a name before it, a sign of rounding, a remark in brackets."""

from __future__ import annotations

import re

from cogito_core.verify.units import parse_unit

_NAME = re.compile(
    r"(?P<open>\\(?:text|mathrm|textbf)\s*\{\s*)?(?P<name>[A-Za-z][A-Za-z' ,()-]{0,60}?)\s*(?P<close>\})?"
    r"\s*(?:=|:|≈|\\approx|\bis\b|\bequals\b)\s*(?P<later>\})?\s*(?:=|≈|\\approx)?\s*(?P<value>\S.*)",
    re.S,
)
_ANOTHER = re.compile(
    r"\b(?:no|not|never|half|twice|double|triple|square[ds]?|cubed?|root|reciprocal|inverse|log|negative|minus|without|if|"
    r"least|most|than|or|per|times|sin|cos|tan|max|min|mod|i|we|you|they|think|guess|believe|doubt|maybe|perhaps|whether|"
    r"between|before|after|above|below|under|over|all|every|some)\b|n't\b",
    re.I,
)
"""Words that make the named thing another one than what is asked for: "twice the area = 12"."""
MAX_REMARKED = 200
_ROUNDED = re.compile(r"(?:\\approx|\\sim|≈|~|approximately|approx\.?|about|roughly|around|大约|约)\s*", re.I)
_REMARK = re.compile(r"(?P<value>.*\S)\s+[(（]\s*(?P<remark>[^()（）]{1,40}?)\s*[)）]", re.S)


def without_name(text: str) -> str:
    """The value behind the name of what is asked for: "Area = 12", "\\\\text{The answer is } 12"; "" elsewhere.

    >>> without_name("Area = 12"), without_name("twice the area = 12")
    ('12', '')
    """
    found = _NAME.fullmatch(text) if len(text) <= MAX_REMARKED else None
    if not found or _ANOTHER.search(found.group("name")):
        return ""
    if bool(found.group("open")) != bool(found.group("close") or found.group("later")):
        return ""
    return found.group("value")


def rounded(text: str) -> str:
    """The value behind "about" or ≈; "" elsewhere."""
    found = _ROUNDED.match(text)
    return text[found.end() :] if found else ""


def with_remark(text: str) -> tuple[str, str] | None:
    """A value and the remark in brackets behind it: "12 (twelve)", "5 (cm)"; None elsewhere."""
    found = _REMARK.fullmatch(text) if len(text) <= MAX_REMARKED and text[-1:] in (")", "）") else None
    return (found.group("value"), found.group("remark")) if found else None


def is_unit(remark: str) -> bool:
    """Whether a remark is a unit of measurement.

    >>> is_unit("cm"), is_unit("the blue bar")
    (True, False)
    """
    unit = parse_unit(remark)
    return unit is not None and bool(unit.dims)
