"""Notations of values that differ between schools and countries, rewritten to the one the reader knows."""

from __future__ import annotations

import re

_INTEGER = r"(?:\{\s*(\d{1,4})\s*\}|(\d{1,4}))"
_C = r"(?:\\(?:mathrm|text|rm)\s*\{\s*([CAP])\s*\}|(?<![A-Za-z\\])([CAP]))"
_CHOSEN = (
    re.compile(rf"{_C}\s*_\s*{_INTEGER}\s*\^\s*{_INTEGER}"),  # C_5^2 is 5 over 2
    re.compile(rf"{_C}\s*\^\s*{_INTEGER}\s*_\s*{_INTEGER}"),
    re.compile(rf"[_^]\s?{_INTEGER}\s?{_C}\s?_\s?{_INTEGER}"),  # ^5C_2
)
_LISTED = re.compile(rf"{_C}\s*\(\s*(\d{{1,4}})\s*,\s*(\d{{1,4}})\s*\)")
"""C(10, 3): combinations, or a point with its name."""
_ARITHMETIC = re.compile(r"[+*/=!^]|\\(?:frac|times|cdot)")
_ON_AND_ON = re.compile(r"([+-]?\d{0,20}\.)(\d{1,60}?)\s*(?:\.\.\.|…|\\[lc]?dots)(?![A-Za-z])")
_REPEATING = re.compile(r"([+-]?\d*\.\d*)\((\d{1,60})\)")
_BASED = re.compile(r"\(?\s*([0-9][0-9A-Fa-f]{0,60}|[A-Fa-f]{1,3}[0-9][0-9A-Fa-f]{0,60})\s*\)?_\{?\s*(1[1-6])\s*\}?")
_PREFIXED = re.compile(r"0([xbo])([0-9A-Fa-f]{1,60})")
_LOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RADIX = {"x": 16, "b": 2, "o": 8}
_Z = r"(?:\\mathbb\s*\{?\s*Z\s*\}?|\\mathbf\s*\{\s*Z\s*\}|ℤ|Z)"
_CONDITION = re.compile(
    rf"[,;，；\s]*(?:\\quad\s*)?[（(]?\s*(?:\\text\s*\{{\s*)?(?:where|for|with|for any|for all|其中)?\s*\}}?\s*"
    rf"([a-zA-Z])\s*(?:(?:\\in|∈)\s*{_Z}|\s*(?:is|为|是)\s*(?:an?\s+|any\s+)?(?:integer|整数))\s*[)）]?$"
)
_NAMES = "nkmltsp"
MAX_CONDITION = 60


def _over(kind: str, n: str, k: str) -> str:
    if int(k) > int(n):
        return ""
    return f"\\binom{{{n}}}{{{k}}}" if kind == "C" else f"\\frac{{{n}!}}{{({n}-{k})!}}"


def chosen(text: str) -> str:
    """Numbers of combinations and permutations as a binomial or a quotient of factorials.

    C(10,3) is one only within a calculation: alone it may be a point, see `combinations`.

    >>> chosen("C_5^2"), chosen("A_5^3"), chosen("C(10,3)"), chosen("2*C(10,3)")
    ('\\\\binom{5}{2}', '\\\\frac{5!}{(5-3)!}', 'C(10,3)', '2*\\\\binom{10}{3}')
    """
    for index, pattern in enumerate(_CHOSEN):
        text = pattern.sub(lambda match, swapped=index == 1: _counted(match, swapped), text)  # type: ignore[misc]
    return _LISTED.sub(_counted, text) if _ARITHMETIC.search(text) else text


def _counted(match: re.Match[str], swapped: bool = False) -> str:
    groups = [group for group in match.groups() if group is not None]
    kind = next(group for group in groups if group.isalpha())
    n, k = (group for group in groups if not group.isalpha())
    return (_over(kind, k, n) if swapped else _over(kind, n, k)) or match.group()


def combinations(text: str) -> str:
    """C(10, 3) and nothing else as a binomial, the second way to read it; "" for anything else."""
    match = _LISTED.fullmatch(text.strip())
    found = _counted(match) if match else ""
    return "" if not match or found == match.group() else found


def repeating(text: str) -> str:
    """A decimal that repeats, with a bar over its period: 0.1(6) and 0.1666...

    Three equal digits, or a group of two to six that stands twice, before the dots name the period.

    >>> repeating("0.1(6)"), repeating("0.1666..."), repeating("0.142857142857…"), repeating("3.14...")
    ('0.1\\\\overline{6}', '0.1\\\\overline{6}', '0.\\\\overline{142857}', '3.14...')
    """
    found = _REPEATING.fullmatch(text)
    if found:
        return f"{found.group(1)}\\overline{{{found.group(2)}}}"
    endless = _ON_AND_ON.fullmatch(text)
    if not endless:
        return text
    whole, digits = endless.groups()
    for width in range(1, 7):
        period = digits[-width:]
        if digits.endswith(period * (3 if width == 1 else 2)):
            start = len(digits)
            while digits[:start].endswith(period):
                start -= width
            return f"{whole}{digits[:start]}\\overline{{{period}}}"
    return text


def based(text: str) -> tuple[int, int] | None:
    """Value and base of digits with letters among them: 2A_{16}, 0x2A.

    >>> based("2A_{16}"), based("0x2a"), based("A_{12}")
    ((42, 16), (42, 16), None)
    """
    text = re.sub("[₀-₉]+", lambda match: "_" + match.group().translate(_LOW), text)
    found, prefixed = _BASED.fullmatch(text), _PREFIXED.fullmatch(text)
    try:
        if found:
            return int(found.group(1), int(found.group(2))), int(found.group(2))
        if prefixed:
            radix = _RADIX[prefixed.group(1)]
            return int(prefixed.group(2), radix), radix
    except ValueError:  # a digit that the base does not have
        return None
    return None


def family(text: str) -> str:
    """Values for every integer, under one name: "k\\pi, k \\in Z" and "n\\pi (n is an integer)" are the same.

    >>> family("k\\\\pi (k\\\\in\\\\mathbb{Z})"), family("2k+1, k is an integer")
    ('n\\\\pi, n \\\\in \\\\mathbb{Z}', '2n+1, n \\\\in \\\\mathbb{Z}')
    """
    start = max(0, len(text) - MAX_CONDITION)
    found = (
        _CONDITION.search(text, start) if "Z" in text[start:] or "integer" in text[start:] or "整数" in text else None
    )
    if not found or not text[: found.start()].strip():
        return text
    body, name = text[: found.start()].rstrip(" ,，"), found.group(1)
    if name not in _NAMES:
        return text
    if name != "n":
        alone = r"(?<![A-Za-z\\])n(?![A-Za-z])"
        if re.search(alone, body):
            return text
        body = re.sub(rf"(?<![A-Za-z\\]){name}(?![A-Za-z])", "n", body)
    return f"{body}, n \\in \\mathbb{{Z}}"
