"""Equations, inequalities and memberships against each other, against values and against sets."""

from __future__ import annotations

from cogito_core.verify import members
from cogito_core.verify.context import Context, Result
from cogito_core.verify.curves import rational, same_curve
from cogito_core.verify.modular import proportional
from cogito_core.verify.naming import (
    expand,
    expandable,
    left_side,
    same_name,
    stated_value,
    strip_names,
    value_side,
)
from cogito_core.verify.numeric import sign_of_ratio
from cogito_core.verify.solutions import equal_sets
from cogito_core.verify.tree import Node, show, symbols

_DIRECTED = frozenset(["in", "notin", "subset", "subseteq"])
_INEQUALITIES = frozenset(["<", ">", "<=", ">=", "!="])


_UNKNOWNS = frozenset(["x", "y", "t"])
"""|x| = 5 is an equation for these names; |v| = 5 and |AB| = 5 state a size."""


def relate(gold: Node, answer: Node, ctx: Context) -> Result:
    """A relation against a relation, a value, or a set."""
    if gold.op == "rel" and answer.op == "rel":
        return _two_relations(gold, answer, ctx)
    relation, other, flipped = (gold, answer, False) if gold.op == "rel" else (answer, gold, True)
    if relation.value == ("in",) and other.op in (
        "group",
        "set",
        "union",
        "minus",
        "inter",
        "const",
        "list",
        "builder",
    ):
        inner = relation.args[1]
        return ctx.same(inner, other) if not flipped else ctx.same(other, inner)
    both = _absolute(relation)
    if both is not None and other.op in ("list", "set", "pm"):
        return ctx.same(both, other) if not flipped else ctx.same(other, both)
    if both is not None and relation.args[0].args[0].value in _UNKNOWNS and other.op not in ("set", "group", "rel"):
        return Result(False, "form", "an equation with two solutions against a value")
    value = value_side(relation)
    if value is not None:
        return ctx.same(value, other) if not flipped else ctx.same(other, value)
    stated = stated_value(relation) if flipped else None
    if stated is not None:
        return ctx.same(other, stated)
    if other.op in ("group", "union", "minus", "set", "inter", "list", "const", "builder"):
        settled = equal_sets(gold, answer)
        if settled is not None:
            return Result(settled, "solution set")
        if other.op == "list":
            return members.lists(gold, answer, ctx)
    return Result(False, "form", "a relation against a value")


def _absolute(relation: Node) -> Node | None:
    """|x| = 3 as "x = 3 or x = -3"; a name that is complex by custom (z, w) has more than two such values."""
    if relation.value != ("=",) or relation.args[0].op != "abs" or symbols(relation.args[1]):
        return None
    name, value = relation.args[0].args[0], relation.args[1]
    if name.op != "sym" or name.value in ("z", "w"):
        return None
    ends = (value, Node("neg", None, (value,)))
    return Node("list", "or", tuple(Node("rel", ("=",), (name, end)) for end in ends))


def _two_relations(gold: Node, answer: Node, ctx: Context) -> Result:
    ops = set(gold.value) | set(answer.value)
    if gold.value == answer.value == ("=",) and [show(arg) for arg in gold.args] == [
        show(arg) for arg in answer.args[::-1]
    ]:
        return Result(True, "turned round")
    if ops <= {"=", "~"}:
        value, other = value_side(gold), value_side(answer)
        if value is not None and other is not None:
            left, right = left_side(gold), left_side(answer)
            if left is not None and right is not None and not same_name(left, right):
                if len(gold.value) == len(answer.value) == 1 and not left.op == right.op == "sym":
                    return _renamed(gold, answer, ctx)
                return Result(False, "left side", f"{show(right)} where {show(left)} is asked for")
            result = ctx.same(value, other)
            explicit = left is not None and right is not None and show(left) == show(right)
            if explicit and left is not None and str(left.value) not in symbols(value) | symbols(other):
                return result  # y = ... on both sides: the values decide
            if result.equal or len(gold.value) > 1 or len(answer.value) > 1 or not (symbols(value) or symbols(other)):
                return result
        if len(gold.value) == len(answer.value) == 1:
            return _equations(gold, answer)
        return Result(show(gold) == show(answer), "chain")
    if "in" in ops and len(gold.value) == len(answer.value) == 1 and gold.value == answer.value:
        if show(gold.args[0]) != show(answer.args[0]):
            return Result(False, "left side", "another variable")
        return ctx.same(gold.args[1], answer.args[1])
    settled = equal_sets(gold, answer)
    if settled is not None:
        return Result(settled, "solution set")
    return _inequalities(gold, answer, ctx)


def _renamed(gold: Node, answer: Node, ctx: Context) -> Result:
    """Two equations with other left sides: xy = 1 and y = 1/x, |x| = 3 and x = +-3."""
    for one, other in ((gold, answer), (answer, gold)):
        both, pair = _absolute(one), value_side(other)
        if both is None or pair is None or not expandable(pair):
            continue
        if show(other.args[0]) == show(one.args[0].args[0]):
            values = tuple(strip_names(both.args)[0])
            return members.unordered(expand(pair).args, values, Context(compare=ctx.compare))
    result = _equations(gold, answer)
    if result.equal is False:
        return Result(False, "left side", f"{show(answer.args[0])} where {show(gold.args[0])} is asked for")
    return result


def _difference(node: Node) -> Node:
    return Node("add", None, (node.args[0], Node("neg", None, (node.args[1],))))


def _equations(gold: Node, answer: Node) -> Result:
    if symbols(gold) != symbols(answer):
        return Result(False, "equation", "other variables")
    left, right = _difference(gold), _difference(answer)
    settled = proportional(left, right)
    if settled:
        return Result(True, "equation")
    rearranged = same_curve(left, right)
    if rearranged:
        return Result(True, "equation", "rearranged, no point lost")
    if rearranged is None and settled is False and rational(left) and rational(right):
        return Result(None, "equation", "equal but for points where a denominator vanishes")
    return Result(settled, "equation", "the equations are not multiples of each other")


def _inequalities(gold: Node, answer: Node, ctx: Context) -> Result:
    flip = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "to": "gets", "gets": "to"}
    if len(gold.value) == len(answer.value):
        turned = answer._replace(
            value=tuple(flip.get(op, op) for op in reversed(answer.value)), args=answer.args[::-1]
        )
        directed = bool(set(gold.value) & _DIRECTED)
        for one in (answer,) if directed else (answer, turned):
            if one.value == gold.value:
                results = [ctx.same(g, a) for g, a in zip(gold.args, one.args, strict=True)]
                if all(result.equal for result in results):
                    return Result(True, "inequality")
    if len(gold.value) == len(answer.value) == 1 and set(gold.value) | set(answer.value) <= _INEQUALITIES:
        left, right = _difference(gold), _difference(answer)
        settled = proportional(left, right)
        if settled:
            sign = sign_of_ratio(left, right, symbols(gold) | symbols(answer))
            wanted = gold.value[0] if sign > 0 else flip.get(gold.value[0], gold.value[0])
            return Result(wanted == answer.value[0] if sign else None, "inequality")
    return Result(False, "inequality", "not the same inequality")
