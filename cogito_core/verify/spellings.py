"""Spellings of values that people use, rewritten to the one the reader knows: words, customs of other languages."""

from __future__ import annotations

import re

from cogito_core.verify import notations
from cogito_core.verify.units import parse_unit
from cogito_core.verify.words import number_words

_EMPTY = frozenset(["empty set", "the empty set", "null set", "no solution", "no solutions", "空集", "无解"])
_NO_ANSWER = re.compile(
    r"(?:there (?:is|are) )?(?:no (?:real |integer )?solutions?(?: exists?)?|empty set)"
    r"|(?:it )?has no (?:real )?solutions?"
    r"|无(?:实数?)?解|空集|\\emptyset|\\varnothing|∅"
)
_EVERYTHING = frozenset(
    ["all real numbers", "all reals", "the real numbers", "the set of all real numbers", "实数集", "全体实数"]
)
_ANGLED = re.compile(r"<([^<>]{1,200},[^<>]{1,200})>")
_CHINESE_RATE = re.compile(r"每(小时|分钟|秒|天)(\d[\d.]{0,12}[\u3400-\u9fffA-Za-z]{1,4})")
_MONEY = frozenset("$€£¥")
_MONEY_SCALED = re.compile(r"(\\?[$€£¥]\s?\d[\d,]{0,20}(?:\.\d{1,20})?)\s?([kKMBT]|mn|bn)")
_SCALE = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "t": "trillion"}
_PARALLEL = re.compile(r"(?<=[A-Z])\s?//\s?(?=[A-Z])")
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_HYPHENED = re.compile(rf"\b(?:{_TENS})-(?:{_ONES})\b(?=\s+[a-z])", re.I)
_ORDER = re.compile(r"[<>≤≥⩽⩾]|\\(?:leq?|geq?|lt|gt)(?:slant)?\b")
_REWRITES = tuple(
    (re.compile(pattern, re.I), replacement)
    for pattern, replacement in (
        (r"^(?:negative|minus)\s+(?=[\d.$])", "-"),
        (r"\bper\s+cent\b", "percent"),
        (r"\bUS\s?\$", "$"),
        (r"^USD\s*(?=\d)", "$"),
        (r"(?<=\d)\s*USD$", " dollars"),
        (r"^~\s*(?=\d)", r"\\approx "),
        (r"^triangle\s+(?=[A-Za-z]{3}\b)", r"\\triangle "),
        (r"^angle\s+(?=[A-Za-z]{1,3}\b)", r"\\angle "),
    )
)
_CONNECTED = ((re.compile(r"\\land\b|\\wedge\b|∧|且"), " and "), (re.compile(r"\\lor\b|\\vee\b|∨|或"), " or "))
_MISSING = frozenset(["does not exist", "doesn't exist", "do not exist", "不存在"])
_PARTS = {
    "a half": "1/2",
    "one half": "1/2",
    "a quarter": "1/4",
    "one quarter": "1/4",
    "one fourth": "1/4",
    "three quarters": "3/4",
    "three fourths": "3/4",
    "a third": "1/3",
    "one third": "1/3",
    "two thirds": "2/3",
}
_AND_A_PART = re.compile(
    rf"(\d{{1,6}}|[a-z]+(?:[- ][a-z]+){{0,3}}?)(\s[a-z]+)?\s+and\s+({'|'.join(_PARTS)})(\s+[a-z]+(?:\s[a-z]+)?)?",
    re.I,
)
"""2 and a half, two and a half hours, two hours and a half."""
_PART_OF = re.compile(
    r"(?:half (?:of )?an?|(three quarters|three fourths|a quarter|one third|two thirds) of an?)\s+([a-z]+)", re.I
)
_ONE = re.compile(r"an?\s+([a-z]+)", re.I)
_DURATION = re.compile(
    r"(\d{1,4})\s*(?:h|hrs?|hours?)\s*(\d{1,2})\s*(?:m|mins?|minutes?)(?:\s*(\d{1,2})\s*(?:s|secs?|seconds?))?", re.I
)
_CHINESE_PARTS = re.compile(r"(?:\d+(?:\.\d+)?[\u3400-\u9fff]{1,3}){2,4}")
_CHINESE_COUNT = re.compile(
    r"(负?[零〇一二两三四五六七八九十百千万亿点半]{1,20}?)(个|只|辆|本|支|块|颗|人|名|条|张|次|岁|页|棵|座|台|件|层|度"
    r"|平方厘米|平方分米|平方米|平方千米|立方厘米|立方米|千克|公斤|克|吨|千米|公里|厘米|毫米|分米|米|小时|分钟|秒|天|元|美元|升|毫升)"
)
_FEET = re.compile(r"(\d{1,4})\s*(?:'|′|’)\s*(\d{1,2}(?:\.\d{1,4})?)\s*(?:\"|″|”|''|′′)")
_FRENCH = re.compile(r"([\[\]])([^\[\]]{1,200}?)[;,]([^\[\];,]{1,200})([\[\]])")
_INDIAN = re.compile(r"[+-]?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
_CONTINENTAL = re.compile(r"([+-]?\d{1,3})((?:([. ])\d{3})(?:\3\d{3})*),(\d{1,2})")


_D = r"(?:d|\\(?:mathrm|text|rm)\s*\{\s*d\s*\})\s*"
_DERIVATIVE = re.compile(
    rf"\\[dt]?frac\s*\{{\s*{_D}([a-zA-Z])\s*\}}\s*\{{\s*{_D}x\s*\}}|(?<![A-Za-z])d([a-zA-Z])\s*/\s*dx(?![A-Za-z])"
)


def says_none(text: str) -> bool:
    """Whether a text says that there is no solution.

    >>> says_none("There is no solution."), says_none("无解"), says_none("none")
    (True, True, False)
    """
    return bool(_NO_ANSWER.fullmatch(text.strip().rstrip(".。").lower()))


def respelled(text: str) -> str:
    """`text` in the reader's spelling.

    >>> respelled("twenty-five per cent"), respelled("]0;1]"), respelled("0.1(6)")
    ('25 percent', '(0,1]', '0.1\\\\overline{6}')
    """
    lower = text.lower()
    if lower in _EMPTY:
        return r"\emptyset"
    if lower in _EVERYTHING:
        return r"\mathbb{R}"
    if "dx" in text or "{d}" in text:
        text = _DERIVATIVE.sub(lambda match: f"{match.group(1) or match.group(2)}'", text)
    if text[:1].isalpha() or text[:1] == "~" or "per" in lower or "$" in text or "USD" in text:
        for pattern, replacement in _REWRITES:
            text = pattern.sub(replacement, text)
        text = _HYPHENED.sub(lambda match: str(number_words(match.group().lower())), text)
    if lower in _MISSING:
        return "DNE"
    text = _measured(text, lower)
    if "_" in text or "C(" in text or "P(" in text:
        text = notations.chosen(text)
    text = notations.family(text)
    if "+/-" in text:
        text = text.replace("+/-", "\\pm ")
    if text[:1] == "<" and (vector := _ANGLED.fullmatch(text)):
        text = f"({vector.group(1)})"
    if text[:1] == "每" and (rate := _CHINESE_RATE.fullmatch(text)):
        text = f"{rate.group(2)}/{rate.group(1)}"
    if not _MONEY.isdisjoint(text[:2]) and (sum_of := _MONEY_SCALED.fullmatch(text)):
        text = f"{sum_of.group(1)} {_SCALE[sum_of.group(2).lower()]}"
    if "//" in text:
        text = _PARALLEL.sub(r" \\parallel ", text)
    text = text.replace("\\not=", "\\ne ").replace("\\not =", "\\ne ")
    if _ORDER.search(text):
        for pattern, replacement in _CONNECTED:
            text = pattern.sub(replacement, text)
    if "." in text or "…" in text:
        text = notations.repeating(text)
    if text[:1] == "]" or text[-1:] == "[":
        interval = _FRENCH.fullmatch(text)
        if interval:  # ]0;1[ is (0,1)
            opening, closing = ("(" if interval.group(1) == "]" else "["), (")" if interval.group(4) == "[" else "]")
            return f"{opening}{interval.group(2)},{interval.group(3)}{closing}"
    return text


def _measured(text: str, lower: str) -> str:
    """Measures in words and in parts: "a week", "half an hour", "two hours and a half", 1h45m, 1小时45分钟, 5'6"."""
    if lower[:1].isalpha() or " and " in lower:
        one, part, mixed = _ONE.fullmatch(lower), _PART_OF.fullmatch(lower), _AND_A_PART.fullmatch(lower)
        if one and _measures(one.group(1)):
            return f"1 {one.group(1)}"
        if part and _measures(part.group(2)):
            return f"{_PARTS.get(part.group(1) or 'a half')} {part.group(2)}"
        if mixed:
            count, unit, share, rest = mixed.groups()
            whole = int(count) if count.isdigit() else 1 if count in ("a", "an") else number_words(count)
            if isinstance(whole, int) and not (unit and rest):
                return f"{whole} {_PARTS[share]}{unit or rest or ''}"
    counted = _CHINESE_COUNT.fullmatch(text)
    if counted and (number := number_words(counted.group(1))) is not None:
        return f"{number}{counted.group(2)}"
    if not text[:1].isdigit():
        return text
    duration, feet = _DURATION.fullmatch(text), _FEET.fullmatch(text)
    if duration:
        hours, minutes, seconds = duration.groups()
        return f"{hours} h {minutes} min" + (f" {seconds} s" if seconds else "")
    if feet:
        return f"{feet.group(1)} ft {feet.group(2)} in"
    return re.sub(r"(?<=[\u3400-\u9fff])(?=\d)", " ", text) if _CHINESE_PARTS.fullmatch(text) else text


def _measures(word: str) -> bool:
    """Whether a word is a unit of measurement."""
    unit = parse_unit(word)
    return unit is not None and bool(unit.dims) and len(word) > 2


def grouped_otherwise(text: str) -> str:
    """One number whose digits are grouped as in India (12,34,567) or on the Continent (1.234,56); "" for others."""
    if _INDIAN.fullmatch(text):
        return text.replace(",", "")
    found = _CONTINENTAL.fullmatch(text)
    return f"{found.group(1)}{found.group(2).replace(found.group(3), '')}.{found.group(4)}" if found else ""
