"""What is asked for and what it is: left sides, chains of equalities, plus-minus, names of list members."""

from __future__ import annotations

from itertools import pairwise

from cogito_core.verify.ladder import same_value
from cogito_core.verify.tree import Node, show, symbols


def bare(node: Node) -> Node:
    """The node without brackets that change nothing."""
    while node.op == "paren" or (node.op == "group" and len(node.args) == 1 and node.args[0].op == "matrix"):
        node = node.args[0]
    return node


def expandable(node: Node) -> bool:
    """Whether a plus-minus stands in the node."""
    return (
        node.op == "pm"
        or (node.op in ("list", "set") and any(expandable(arg) for arg in node.args))
        or (node.op in ("div", "mul", "neg", "add") and any(expandable(bare(arg)) for arg in node.args))
    )


def expand(node: Node) -> Node:
    """Both values of every plus-minus, as members of a list."""
    if not expandable(node):
        return node
    if node.op in ("list", "set"):
        members: list[Node] = []
        for arg in node.args:
            one = expand(arg)
            members.extend(one.args if one.op == "list" else [one])
        return node._replace(args=tuple(members))
    both = tuple(_choose_sign(node, plus) for plus in (True, False))
    return Node("list", ",", both, node.start, node.end)


def _choose_sign(node: Node, plus: bool) -> Node:
    if node.op == "pm":
        positive = plus == (node.value == "+-")
        last = _choose_sign(node.args[-1], plus)
        signed = last if positive else Node("neg", None, (last,), node.start, node.end)
        if len(node.args) == 1:
            return signed
        return Node("add", None, (_choose_sign(node.args[0], plus), signed), node.start, node.end)
    return node._replace(args=tuple(_choose_sign(arg, plus) for arg in node.args)) if node.args else node


def is_name(node: Node) -> bool:
    """Whether a left side only names what is asked for: x, a_n, f(x), |AB|, A:B, (p, q)."""
    node = bare(node)
    if node.op == "sym":
        return True
    if node.op in ("app",):
        return all(symbols(arg) or arg.op == "num" for arg in node.args)
    if node.op in ("abs", "ratio", "group", "div", "mul"):
        return (
            bool(node.args)
            and len(node.args) <= 6
            and all(is_name(arg) or (node.op == "mul" and arg.op == "paren") for arg in node.args)
        )
    return node.op == "func" and node.value in ("max", "min", "arg", "Re", "Im", "Pr", "dim", "det")


def value_side(node: Node) -> Node | None:
    """The value of `x = ... = value ~ decimal`, or None where the relation states no value of a name.

    Values along the chain must agree, or nothing is returned.
    """
    if node.op != "rel" or any(op not in ("=", "~") for op in node.value) or not node.args:
        return None
    parts = list(node.args)
    ops = list(node.value)
    if is_name(parts[0]) and not (
        len(parts) == 2
        and symbols(parts[0]) <= symbols(parts[1])
        and parts[0].op == "sym"
        and parts[0].value in symbols(parts[1])
    ):
        parts, ops = parts[1:], ops[1:]
    elif len(parts) == 2 and ops == ["="] and (symbols(parts[0]) or symbols(parts[1])):
        return parts[0] if is_name(parts[1]) and not symbols(parts[0]) else None
    elif symbols(parts[0]):
        return None
    while len(parts) > 1 and is_name(parts[0]) and ops:
        parts, ops = parts[1:], ops[1:]
    exact_parts = [parts[0]]
    for op, part in zip(ops, parts[1:], strict=True):
        if op == "~":
            break
        exact_parts.append(part)
    for one, other in pairwise(exact_parts):
        if same_value(bare(one), bare(other)).equal is False:
            return None
    return exact_parts[-1]


_FUNCTIONS = frozenset("sin cos tan cot sec csc arcsin arccos arctan log ln".split())


def stated_value(node: Node) -> Node | None:
    """The value that an answer states of more than a bare name, where a value is asked for: "m + n = 25",
    "\\sin x = 1/2", "x^2 - 1 = (x - 1)(x + 1)". An equation to solve, such as 2x = 10, states none."""
    if node.op != "rel" or any(op not in ("=", "~") for op in node.value) or len(node.args) < 2:
        return None
    first, rest = bare(node.args[0]), node._replace(value=node.value[1:], args=node.args[1:])
    value = node.args[1] if len(node.args) == 2 else value_side(rest)
    if value is None or node.value[0] != "=":
        return None
    terms = [term.args[0] if term.op == "neg" else term for term in (first.args if first.op == "add" else ())]
    asked = (first.op == "func" and first.value in _FUNCTIONS and bool(symbols(first))) or (
        len(terms) > 1 and len(symbols(first)) >= len(terms) and all(is_name(term) for term in terms)
    )
    if asked and not symbols(value) and not (value.op == "num" and value.value == 0):  # x - y = 0 is an equation
        return value
    return value if symbols(first) and same_value(first, bare(value)).equal else None


def left_side(node: Node) -> Node | None:
    """The name on a relation's left, or on its right in `2 = x`."""
    if is_name(node.args[0]):
        return bare(node.args[0])
    return bare(node.args[-1]) if len(node.args) == 2 and is_name(node.args[1]) else None


_CONSTANTS = frozenset(["C", "c", "K", "C_1", "c_1", "C_{1}", "const"])


def constant_of(node: Node) -> str:
    """The constant of integration: a term of its own in a sum, named C or alike; "" elsewhere."""
    node = node.args[-1] if node.op == "rel" and node.value == ("=",) else node
    terms = node.args if node.op == "add" else ()
    names = [str(term.value) for term in terms if term.op == "sym" and term.value in _CONSTANTS]
    others = [symbols(term) for term in terms if term.op != "sym" or term.value not in _CONSTANTS]
    if len(names) != 1 or not any(others) or any(_CONSTANTS & found for found in others):
        return ""
    return names[0]


def renamed(node: Node, old: str, new: str) -> Node:
    """`node` with another name for one symbol."""
    if node.op == "sym":
        return node._replace(value=new) if node.value == old else node
    return node._replace(args=tuple(renamed(arg, old, new) for arg in node.args)) if node.args else node


def same_name(one: Node, other: Node) -> bool:
    """Whether two left sides name the same thing; y and f(x) do."""
    if show(one) == show(other):
        return True
    # y = 2x + 1 and f(x) = 2x + 1 name the same graph.
    names = {one.op, other.op}
    plain = one if one.op == "sym" else other
    return names == {"sym", "app"} and plain.value in ("y", "f")


def strip_names(members: tuple[Node, ...]) -> tuple[list[Node], list[str]]:
    """The values of `x = 1, x = 2` or `x = 1, 2`, and the names ("" where none is given)."""
    values, names = [], []
    for member in members:
        member = bare(member)
        value = value_side(member) if member.op == "rel" else None
        left = left_side(member) if member.op == "rel" else None
        values.append(member if value is None else value)
        names.append(show(left) if left is not None and value is not None else "")
    return values, names


def rows_of(members: tuple[Node, ...]) -> tuple[Node, ...]:
    """`p = 5, q = 2, p = 7, q = 2` as two rows: names that come round begin a new one."""
    names = strip_names(members)[1]
    width = len(set(names))
    if not all(names) or width < 2 or width == len(names) or len(names) % width:
        return members
    if any(names[index] != names[index % width] for index in range(len(names))):
        return members
    return tuple(Node("list", ",", members[index : index + width]) for index in range(0, len(members), width))
