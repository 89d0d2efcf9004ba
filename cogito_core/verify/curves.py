"""Equations in several names as sets of points: xy = 1 and y = 1/x are one curve, y/x = 1 lacks a point of y = x.

Each side is brought to a numerator over a product of factors, exactly. Two equations with proportional numerators
have the same points except where a factor below vanishes; that no point is lost is proved for factors that are linear
in some name, by putting the root into the numerator: what is left must be a constant other than zero.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from cogito_core.verify.tree import Node

MAX_TERMS = 60
MAX_DEGREE = 12

Monomial = tuple[tuple[str, int], ...]
Polynomial = dict[Monomial, Fraction]


class NotRationalError(Exception):
    """Not a small rational function with rational coefficients. Never leaves the comparison."""


class Quotient(NamedTuple):
    """`top` over the product of `below`."""

    top: Polynomial
    below: tuple[Polynomial, ...]


def _clean(terms: Polynomial) -> Polynomial:
    if len(terms) > MAX_TERMS:
        raise NotRationalError("too many terms")
    return {monomial: value for monomial, value in terms.items() if value}


def _plus(one: Polynomial, other: Polynomial) -> Polynomial:
    total = dict(one)
    for monomial, value in other.items():
        total[monomial] = total.get(monomial, Fraction(0)) + value
    return _clean(total)


def _times(one: Polynomial, other: Polynomial) -> Polynomial:
    total: Polynomial = {}
    if len(one) * len(other) > MAX_TERMS**2:
        raise NotRationalError("too many terms")
    for left, a in one.items():
        for right, b in other.items():
            powers = dict(left)
            for name, power in right:
                powers[name] = powers.get(name, 0) + power
            if sum(powers.values()) > MAX_DEGREE:
                raise NotRationalError("a high degree")
            key = tuple(sorted(powers.items()))
            total[key] = total.get(key, Fraction(0)) + a * b
    return _clean(total)


def _product(factors: tuple[Polynomial, ...]) -> Polynomial:
    result: Polynomial = {(): Fraction(1)}
    for factor in factors:
        result = _times(result, factor)
    return result


def quotient(node: Node) -> Quotient:
    """`node` as a rational function. Raises NotRationalError."""
    op, args = node.op, node.args
    if op == "num":
        return Quotient(_clean({(): Fraction(node.value)}), ())
    if op == "sym":
        return Quotient({((node.value, 1),): Fraction(1)}, ())
    if op == "paren":
        return quotient(args[0])
    if op == "neg":
        inner = quotient(args[0])
        return Quotient({monomial: -value for monomial, value in inner.top.items()}, inner.below)
    if op == "add":
        total = quotient(args[0])
        for arg in args[1:]:
            more = quotient(arg)
            top = _plus(_times(total.top, _product(more.below)), _times(more.top, _product(total.below)))
            total = Quotient(top, (*total.below, *more.below))
        return total
    if op == "mul":
        parts = [quotient(arg) for arg in args]
        return Quotient(_product(tuple(part.top for part in parts)), tuple(f for part in parts for f in part.below))
    if op == "div":
        above, under = quotient(args[0]), quotient(args[1])
        if not under.top:
            raise NotRationalError("division by zero")
        # What stood below the divisor may not vanish either, and comes up.
        top = _times(above.top, _product(under.below))
        return Quotient(top, (*above.below, *under.below, under.top))
    if op == "pow" and args[1].op == "num" and isinstance(args[1].value, int) and 0 < args[1].value <= MAX_DEGREE:
        base = quotient(args[0])
        return Quotient(_product((base.top,) * args[1].value), base.below * args[1].value)
    raise NotRationalError(f"a {op}")


def _proportional(one: Polynomial, other: Polynomial) -> bool:
    if one.keys() != other.keys() or not one:
        return False
    first = next(iter(one))
    return all(one[key] * other[first] == other[key] * one[first] for key in one)


def _at_root(top: Polynomial, factor: Polynomial) -> Polynomial | None:
    """`top` where `factor` vanishes, solved for a name in which the factor is linear with a constant coefficient."""
    for monomial, slope in factor.items():
        if len(monomial) == 1 and monomial[0][1] == 1:
            name = monomial[0][0]
            rest = {key: -value / slope for key, value in factor.items() if key != monomial}
            if all(name not in dict(key) for key in rest):
                total: Polynomial = {}
                for key, value in top.items():
                    powers = dict(key)
                    power = powers.pop(name, 0)
                    term = _times({tuple(sorted(powers.items())): value}, _product((rest,) * power))
                    total = _plus(total, term)
                return total
    return None


def _loses_no_point(top: Polynomial, below: tuple[Polynomial, ...]) -> bool:
    for factor in below:
        if set(factor) == {()}:
            continue
        left = _at_root(top, factor) if factor else None
        if left is None or set(left) != {()}:
            return False
    return True


def same_curve(one: Node, other: Node) -> bool | None:
    """Whether `one` = 0 and `other` = 0 hold at the same points: True is proved, None is not decided.

    None with proportional numerators means: equal up to points where a denominator vanishes.
    """
    try:
        left, right = quotient(one), quotient(other)
        if not _proportional(left.top, right.top):
            return False
        return True if all(_loses_no_point(q.top, q.below) for q in (left, right)) else None
    except NotRationalError:
        return None


def rational(node: Node) -> bool:
    """Whether `quotient` can read the expression."""
    try:
        quotient(node)
    except NotRationalError:
        return False
    return True
