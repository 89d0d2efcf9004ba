"""A unit at the end of an item: 5 cm, 20 km/h, 12 apples, 5 ft 6 in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogito_core.verify.lexer import Token
from cogito_core.verify.tree import Node, ReadError, symbols
from cogito_core.verify.units import MAX_UNIT, Unit, parse_unit

if TYPE_CHECKING:
    from cogito_core.verify.reader import Parser

MAX_TOKENS = 32
RELATIONS = {
    "=": "=",
    "ne": "!=",
    "<": "<",
    ">": ">",
    "le": "<=",
    "ge": ">=",
    "approx": "~",
    "in": "in",
    "notin": "notin",
    "equiv": "=",
    "subset": "subset",
    "subseteq": "subseteq",
    "to": "to",
    "gets": "gets",
    "iff": "iff",
    "cong": "cong",
    "sim": "sim",
    "perp": "perp",
    "parallel": "parallel",
    "doteq": "~",
}

_ITEM_ENDS = frozenset(
    [",", ";", ")", "]", "}", "}set", "\\\\", "cup", "cap", "ldots", "Rightarrow", "|", *RELATIONS]
)


def unit_here(p: Parser, left: Node) -> tuple[Unit, int] | None:
    """The unit that begins here and runs to the end of the item, with the index behind it."""
    token = p.token
    if (
        token.kind not in ("word", "text")
        and not (
            token.kind == "cmd"
            and token.value
            in ("$", "euro", "pound", "yen", "cents", "celsius", "fahrenheit", "mu", "Omega", "degree")
        )
        and not (
            _unit_fraction(p, token, left)
            or (
                token.kind == "cmd" and token.value == "{" and p.tokens[p.at + 1].kind == "word" and not symbols(left)
            )
        )
    ):
        return None
    if left.op not in (
        "num",
        "div",
        "neg",
        "mul",
        "pow",
        "root",
        "const",
        "add",
        "quantity",
        "pm",
        "percent",
        "deg",
        "func",
    ):
        return None
    index, depth = p.at, 0
    while True:
        one = p.tokens[index]
        if one.kind == "end" or (one.kind == "cmd" and not depth and one.value in _ITEM_ENDS):
            break
        if one.kind in ("word", "text") and not depth and one.value.lower().strip(" .,") in ("and", "or", "或", "和"):
            break
        if (
            one.kind in ("num", "vulgar")
            and index > p.at
            and one.spaced
            and p.tokens[index - 1].value not in ("^", "/")
        ):
            if p.tokens[index - 1].value in ("times", "*", "cdot", "x"):
                return None  # 40 cm x 30 cm is a product, or two sides
            break  # 5 ft 6 in
        if one.kind == "cmd" and one.value in ("+", "=") and not depth:
            break
        if index - p.at > MAX_TOKENS or (one.end - token.start > MAX_UNIT and index > p.at):
            return None  # no unit is that long: the rest of the item need not be looked at
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(one.value, 0) if one.kind == "cmd" else 0
        index += 1
    text = p.text[token.start : p.tokens[index - 1].end]
    if token.kind in ("text",) and index == p.at + 1:
        text = token.value
    unit = parse_unit(text)
    if unit is None:
        return None
    bare = token.kind == "word" and len(token.value) == 1 and token.value.isascii()
    if bare and (symbols(left) or (index > p.at + 1 and unit.noun)):
        return None
    if unit.noun and token.kind == "word" and not token.spaced and token.value.isascii():
        return None
    if symbols(left) and token.kind == "word":
        return None
    return (unit._replace(clear=token.spaced) if bare else unit), index


def rate_behind(p: Parser, currency: str) -> Unit | None:
    """The rate that a sum of money is, where "per hour", "/kg" or "an hour" follows; nothing is taken elsewhere."""
    token = p.token
    first = token.value.lower().split()[:1] if token.kind in ("word", "text") else []
    if not p.is_sign("/") and first not in (["per"], ["a"], ["an"], ["every"]):
        return None
    index = p.at + 1
    while (one := p.tokens[index]).kind != "end" and not (one.kind == "cmd" and one.value in _ITEM_ENDS):
        index += 1
    unit = parse_unit(f"{currency} {p.text[token.start : p.tokens[index - 1].end]}".replace(" every ", " per "))
    if unit is not None:
        p.at = index
    return unit


def _unit_fraction(p: Parser, token: Token, left: Node) -> bool:
    """20 \\\\frac{m}{s}: a fraction of words after a number."""
    return (
        token.kind == "cmd"
        and token.value == "frac"
        and left.op == "num"
        and p.tokens[p.at + 1].value == "{"
        and ((token.spaced and p.tokens[p.at + 2].kind == "word") or p.tokens[p.at + 2].kind == "text")
    )


def _as_minutes(units: list[Unit]) -> list[Unit]:
    """The units of one measure in parts; between hours and seconds m is the minute: 2 h 5 m."""
    if not any(unit.dims == (("s", 1),) for unit in units):
        return units
    minute = parse_unit("min")
    return [minute if unit.name == "m" and minute is not None else unit for unit in units]


def with_unit(p: Parser, left: Node, start: int) -> Node:
    found = unit_here(p, left)
    if found is None:
        return left
    unit, p.at = found
    result = p.node("quantity", unit, (left,), start)
    if p.token.kind == "num" and not unit.noun:  # 5 ft 6 in
        rest = p.sum()
        first, more = result.value, rest.args if rest.op == "add" else (rest,)
        if all(one.op == "quantity" and not one.value.noun for one in more):
            units = _as_minutes([first, *(one.value for one in more)])
            if all(one.same_dimension(units[0]) for one in units):
                parts = zip((result, *more), units, strict=True)
                return p.node("add", None, tuple(one._replace(value=unit) for one, unit in parts), start)
        raise ReadError("a number after a unit")
    return result
