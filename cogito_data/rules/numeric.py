"""Options that share one numeric form: what the list alone tells (unit, form, rounding) and the gold without it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cogito_data.rules.wording import normal
from cogito_data.sources.shapes.golds import WORDS, canonical, is_number, kind_of, split_unit

_LEADING_UNIT = re.compile(r"^\\?(?P<unit>[$€£¥])\s*(?P<value>[-+]?[\d.,]+)$")
_WORD_UNIT = re.compile(r"^(?P<value>[-+−]?[\d.,/]+)\s*(?P<unit>[^\W\d_][\w²³^{}° ./]{0,24})$")
_PERCENT = re.compile(r"^(?P<value>[-+−]?[\d.,]+)\s*\\?%$")
_DEGREES = re.compile(
    r"^(?P<value>.*?)\s*(?:\*\s*)?(?:°|º|\^\s*\{?\s*\\circ\s*\}?|\\degrees?|degrees?|deg|度)$", re.IGNORECASE
)
# Single letters, numbers and signs: 60-k, 2x+3, k. A run of letters would be a word.
_ALGEBRA = re.compile(
    r"(?=.*[a-zA-Z0-9])(?!.*[-+−*/^(.]\s*$)"
    r"(?:[-+−*/^().\s\d]|(?<![^\W\d_])[a-zA-Z](?![^\W\d_])|(?<=\d)[a-z](?![^\W\d_]))+"
)
_RANGE = re.compile(r"\s*\d[\d.,]*\s*[-–—−]\s*\d[\d.,]*\s*")
# What a circle measures is a multiple of pi: a whole number among the options is a rounded one.
_ROUND_FIGURES = re.compile(
    r"\barcs?\b|\bsectors?\b|\bcircumference\b|\barea\b[^.?!]*\b(?:semi)?circles?\b|"
    r"\b(?:semi)?circles?\b[^.?!]*\barea\b|\b(?:volume|surface area)\b[^.?!]*\b(?:cylinder|cone|sphere)",
    re.IGNORECASE,
)
_RATIO = re.compile(r"^\s*[\d.]+\s*[:：]\s*[\d.]+\s*$")
_ROUNDING = re.compile(
    r"\bround|\bnearest\b|\bdecimal|\bsignificant|\bto the (?:tenth|hundredth)|保留|精确", re.IGNORECASE
)
_EXACT_FORM = re.compile(r"\\sqrt|√|\\pi|π|sqrt|(?<![a-z])pi(?![a-z])", re.IGNORECASE)
_APPROXIMATE = re.compile(r"approx|≈|~|about", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """One option read as a value and its unit (empty for a bare value)."""

    text: str
    unit: str
    kind: str


@dataclass(frozen=True)
class Opening:
    """How the gold is asked for without its list."""

    answer: str
    kind: str
    spec: dict[str, Any]
    hint: str
    aliases: tuple[str, ...] = ()


def read_value(option: str) -> Value | None:
    """An option as a value with a unit; None where it is no number, expression or ratio.

    >>> read_value("$4.50"), read_value("12 cm")
    (Value(text='4.50', unit='$', kind='number'), Value(text='12', unit='cm', kind='number'))
    >>> read_value("red") is None
    True
    """
    text = canonical(option)
    if _APPROXIMATE.search(text):
        return None
    if normal(text) in WORDS:
        return Value(WORDS[normal(text)], "", "number")
    for pattern, unit in ((_PERCENT, "%"), (_DEGREES, "°"), (_LEADING_UNIT, None), (_WORD_UNIT, None)):
        found = pattern.match(text)
        if found and (body := found["value"].strip()):
            value = _bare(body)
            if value is not None:
                return Value(value[0], unit or found["unit"].strip(), value[1])
    body, known_unit = split_unit(text)
    value = _bare(body)
    return None if value is None else Value(value[0], known_unit or "", value[1])


def _bare(text: str) -> tuple[str, str] | None:
    if is_number(text):
        return text.replace(",", "").replace("−", "-").removeprefix("+"), "number"
    if is_range(text):
        return None  # from one to two, or one minus two
    if kind_of(text) == "expression" or _ALGEBRA.fullmatch(text):
        return text, "expression"
    return None


def open_numeric(question: str, options: Sequence[str], gold: int) -> Opening | str:
    """How to ask for the gold among numeric options, or the reason why not (a sentence).

    What the list alone told goes into the question: the unit, the form, the rounding.
    """
    values = [read_value(option) for option in options]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "some options are no numbers"
    units = {normal(value.unit) for value in known}
    if len(units) > 1:
        return "the options differ in their units, so the unit is part of what is asked"
    mine = known[gold]
    hints = []
    spec: dict[str, Any] = {}
    if mine.unit:
        spec["unit"] = mine.unit
        if not _mentions_unit(question, mine.unit):
            hints.append(_unit_hint(mine.unit, chinese=re.search(r"[\u4e00-\u9fff]", question) is not None))
    hints += _form_hints(question, known, gold, spec)
    kind = "number" if mine.kind == "number" else "expression"
    aliases = (options[gold],) if mine.unit and options[gold] != mine.text else ()
    return Opening(mine.text, kind, spec, " ".join(hints), aliases)


def _form_hints(question: str, values: Sequence[Value], gold: int, spec: dict[str, Any]) -> list[str]:
    texts = [value.text for value in values]
    if any(_EXACT_FORM.search(text) for text in texts):
        in_pi = all("pi" in text for text in texts)
        return ["Give the exact value in terms of pi." if in_pi else "Give the exact value."]
    if all("/" in text or "frac" in text for text in texts):
        return [] if re.search(r"\bfraction", question, re.IGNORECASE) else ["Give the answer as a fraction."]
    decimals = [len(text.partition(".")[2]) for text in texts]
    mine = decimals[gold]
    if values[gold].kind == "number" and mine:
        spec["precision"] = mine
        # A cent is the usual end of a price: nothing has to be said about it.
        if not _ROUNDING.search(question) and not (values[gold].unit in "$€£¥" and values[gold].unit and mine == 2):
            places = "place" if mine == 1 else "places"
            return [f"Round the answer to {mine} decimal {places}."]
    rounded = all(value.kind == "number" and value.unit not in ("°", "%") for value in values)
    if rounded and not any(decimals) and _ROUND_FIGURES.search(question) and not _ROUNDING.search(question):
        return ["Round the answer to the nearest whole number."]
    return []


_UNIT_WORDS = {
    "°": ("degree", "°", "\\circ", "angle", "∠", "\\angle", "度"),
    "%": ("percent", "%"),
    "$": ("$", "dollar", "cost", "price", "pay", "spend", "money"),
}


def _mentions_unit(question: str, unit: str) -> bool:
    words = _UNIT_WORDS.get(unit)
    if words:
        return any(word in question.casefold() for word in words)
    return re.search(rf"(?<![^\W\d_]){re.escape(unit)}(?![^\W\d_])", question, re.IGNORECASE) is not None


_CHINESE_UNITS = {
    "米": "metres", "厘米": "centimetres", "分米": "decimetres", "毫米": "millimetres", "千米": "kilometres",
    "公里": "kilometres", "海里": "nautical miles", "小时": "hours", "分钟": "minutes", "秒": "seconds", "元": "yuan",
    "平方米": "square metres", "平方厘米": "square centimetres", "立方米": "cubic metres",
    "立方厘米": "cubic centimetres",
    "千克": "kilograms", "克": "grams", "度": "degrees",
}


def _unit_hint(unit: str, *, chinese: bool) -> str:
    spoken = {"°": "degrees", "%": "percent", "$": "dollars", "€": "euros", "£": "pounds", "¥": "yuan"}.get(
        unit, unit
    )
    return f"Give the answer in {spoken if chinese else _CHINESE_UNITS.get(spoken, spoken)}."


def is_range(option: str) -> bool:
    """Whether an option is two numbers with a dash between them, such as 1-2."""
    return _RANGE.fullmatch(option) is not None


def is_ratio(option: str) -> bool:
    """Whether an option is a ratio such as 3:4."""
    return _RATIO.match(option) is not None
