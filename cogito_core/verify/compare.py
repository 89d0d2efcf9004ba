"""Compare two trees, the answer read towards the gold: relations, lists, tuples, sets, intervals, matrices,
scalars."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from cogito_core.verify import meter
from cogito_core.verify.balls import sign_of_ratio
from cogito_core.verify.curves import rational, same_curve
from cogito_core.verify.ladder import bounds, printed_float, same_value
from cogito_core.verify.matrices import evaluated, holds_matrix
from cogito_core.verify.measures import compare_quantity
from cogito_core.verify.modular import proportional
from cogito_core.verify.naming import (
    bare,
    expand,
    expandable,
    left_side,
    rows_of,
    same_name,
    strip_names,
    value_side,
)
from cogito_core.verify.policy import EXACT, Policy
from cogito_core.verify.solutions import equal_sets
from cogito_core.verify.tree import Node, has_constant, show, symbols

MAX_MEMBERS = 60
_SET_LIKE = frozenset(["union", "inter", "minus"])
_DIRECTED = frozenset(["to", "in", "notin", "subset", "subseteq"])
_INEQUALITIES = frozenset(["<", ">", "<=", ">=", "!="])


class Result(NamedTuple):
    """`equal` is None where nothing was settled. `note` ends the verdict's sentence."""

    equal: bool | None
    rule: str
    note: str = ""


class Context(NamedTuple):
    """What a comparison needs to know besides the two trees."""

    policy: Policy = EXACT
    units: str = "convert"
    kind: str = ""
    gold_text: str = ""
    answer_text: str = ""
    declared: bool = False
    """Whether the sample itself says that a number or quantity is asked for: then a bare letter is a unit."""
    in_set: bool = False
    """Whether members of a set are compared: there {1} is not 1."""


def same(gold: Node, answer: Node, ctx: Context) -> Result:
    """Whether `answer` means the same as `gold`."""
    gold, answer = bare(gold), bare(answer)
    if gold.op == "rel" or answer.op == "rel":
        return _relations(gold, answer, ctx)
    if expandable(gold) or expandable(answer):
        gold, answer = expand(gold), expand(answer)
    if gold.op == "builder" or answer.op == "builder":
        settled = equal_sets(gold, answer)
        alike = show(gold) == show(answer) or None
        return Result(settled if settled is not None else alike, "set-builder", "set descriptions compared by form")
    if gold.op == "list" or answer.op == "list":
        return _lists(gold, answer, ctx)
    if gold.op in _SET_LIKE or answer.op in _SET_LIKE:
        return _sets_of_reals(gold, answer)
    if gold.op == "set" or answer.op == "set":
        return _sets(gold, answer, ctx)
    if gold.op == "matrix" or answer.op == "matrix" or (holds_matrix(gold) and holds_matrix(answer)):
        return _matrices(gold, answer, ctx)
    if gold.op == "group" or answer.op == "group":
        return _groups(gold, answer, ctx)
    if gold.op == "ratio" or answer.op == "ratio":
        return _ratios(gold, answer, ctx)
    if "based" in (gold.op, answer.op):
        return _based(gold, answer)
    return scalar(gold, answer, ctx)


def scalar(gold: Node, answer: Node, ctx: Context) -> Result:
    """Two single values, with units, degrees and the tolerance policy."""
    if "quantity" in (gold.op, answer.op) or _has_quantity(gold) or _has_quantity(answer):
        return Result(*compare_quantity(gold, answer, ctx.units, lambda g, a: plain_scalar(g, a, ctx), ctx.declared))
    return plain_scalar(gold, answer, ctx)


def plain_scalar(gold: Node, answer: Node, ctx: Context) -> Result:
    """Two single values without units."""
    if gold.op == "deg" and answer.op != "deg" and not has_constant(answer, "pi"):
        result = plain_scalar(gold.args[0], answer, ctx)
        return result._replace(rule="degree", note=result.note or "degree sign left out") if result.equal else result
    if answer.op == "deg" and gold.op != "deg" and not has_constant(gold, "pi"):
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


