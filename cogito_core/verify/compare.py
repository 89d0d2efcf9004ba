"""Compare two trees, the answer read towards the gold: what they are decides how; scalars are compared here."""

from __future__ import annotations

from fractions import Fraction

from cogito_core.verify import members, relations
from cogito_core.verify.context import Context, Result
from cogito_core.verify.ladder import bounds, printed_float, same_value
from cogito_core.verify.matrices import holds_matrix
from cogito_core.verify.measures import compare_quantity
from cogito_core.verify.naming import (
    bare,
    expand,
    expandable,
)
from cogito_core.verify.policy import Policy
from cogito_core.verify.solutions import equal_sets
from cogito_core.verify.tree import Node, has_constant, show

_SET_LIKE = frozenset(["union", "inter", "minus"])


def same(gold: Node, answer: Node, ctx: Context) -> Result:
    """Whether `answer` means the same as `gold`."""
    gold, answer = bare(gold), bare(answer)
    if ctx.compare is None:
        ctx = ctx._replace(compare=same)
    if gold.op == "rel" or answer.op == "rel":
        return relations.relate(gold, answer, ctx)
    if expandable(gold) or expandable(answer):
        gold, answer = expand(gold), expand(answer)
    if gold.op == "builder" or answer.op == "builder":
        settled = equal_sets(gold, answer)
        alike = show(gold) == show(answer) or None
        return Result(settled if settled is not None else alike, "set-builder", "set descriptions compared by form")
    if gold.op == "list" or answer.op == "list":
        return members.lists(gold, answer, ctx)
    if {gold.op, answer.op} == {"app", "group"}:  # A(2, 3) is the point A at (2, 3)
        gold, answer = (_coordinates(node) for node in (gold, answer))
    if gold.op in _SET_LIKE or answer.op in _SET_LIKE:
        return members.sets_of_reals(gold, answer)
    if gold.op == "set" or answer.op == "set":
        return members.sets(gold, answer, ctx)
    if gold.op == "matrix" or answer.op == "matrix" or (holds_matrix(gold) and holds_matrix(answer)):
        return members.matrices(gold, answer, ctx)
    if gold.op == "group" or answer.op == "group":
        return members.groups(gold, answer, ctx)
    if gold.op == "ratio" or answer.op == "ratio":
        return members.ratios(gold, answer) or plain_scalar(gold, answer, ctx)
    if "based" in (gold.op, answer.op):
        return members.based(gold, answer)
    return scalar(gold, answer, ctx)


def _coordinates(node: Node) -> Node:
    """The coordinates behind a point's name."""
    named = node.op == "app" and len(str(node.value)) == 1 and str(node.value).isupper()
    return Node("group", "()", node.args, node.start, node.end) if named else node


def scalar(gold: Node, answer: Node, ctx: Context) -> Result:
    """Two single values, with units, degrees and the tolerance policy."""
    if "quantity" in (gold.op, answer.op) or _has_quantity(gold) or _has_quantity(answer):
        return Result(*compare_quantity(gold, answer, ctx.units, lambda g, a: plain_scalar(g, a, ctx), ctx.declared))
    if ctx.kind == "number" and answer.op == "percent" and gold.op == "num" and abs(gold.value) > 1:
        # The sample says that a number is asked for, so the question names the per cent, as units may be left out.
        inner = plain_scalar(gold, answer.args[0], ctx)
        if inner.equal:
            return Result(True, "per cent sign", "the gold leaves out the per cent sign")
    return plain_scalar(gold, answer, ctx)


def plain_scalar(gold: Node, answer: Node, ctx: Context) -> Result:
    """Two single values without units."""
    if gold.op == "deg" and answer.op != "deg" and not _in_radians(answer):
        result = plain_scalar(gold.args[0], answer, ctx)
        return result._replace(rule="degree", note=result.note or "degree sign left out") if result.equal else result
    if answer.op == "deg" and gold.op != "deg" and not _in_radians(gold):
        return plain_scalar(gold, answer.args[0], ctx)
    if gold.op == answer.op == "deg":
        return plain_scalar(gold.args[0], answer.args[0], ctx)
    proof = same_value(gold, answer)
    if proof.equal:
        return Result(True, proof.rule, proof.note)
    if (
        answer.op == "num"
        and (gold.op != "num" or not _terminates(gold.value))
        and printed_float(ctx.answer_text.strip(), answer.value, gold)
    ):
        return Result(True, "printed float", "the gold printed as a float")
    if (
        gold.op == "num"
        and (answer.op != "num" or not _terminates(answer.value))
        and printed_float(ctx.gold_text.strip(), gold.value, answer)
    ):
        return Result(True, "printed float", "the gold is this value printed as a float")
    if ctx.policy.rule != "exact":
        near = _within(gold, answer, ctx.policy)
        if near is not None:
            return Result(near, ctx.policy.name, proof.note)
    return Result(proof.equal, proof.rule, proof.note or _percent_note(gold, answer))


def _in_radians(node: Node) -> bool:
    """Whether a value is an angle in radians by its form: a multiple of pi, or an inverse function."""
    return has_constant(node, "pi") or (node.op == "func" and str(node.value).startswith("arc"))


def _terminates(value: int | Fraction) -> bool:
    """Whether the decimal expansion ends: then two decimals are compared as they are."""
    below = value.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1


def _percent_note(gold: Node, answer: Node) -> str:
    if (gold.op == "percent") != (answer.op == "percent"):
        inner = [node.args[0] if node.op == "percent" else node for node in (gold, answer)]
        if same_value(*inner).equal:
            return "a percentage against the bare number"
    return ""


def _within(gold: Node, answer: Node, policy: Policy) -> bool | None:
    ends_g, ends_a = bounds(gold), bounds(answer)
    if ends_g is None or ends_a is None:
        return None
    whole = gold.op == "num" and isinstance(gold.value, int)
    return all(policy.accepts(g, a, integer_gold=whole) for g in set(ends_g) for a in set(ends_a))


def _has_quantity(node: Node) -> bool:
    return node.op in ("add", "neg") and any(arg.op == "quantity" for arg in node.args)


__all__ = ["Context", "Result", "plain_scalar", "same", "scalar"]
