"""Answers with members: lists, sets, tuples, intervals, matrices, ratios."""

from __future__ import annotations

import re
from itertools import pairwise

from cogito_core.verify import meter
from cogito_core.verify.context import Context, Result
from cogito_core.verify.ladder import same_value
from cogito_core.verify.matrices import evaluated
from cogito_core.verify.naming import (
    rows_of,
    strip_names,
)
from cogito_core.verify.solutions import equal_sets
from cogito_core.verify.tree import Node, show

MAX_MEMBERS = 60
_INEQUALITIES = frozenset(["<", ">", "<=", ">=", "!="])


def lists(gold: Node, answer: Node, ctx: Context) -> Result:
    """A list without an order: members matched one by one; a bracketed answer is a point or a list."""
    whole = _compound(gold) if gold.op == "list" else None
    if whole is not None and (one := ctx.same(whole, answer)).equal:
        return one
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
            return unordered(gold.args, answer.args, ctx)
        return ordered(gold.args, answer.args, ctx)
    if answer.op == "list" and gold.op == "group":
        if answer.value in ("{", "or") or _alternatives(answer):
            return Result(False, "form", "a set or alternatives where a tuple or interval is asked for")
        if gold.value in ("()", "{}") or ctx.kind == "list":
            return ordered(gold.args, answer.args, ctx)
        return Result(False, "form", "an interval against a list")
    if gold.op != "list" and gold.op != "set":
        whole = _compound(answer)
        if whole is not None:
            return ctx.same(gold, whole)
        return Result(False, "several answers", "several answers where one is asked for")
    if answer.op not in ("list", "set"):
        return Result(False, "missing answers", "one answer where several are asked for")
    braced = "{" in (gold.value, answer.value) or "set" in (gold.op, answer.op)
    return unordered(gold.args, answer.args, ctx._replace(in_set=True) if braced else ctx)


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


def unordered(gold: tuple[Node, ...], answer: tuple[Node, ...], ctx: Context) -> Result:
    """Whether the members can be paired; names given on both sides must agree."""
    gold, answer = rows_of(gold), rows_of(answer)
    if len(gold) > MAX_MEMBERS or len(answer) > MAX_MEMBERS:
        return Result(None, "budget", f"more than {MAX_MEMBERS} members")
    gold_values, gold_names = strip_names(gold)
    answer_values, answer_names = strip_names(answer)
    named = {name for name in gold_names if name}
    other = {name for name in answer_names if name}
    if len(named) > 1 and not other:
        return ordered(tuple(gold_values), tuple(answer_values), ctx)
    if len(named) > 1 and len(other) > 1:
        if sorted(gold_names) != sorted(answer_names):
            return Result(False, "left side", "other names")
    elif named and other and named != other and not (_of_roots(named, other) or _of_roots(other, named)):
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
            result = ctx._replace(gold_text="", answer_text="").same(value, candidate)
            undecided = undecided or result.equal is None
            if result.equal:
                del left[index]
                break
        else:
            return Result(None if undecided else False, "members", f"no answer equals {show(value)[:60]}")
    return Result(True, "members")


def _of_roots(names: set[str], indexed: set[str]) -> bool:
    """Whether x_1 and x_2 on one side are the roots for x on the other."""
    (name,) = names if len(names) == 1 else ("",)
    return bool(name) and all(re.fullmatch(rf"{re.escape(name)}_\d", one) for one in indexed)


def ordered(gold: tuple[Node, ...], answer: tuple[Node, ...], ctx: Context) -> Result:
    """Entry against entry."""
    if len(gold) != len(answer):
        return Result(False, "count", f"{len(answer)} entries where {len(gold)} are asked for")
    if len(gold) > MAX_MEMBERS * 4:
        return Result(None, "budget", "too many entries")
    undecided = False
    gold_values, answer_values = strip_names(gold)[0], strip_names(answer)[0]
    for index, (one, other) in enumerate(zip(gold_values, answer_values, strict=True), start=1):
        result = ctx._replace(gold_text="", answer_text="").same(one, other)
        if result.equal is False:
            return Result(False, "entries", f"entry {index} is {show(other)[:60]}, not {show(one)[:60]}")
        undecided = undecided or result.equal is None
    return Result(None if undecided else True, "entries")


def sets(gold: Node, answer: Node, ctx: Context) -> Result:
    """A set against a set; a set of one against its member, but not inside a set."""
    if gold.op == "set" and answer.op == "set":
        return unordered(gold.args, answer.args, ctx._replace(in_set=True))
    if ctx.in_set and not (gold.op in ("set", "list") and answer.op in ("set", "list")):
        return Result(False, "form", "a set against a member")
    one, other = (gold, answer) if gold.op == "set" else (answer, gold)
    if len(one.args) == 1 and other.op not in ("group", "matrix", "const"):
        return ctx.same(gold.args[0], answer) if one is gold else ctx.same(gold, answer.args[0])
    return Result(False, "form", "a set against something else")


def sets_of_reals(gold: Node, answer: Node) -> Result:
    """Unions, intersections and differences of intervals."""
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


def matrices(gold: Node, answer: Node, ctx: Context) -> Result:
    """Entry against entry, after sums and products of matrices are worked out."""
    one, other = _as_matrix(gold), _as_matrix(answer)
    if one is not None and other is not None:
        if one.value != other.value:
            return Result(
                False, "shape", f"{other.value[0]}x{other.value[1]} where {one.value[0]}x{one.value[1]} is asked for"
            )
        return ordered(one.args, other.args, ctx)
    flat = one or other
    rest = answer if one is not None else gold
    if flat is not None and 1 in flat.value and rest.op == "group" and rest.value in ("()", "[]"):
        return ordered(gold.args, answer.args, ctx)
    if rest.op in ("add", "mul", "div", "neg", "matrix"):
        both = [evaluated(gold), evaluated(answer)]
        if both[0] is not None and both[1] is not None:
            return matrices(both[0], both[1], ctx)
    return Result(False, "form", "a matrix against something else")


def groups(gold: Node, answer: Node, ctx: Context) -> Result:
    """Tuples and intervals: the same brackets, entry against entry."""
    if gold.op == answer.op == "group":
        if gold.value != answer.value:
            nested = _as_matrix(gold), _as_matrix(answer)
            if nested[0] is None or nested[1] is None:
                return Result(False, "brackets", f"{answer.value} where {gold.value} is asked for")
        return ordered(gold.args, answer.args, ctx)
    one, other = (gold, answer) if gold.op == "group" else (answer, gold)
    if other.op == "set" or other.op == "const":
        settled = equal_sets(gold, answer)
        return Result(bool(settled), "solution set")
    if len(one.args) == 1 and one.value in ("()", "[]"):
        return ctx.same(one.args[0], other) if one is gold else ctx.same(other, one.args[0])
    return Result(False, "form", "a tuple or interval against a single value")


def ratios(gold: Node, answer: Node) -> Result | None:
    """Ratios up to a common factor; None where a ratio of two meets a single value, which are compared as values."""
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
    return None


def based(gold: Node, answer: Node) -> Result:
    """Digits in a base: the same base and value."""
    if gold.op == answer.op == "based":
        if gold.value != answer.value:
            return Result(False, "base", f"base {answer.value} where base {gold.value} is asked for")
        return Result(gold.args[0].value == answer.args[0].value, "base")
    return Result(False, "base", "one side names a base, the other does not")
