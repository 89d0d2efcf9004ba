"""Are two values equal? Cheap and exact steps first; each step either proves something or passes on."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from cogito_core.verify import modular, numeric, tower
from cogito_core.verify.exact import equal_exact, exact
from cogito_core.verify.monomials import NotExactError
from cogito_core.verify.tree import Node, show, symbols

FLOAT_DIGITS = 12
"""A decimal of this many significant digits that rounds or cuts the gold correctly is the gold, printed as a
float."""


class Proof(NamedTuple):
    """`equal`: True and False are settled, None is not. `rule` names the step that settled it."""

    equal: bool | None
    rule: str
    note: str = ""


def same_value(gold: Node, answer: Node) -> Proof:
    """Whether two scalars are equal: string, rational, surds, towers, polynomial identity, numeric."""
    if gold.op == answer.op == "num":
        return Proof(gold.value == answer.value, "rational")
    if show(gold) == show(answer):
        return Proof(True, "same form")
    names = symbols(gold) | symbols(answer)
    ends = _infinite(gold), _infinite(answer)
    if any(ends) and not names:
        finite = gold if not ends[0] else answer
        return Proof(False if all(ends) or bounds(finite) is not None else None, "infinity")
    if names:
        return _same_function(gold, answer, names)
    proof = _exactly(gold, answer)
    if proof is not None:
        return proof
    proof = _towers(gold, answer)
    if proof is not None:
        return proof
    near = numeric.compare_values(gold, answer)
    if near is False:
        return Proof(False, "intervals")
    if near is True:
        return Proof(True, "intervals", "equal to 210 digits")
    same = modular.identical(gold, answer)
    return Proof(True, "identity") if same else Proof(None, "undecided", "no step of the ladder settles it")


def _exactly(gold: Node, answer: Node) -> Proof | None:
    try:
        one, other = exact(gold), exact(answer)
        if equal_exact(one, other):
            return Proof(True, "exact")
        # Powers of pi alone are independent of the surds (Lindemann); e and logarithms go to the intervals.
        if one.atoms() | other.atoms() <= {"pi"}:
            return Proof(False, "exact")
    except NotExactError:
        pass
    return None


def _towers(gold: Node, answer: Node) -> Proof | None:
    try:
        one, other = tower.factored(gold), tower.factored(answer)
        if tower.equal_factored(one, other):
            return Proof(True, "factored")
        if not {"pi", "e"} <= {*one.powers, *other.powers}:
            return Proof(False, "factored")
    except (NotExactError, OverflowError, ZeroDivisionError):
        pass
    try:
        if tower.certainly_different(tower.magnitude(gold), tower.magnitude(answer)):
            return Proof(False, "magnitude")
    except (NotExactError, OverflowError, ValueError):
        pass
    return None


def _same_function(gold: Node, answer: Node, names: frozenset[str]) -> Proof:
    same = modular.identical(gold, answer)
    if same is True:
        return Proof(True, "identity")
    if same is False:
        return Proof(False, "identity", "the expressions differ at a test point")
    near = numeric.compare_functions(gold, answer, names)
    if near is not None:
        return Proof(
            near, "points", "equal to 36 digits at test points" if near else "the expressions differ at a test point"
        )
    return Proof(None, "undecided", "no step of the ladder settles it")


def bounds(node: Node) -> tuple[Fraction, Fraction] | None:
    """Rational bounds of a closed real value: equal where it is rational."""
    if node.op == "num":
        return Fraction(node.value), Fraction(node.value)
    if symbols(node):
        return None
    try:
        value = exact(node).rational
        if value is not None:
            return value, value
    except NotExactError:
        pass
    return numeric.approximate(node)


def printed_float(literal: str, decimal: Fraction, value: Node) -> bool:
    """Whether the decimal literal is `value` printed to 12 or more digits: correctly rounded or cut at its last
    place.

    >>> from cogito_core.verify.reader import read
    >>> printed_float("1.4142135623730951", Fraction("1.4142135623730951"), read("sqrt(2)"))
    True
    """
    mantissa = literal.lower().partition("e")[0].lstrip("+-").replace(",", "")
    whole, point, places = mantissa.partition(".")
    digits = len((whole + places).lstrip("0"))
    if not point or digits < FLOAT_DIGITS or "e" in literal.lower():
        return False
    near = bounds(value)
    if near is None:
        return False
    unit = Fraction(1, 10 ** len(places))
    if digits >= 16:  # a double's own error, one unit in its last place
        unit = max(unit, abs(near[0]) / 2**52)
    return all(abs(decimal - end) < unit for end in near)


def order(one: Node, other: Node) -> int | None:
    """-1, 0, 1 as one is below, equal to or above the other (infinities allowed); None where not settled."""
    ends = [_infinite(node) for node in (one, other)]
    if any(ends):
        return (ends[0] > ends[1]) - (ends[0] < ends[1])
    if one.op == other.op == "num":
        return (one.value > other.value) - (one.value < other.value)
    if same_value(one, other).equal:
        return 0
    low, high = bounds(one), bounds(other)
    if low is None or high is None:
        return None
    if low[1] < high[0]:
        return -1
    return 1 if low[0] > high[1] else None


def _infinite(node: Node) -> int:
    if node.op == "const" and node.value == "inf":
        return 1
    if node.op == "neg" and node.args[0].op == "const" and node.args[0].value == "inf":
        return -1
    return 0
