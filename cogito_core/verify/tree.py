"""The reader's tree: small immutable nodes that remember where in the source they stand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

MAX_CHARS = 8_000
MAX_TOKENS = 800
MAX_DEPTH = 64
MAX_DIGITS = 2_000
LOOK_AHEAD = 200
"""Tokens that are searched for a closing bar or a comma."""


class ReadError(ValueError):
    """The text is not one piece of maths. Never leaves `cogito_core.verify`."""


class Budget(ReadError):
    """A limit on characters, tokens, depth, digits or operations was reached."""


class Node(NamedTuple):
    """One node. `start` and `end` count characters of the text that was read.

    op        value                         args
    num       int or Fraction               -
    sym       name                          -
    const     pi, e, i, inf, empty, R, ...  -
    add mul   -                             two or more
    neg pos   -                             one
    div pow mod ratio   -                   two (ratio: two or more)
    root      -                             radicand, degree
    func      sin, log, floor, sum, ...     arguments (log: argument, base)
    app       name                          arguments of a function without a known meaning
    fact abs percent deg    -               one
    pm        "+-" or "-+"                  one (sign) or two
    based     base                          one num: the value of digits written in that base
    group     "()", "[]", "[)", "(]"        members of a tuple, list or interval
    set list  - / separator                 members
    union inter minus       -               two or more
    rel       tuple of =, !=, <, <=, ~, in  one more than there are relations
    matrix    (rows, columns)               entries row by row
    quantity  units.Unit                    one
    time      seconds                       -
    text      words                         -
    """

    op: str
    value: Any = None
    args: tuple[Node, ...] = ()
    start: int = 0
    end: int = 0


def number(value: int | Fraction, start: int = 0, end: int = 0) -> Node:
    """A `num` node; a Fraction with denominator 1 becomes an int."""
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    return Node("num", value, (), start, end)


def show(node: Node) -> str:
    """A canonical string: equal strings mean equal meaning. Sums and products are sorted, spans left out."""
    op, value, args = node.op, node.value, node.args
    if op == "num":
        return str(value)
    if op in ("sym", "const", "text"):
        return str(value)
    shown = [show(arg) for arg in args]
    if op in ("add", "mul"):
        sign = " + " if op == "add" else "*"
        flat: list[str] = []
        for arg, text in zip(args, shown, strict=True):
            flat.extend(_members(arg, op) if arg.op == op else [text])
        return "(" + sign.join(sorted(flat)) + ")"
    if op == "paren":
        return shown[0]
    if op == "neg":
        return f"-{shown[0]}"
    if op == "div":
        return f"({shown[0]})/({shown[1]})"
    if op == "pow":
        return f"({shown[0]})^({shown[1]})"
    if op in ("percent", "deg", "fact"):
        return f"{shown[0]}{ {'percent': '%', 'deg': '°', 'fact': '!'}[op] }"
    if op == "group":
        return f"{value[0]}{', '.join(shown)}{value[1]}"
    if op == "set":
        return "{" + ", ".join(shown) + "}"
    if op == "list":
        return ", ".join(shown)
    if op in ("union", "inter"):
        return f"{op}({', '.join(sorted(shown))})"
    if op == "rel":
        return "".join(part for pair in zip(shown, (*(f" {r} " for r in value), ""), strict=True) for part in pair)
    if op == "ratio":
        return ":".join(shown)
    if op == "quantity":
        return f"{shown[0]} {value}"
    return f"{op}{'' if value is None else f'<{value}>'}({', '.join(shown)})"


def _members(node: Node, op: str) -> list[str]:
    return [text for arg in node.args for text in (_members(arg, op) if arg.op == op else [show(arg)])]


def symbols(node: Node) -> frozenset[str]:
    """The names of the free symbols and unknown functions below `node`."""
    found: set[str] = set()
    stack = [node]
    while stack:
        one = stack.pop()
        if one.op in ("sym", "app"):
            found.add(one.value)
        stack.extend(one.args)
    return frozenset(found)


def size(node: Node) -> int:
    """How many nodes there are."""
    total, stack = 0, [node]
    while stack:
        total += 1
        stack.extend(stack.pop().args)
    return total


def has_constant(node: Node, name: str) -> bool:
    """Whether the constant `name` (pi, e, i) stands anywhere in the tree."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one.op == "const" and one.value == name:
            return True
        stack.extend(one.args)
    return False
