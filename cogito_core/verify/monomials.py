"""Sums of monomials q * prod(p^r) * pi^k * e^r * ln(p)^k * i^k over Q: their normal form and their arithmetic.

Distinct products of fractional powers of primes are linearly independent over Q (Besicovitch 1940), and so are they
with powers of pi; a normal form therefore decides equality there. A value is kept as numerator over denominator, so
nothing has to be rationalised: a/b = c/d is tested as a*d = c*b.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from cogito_core.verify import meter
from cogito_core.verify.primes import factor_integer

MAX_BITS = 20_000
LONG_BITS = 400
"""Longer numbers cost as much more as they are longer."""
MAX_TERMS = 120
MAX_OPERATIONS = 4_000
STEPS = 10
"""Microseconds or so that one operation costs."""

Key = tuple[tuple[int | str, Fraction], ...]
Sum = dict[Key, Fraction]
ONE: Sum = {(): Fraction(1)}


class NotExactError(Exception):
    """The value has no normal form here, or is too big for one. Never leaves the ladder."""


class Exact(NamedTuple):
    """`top` / `bottom`, both sums."""

    top: Sum
    bottom: Sum

    @property
    def rational(self) -> Fraction | None:
        """The value if it is rational by its form."""
        if self.bottom == ONE or set(self.bottom) == {()}:
            if not self.top:
                return Fraction(0)
            if set(self.top) == {()}:
                return self.top[()] / self.bottom[()]
        return None

    def atoms(self) -> frozenset[str]:
        """Names of the transcendental atoms that occur: pi, e, ln2, ..."""
        return frozenset(
            atom for part in self for key in part for atom, _ in key if isinstance(atom, str) and atom != "i"
        )


class Run:
    """One evaluation with its budget of operations, a share of the whole comparison's."""

    def __init__(self) -> None:
        self.left = meter.allowance(MAX_OPERATIONS, STEPS)

    def spend(self, amount: int) -> None:
        """Count so many operations. Raises NotExactError when none are left."""
        self.left -= amount
        meter.charge(amount, STEPS)
        if self.left < 0:
            raise NotExactError("budget")


