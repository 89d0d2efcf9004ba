"""Intervals, unions and inequalities in one variable as sets of reals that can be compared."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from cogito_core.verify.exact import exact
from cogito_core.verify.ladder import order, same_value
from cogito_core.verify.monomials import NotExactError
from cogito_core.verify.tree import Node, number, show, symbols

INFINITY = Node("const", "inf")
MINUS_INFINITY = Node("neg", None, (INFINITY,))
MAX_PIECES = 32
_FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class NotASetError(Exception):
    """Not a set of reals that can be compared here. Never leaves the comparison."""


class Piece(NamedTuple):
    """From `low` to `high`; the flags say whether the ends belong to it."""

    low: Node
    low_in: bool
    high: Node
    high_in: bool


Pieces = tuple[Piece, ...]


def pieces(node: Node) -> tuple[str, Pieces]:
    """The variable ("" where none is named) and the pieces of the set that `node` describes."""
    op, args = node.op, node.args
    if op == "paren":
        return pieces(args[0])
    if op == "group" and len(args) == 2:
        if any(arg.op in ("group", "set", "list", "rel") for arg in args):
            raise NotASetError("no interval")
        if order(args[0], args[1]) not in (-1, 0):
            raise NotASetError("the ends are out of order")
        return "", (Piece(args[0], node.value[0] == "[", args[1], node.value[1] == "]"),)
    if op == "set":
        return "", _union(tuple(Piece(arg, True, arg, True) for arg in args))
    if op == "const" and node.value in ("R", "empty"):
        return "", (Piece(MINUS_INFINITY, False, INFINITY, False),) if node.value == "R" else ()
    if op == "union":
        name, total = "", ()  # type: str, Pieces
        for arg in args:
            one, more = pieces(arg)
            name, total = name or one, (*total, *more)
        return name, _union(total)
    if op == "minus":
        name, base = pieces(args[0])
        _, cut = pieces(args[1])
        return name, _without(base, cut)
    if op == "inter":
        name, left = pieces(args[0])
        for arg in args[1:]:
            left = _intersection(left, pieces(arg)[1])
        return name, left
    if op == "rel":
        return _relation(node)
    if op == "builder" and args[0].op == "sym":  # {x | x > 3}
        name, found = pieces(args[1])
        if name != show(args[0]):
            raise NotASetError("a condition on another name")
        return "", found
    if op == "list" and node.value in ("or", "and", ",", ";") and all(arg.op == "rel" for arg in args):
        parts = [pieces(arg) for arg in args]
        if len({name for name, _ in parts}) != 1:
            raise NotASetError("several variables")
        total = parts[0][1]
        for _, more in parts[1:]:
            both = _intersection(total, more)
            # "x < 2, x > 3" can only mean either; "x > 2, x < 3" means both, and so does every "and".
            total = _union((*total, *more)) if node.value == "or" or (not both and node.value != "and") else both
        return parts[0][0], total
    raise NotASetError("no set of reals")


def _relation(node: Node) -> tuple[str, Pieces]:
    ops, args = node.value, node.args
    if ops == ("in",):
        return show(args[0]), pieces(args[1])[1]
    if ops == ("!=",):
        name, at = _solved(args[0], args[1])[:2]
        return name, (Piece(MINUS_INFINITY, False, at, False), Piece(at, False, INFINITY, False))
    if any(op not in _FLIP for op in ops) or len(ops) > 2:
        raise NotASetError("no inequality")
    if len(ops) == 1 and "abs" in (args[0].op, args[1].op) and symbols(args[0]) != symbols(args[1]):
        inner, end, op = (args[0], args[1], ops[0]) if args[0].op == "abs" else (args[1], args[0], _FLIP[ops[0]])
        return _absolute(inner.args[0], op, end)
    if len(ops) == 1:
        name, at, flipped = _solved(args[0], args[1])
        op = _FLIP[ops[0]] if flipped else ops[0]
        return name, (_half_line(op, at),)
    if symbols(args[0]) or symbols(args[2]) or not symbols(args[1]):
        raise NotASetError("no double inequality")
    left = _relation(Node("rel", (ops[0],), args[:2]))
    right = _relation(Node("rel", (ops[1],), args[1:]))
    return left[0], _intersection(left[1], right[1])


def _absolute(inner: Node, op: str, end: Node) -> tuple[str, Pieces]:
    """|inner| < end is -end < inner < end; |inner| > end is inner > end or inner < -end."""
    if symbols(end):
        raise NotASetError("a bound that varies")
    name, above = _relation(Node("rel", (op,), (inner, end)))
    _, below = _relation(Node("rel", (_FLIP[op],), (inner, Node("neg", None, (end,)))))
    return name, _intersection(above, below) if op in ("<", "<=") else _union((*above, *below))


def _half_line(op: str, at: Node) -> Piece:
    if op in ("<", "<="):
        return Piece(MINUS_INFINITY, False, at, op == "<=")
    return Piece(at, op == ">=", INFINITY, False)


def _solved(left: Node, right: Node) -> tuple[str, Node, bool]:
    """A relation between `left` and `right` as name, value, and whether it turns round. Linear in one name only."""
    if not symbols(right) and left.op in ("sym", "app", "abs"):
        return show(left), right, False
    if not symbols(left) and right.op in ("sym", "app", "abs"):
        return show(right), left, True
    names = symbols(left) | symbols(right)
    if len(names) != 1:
        raise NotASetError("no single variable")
    name = next(iter(names))
    difference = Node("add", None, (left, Node("neg", None, (right,))))
    try:
        at = [exact(_substitute(difference, name, number(k))) for k in (0, 1, 2, 5)]
        values = [value.rational for value in at]
    except NotExactError:
        raise NotASetError("not linear") from None
    if any(value is None for value in values):
        raise NotASetError("not linear")
    c, one, two, five = (Fraction(value or 0) for value in values)
    slope = one - c
    if not slope or two != c + 2 * slope or five != c + 5 * slope:
        raise NotASetError("not linear")
    return name, number(-c / slope), slope < 0


def _substitute(node: Node, name: str, value: Node) -> Node:
    if node.op == "sym" and node.value == name:
        return value
    if node.op == "app":
        raise NotASetError("an unknown function")
    return node._replace(args=tuple(_substitute(arg, name, value) for arg in node.args)) if node.args else node


def _sorted(parts: Pieces) -> list[Piece]:
    if len(parts) > MAX_PIECES:
        raise NotASetError("too many pieces")
    result: list[Piece] = []
    for piece in parts:
        place = 0
        while place < len(result) and _before(result[place], piece):
            place += 1
        result.insert(place, piece)
    return result


def _before(one: Piece, other: Piece) -> bool:
    placed = order(one.low, other.low)
    if placed is None:
        raise NotASetError("ends that cannot be ordered")
    return placed < 0 or (placed == 0 and one.low_in >= other.low_in)


def _union(parts: Pieces) -> Pieces:
    """The pieces in order, touching ones joined."""
    merged: list[Piece] = []
    for piece in _sorted(parts):
        if merged:
            last = merged[-1]
            placed = order(piece.low, last.high)
            if placed is None:
                raise NotASetError("ends that cannot be ordered")
            if placed < 0 or (placed == 0 and (piece.low_in or last.high_in)):
                end = order(last.high, piece.high)
                if end is None:
                    raise NotASetError("ends that cannot be ordered")
                high, high_in = (
                    (piece.high, piece.high_in)
                    if end < 0
                    else (last.high, last.high_in or (end == 0 and piece.high_in))
                )
                merged[-1] = Piece(last.low, last.low_in, high, high_in)
                continue
        merged.append(piece)
    return tuple(merged)


def _intersection(one: Pieces, other: Pieces) -> Pieces:
    found = []
    for a in one:
        for b in other:
            low_order, high_order = order(a.low, b.low), order(a.high, b.high)
            if low_order is None or high_order is None:
                raise NotASetError("ends that cannot be ordered")
            low, low_in = (b.low, b.low_in) if low_order < 0 else (a.low, a.low_in and (low_order > 0 or b.low_in))
            high, high_in = (
                (a.high, a.high_in) if high_order < 0 else (b.high, b.high_in and (high_order > 0 or a.high_in))
            )
            gap = order(low, high)
            if gap is None:
                raise NotASetError("ends that cannot be ordered")
            if gap < 0 or (gap == 0 and low_in and high_in):
                found.append(Piece(low, low_in, high, high_in))
    return _union(tuple(found))


def _without(base: Pieces, cut: Pieces) -> Pieces:
    rest: list[Piece] = []
    edge = MINUS_INFINITY
    edge_in = False
    for piece in _sorted(cut):
        rest.append(Piece(edge, edge_in, piece.low, not piece.low_in))
        edge, edge_in = piece.high, not piece.high_in
    rest.append(Piece(edge, edge_in, INFINITY, False))
    return _intersection(base, tuple(rest))


def equal_sets(one: Node, other: Node) -> bool | None:
    """Whether two descriptions name the same set of reals, and the same variable where both name one."""
    try:
        (name, left), (other_name, right) = pieces(one), pieces(other)
    except NotASetError:
        return None
    if name and other_name and name != other_name:
        return False
    if len(left) != len(right):
        return False
    undecided = False
    for a, b in zip(left, right, strict=True):
        if (a.low_in, a.high_in) != (b.low_in, b.high_in):
            return False
        for x, y in ((a.low, b.low), (a.high, b.high)):
            same = same_value(x, y).equal
            if same is False:
                return False
            undecided = undecided or same is None
    return None if undecided else True
