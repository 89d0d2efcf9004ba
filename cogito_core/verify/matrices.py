"""Sums, multiples and products of matrices, evaluated entry by entry without simplifying the entries."""

from __future__ import annotations

from cogito_core.verify.tree import Node, size

MAX_ENTRIES = 64
MAX_NODES = 600
"""Nodes of an evaluated matrix: each product multiplies them."""


def evaluated(node: Node) -> Node | None:
    """The matrix that an expression of matrices stands for, or None."""
    if node.op == "matrix":
        return node if len(node.args) <= MAX_ENTRIES else None
    if node.op == "paren":
        return evaluated(node.args[0])
    if node.op == "neg":
        inner = evaluated(node.args[0])
        return inner and inner._replace(args=tuple(Node("neg", None, (x,)) for x in inner.args))
    if node.op == "add":
        parts = [evaluated(arg) for arg in node.args]
        first = parts[0]
        if first is None or any(part is None or part.value != first.value for part in parts):
            return None
        columns = zip(*(part.args for part in parts if part), strict=True)
        return first._replace(args=tuple(Node("add", None, entries) for entries in columns))
    if node.op == "div":
        top = evaluated(node.args[0])
        return top and top._replace(args=tuple(Node("div", None, (x, node.args[1])) for x in top.args))
    if node.op == "mul":
        result: Node | None = None
        scale: list[Node] = []
        for arg in node.args:
            part = evaluated(arg)
            if part is None:
                if holds_matrix(arg):
                    return None
                scale.append(arg)
            elif result is None:
                result = part
            else:
                result = _product(result, part)
                if result is None or size(result) > MAX_NODES:
                    return None
        if result is None:
            return None
        return result._replace(args=tuple(Node("mul", None, (*scale, x)) for x in result.args)) if scale else result
    return None


def holds_matrix(node: Node) -> bool:
    """Whether a matrix stands anywhere in the tree."""
    return node.op == "matrix" or any(holds_matrix(arg) for arg in node.args)


def _product(one: Node, other: Node) -> Node | None:
    (rows, inner), (inner_other, columns) = one.value, other.value
    if inner != inner_other or rows * columns * inner > MAX_ENTRIES * 4:
        return None
    entries = []
    for row in range(rows):
        for column in range(columns):
            terms = tuple(
                Node("mul", None, (one.args[row * inner + k], other.args[k * columns + column])) for k in range(inner)
            )
            entries.append(terms[0] if len(terms) == 1 else Node("add", None, terms))
    return Node("matrix", (rows, columns), tuple(entries))