def _check(value: Fraction) -> Fraction:
    bits = value.numerator.bit_length() + value.denominator.bit_length()
    if bits > 2 * MAX_BITS:
        raise NotExactError("too many digits")
    if bits > LONG_BITS:
        meter.charge(bits // LONG_BITS, STEPS)
    return value


def add_sums(one: Sum, other: Sum, run: Run) -> Sum:
    """The sum of two sums; terms that cancel go."""
    run.spend(len(other) + 1)
    total = dict(one)
    for key, value in other.items():
        new = total.get(key, Fraction(0)) + value
        if new:
            total[key] = new
        else:
            total.pop(key, None)
    return total


def multiply_sums(one: Sum, other: Sum, run: Run) -> Sum:
    """The product, term by term. Raises NotExactError where it has too many terms."""
    if one == ONE:
        return other
    if other == ONE:
        return one
    if len(one) * len(other) > MAX_TERMS * MAX_TERMS:
        raise NotExactError("too many terms")
    run.spend(len(one) * len(other) + 1)
    total: Sum = {}
    for key_a, a in one.items():
        for key_b, b in other.items():
            factor, key = _join(key_a, key_b)
            new = total.get(key, Fraction(0)) + _check(a * b * factor)
            if new:
                total[key] = new
            else:
                total.pop(key, None)
    if len(total) > MAX_TERMS:
        raise NotExactError("too many terms")
    return total


@lru_cache(maxsize=4096)
def _join(one: Key, other: Key) -> tuple[Fraction, Key]:
    """The product of two monomials in normal form: a rational factor and a key."""
    powers: dict[int | str, Fraction] = dict(one)
    for atom, power in other:
        powers[atom] = powers.get(atom, Fraction(0)) + power
    return _normal(powers)


def _normal(powers: dict[int | str, Fraction]) -> tuple[Fraction, Key]:
    factor = Fraction(1)
    kept: list[tuple[int | str, Fraction]] = []
    for atom, power in powers.items():
        if isinstance(atom, int):
            whole = math.floor(power)
            if abs(whole) * atom.bit_length() > MAX_BITS:
                raise NotExactError("too many digits")
            factor *= Fraction(atom) ** whole
            power -= whole
        elif atom == "i":
            quarter = int(power) % 4
            factor *= -1 if quarter >= 2 else 1
            power = Fraction(quarter % 2)
        if power:
            kept.append((atom, power))
    return factor, tuple(sorted(kept, key=lambda item: (isinstance(item[0], str), str(item[0]))))


def plain_value(value: Fraction | int) -> Exact:
    """A rational number."""
    value = _check(Fraction(value))
    return Exact({(): value} if value else {}, ONE)


def monomial(powers: dict[int | str, Fraction], scale: Fraction = Fraction(1)) -> Exact:
    """`scale` times the atoms (primes by number, pi, e, i and ln by name) to their powers."""
    factor, key = _normal(powers)
    return Exact({key: _check(factor * scale)}, ONE)


def multiply(one: Exact, other: Exact, run: Run) -> Exact:
    """The product of two values."""
    return Exact(multiply_sums(one.top, other.top, run), multiply_sums(one.bottom, other.bottom, run))


def divide(one: Exact, other: Exact, run: Run) -> Exact:
    """The quotient; a divisor of one term is worked in at once. Raises NotExactError on division by zero."""
    if not other.top:
        raise NotExactError("division by zero")
    top, bottom = multiply_sums(one.top, other.bottom, run), multiply_sums(one.bottom, other.top, run)
    if len(bottom) == 1:  # divide by a single term at once
        ((key, scale),) = bottom.items()
        factor, inverse = _normal({atom: -power for atom, power in key})
        return Exact(multiply_sums(top, {inverse: factor / scale}, run), ONE)
    return Exact(top, bottom)


def integer_power(base: Exact, exponent: int, run: Run) -> Exact:
    """`base` to a whole power. Raises NotExactError where the result is too big."""
    if exponent < 0:
        base, exponent = divide(Exact(ONE, ONE), base, run), -exponent
    if base.rational is not None:
        value = base.rational
        bits = max(value.numerator.bit_length(), value.denominator.bit_length())
        if abs(value) != 1 and bits * exponent > MAX_BITS:
            raise NotExactError("too many digits")
        return plain_value(value**exponent if abs(value) != 1 else value ** (exponent % 2))
    if len(base.top) == 1 and len(base.bottom) == 1:
        ((key, scale),) = base.top.items()
        ((low, under),) = base.bottom.items()
        if low == () and (max(scale.numerator.bit_length(), scale.denominator.bit_length()) * exponent <= MAX_BITS):
            return monomial({atom: power * exponent for atom, power in key}, (scale / under) ** exponent)
    if exponent > 64:
        raise NotExactError("a high power of a sum")
    result = Exact(ONE, ONE)
    for _ in range(exponent):
        result = multiply(result, base, run)
    return result


def root(base: Exact, degree: int, run: Run) -> Exact:
    """The real root (principal for even degrees) of a monomial. Raises NotExactError elsewhere."""
    if degree < 0:
        return divide(Exact(ONE, ONE), root(base, -degree, run), run)
    if degree == 0 or degree > 1000:
        raise NotExactError("no such root")
    if not base.top:
        return base
    if len(base.top) != 1 or base.bottom != ONE:
        raise NotExactError("the root of a sum")
    ((key, scale),) = base.top.items()
    if any(atom == "i" for atom, _ in key):
        raise NotExactError("the root of a complex number")
    powers: dict[int | str, Fraction] = {}
    for atom, power in key:
        if isinstance(atom, str) and atom != "e" and (power / degree).denominator != 1:
            raise NotExactError("the root of a transcendental")
        powers[atom] = power / degree
    above, below = factor_integer(abs(scale.numerator)), factor_integer(scale.denominator)
    if above is None or below is None:
        raise NotExactError("a number that does not factor")
    for factors, sign in ((above, 1), (below, -1)):
        for prime, count in factors:
            powers[prime] = powers.get(prime, Fraction(0)) + Fraction(sign * count, degree)
    if scale > 0:
        return monomial(powers)
    if degree % 2:
        return monomial(powers, Fraction(-1))
    if degree == 2:
        return monomial(powers | {"i": Fraction(1)})
    raise NotExactError("an even root of a negative number")


def times_i(value: Exact, run: Run) -> Exact:
    """`value` times the imaginary unit."""
    return Exact(multiply_sums(value.top, {(("i", Fraction(1)),): Fraction(1)}, run), value.bottom)


def add(one: Exact, other: Exact, run: Run) -> Exact:
    """The sum of two values."""
    if one.bottom == other.bottom:
        return Exact(add_sums(one.top, other.top, run), one.bottom)
    return Exact(
        add_sums(multiply_sums(one.top, other.bottom, run), multiply_sums(other.top, one.bottom, run), run),
        multiply_sums(one.bottom, other.bottom, run),
    )
