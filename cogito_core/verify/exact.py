"""Exact arithmetic on closed forms: sums of q * prod(p^r) * pi^k * e^r * ln(p)^k * i^k over Q.

Distinct products of fractional powers of primes are linearly independent over Q (Besicovitch 1940), and so are they
with powers of pi; a normal form therefore decides equality there. A value is kept as numerator over denominator, so
nothing has to be rationalised: a/b = c/d is tested as a*d = c*b.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from cogito_core.verify import meter
from cogito_core.verify.primes import factor_integer
from cogito_core.verify.tree import Node

MAX_BITS = 20_000
LONG_BITS = 400
"""Longer numbers cost as much more as they are longer."""
MAX_TERMS = 120
MAX_OPERATIONS = 4_000
STEPS = 10
"""Microseconds or so that one operation costs."""

Key = tuple[tuple[int | str, Fraction], ...]
Sum = dict[Key, Fraction]
_ONE: Sum = {(): Fraction(1)}


class NotExactError(Exception):
    """The value has no normal form here, or is too big for one. Never leaves the ladder."""


class Exact(NamedTuple):
    """`top` / `bottom`, both sums; `transcendent` says which of pi, e, ln occur."""

    top: Sum
    bottom: Sum

    @property
    def rational(self) -> Fraction | None:
        """The value if it is rational by its form."""
        if self.bottom == _ONE or set(self.bottom) == {()}:
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


class _Run:
    """One evaluation with its budget of operations, a share of the whole comparison's."""

    def __init__(self) -> None:
        self.left = meter.allowance(MAX_OPERATIONS, STEPS)

    def spend(self, amount: int) -> None:
        self.left -= amount
        meter.charge(amount, STEPS)
        if self.left < 0:
            raise NotExactError("budget")


def exact(node: Node) -> Exact:
    """The exact value of a closed form. Raises NotExactError."""
    plain = _rational_value(node, 60)
    return _value(node, _Run()) if plain is None else _plain(plain)


def _rational_value(node: Node, depth: int) -> int | Fraction | None:
    """The value of sums, products and quotients of literals; None for everything else."""
    op, args = node.op, node.args
    if op == "num":
        value: int | Fraction = node.value
        return value
    if op not in ("add", "neg", "mul", "div", "paren", "percent") or not depth:
        return None
    parts = []
    bits = 0
    for arg in args:
        part = _rational_value(arg, depth - 1)
        if part is None:
            return None
        bits += part.numerator.bit_length() + part.denominator.bit_length()
        if bits > MAX_BITS:
            return None
        parts.append(part)
    if op == "add":
        return sum(parts)
    if op == "neg":
        return -parts[0]
    if op == "mul":
        return math.prod(parts)
    if op == "div":
        return None if not parts[1] else Fraction(parts[0]) / parts[1]
    return Fraction(parts[0], 100) if op == "percent" else parts[0]


def equal_exact(one: Exact, other: Exact) -> bool:
    """Whether two exact values have the same normal form."""
    run = _Run()
    if one.bottom == other.bottom:
        return one.top == other.top
    return _mul(one.top, other.bottom, run) == _mul(other.top, one.bottom, run)


