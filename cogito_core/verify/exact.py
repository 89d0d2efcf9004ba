"""The exact value of a closed form: a tree evaluated to sums of monomials, with the functions known there."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from cogito_core.verify.monomials import (
    MAX_BITS,
    ONE,
    Exact,
    Key,
    NotExactError,
    Run,
    Sum,
    add,
    add_sums,
    divide,
    integer_power,
    monomial,
    multiply,
    multiply_sums,
    plain_value,
    root,
    times_i,
)
from cogito_core.verify.primes import factor_integer
from cogito_core.verify.tree import Node


def exact(node: Node) -> Exact:
    """The exact value of a closed form. Raises NotExactError."""
    plain = _rational_value(node, 60)
    return _value(node, Run()) if plain is None else plain_value(plain)


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
    run = Run()
    if one.bottom == other.bottom:
        return one.top == other.top
    return multiply_sums(one.top, other.bottom, run) == multiply_sums(other.top, one.bottom, run)


def _power(base: Exact, exponent: Exact, node: Node, run: Run) -> Exact:
    value = exponent.rational
    if value is not None:
        if value.denominator == 1:
            if not base.top and value <= 0:
                raise NotExactError("zero to that power")
            return integer_power(base, int(value), run)
        if value.denominator > 1000 or abs(value.numerator) > 10_000:
            raise NotExactError("an unwieldy exponent")
        if base.top.keys() == {(("e", Fraction(1)),)} and base.bottom == ONE and list(base.top.values()) == [1]:
            return monomial({"e": value})
        return integer_power(root(base, value.denominator, run), value.numerator, run)
    # e^{q ln p} and e^{i pi q}
    if base.top == {(("e", Fraction(1)),): Fraction(1)} and exponent.bottom == ONE and len(exponent.top) == 1:
        ((key, scale),) = exponent.top.items()
        if key == (("i", Fraction(1)), ("pi", Fraction(1))):
            return add(_trig("cos", scale), times_i(_trig("sin", scale), run), run)
        if len(key) == 1 and isinstance(key[0][0], str) and key[0][0].startswith("ln") and key[0][1] == 1:
            return monomial({int(key[0][0][2:]): scale})
    raise NotExactError("a transcendental power")


def _logarithm(value: Exact) -> Exact:
    """ln of a positive rational, or of a monomial in primes and e, as a sum of ln(p)."""
    if len(value.top) != 1 or value.bottom != ONE:
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
    return Exact({k: v for k, v in total.items() if v}, ONE)


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
    run = Run()
    six: Sum = {((2, Fraction(1, 2)), (3, Fraction(1, 2))): Fraction(1, 4)}
    two = _surd(Fraction(1, 4), 2)
    table: dict[int, Sum] = {
        0: {},
        1: add_sums(six, {k: -v for k, v in two.items()}, run),
        2: {(): Fraction(1, 2)},
        3: _surd(Fraction(1, 2), 2),
        4: _surd(Fraction(1, 2), 3),
        5: add_sums(six, two, run),
        6: {(): Fraction(1)},
    }
    return Exact({key: sign * value for key, value in table[step].items()}, ONE)


def turns_of(value: Exact) -> Fraction:
    """q where the value is q * pi. Raises NotExactError."""
    if not value.top:
        return Fraction(0)
    if value.bottom == ONE and value.top.keys() == {(("pi", Fraction(1)),)}:
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


def _function(name: str, args: list[Exact], run: Run) -> Exact:
    if name in _RATIONAL:
        return plain_value(_RATIONAL[name](_rationals(args)))
    if name == "binom":
        return plain_value(_binomial(*_integers(args)))
    if name == "log":
        if len(args) == 1:
            return _logarithm(args[0])
        return divide(_logarithm(args[0]), _logarithm(args[1]), run)
    if name == "ln":
        return _logarithm(args[0])
    if name in ("sin", "cos", "tan", "cot", "sec", "csc") and len(args) == 1:
        turns = turns_of(args[0])
        if name in ("sin", "cos"):
            return _trig(name, turns)
        top, bottom = {"tan": ("sin", "cos"), "cot": ("cos", "sin"), "sec": ("", "cos"), "csc": ("", "sin")}[name]
        return divide(_trig(top, turns) if top else Exact(ONE, ONE), _trig(bottom, turns), run)
    raise NotExactError(f"the function {name}")


def _value(node: Node, run: Run) -> Exact:
    run.spend(1)
    op, args = node.op, node.args
    if op == "num":
        return plain_value(node.value)
    if op == "const":
        if node.value in ("pi", "e", "i"):
            return Exact({((node.value, Fraction(1)),): Fraction(1)}, ONE)
        raise NotExactError(f"the constant {node.value}")
    if op in ("paren", "pos", "based") or (op == "group" and node.value == "[]" and len(args) == 1):
        return _value(args[0], run)
    if op == "add":
        total = _value(args[0], run)
        for arg in args[1:]:
            total = add(total, _value(arg, run), run)
        return total
    if op == "neg":
        inner = _value(args[0], run)
        return Exact({key: -value for key, value in inner.top.items()}, inner.bottom)
    if op == "mul":
        product = _value(args[0], run)
        for arg in args[1:]:
            other = _value(arg, run)
            product = multiply(product, other, run)
        return product
    if op == "div":
        return divide(_value(args[0], run), _value(args[1], run), run)
    if op == "ratio" and len(args) == 2:
        return divide(_value(args[0], run), _value(args[1], run), run)
    if op == "pow":
        return _power(_value(args[0], run), _value(args[1], run), node, run)
    if op == "root":
        degree = _value(args[1], run).rational
        if degree is None or degree.denominator != 1:
            raise NotExactError("no such root")
        return root(_value(args[0], run), int(degree), run)
    if op == "percent":
        return divide(_value(args[0], run), plain_value(100), run)
    if op == "deg":
        inner = _value(args[0], run)
        return Exact(multiply_sums(inner.top, {(("pi", Fraction(1)),): Fraction(1, 180)}, run), inner.bottom)
    if op == "abs":
        value = _rationals([_value(args[0], run)])[0]
        return plain_value(abs(value))
    if op == "fact":
        (n,) = _integers([_value(args[0], run)])
        if not 0 <= n <= 1000:
            raise NotExactError("a factorial out of range")
        return plain_value(math.factorial(n))
    if op == "mod":
        a, b = _rationals([_value(args[0], run), _value(args[1], run)])
        if not b:
            raise NotExactError("modulo zero")
        return plain_value(a - b * math.floor(a / b))
    if op == "func":
        return _function(node.value, [_value(arg, run) for arg in args], run)
    raise NotExactError(f"a {op}")