# relations


def _relations(gold: Node, answer: Node, ctx: Context) -> Result:
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
        return same(inner, other, ctx) if not flipped else same(other, inner, ctx)
    both = _absolute(relation)
    if both is not None and other.op == "list":
        return same(both, other, ctx) if not flipped else same(other, both, ctx)
    value = value_side(relation)
    if value is not None:
        return same(value, other, ctx) if not flipped else same(other, value, ctx)
    if other.op in ("group", "union", "minus", "set", "inter", "list", "const", "builder"):
        settled = equal_sets(gold, answer)
        if settled is not None:
            return Result(settled, "solution set")
        if other.op == "list":
            return _lists(gold, answer, ctx)
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
    if ops <= {"=", "~"}:
        value, other = value_side(gold), value_side(answer)
        if value is not None and other is not None:
            left, right = left_side(gold), left_side(answer)
            if left is not None and right is not None and not same_name(left, right):
                if len(gold.value) == len(answer.value) == 1 and not left.op == right.op == "sym":
                    return _renamed(gold, answer)
                return Result(False, "left side", f"{show(right)} where {show(left)} is asked for")
            result = same(value, other, ctx)
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
        return same(gold.args[1], answer.args[1], ctx)
    settled = equal_sets(gold, answer)
    if settled is not None:
        return Result(settled, "solution set")
    return _inequalities(gold, answer, ctx)


def _renamed(gold: Node, answer: Node) -> Result:
    """Two equations with other left sides: xy = 1 and y = 1/x, |x| = 3 and x = +-3."""
    for one, other in ((gold, answer), (answer, gold)):
        both, pair = _absolute(one), value_side(other)
        if both is None or pair is None or not expandable(pair):
            continue
        if show(other.args[0]) == show(one.args[0].args[0]):
            return _unordered(expand(pair).args, tuple(strip_names(both.args)[0]), Context())
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
    flip = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
    if len(gold.value) == len(answer.value):
        turned = answer._replace(
            value=tuple(flip.get(op, op) for op in reversed(answer.value)), args=answer.args[::-1]
        )
        directed = bool(set(gold.value) & _DIRECTED)
        for one in (answer,) if directed else (answer, turned):
            if one.value == gold.value:
                results = [same(g, a, ctx) for g, a in zip(gold.args, one.args, strict=True)]
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


# lists, sets, tuples, matrices


def _members(node: Node) -> tuple[Node, ...]:
    return node.args if node.op in ("list", "set", "group") else (node,)


def _lists(gold: Node, answer: Node, ctx: Context) -> Result:
    settled = (
        equal_sets(gold, answer)
        if any(
            arg.op == "rel" and set(arg.value) & _INEQUALITIES
            for node in (gold, answer)
            for arg in (*node.args, node)
            if arg.op == "rel"
        )
        else None
    )
    if settled is not None:
        return Result(settled, "solution set")
    if gold.op == "list" and answer.op == "group" and answer.value in ("()", "[]"):
        if gold.value == "{" and answer.value == "()":
            return Result(False, "form", "a tuple where a set is asked for")
        if gold.value == "or" or (answer.value == "()" and _alternatives(gold)):
            return Result(False, "form", "a point where alternatives are asked for")
        if answer.value == "[]" and not any(m.op in ("group", "list") for m in gold.args):
            return _unordered(gold.args, answer.args, ctx)
        return _ordered(gold.args, answer.args, ctx)
    if answer.op == "list" and gold.op == "group":
        if answer.value in ("{", "or"):
            return Result(False, "form", "a set or alternatives where a tuple or interval is asked for")
        if gold.value in ("()", "{}") or ctx.kind == "list":
            return _ordered(gold.args, answer.args, ctx)
        return Result(False, "form", "an interval against a list")
    if gold.op != "list" and gold.op != "set":
        whole = _compound(answer)
        if whole is not None:
            return same(gold, whole, ctx)
        return Result(False, "several answers", "several answers where one is asked for")
    if answer.op not in ("list", "set"):
        return Result(False, "missing answers", "one answer where several are asked for")
    braced = "{" in (gold.value, answer.value) or "set" in (gold.op, answer.op)
    return _unordered(gold.args, answer.args, ctx._replace(in_set=True) if braced else ctx)


