"""Free-form golds: canonical text, its kind, its unit. One place, so that all sources read numbers alike."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cogito_core.verify.units import parse_unit
from cogito_data.sources.base import Gold
from cogito_data.sources.rows import Row, plain

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
_FRACTION = re.compile(r"[-+−]?\d+\s*/\s*\d+")
_YES_NO = ("yes", "no", "true", "false")
_MATH = re.compile(r"\\(?:frac|sqrt|pi|cdot|times)|√|π|\bsqrt\s*\(|\^|(?<![A-Za-z])pi\b|\d\s*/\s*\d")
_FUNCTION = re.compile(r"\\[a-zA-Z]+|\b(?:sqrt|pi|a?sin|a?cos|a?tan|log|ln)\b")

_EQUATION = re.compile(r"[^=<>]*[A-Za-z][^=<>]*=[^=<>]*[\w)}]")

WORDS = {
    word: str(value)
    for value, word in enumerate((
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ))
}
"""Counting words of DVQA and others."""

UNITS = (
    "km/h", "m/s", "mm", "cm", "dm", "km", "m", "inches", "inch", "in", "feet", "foot", "ft", "yd", "miles", "mi",
    "kg", "g", "mL", "ml", "L", "s", "min", "h", "hours", "degrees", "degree", "units", "unit",
    "平方厘米", "平方米", "立方厘米", "立方米", "厘米", "分米", "毫米", "千米", "米",
    "海里", "里", "度", "元", "秒", "分钟", "小时",
    "°", "º", "°C", "$", "%",
)
"""Units that stand behind a value; powers such as cm^{2}, cm², cm2 are read too."""

_UNIT = "|".join(sorted((re.escape(unit) for unit in UNITS), key=len, reverse=True))
_VALUE_UNIT = re.compile(
    rf"^(?P<value>.*[\d)}}πi])\s*"
    rf"(?P<unit>\\?(?:{_UNIT}|\^\{{?\\circ\}}?|\\%)(?:\^?\{{?[23]\}}?\^?|[²³])?)$", re.DOTALL
)
_SPACED_UNIT = re.compile(r"^(?P<value>.*[\d)}πi°])[\s~]+(?P<unit>[A-Za-z°℃][A-Za-z°./^{}²³\d -]*)$", re.DOTALL)
_DRESSED_UNIT = re.compile(
    r"^(?P<value>.*?)(?:\\[,;:! ]|~|\s)*"
    r"\\(?:text|mathrm|textrm|operatorname)\s*\{\s*(?P<unit>[^{}]+?)\s*\}(?P<power>\s*\^?\{?[23]\}?|[²³])?$",
    re.DOTALL,
)
_MONEY_FIRST = re.compile(r"^(?P<unit>US\$|\\?[$£€¥￥])\s*(?P<value>\d.*)$")


LONGEST_VALUE = 1000
"""Characters; what is longer is no value with a unit and no expression, and is not searched for one."""


def free_form(row: Row, value: Any, *, unit: str | None = None, units: bool = False, prose: bool = False,
              spec: Mapping[str, Any] | None = None, question: str = "") -> Gold:
    """The gold of an open question.

    Args:
        row: where it stands, for the sentence.
        value: upstream's value: text, number, true/false.
        unit: upstream's own unit field, if it has one.
        units: whether a unit may be written behind the value (`16cm`, `140°`): it moves to `spec["unit"]`.
        prose: the source has no formulas: `18/19` is a name there, not a fraction.
        spec: tolerance policy and the like; kept for numbers only.
        question: where it asks for a count, `902k` is 902000 with the alias `902 thousand`, as `$1.2M` is anywhere.

    Raises:
        BadRow: the gold is empty, a placeholder such as `n/a`, or no single value.
    """
    if isinstance(value, bool):
        return Gold("yes" if value else "no", "yes_no", str(value).lower())
    if isinstance(value, float) and not math.isfinite(value):
        raise row.fail("wrong_type", f"the gold is {value}, which is no number")
    if isinstance(value, int | float):
        text = plain(value)
    elif isinstance(value, str):
        text = value.strip()
    elif value is None:
        raise row.fail("empty_gold", "the gold is null")
    else:
        raise row.fail("wrong_type", f"the gold should be one value, not {type(value).__name__}")
    if not text:
        raise row.fail("empty_gold", "the gold is empty")
    if text.casefold() in _PLACEHOLDERS:
        raise row.fail("empty_gold", f"the gold {text!r} stands for a missing one")
    body, money = written_out(canonical(text))
    spelled = _spelled(canonical(text), counts=prose and asks_for_count(question))
    if spelled:
        body, money = written_out(spelled)
    found_unit = money if unit is None else unit
    if unit is None and body.endswith("%") and is_number(body[:-1].strip()):
        body, found_unit = body[:-1].strip(), "%"
    if units and unit is None and found_unit is None:
        body, found_unit = split_unit(body)
    kind = kind_of(body)
    if prose and kind == "expression":
        kind, body = "text", unicodedata.normalize("NFC", text)
    out: dict[str, Any] = dict(spec or {}) if kind in ("number", "expression") else {}
    if found_unit:
        out["unit"] = found_unit
    if kind == "number":
        body = body.replace(",", "").replace("−", "-").removeprefix("+")
    elif kind == "yes_no":
        body = body.casefold()
    # `48K` itself would be read as kelvin, and 48 be right; behind a currency it is no unit.
    aliases = (spelled, text) if spelled and money else (spelled,) if spelled else ()
    return Gold(body, kind, text, out, aliases)


_PLACEHOLDERS = ("-", "--", "n/a", "null", "nan", "?", "...")
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALED = re.compile(rf"(?P<value>\S+)\s+(?P<scale>{'|'.join(_SCALES)})s?", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,2}")
_PARTS = {"¼": "0.25", "½": "0.5", "¾": "0.75"}


def written_out(text: str) -> tuple[str, str | None]:
    """(number, currency) of `$4,500`, `12 million`, `$1.2 billion`, `8e3`, `½`; any other text as it is.

    A letter as scale (`1.2M`) is left alone: it may be a unit (see `free_form`).
    """
    if len(text) > LONGEST_VALUE:
        return text, None
    money = _MONEY_FIRST.match(text)
    body, unit = (money.group("value"), money.group("unit").removeprefix("\\")) if money else (text, None)
    scaled = _SCALED.fullmatch(body)
    if scaled is not None and is_number(scaled.group("value")):
        number = Decimal(scaled.group("value").replace(",", "").replace("−", "-"))
        return plain_decimal(number.scaleb(_SCALES[scaled.group("scale").lower()])), unit
    if _SCIENTIFIC.fullmatch(body):
        return plain_decimal(Decimal(body)), unit
    if body in _PARTS:
        return _PARTS[body], unit
    return (body, unit) if money and is_number(body) else (text, None)


_LETTERED = re.compile(r"(?P<value>\d[\d,]*(?:\.\d+)?)\s?(?P<scale>k|m|b|t|mn|bn|tn)", re.IGNORECASE)
LETTERED_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion",
    "t": "trillion", "tn": "trillion",
}
_COUNTS = re.compile(r"\bhow\s+many\b|\bnumber\s+of\b|\bpopulation\b|\bcount\s+of\b", re.IGNORECASE)


def asks_for_count(question: str) -> bool:
    """Whether a question asks how many there are of something, so that a letter behind the number is no unit.

    >>> asks_for_count("How many users are there?"), asks_for_count("How far is it?")
    (True, False)
    """
    return _COUNTS.search(question) is not None


def _spelled(text: str, *, counts: bool) -> str:
    """`$1.2M` as `$1.2 million`, and `902k` as `902 thousand` where things are counted; "" where it may be a unit."""
    if len(text) > LONGEST_VALUE:
        return ""
    money = _MONEY_FIRST.match(text)
    found = _LETTERED.fullmatch(money.group("value") if money else text)
    if found is None or not is_number(found["value"]):
        return ""
    if not money and (not counts or found["scale"] in ("m", "b", "t")):
        return ""  # Metres, bytes, tonnes.
    return f"{money.group('unit') if money else ''}{found['value']} {LETTERED_SCALES[found['scale'].lower()]}"


def plain_decimal(number: Decimal) -> str:
    """Digits without exponent, and without the zeros that only scaling wrote."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(gold: Gold) -> Gold:
    """The gold of a counting word (`three`) as its number, the word an alias; any other as it is."""
    digits = WORDS.get(gold.answer.casefold())
    return gold if digits is None else Gold(digits, "number", gold.original, gold.spec, (gold.answer,))