def _check(value: Fraction) -> Fraction:
    bits = value.numerator.bit_length() + value.denominator.bit_length()
    if bits > 2 * MAX_BITS:
        raise NotExactError("too many digits")
    if bits > LONG_BITS:
        meter.charge(bits // LONG_BITS, STEPS)
    return value


def _add(one: Sum, other: Sum, run: _Run) -> Sum:
    run.spend(len(other) + 1)
    total = dict(one)
    for key, value in other.items():
        new = total.get(key, Fraction(0)) + value
        if new:
            total[key] = new
        else:
            total.pop(key, None)
    return total


def _mul(one: Sum, other: Sum, run: _Run) -> Sum:
    if one == _ONE:
        return other
    if other == _ONE:
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


def _plain(value: Fraction | int) -> Exact:
    value = _check(Fraction(value))
    return Exact({(): value} if value else {}, _ONE)


def _monomial(powers: dict[int | str, Fraction], scale: Fraction = Fraction(1)) -> Exact:
    factor, key = _normal(powers)
    return Exact({key: _check(factor * scale)}, _ONE)


def _divide(one: Exact, other: Exact, run: _Run) -> Exact:
    if not other.top:
        raise NotExactError("division by zero")
    top, bottom = _mul(one.top, other.bottom, run), _mul(one.bottom, other.top, run)
    if len(bottom) == 1:  # divide by a single term at once
        ((key, scale),) = bottom.items()
        factor, inverse = _normal({atom: -power for atom, power in key})
        return Exact(_mul(top, {inverse: factor / scale}, run), _ONE)
    return Exact(top, bottom)


def _integer_power(base: Exact, exponent: int, run: _Run) -> Exact:
    if exponent < 0:
        base, exponent = _divide(Exact(_ONE, _ONE), base, run), -exponent
    if base.rational is not None:
        value = base.rational
        bits = max(value.numerator.bit_length(), value.denominator.bit_length())
        if abs(value) != 1 and bits * exponent > MAX_BITS:
            raise NotExactError("too many digits")
        return _plain(value**exponent if abs(value) != 1 else value ** (exponent % 2))
    if len(base.top) == 1 and len(base.bottom) == 1:
        ((key, scale),) = base.top.items()
        ((low, under),) = base.bottom.items()
        if low == () and (max(scale.numerator.bit_length(), scale.denominator.bit_length()) * exponent <= MAX_BITS):
            return _monomial({atom: power * exponent for atom, power in key}, (scale / under) ** exponent)
    if exponent > 64:
        raise NotExactError("a high power of a sum")
    result = Exact(_ONE, _ONE)
    for _ in range(exponent):
        result = Exact(_mul(result.top, base.top, run), _mul(result.bottom, base.bottom, run))
    return result


def _root(base: Exact, degree: int, run: _Run) -> Exact:
    """The real root (principal for even degrees) of a monomial."""
    if degree < 0:
        return _divide(Exact(_ONE, _ONE), _root(base, -degree, run), run)
    if degree == 0 or degree > 1000:
        raise NotExactError("no such root")
    if not base.top:
        return base
    if len(base.top) != 1 or base.bottom != _ONE:
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
        return _monomial(powers)
    if degree % 2:
        return _monomial(powers, Fraction(-1))
    if degree == 2:
        return _monomial(powers | {"i": Fraction(1)})
    raise NotExactError("an even root of a negative number")


def _power(base: Exact, exponent: Exact, node: Node, run: _Run) -> Exact:
    value = exponent.rational
    if value is not None:
        if value.denominator == 1:
            if not base.top and value <= 0:
                raise NotExactError("zero to that power")
            return _integer_power(base, int(value), run)
        if value.denominator > 1000 or abs(value.numerator) > 10_000:
            raise NotExactError("an unwieldy exponent")
        if base.top.keys() == {(("e", Fraction(1)),)} and base.bottom == _ONE and list(base.top.values()) == [1]:
            return _monomial({"e": value})
        return _integer_power(_root(base, value.denominator, run), value.numerator, run)
    # e^{q ln p} and e^{i pi q}
    if base.top == {(("e", Fraction(1)),): Fraction(1)} and exponent.bottom == _ONE and len(exponent.top) == 1:
        ((key, scale),) = exponent.top.items()
        if key == (("i", Fraction(1)), ("pi", Fraction(1))):
            return _add_exact(_trig("cos", scale), _times_i(_trig("sin", scale), run), run)
        if len(key) == 1 and isinstance(key[0][0], str) and key[0][0].startswith("ln") and key[0][1] == 1:
            return _monomial({int(key[0][0][2:]): scale})
    raise NotExactError("a transcendental power")


def _times_i(value: Exact, run: _Run) -> Exact:
    return Exact(_mul(value.top, {(("i", Fraction(1)),): Fraction(1)}, run), value.bottom)


def _add_exact(one: Exact, other: Exact, run: _Run) -> Exact:
    if one.bottom == other.bottom:
        return Exact(_add(one.top, other.top, run), one.bottom)
    return Exact(
        _add(_mul(one.top, other.bottom, run), _mul(other.top, one.bottom, run), run),
        _mul(one.bottom, other.bottom, run),
    )


def _logarithm(value: Exact) -> Exact:
    """ln of a positive rational, or of a monomial in primes and e, as a sum of ln(p)."""
    if len(value.top) != 1 or value.bottom != _ONE:
        raise NotExactError("the logarithm of a sum")
    ((key, scale),) = value.top.items()
    if scale <= 0:
        raise NotExactError("the logarithm of a negative number")
    total: Sum = {}
    above, below = factor_integer(scale.numerator), factor_integer(scale.denominator)
    if above is None or below is None:
        raise NotExactError("a number that does not factor")
    parts = [(p, Fraction(n)) for p, n in above] + [(p, Fraction(-n)) for p, n in below] + list(key)
    for atom, power in parts:
        if atom == "e":
            total[()] = total.get((), Fraction(0)) + power
        elif isinstance(atom, int):
            name: Key = ((f"ln{atom}", Fraction(1)),)
            total[name] = total.get(name, Fraction(0)) + power
        else:
            raise NotExactError("the logarithm of a transcendental")
    return Exact({k: v for k, v in total.items() if v}, _ONE)


def _surd(scale: Fraction, radicand: int) -> Sum:
    return {(): scale} if radicand == 1 else {((radicand, Fraction(1, 2)),): scale}


def _trig(name: str, turns: Fraction) -> Exact:
    """sin or cos of `turns` * pi for multiples of pi/12 (the classical table)."""
    if name == "cos":
        turns = turns + Fraction(1, 2)
    steps = turns * 12
    if steps.denominator != 1:
        raise NotExactError("an angle outside the table")
    step = int(steps) % 24
    sign = 1 if step < 12 else -1
    step %= 12
    step = min(step, 12 - step)
    run = _Run()
    six: Sum = {((2, Fraction(1, 2)), (3, Fraction(1, 2))): Fraction(1, 4)}
    two = _surd(Fraction(1, 4), 2)
    table: dict[int, Sum] = {
        0: {},
        1: _add(six, {k: -v for k, v in two.items()}, run),
        2: {(): Fraction(1, 2)},
        3: _surd(Fraction(1, 2), 2),
        4: _surd(Fraction(1, 2), 3),
        5: _add(six, two, run),
        6: {(): Fraction(1)},
    }
    return Exact({key: sign * value for key, value in table[step].items()}, _ONE)


def turns_of(value: Exact) -> Fraction:
    """q where the value is q * pi. Raises NotExactError."""
    if not value.top:
        return Fraction(0)
    if value.bottom == _ONE and value.top.keys() == {(("pi", Fraction(1)),)}:
        return next(iter(value.top.values()))
    raise NotExactError("an angle that is no multiple of pi")


def _integers(args: list[Exact]) -> list[int]:
    numbers = [arg.rational for arg in args]
    if any(n is None or n.denominator != 1 for n in numbers):
        raise NotExactError("not integers")
    return [int(n) for n in numbers if n is not None]


def _rationals(args: list[Exact]) -> list[Fraction]:
    numbers = [arg.rational for arg in args if arg.rational is not None]
    if len(numbers) != len(args) or not numbers:
        raise NotExactError("not rational")
    return numbers


def _gcd(numbers: list[Fraction]) -> Fraction:
    bottom = math.lcm(*(n.denominator for n in numbers))
    return Fraction(math.gcd(*(int(n * bottom) for n in numbers)), bottom)


def _lcm(numbers: list[Fraction]) -> Fraction:
    bottom = math.lcm(*(n.denominator for n in numbers))
    return Fraction(math.lcm(*(int(n * bottom) for n in numbers)), bottom)


def _binomial(n: int, k: int) -> Fraction:
    if n < 0 or k < 0:
        raise NotExactError("no such binomial")
    if k > n:
        return Fraction(0)
    if min(k, n - k) > 2_000 or n > 10**9:
        raise NotExactError("too many digits")
    return Fraction(math.comb(n, k))


_RATIONAL: dict[str, Callable[[list[Fraction]], Fraction | int]] = {
    "floor": lambda v: math.floor(v[0]),
    "ceil": lambda v: math.ceil(v[0]),
    "gcd": _gcd,
    "lcm": _lcm,
    "max": max,
    "min": min,
    "sign": lambda v: (v[0] > 0) - (v[0] < 0),
}


def _function(name: str, args: list[Exact], run: _Run) -> Exact:
    if name in _RATIONAL:
        return _plain(_RATIONAL[name](_rationals(args)))
    if name == "binom":
        return _plain(_binomial(*_integers(args)))
    if name == "log":
        if len(args) == 1:
            return _logarithm(args[0])
        return _divide(_logarithm(args[0]), _logarithm(args[1]), run)
    if name == "ln":
        return _logarithm(args[0])
    if name in ("sin", "cos", "tan", "cot", "sec", "csc") and len(args) == 1:
        turns = turns_of(args[0])
        if name in ("sin", "cos"):
            return _trig(name, turns)
        top, bottom = {"tan": ("sin", "cos"), "cot": ("cos", "sin"), "sec": ("", "cos"), "csc": ("", "sin")}[name]
        return _divide(_trig(top, turns) if top else Exact(_ONE, _ONE), _trig(bottom, turns), run)
    raise NotExactError(f"the function {name}")


def _value(node: Node, run: _Run) -> Exact:
    run.spend(1)
    op, args = node.op, node.args
    if op == "num":
        return _plain(node.value)
    if op == "const":
        if node.value in ("pi", "e", "i"):
            return Exact({((node.value, Fraction(1)),): Fraction(1)}, _ONE)
        raise NotExactError(f"the constant {node.value}")
    if op in ("paren", "pos", "based") or (op == "group" and node.value == "[]" and len(args) == 1):
        return _value(args[0], run)
    if op == "add":
        total = _value(args[0], run)
        for arg in args[1:]:
            total = _add_exact(total, _value(arg, run), run)
        return total
    if op == "neg":
        inner = _value(args[0], run)
        return Exact({key: -value for key, value in inner.top.items()}, inner.bottom)
    if op == "mul":
        product = _value(args[0], run)
        for arg in args[1:]:
            other = _value(arg, run)
            product = Exact(_mul(product.top, other.top, run), _mul(product.bottom, other.bottom, run))
        return product
    if op == "div":
        return _divide(_value(args[0], run), _value(args[1], run), run)
    if op == "ratio" and len(args) == 2:
        return _divide(_value(args[0], run), _value(args[1], run), run)
    if op == "pow":
        return _power(_value(args[0], run), _value(args[1], run), node, run)
    if op == "root":
        degree = _value(args[1], run).rational
        if degree is None or degree.denominator != 1:
            raise NotExactError("no such root")
        return _root(_value(args[0], run), int(degree), run)
    if op == "percent":
        return _divide(_value(args[0], run), _plain(100), run)
    if op == "deg":
        inner = _value(args[0], run)
        return Exact(_mul(inner.top, {(("pi", Fraction(1)),): Fraction(1, 180)}, run), inner.bottom)
    if op == "abs":
        value = _rationals([_value(args[0], run)])[0]
        return _plain(abs(value))
    if op == "fact":
        (n,) = _integers([_value(args[0], run)])
        if not 0 <= n <= 1000:
            raise NotExactError("a factorial out of range")
        return _plain(math.factorial(n))
    if op == "mod":
        a, b = _rationals([_value(args[0], run), _value(args[1], run)])
        if not b:
            raise NotExactError("modulo zero")
        return _plain(a - b * math.floor(a / b))
    if op == "func":
        return _function(node.value, [_value(arg, run) for arg in args], run)
    raise NotExactError(f"a {op}")
