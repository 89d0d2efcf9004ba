"""`x = 5` as a gold: the value 5 where the question asks for x, an equation where it asks for one, else a refusal."""

from __future__ import annotations

import re

from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.golds import is_value

SYMBOL = (
    r"(?:(?:m\s*)?∠\s*(?:[A-Z]{1,3}|\d{1,2}|[α-ω])|[A-Z]{2,3}|[A-Za-zα-ω](?:_\{?\w+\}?)?|S_\{?[△▱□]?[A-Z]{3,4}\}?)"
)
"""The name of a quantity: x, x_1, AB, ∠ABC, S_{△ABC}."""

_NAMED = re.compile(rf"(?P<names>{SYMBOL}(?:\s*[=＝]\s*{SYMBOL})*)\s*[=＝]\s*(?P<value>[^=＝]+)")
_CURVE = re.compile(
    r"\b(?:equations?|lines?|axis|axes|asymptotes?|function|formula|directrix)\b|"
    r"方程|解析式|表达式|对称轴|直线|函数|关系式"
)
_ASKS = (
    r"(?:\b(?i:find|solve|determine|calculate|compute|evaluate|what|value|measure|length|size|area|give|how)\b"
    r"|求|则|那么|计算|问)"
    r"[^.?!;。；？]{0,60}?"
)
_ASKED = r"\s*(?:的(?:值|度数|长度?|大小|面积)|等于|是多少|为多少|[=＝为是]\s*[(（_＿?？\[□]|\?)"


def asked_for(row: Row, question: str, answer: str) -> str:
    """The value of an answer `x = 5` where the question asks for x; any other answer as it is.

    Raises:
        BadRow: the question asks for something else.
    """
    found = _NAMED.fullmatch(plain_symbols(answer))
    # An equation may itself be what is asked for.
    if found is None or not is_value(found.group("value")) or _CURVE.search(question):
        return answer
    names = [re.sub(r"\s|^m", "", name) for name in re.split(r"[=＝]", found.group("names"))]
    asked = re.sub(r"∠\s+", "∠", plain_symbols(question).replace("$", ""))
    if not any(_asks_for(asked, name) for name in names):
        raise row.fail("unclear_gold", f"the gold is {answer!r} and the question does not ask for {names[0]}")
    return re.split(r"[=＝]", answer)[-1].strip()


def _asks_for(question: str, name: str) -> bool:
    alone = rf"(?<![A-Za-z∠\\]){re.escape(name)}(?![A-Za-z])"
    return bool(re.search(rf"{_ASKS}{alone}", question) or re.search(rf"{alone}{_ASKED}", question))


def plain_symbols(text: str) -> str:
    """Angles and triangles as signs, and no bars, arcs or font commands around letters."""
    text = re.sub(r"\\angle\b|\\measuredangle\b", "∠", text)
    text = re.sub(r"\\(?:triangle|Delta)\b", "△", text)
    return re.sub(r"\\(?:overline|widehat|text|mathrm|overset\{\\frown\})\s*\{?\s*([A-Za-z]+)\s*\}?", r"\1", text)
