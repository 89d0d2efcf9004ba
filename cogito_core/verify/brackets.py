"""Operands in brackets: groups, sets, braces, bars, fractions, matrices, big operators, money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogito_core.verify.arguments import argument, raw_argument
from cogito_core.verify.tree import Node, ReadError
from cogito_core.verify.unit_tail import rate_behind
from cogito_core.verify.units import parse_unit

if TYPE_CHECKING:
    from cogito_core.verify.reader import Parser


_MATRICES = frozenset("pmatrix bmatrix vmatrix matrix array Bmatrix Vmatrix smallmatrix cases".split())


def money(p: Parser, sign: str, start: int) -> Node:
    """A money sign before an amount."""
    if p.token.kind not in ("num", "vulgar") and not p.is_sign("-"):
        raise ReadError("a money sign without an amount")
    amount = p.factor()
    unit = parse_unit({"$": "$", "euro": "€", "pound": "£", "yen": "¥"}[sign])
    if p.token.kind == "word" and parse_unit(p.token.value) == unit:
        p.at += 1
    unit = rate_behind(p, {"$": "USD", "euro": "EUR", "pound": "GBP", "yen": "CNY"}[sign]) or unit
    return p.node("quantity", unit, (amount,), start)


def fraction(p: Parser, start: int) -> Node:
    """A fraction with its two arguments."""
    top = argument(p)
    bottom = argument(p)
    return p.node("div", None, (top, bottom), start)


def brackets(p: Parser, opening: str, start: int) -> Node:
    """( ), [ ] or braces of a set: a group, a set, or what they enclose."""
    closings = ("}set",) if opening == "{set" else (")", "]")
    if p.take(*closings):
        if opening == "{set":
            return p.node("const", "empty", (), start)
        return p.node("group", opening + p.tokens[p.at - 1].value, (), start)
    bars, p.bars = p.bars, 0
    outer, p.in_set = p.in_set, opening == "{set"
    inner = p.sequence((*closings, "|", ":"))
    p.in_set = outer
    if opening == "{set" and p.is_sign("|", ":"):
        p.at += 1
        condition = p.sequence(closings)
        p.expect(*closings)
        p.bars = bars
        return p.node("builder", None, (inner, condition), start)
    p.expect(*closings)
    p.bars = bars
    closing = p.tokens[p.at - 1].value
    members = (
        inner.args if inner.op == "list" and (inner.value != ";" or all(m.op != "list" for m in inner.args)) else None
    )
    if opening == "{set":
        return p.node("set", None, members if members is not None else (inner,), start)
    if members is None:
        if opening == "(" and closing == ")":
            return choose(p, inner, start)
        if inner.op == "list":
            flat = tuple(m for row in inner.args for m in (row.args if row.op == "list" else (row,)))
            return p.node("group", opening + closing, flat, start)
        members = (inner,)
    return p.node("group", opening + closing, members, start)


def choose(p: Parser, inner: Node, start: int) -> Node:
    """A bracketed item: itself, marked where it is a number, or a tuple of rows."""
    if inner.op == "list":
        flat = tuple(m for row in inner.args for m in (row.args if row.op == "list" else (row,)))
        return p.node("group", "()", flat, start)
    if p.is_sign("_") and inner.op == "num":
        return inner
    return (
        inner._replace(start=start, end=p.tokens[p.at - 1].end)
        if inner.op != "num"
        else Node("paren", None, (inner,), start, p.tokens[p.at - 1].end)
    )


def braces(p: Parser, start: int) -> Node:
    """A braced group: grouping, a binomial or fraction in old style, or a bare list."""
    whole = p.at == 1 or p.tokens[p.at - 2].value in ("{", ",")
    if p.take("}"):
        return p.node("const", "empty", (), start)
    outer, p.in_braces = p.in_braces, True
    inner = p.sequence(("}", "choose", "over", "atop"))
    p.in_braces = outer
    if p.is_sign("|") and inner.op in ("sym", "rel") and not p.bars:  # {x | x > 3} without the backslashes
        p.at += 1
        condition = p.sequence(("}",))
        p.expect("}", "}set")
        return p.node("builder", None, (inner, condition), start)
    if p.is_sign("choose", "over", "atop"):
        op = p.token.value
        p.at += 1
        bottom = p.sequence(("}",))
        inner = (
            p.node("func", "binom", (inner, bottom), start)
            if op == "choose"
            else p.node("div", None, (inner, bottom), start)
        )
    p.expect("}", "}set")
    if (inner.op == "list" and inner.value == "{") or (inner.op == "const" and inner.value == "empty"):
        inside = inner._replace(op="set", value=None) if inner.op == "list" else inner
        return p.node("set", None, (inside,), start)
    if inner.op == "list" and inner.value != ";":
        return inner._replace(op="list", value="{")
    if outer and whole and p.is_sign(",", "}") and inner.op in ("num", "sym", "neg"):  # {{3}, 4}, but not {{3}^2, 4}
        return p.node("set", None, (inner,), start)
    return inner


def absolute(p: Parser, start: int) -> Node:
    """An absolute value between bars."""
    p.bars += 1
    inner = p.sequence(("|",))
    p.bars -= 1
    p.expect("|")
    return p.node("abs", None, (inner,), start)


def big_operator(p: Parser, name: str, start: int) -> Node:
    """Sum, product, integral or limit with its bounds."""
    parts: list[Node] = []
    for sign in ("_", "^", "_"):
        if p.is_sign(sign):
            p.at += 1
            if p.is_sign("{") and p.tokens[p.at + 1].value == "}":
                p.at += 2
            else:
                parts.append(argument(p))
    body = p.signed_sum() if name in ("int", "iint", "oint") else p.product()
    return p.node("func", name, (*parts, body), start)


def _entry(p: Parser, environment: str) -> Node:
    """An entry of a matrix, or a value or condition of a function by cases: "if x > 0", "otherwise"."""
    while environment == "cases" and p.token.kind in ("word", "text"):
        word = p.token.value.lower().strip(" ,.")
        if word in ("otherwise", "else", "其他"):
            p.at += 1
            return p.node("text", "otherwise", (), p.token.start)
        if word not in ("if", "when", "for", "where", "当", ""):
            break
        p.at += 1
    return p.relation()


def environment(p: Parser, start: int) -> Node:
    """A matrix or a list of cases."""
    p.expect("{")
    name = p.token.value
    p.at += 1
    p.take("*")
    p.expect("}")
    if name not in _MATRICES:
        raise ReadError(f"the environment {name}")
    if name == "array" and p.is_sign("{"):
        raw_argument(p)
    rows: list[list[Node]] = [[]]
    while True:
        if p.is_sign("end"):
            break
        if p.take("&"):
            continue
        if p.take("\\\\"):
            if rows[-1]:
                rows.append([])
            continue
        if p.take("hline"):
            continue
        rows[-1].append(_entry(p, name))
        if not p.is_sign("&", "\\\\", "end", ","):
            raise ReadError("unreadable matrix")
        p.take(",")
    p.at += 1
    p.expect("{")
    p.at += 1
    p.take("*")
    p.expect("}")
    rows = [row for row in rows if row]
    if not rows or len({len(row) for row in rows}) != 1:
        if name == "cases":
            return p.node("list", "cases", tuple(item for row in rows for item in row), start)
        raise ReadError("a matrix with unequal rows")
    entries = tuple(item for row in rows for item in row)
    if name == "cases":
        if len(rows[0]) == 1:
            return p.node("list", "cases", entries, start)
        groups = tuple(Node("group", "()", tuple(row), row[0].start, row[-1].end) for row in rows)
        return p.node("list", "piecewise", groups, start)
    node = p.node("matrix", (len(rows), len(rows[0])), entries, start)
    return p.node("func", "det", (node,), start) if name == "vmatrix" else node