def _alternatives(node: Node) -> bool:
    """Whether a list names several values of one thing: "x = 2 or x = 5"."""
    names = strip_names(node.args)[1]
    return node.value == "or" or (len(names) > 1 and bool(names[0]) and len(set(names)) == 1)


def _compound(node: Node) -> Node | None:
    """2 hours and 30 minutes: one quantity in units of the same dimension, each smaller than the one before."""
    units = [arg.value for arg in node.args if arg.op == "quantity"]
    if node.value != "and" or len(units) != len(node.args) or any(unit.noun for unit in units):
        return None
    falling = all(a.same_dimension(b) and a.factor > b.factor for a, b in pairwise(units))
    return Node("add", None, node.args, node.start, node.end) if falling else None


def _unordered(gold: tuple[Node, ...], answer: tuple[Node, ...], ctx: Context) -> Result:
    gold, answer = rows_of(gold), rows_of(answer)
    if len(gold) > MAX_MEMBERS or len(answer) > MAX_MEMBERS:
        return Result(None, "budget", f"more than {MAX_MEMBERS} members")
    gold_values, gold_names = strip_names(gold)
    answer_values, answer_names = strip_names(answer)
    named = {name for name in gold_names if name}
    other = {name for name in answer_names if name}
    if len(named) > 1 and not other:
        return _ordered(tuple(gold_values), tuple(answer_values), ctx)
    if len(named) > 1 and len(other) > 1:
        if sorted(gold_names) != sorted(answer_names):
            return Result(False, "left side", "other names")
    elif named and other and named != other:
        return Result(False, "left side", "another variable")
    if len(gold_values) != len(answer_values):
        return Result(False, "count", f"{len(answer_values)} answers where {len(gold_values)} are asked for")
    left = list(zip(answer_values, answer_names, strict=True))
    undecided = False
    for value, name in zip(gold_values, gold_names, strict=True):
        if meter.exhausted():
            return Result(None, "budget", "too much work for so many members")
        for index, (candidate, candidate_name) in enumerate(left):
            if len(named) > 1 and len(other) > 1 and candidate_name != name:
                continue
            result = same(value, candidate, ctx._replace(gold_text="", answer_text=""))
            undecided = undecided or result.equal is None
            if result.equal:
                del left[index]
                break
        else:
            return Result(None if undecided else False, "members", f"no answer equals {show(value)[:60]}")
    return Result(True, "members")


def _ordered(gold: tuple[Node, ...], answer: tuple[Node, ...], ctx: Context) -> Result:
    if len(gold) != len(answer):
        return Result(False, "count", f"{len(answer)} entries where {len(gold)} are asked for")
    if len(gold) > MAX_MEMBERS * 4:
        return Result(None, "budget", "too many entries")
    undecided = False
    gold_values, answer_values = strip_names(gold)[0], strip_names(answer)[0]
    for index, (one, other) in enumerate(zip(gold_values, answer_values, strict=True), start=1):
        result = same(one, other, ctx._replace(gold_text="", answer_text=""))
        if result.equal is False:
            return Result(False, "entries", f"entry {index} is {show(other)[:60]}, not {show(one)[:60]}")
        undecided = undecided or result.equal is None
    return Result(None if undecided else True, "entries")


def _sets(gold: Node, answer: Node, ctx: Context) -> Result:
    if gold.op == "set" and answer.op == "set":
        return _unordered(gold.args, answer.args, ctx._replace(in_set=True))
    if ctx.in_set and not (gold.op in ("set", "list") and answer.op in ("set", "list")):
        return Result(False, "form", "a set against a member")
    one, other = (gold, answer) if gold.op == "set" else (answer, gold)
    if len(one.args) == 1 and other.op not in ("group", "matrix", "const"):
        return same(gold.args[0], answer, ctx) if one is gold else same(gold, answer.args[0], ctx)
    return Result(False, "form", "a set against something else")


