"""Values too big to write out: towers, factorials and binomials, compared without expanding them.

`factored` keeps a product as prime powers (Legendre's formula for factorials), so 2006!/2004! and 2024^4046 are
exact.
`magnitude` brackets ln(...ln(x)) of a tower by an interval of floats with outward margins: it can only prove that two
values differ.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from cogito_core.verify.exact import exact
from cogito_core.verify.monomials import NotExactError
from cogito_core.verify.primes import factor_integer, small_primes
from cogito_core.verify.tree import Node

MAX_FACTORIAL = 10_000
_MARGIN = 1e-9


class Factored(NamedTuple):
    """sign * product of prime (or "pi", "e") powers."""

    sign: int
    powers: dict[int | str, Fraction]


def factored(node: Node, depth: int = 0) -> Factored:
    """`node` as prime powers. Raises NotExactError where it is no product."""
    if depth > 40:
        raise NotExactError("too deep")
    op, args = node.op, node.args
    if op in ("paren", "pos"):
        return factored(args[0], depth + 1)
    if op == "neg":
        inner = factored(args[0], depth + 1)
        return Factored(-inner.sign, inner.powers)
    if op in ("mul", "div"):
        result = factored(args[0], depth + 1)
        for arg in args[1:]:
            result = _join(result, factored(arg, depth + 1), 1 if op == "mul" else -1)
        return result
    if op in ("pow", "root"):
        exponent = exact(args[1]).rational
        if exponent is None:
            raise NotExactError("an exponent that is not rational")
        if op == "root":
            exponent = 1 / exponent if exponent else None
        if exponent is None:
            raise NotExactError("no such root")
        base = factored(args[0], depth + 1)
        if base.sign < 0 and exponent.denominator != 1:
            raise NotExactError("the root of a negative number")
        sign = -1 if base.sign < 0 and exponent.numerator % 2 else 1
        return Factored(sign, {atom: power * exponent for atom, power in base.powers.items() if exponent})
    if op == "fact":
        n = exact(args[0]).rational
        if n is None or n.denominator != 1 or not 0 <= n <= MAX_FACTORIAL:
            raise NotExactError("a factorial out of range")
        return Factored(1, _factorial(int(n)))
    if op == "func" and node.value == "binom":
        n, k = (exact(arg).rational for arg in args)
        if n is None or k is None or n.denominator != 1 or k.denominator != 1 or not 0 <= k <= n <= MAX_FACTORIAL:
            raise NotExactError("a binomial out of range")
        above = Factored(1, _factorial(int(n)))
        below = _join(Factored(1, _factorial(int(k))), Factored(1, _factorial(int(n - k))), 1)
        return _join(above, below, -1)
    if op == "const" and node.value in ("pi", "e"):
        return Factored(1, {node.value: Fraction(1)})
    value = exact(node).rational
    if not value:
        raise NotExactError("not a product")
    above_f, below_f = factor_integer(abs(value.numerator)), factor_integer(value.denominator)
    if above_f is None or below_f is None:
        raise NotExactError("a number that does not factor")
    powers: dict[int | str, Fraction] = {p: Fraction(count) for p, count in above_f}
    for p, count in below_f:
        powers[p] = powers.get(p, Fraction(0)) - count
    return Factored(1 if value > 0 else -1, powers)


def _join(one: Factored, other: Factored, direction: int) -> Factored:
    powers = dict(one.powers)
    for atom, power in other.powers.items():
        new = powers.get(atom, Fraction(0)) + direction * power
        if new:
            powers[atom] = new
        else:
            powers.pop(atom, None)
    return Factored(one.sign * other.sign, powers)


def _factorial(n: int) -> dict[int | str, Fraction]:
    """Legendre: the power of p in n! is the sum of floor(n / p^k)."""
    powers: dict[int | str, Fraction] = {}
    for p in _primes_up_to(n):
        count, rest = 0, n
        while rest:
            rest //= p
            count += rest
        powers[p] = Fraction(count)
    return powers


@lru_cache(maxsize=1)
def _all_primes() -> tuple[int, ...]:
    sieve = bytearray([1]) * (MAX_FACTORIAL + 1)
    for p in small_primes():
        if p * p > MAX_FACTORIAL:
            break
        sieve[p * p :: p] = bytes(len(range(p * p, MAX_FACTORIAL + 1, p)))
    return tuple(p for p in range(2, MAX_FACTORIAL + 1) if sieve[p])


def _primes_up_to(n: int) -> tuple[int, ...]:
    return _all_primes()[: bisect_right(_all_primes(), n)]


def equal_factored(one: Factored, other: Factored) -> bool:
    """Unique factorisation decides, for values in primes and in one of pi and e."""
    return one.sign == other.sign and one.powers == other.powers


class Magnitude(NamedTuple):
    """The value lies between exp^level(low) and exp^level(high)."""

    level: int
    low: float
    high: float


def _normal(level: int, low: float, high: float) -> Magnitude:
    while level < 12 and low > 1e6:
        level, low, high = level + 1, math.log(low) * (1 - _MARGIN), math.log(high) * (1 + _MARGIN)
    return Magnitude(level, low, high)


def magnitude(node: Node, depth: int = 0) -> Magnitude:
    """A bracket of a tower with base and exponents above 1. Raises NotExactError elsewhere."""
    if depth > 12:
        raise NotExactError("too deep")
    if node.op == "paren":
        return magnitude(node.args[0], depth + 1)
    if node.op == "pow":
        base, exponent = magnitude(node.args[0], depth + 1), magnitude(node.args[1], depth + 1)
        if base.level or base.low < 1.5:
            raise NotExactError("a base out of range")
        low, high = math.log(base.low) * (1 - _MARGIN), math.log(base.high) * (1 + _MARGIN)
        if exponent.level == 0:
            return _normal(1, exponent.low * low, exponent.high * high)
        # ln ln x = ln(exponent) + ln ln(base); at higher levels the second term is far below the margin.
        down, up = (math.log(low), math.log(high)) if exponent.level == 1 else (-_MARGIN, _MARGIN)
        return _normal(exponent.level + 1, exponent.low + down - _MARGIN, exponent.high + up + _MARGIN)
    if node.op == "num" and node.value >= 1:
        if node.value > 10**300:
            raise NotExactError("too many digits")
        return _normal(0, float(node.value) * (1 - _MARGIN), float(node.value) * (1 + _MARGIN))
    raise NotExactError("not a tower")


def certainly_different(one: Magnitude, other: Magnitude) -> bool:
    """Whether the two brackets are apart."""
    while one.level != other.level:
        lower, upper = sorted((one, other))
        if (lower.level == 0 and lower.low <= 0) or lower.low <= 1e-3:
            return True  # ln of it is below anything at the higher level
        raised = Magnitude(lower.level + 1, math.log(lower.low) - 1e-6, math.log(lower.high) + 1e-6)
        one, other = raised, upper
    return one.high < other.low or other.high < one.low
