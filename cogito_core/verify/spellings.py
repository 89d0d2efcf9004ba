"""Spellings of values that people use, rewritten to the one the reader knows: words, customs of other languages."""

from __future__ import annotations

import re

from cogito_core.verify.words import number_words

_EMPTY = frozenset(["empty set", "the empty set", "null set", "no solution", "no solutions", "空集", "无解"])
_NO_ANSWER = re.compile(
    r"(?:there (?:is|are) )?(?:no (?:real )?solutions?|empty set)|无(?:实数?)?解|空集|\\emptyset|\\varnothing|∅"
)
_EVERYTHING = frozenset(
    ["all real numbers", "all reals", "the real numbers", "the set of all real numbers", "实数集", "全体实数"]
)
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
_REPEATING = re.compile(r"([+-]?\d*\.\d*)\((\d{1,60})\)")
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
    text = text.replace("\\not=", "\\ne ").replace("\\not =", "\\ne ")
    if _ORDER.search(text):
        for pattern, replacement in _CONNECTED:
            text = pattern.sub(replacement, text)
    if "(" in text and (repeating := _REPEATING.fullmatch(text)):
        return f"{repeating.group(1)}\\overline{{{repeating.group(2)}}}"
    if text[:1] == "]" or text[-1:] == "[":
        interval = _FRENCH.fullmatch(text)
        if interval:  # ]0;1[ is (0,1)
            opening, closing = ("(" if interval.group(1) == "]" else "["), (")" if interval.group(4) == "[" else "]")
            return f"{opening}{interval.group(2)},{interval.group(3)}{closing}"
    return text


def grouped_otherwise(text: str) -> str:
    """One number whose digits are grouped as in India (12,34,567) or on the Continent (1.234,56); "" for others."""
    if _INDIAN.fullmatch(text):
        return text.replace(",", "")
    found = _CONTINENTAL.fullmatch(text)
    return f"{found.group(1)}{found.group(2).replace(found.group(3), '')}.{found.group(4)}" if found else ""