def kind_of(text: str) -> str:
    """number, expression, list, yes_no or text: by the form of a canonical gold alone."""
    if is_number(text):
        return "number"
    if text.casefold() in _YES_NO:
        return "yes_no"
    if text.startswith("[") and text.endswith("]") and "," in text:
        return "list"
    if len(text) > LONGEST_VALUE:
        return "text"
    mathematics = _MATH.search(text) or all(_EQUATION.fullmatch(part) for part in text.split(","))
    if _FRACTION.fullmatch(text) or (mathematics and not _has_words(text)):
        return "expression"
    return "text"


def is_number(text: str) -> bool:
    """Whether the text is one plain decimal number, thousands commas allowed."""
    return bool(_NUMBER.fullmatch(text)) and any(c.isdigit() for c in text)


def _has_words(text: str) -> bool:
    # Three letters in a row that are no LaTeX command are prose, not mathematics.
    bare = _FUNCTION.sub(" ", text)
    return re.search(r"[^\W\d_]{3,}", bare) is not None


def canonical(text: str) -> str:
    """NFC, digits of all scripts as 0-9, outer space and `$...$` removed, `12{,}345` as 12,345, √{x} and √x as LaTeX,
    π as \\pi; nothing else."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    if len(text) > 2 and text.startswith("$") and text.endswith("$") and "$" not in text[1:-1]:
        text = text[1:-1].strip()
    text = re.sub(r"(?<=\d)(?:\{,\}|\\[,!])(?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"√\s*\{([^{}]*)\}", r"\\sqrt{\1}", text)
    text = re.sub(r"√\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"√\s*(\d+(?:\.\d+)?|[A-Za-z])", r"\\sqrt{\1}", text)
    # A letter behind \pi would be read as part of the command.
    return re.sub(r"π(?=[A-Za-z])", r"\\pi ", text).replace("π", r"\pi")


def split_unit(text: str) -> tuple[str, str | None]:
    """(value, unit) of `16cm`, `9\\pi cm^{2}`, `140°`, `5\\text{ cm}`, `12 square feet`, `$4,500`, `30 米`.

    (text, None) where there is no unit. Only a value of digits, radicals, fractions and pi has a unit cut off: words
    stay whole, and so do counted things (`5 apples`).
    """
    if len(text) > LONGEST_VALUE:
        return text, None
    number, money = written_out(text)
    if money is not None:
        return number, money
    text = text.rstrip()
    found = _DRESSED_UNIT.match(text)
    if found is not None:
        text = f"{found.group('value')} {found.group('unit')}{(found.group('power') or '').strip()}"
    match = _VALUE_UNIT.match(text) or _SPACED_UNIT.match(text)
    if match is None:
        return text, None
    value, unit = re.sub(r"(?:\\[,;:! ]|~|\s)+$", "", match.group("value")), match.group("unit").strip()
    if value.endswith("i") and not value.endswith("\\pi"):
        return text, None
    if not (is_number(value) or kind_of(value) == "expression") or not _is_unit(unit):
        return text, None
    if "circ" in unit:
        return value, "°"
    return value, unit.removesuffix("^").removeprefix("\\" if unit.startswith("\\%") else "")


def _is_unit(text: str) -> bool:
    """Whether the verifier knows the unit; a counted noun is none."""
    if text.removeprefix("\\") in UNITS or "circ" in text:
        return True
    known = parse_unit(text.removesuffix("^"))
    return known is not None and (not known.noun or known.noun.endswith("unit"))


def is_value(text: str) -> bool:
    """Whether the text is a number or an expression, a unit or a percent sign behind it allowed."""
    if len(text) > LONGEST_VALUE:
        return False
    text = canonical(text)
    value = split_unit(text)[0].removesuffix("%").removesuffix("\\").strip()
    return is_number(value) or (kind_of(value) == "expression" and "=" not in value)