def _sets_of_reals(gold: Node, answer: Node) -> Result:
    if show(gold) == show(answer):
        return Result(True, "same form")
    settled = equal_sets(gold, answer)
    return Result(settled, "solution set", "" if settled is not None else "sets compared by form only")


def _as_matrix(node: Node) -> Node | None:
    """Nested brackets, or one row, as a matrix."""
    if node.op == "matrix":
        return node
    if (
        node.op == "group"
        and node.args
        and all(arg.op == "group" and len(arg.args) == len(node.args[0].args) for arg in node.args)
    ):
        rows = [arg.args for arg in node.args]
        return Node("matrix", (len(rows), len(rows[0])), tuple(x for row in rows for x in row))
    return None


def _matrices(gold: Node, answer: Node, ctx: Context) -> Result:
    one, other = _as_matrix(gold), _as_matrix(answer)
    if one is not None and other is not None:
        if one.value != other.value:
            return Result(
                False, "shape", f"{other.value[0]}x{other.value[1]} where {one.value[0]}x{one.value[1]} is asked for"
            )
        return _ordered(one.args, other.args, ctx)
    flat = one or other
    rest = answer if one is not None else gold
    if flat is not None and 1 in flat.value and rest.op == "group" and rest.value in ("()", "[]"):
        return _ordered(gold.args, answer.args, ctx)
    if rest.op in ("add", "mul", "div", "neg", "matrix"):
        both = [evaluated(gold), evaluated(answer)]
        if both[0] is not None and both[1] is not None:
            return _matrices(both[0], both[1], ctx)
    return Result(False, "form", "a matrix against something else")


def _groups(gold: Node, answer: Node, ctx: Context) -> Result:
    if gold.op == answer.op == "group":
        if gold.value != answer.value:
            nested = _as_matrix(gold), _as_matrix(answer)
            if nested[0] is None or nested[1] is None:
                return Result(False, "brackets", f"{answer.value} where {gold.value} is asked for")
        return _ordered(gold.args, answer.args, ctx)
    one, other = (gold, answer) if gold.op == "group" else (answer, gold)
    if other.op == "set" or other.op == "const":
        settled = equal_sets(gold, answer)
        return Result(bool(settled), "solution set")
    if len(one.args) == 1 and one.value in ("()", "[]"):
        return same(one.args[0], other, ctx) if one is gold else same(other, one.args[0], ctx)
    return Result(False, "form", "a tuple or interval against a single value")


def _ratios(gold: Node, answer: Node, ctx: Context) -> Result:
    if gold.op == answer.op == "ratio":
        if len(gold.args) != len(answer.args):
            return Result(False, "count", "another number of terms")
        first_g, first_a = gold.args[0], answer.args[0]
        for g, a in zip(gold.args[1:], answer.args[1:], strict=True):
            proof = same_value(Node("mul", None, (first_g, a)), Node("mul", None, (first_a, g)))
            if not proof.equal:
                return Result(proof.equal, "ratio")
        zero = same_value(first_a, Node("num", 0)).equal and not same_value(first_g, Node("num", 0)).equal
        return Result(not zero, "ratio")
    if len((gold if gold.op == "ratio" else answer).args) != 2 or (gold.op == "num" and isinstance(gold.value, int)):
        return Result(False, "form", "a ratio against a single value")
    return plain_scalar(gold, answer, ctx)


def _based(gold: Node, answer: Node) -> Result:
    if gold.op == answer.op == "based":
        if gold.value != answer.value:
            return Result(False, "base", f"base {answer.value} where base {gold.value} is asked for")
        return Result(gold.args[0].value == answer.args[0].value, "base")
    return Result(False, "base", "one side names a base, the other does not")
