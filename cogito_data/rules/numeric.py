"""Options that share one numeric form: what the list alone tells (unit, form, rounding) and the gold without it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cogito_data.rules.wording import normal
from cogito_data.sources.shapes.golds import (
    LETTERED_SCALES,
    WORDS,
    asks_for_count,
    canonical,
    is_number,
    kind_of,
    plain_decimal,
    split_unit,
)

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
# "1.2M", "$3.5 billion", "10K people"; a letter with a space in front (10 K) is a unit.
_SCALED = re.compile(
    r"(?P<money>[$€£¥]?)\s*(?P<value>[-+−]?\d[\d.,]*)"
    r"(?:\s*-?(?P<word>thousand|million|billion|trillion|mn|bn|tn)s?|(?P<letter>[kKMBT]))(?![^\W\d_])"
    r"(?:\s+(?P<noun>[^\W\d_][\w ]{0,24}))?",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"[-+−]?\d+(?:\.\d+)?[eE][-+−]?\d{1,3}")
_ZEROS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_RANGE = re.compile(r"(?<![^\s(])\d[\d.,]*\s*[-–—−]\s*\d[\d.,]*(?![^\s).,;])")
# What a circle measures is a multiple of pi: a whole number among the options is a rounded one.
_ROUND_FIGURES = re.compile(
    r"\barcs?\b|\bsectors?\b|\bcircumference\b|\barea\b[^.?!]*\b(?:semi)?circles?\b|"
    r"\b(?:semi)?circles?\b[^.?!]*\barea\b|\b(?:volume|surface area)\b[^.?!]*\b(?:cylinder|cone|sphere)",
    re.IGNORECASE,
)
# An arc's measure is an angle: it is no multiple of pi.
_IN_DEGREES = re.compile(
    r"\b(?:measures?|angle)\s+of\s+(?:the\s+)?(?:\w+\s+)?arcs?\b|\bdegree\s+measures?\b|\bhow\s+many\s+degrees\b",
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
    """One option read as a value and its unit (empty for a bare value).

    `scale` is thousand to trillion where one stands behind the digits; `certain` is false where it is a letter that
    may as well be a unit (10K: ten thousand, ten kelvin).
    """

    text: str
    unit: str
    kind: str
    scale: str = ""
    certain: bool = True


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

    >>> [(one.text, one.unit, one.scale) for one in map(read_value, ("$4.50", "12 cm", "$3.5M")) if one]
    [('4.50', '$', ''), ('12', 'cm', ''), ('3.5', '$', 'million')]
    >>> read_value("red") is None
    True
    """
    text = canonical(option)
    if _APPROXIMATE.search(text):
        return None
    if normal(text) in WORDS:
        return Value(WORDS[normal(text)], "", "number")
    if (scaled := _scaled(text)) is not None:
        return scaled
    if len(text) == 1 and unicodedata.category(text) == "No" and "⁄" in unicodedata.normalize("NFKC", text):
        return Value(unicodedata.normalize("NFKC", text).replace("⁄", "/"), "", "expression")
    if _SCIENTIFIC.fullmatch(text):
        return Value(text, "", "expression")  # Its digits behind the point are no rounding.
    for pattern, unit in ((_PERCENT, "%"), (_DEGREES, "°"), (_LEADING_UNIT, None), (_WORD_UNIT, None)):
        found = pattern.match(text)
        if found and (body := found["value"].strip()):
            value = _bare(body)
            if value is not None:
                return Value(value[0], unit or found["unit"].strip(), value[1])
    body, known_unit = split_unit(text)
    value = _bare(body)
    return None if value is None else Value(value[0], known_unit or "", value[1])


def _scaled(text: str) -> Value | None:
    found = _SCALED.fullmatch(text)
    if found is None or not is_number(found["value"]) or found["letter"] in ("m", "b", "t"):
        return None
    word = (found["word"] or found["letter"]).lower()
    certain = bool(found["word"] or found["money"] or found["noun"])
    value = _plain(found["value"])
    return Value(value, found["money"] or found["noun"] or "", "number", LETTERED_SCALES.get(word, word), certain)


def _plain(number: str) -> str:
    return number.replace(",", "").replace("−", "-").removeprefix("+")


def _bare(text: str) -> tuple[str, str] | None:
    if is_number(text):
        return _plain(text), "number"
    if _RANGE.fullmatch(text.strip()):
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
    if len({value.scale for value in known}) > 1:
        return "the options differ in their scale, so the scale is part of what is asked"
    if not all(value.certain for value in known) and not asks_for_count(question):
        return "K, M, B or T behind a number may be a scale or a unit"
    if mine.scale:
        return _open_scaled(question, known, gold, options[gold])
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


def _open_scaled(question: str, values: Sequence[Value], gold: int, option: str) -> Opening:
    """Millions and their like: asked for in that scale, which tells how exact the answer must be."""
    mine = values[gold]
    asked = re.search(rf"\bin\s+(?:\w+\s+)?{mine.scale}s?\b", question, re.IGNORECASE)
    of = f" of {_MONEY.get(mine.unit, mine.unit)}" if mine.unit else ""
    spec: dict[str, Any] = {"unit": mine.unit} if mine.unit in _MONEY else {}
    hints = [] if asked else [f"Give the answer in {mine.scale}s{of}."]
    hints += _form_hints(question, [replace(value, unit="") for value in values], gold, spec)
    whole = plain_decimal(Decimal(mine.text).scaleb(_ZEROS[mine.scale]))
    aliases = tuple(dict.fromkeys((whole, f"{mine.text} {mine.scale}", option)))
    return Opening(mine.text, "number", spec, " ".join(hints), aliases)


def _form_hints(question: str, values: Sequence[Value], gold: int, spec: dict[str, Any]) -> list[str]:
    texts = [value.text for value in values]
    if any(_EXACT_FORM.search(text) for text in texts):
        in_pi = all("pi" in text for text in texts)
        return ["Give the exact value in terms of pi." if in_pi else "Give the exact value."]
    if all("/" in text or "frac" in text for text in texts):
        return [] if re.search(r"\bfraction", question, re.IGNORECASE) else ["Give the answer as a fraction."]
    if any("/" in text or "frac" in text for text in texts):
        return ["Give the exact value."]
    decimals = [len(text.partition(".")[2]) for text in texts]
    mine = decimals[gold]
    if values[gold].kind == "number" and mine:
        spec["precision"] = mine
        # A cent is the usual end of a price: nothing has to be said about it.
        if not _ROUNDING.search(question) and not (values[gold].unit in "$€£¥" and values[gold].unit and mine == 2):
            places = "place" if mine == 1 else "places"
            return [f"Round the answer to {mine} decimal {places}."]
    rounded = all(value.kind == "number" and value.unit not in ("°", "%") for value in values)
    irrational = _ROUND_FIGURES.search(question) and not _IN_DEGREES.search(question)
    if rounded and not any(decimals) and irrational and not _ROUNDING.search(question):
        return ["Round the answer to the nearest whole number."]
    return []


_MONEY = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yuan"}
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
    spoken = {"°": "degrees", "%": "percent", **_MONEY}.get(unit, unit)
    return f"Give the answer in {spoken if chinese else _CHINESE_UNITS.get(spoken, spoken)}."


def is_range(option: str) -> bool:
    """Whether an option holds two numbers with a dash between them, such as 1-2, 1-3 weeks, June 20-22."""
    return _RANGE.search(option) is not None


def is_ratio(option: str) -> bool:
    """Whether an option is a ratio such as 3:4."""
    return _RATIO.match(option) is not None
