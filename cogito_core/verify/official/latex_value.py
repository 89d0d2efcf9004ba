"""The value that latex2sympy, the grammar of MATH-Vision's and EMMA's scripts, reads from a text.

The releases hand its result to Python's `eval`; here our reader gives the value and nothing is executed. What the
grammar refuses (`\\frac12`, degrees, quotes, signs outside ASCII, units as words) has no value here either, and its
habits are kept: reading ends at a bracket that was never opened, `a:b` is a quotient, `3\\frac12` a product, and an
equation is worth its right side.
"""

from __future__ import annotations

import re

from cogito_core.verify.clean import matching_brace, repair
from cogito_core.verify.ladder import bounds
from cogito_core.verify.reader import read
from cogito_core.verify.tree import ReadError, symbols

_REFUSED = re.compile(
    r"[^\x00-\x7f]|[\"?@#]|\*\*|(?<!\\)%|,\s*$|[+\-:]\s*$|\{,\}"
    r"|\\[!;: $]|\\(?:circ|text|mathrm|mathbf|boxed|overline|dot|angle|pm|approx)(?![A-Za-z])"
    r"|\\sqrt(?!\s*[\[{])"
    r"|(?<![\\A-Za-z])[A-Za-z]{2,}|\de\d"
)
_NOT_IN_PYTHON = re.compile(r"(?<![\\A-Za-z])e(?![A-Za-z])|\||\\(?:ln|csc|sec|cot)(?![A-Za-z])")
_ASSIGNED = re.compile(r"\s*[A-Za-z]\s*=(?!=)")
_PERCENT = re.compile(r"\\%\s*$")
_LOG = re.compile(r"\\log(?![A-Za-z_])")
_PRODUCT = re.compile(r"(?<=\d)\s*(?=\\[td]?frac)|(?<=\d)\s+(?=\d)|(?<=\})\s*(?=\d)")
_FRACTION = re.compile(r"\\[td]?frac\s*")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def value_at_two_places(text: str, *, by_eval: bool = False) -> float | None:
    """The real value of a text rounded to two decimals, as both scripts compare it; None where there is none.

    `by_eval` is MATH-Vision's way: what SymPy prints goes through Python's `eval`, which knows no `E` and no `Abs`,
    but does assign. EMMA converts SymPy's own objects, and an equation is none.
    """
    if (by_eval and _NOT_IN_PYTHON.search(text)) or (not by_eval and "=" in text):
        return None
    value = _value(text.replace("$", "").replace("\\,", ""))
    try:
        return None if value is None else round(value, 2)
    except OverflowError:
        return None


def _value(text: str) -> float | None:
    text = _until_unopened(text)
    if text[:1] == "[" and text[-1:] == "]" and "," not in text:
        text = text[1:-1]
    assigned = _ASSIGNED.match(text)
    if assigned:
        text = text[assigned.end() :]
    if _PERCENT.search(text):
        value = _value(_PERCENT.sub("", text))
        return None if value is None else value / 100
    if _REFUSED.search(text) or not _fractions_are_braced(text):
        return None
    head, colon, tail = text.partition(":")
    if colon:
        above, below = _value(head), _value(tail)
        return above / below if above is not None and below else None
    try:
        node = read(repair(_LOG.sub(r"\\log_{10}", _PRODUCT.sub(r"\\cdot ", text))), False)
    except ReadError:
        return None
    if symbols(node) or node.op in ("list", "group", "set", "rel", "matrix", "percent", "ratio"):
        return None
    near = bounds(node)
    try:
        return None if near is None else float(near[0] + (near[1] - near[0]) / 2)
    except OverflowError:
        return None


def _fractions_are_braced(text: str) -> bool:
    """Whether both parts of every fraction stand in braces, as the grammar wants them."""
    for found in _FRACTION.finditer(text):
        end = matching_brace(text, found.end()) if text[found.end() : found.end() + 1] == "{" else -1
        if end < 0 or not text[end + 1 :].lstrip().startswith("{"):
            return False
    return True


def _until_unopened(text: str) -> str:
    """The text up to the first bracket that closes what was not opened."""
    opened: list[str] = []
    for index, char in enumerate(text):
        if char in "([{":
            opened.append(char)
        elif char in _PAIRS and (not opened or opened.pop() != _PAIRS[char]):
            return text[:index]
    return text
