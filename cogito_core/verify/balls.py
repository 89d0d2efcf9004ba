"""Ball arithmetic: rigorous intervals of growing precision (mpmath's interval functions, which keep no global state).

A tree is evaluated to a ball that holds its value; what two balls say of each other stands in `numeric`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mpmath.libmp import fzero, libmpi, mpf_gt, mpf_lt, to_int

from cogito_core.verify import meter
from cogito_core.verify.exact import exact
from cogito_core.verify.monomials import NotExactError
from cogito_core.verify.tree import Node

MAX_OPERATIONS = 3_000
STEPS = 5
"""Microseconds or so that one operation costs."""
SERIES = 8
"""Operations that a series (exponential, logarithm, sine) counts for."""
_HUGE = 400_000  # exponent bits: exp(10^5) and the like are refused

Ball = tuple[Any, Any]  # real and imaginary interval
_ZERO_I = (fzero, fzero)


class NotABallError(Exception):
    """No value, no enclosure, or the budget. Never leaves the ladder."""


def _rational(value: Fraction, prec: int) -> Any:
    top = libmpi.mpi_from_str(str(value.numerator), prec) if abs(value.numerator).bit_length() < 60_000 else None
    if top is None:
        raise NotABallError("too many digits")
    if value.denominator == 1:
        return top
    return libmpi.mpi_div(top, libmpi.mpi_from_str(str(value.denominator), prec), prec)


def is_real(ball: Ball) -> bool:
    """Whether the imaginary part is exactly zero."""
    return ball[1] == _ZERO_I


def contains_zero(interval: Any) -> bool:
    """Whether zero lies in the interval or the interval has no ends."""
    return not mpf_gt(interval[0], fzero) and not mpf_lt(interval[1], fzero)


def positive(interval: Any) -> bool:
    """Whether every number of the interval is above zero."""
    return bool(mpf_gt(interval[0], fzero))


def _negative(interval: Any) -> bool:
    return bool(mpf_lt(interval[1], fzero))


class Evaluator:
    """Evaluates trees to balls at one precision; `names` gives exact rational values of the symbols."""

    def __init__(self, prec: int, names: Mapping[str, Fraction] | None = None) -> None:
        self.prec, self.names = prec, names or {}
        self.left = meter.allowance(MAX_OPERATIONS, STEPS)

    def spend(self, amount: int) -> None:
        self.left -= amount
        meter.charge(amount, STEPS)
        if self.left < 0:
            raise NotABallError("budget")

    def value(self, node: Node) -> Ball:
        self.spend(1)
        op, args = node.op, node.args
        if op == "num":
            return _rational(Fraction(node.value), self.prec), _ZERO_I
        if op == "sym":
            if node.value not in self.names:
                raise NotABallError("a free symbol")
            return _rational(self.names[node.value], self.prec), _ZERO_I
        if op == "const":
            return self.constant(node.value)
        if op in ("paren", "pos", "based") or (op == "group" and node.value == "[]" and len(args) == 1):
            return self.value(args[0])
        if op == "add":
            total = self.value(args[0])
            for arg in args[1:]:
                total = self.add(total, self.value(arg))
            return total
        if op == "neg":
            re, im = self.value(args[0])
            return libmpi.mpi_neg(re, self.prec), im if im == _ZERO_I else libmpi.mpi_neg(im, self.prec)
        if op == "mul":
            product = self.value(args[0])
            for arg in args[1:]:
                product = self.mul(product, self.value(arg))
            return product
        if op in ("div", "ratio") and len(args) == 2:
            return self.div(self.value(args[0]), self.value(args[1]))
        if op == "pow":
            return self.power(args[0], args[1])
        if op == "root":
            degree = _fraction(args[1])
            if not degree:
                raise NotABallError("no such root")
            return self.rational_power(self.value(args[0]), 1 / degree)
        if op == "percent":
            return self.div(self.value(args[0]), (_rational(Fraction(100), self.prec), _ZERO_I))
        if op == "deg":
            inner = self.mul(self.value(args[0]), self.constant("pi"))
            return self.div(inner, (_rational(Fraction(180), self.prec), _ZERO_I))
        if op == "abs":
            return self.absolute(self.value(args[0]))
        if op == "fact":
            return self.factorial(self.real(args[0]))
        if op == "func":
            return self.function(node)
        raise NotABallError(f"a {op}")

    def real(self, node: Node) -> Any:
        ball = self.value(node)
        if not is_real(ball):
            raise NotABallError("a complex value")
        return ball[0]

    def constant(self, name: str) -> Ball:
        if name == "pi":
            return libmpi.mpi_pi(self.prec), _ZERO_I
        if name == "e":
            return libmpi.mpi_exp(_rational(Fraction(1), self.prec), self.prec), _ZERO_I
        if name == "i":
            return _ZERO_I, _rational(Fraction(1), self.prec)
        raise NotABallError(f"the constant {name}")

    def add(self, one: Ball, other: Ball) -> Ball:
        im = _ZERO_I if one[1] == other[1] == _ZERO_I else libmpi.mpi_add(one[1], other[1], self.prec)
        return libmpi.mpi_add(one[0], other[0], self.prec), im

    def mul(self, one: Ball, other: Ball) -> Ball:
        if is_real(one) and is_real(other):
            return libmpi.mpi_mul(one[0], other[0], self.prec), _ZERO_I
        return libmpi.mpci_mul(one, other, self.prec)

    def div(self, one: Ball, other: Ball) -> Ball:
        if contains_zero(other[0]) and contains_zero(other[1]):
            raise NotABallError("division by zero")
        if is_real(one) and is_real(other):
            return libmpi.mpi_div(one[0], other[0], self.prec), _ZERO_I
        return libmpi.mpci_div(one, other, self.prec)

    def exp(self, value: Any) -> Any:
        self.spend(SERIES)
        if mpf_gt(value[1], libmpi.mpi_from_str(str(_HUGE), 53)[0]):
            raise NotABallError("too many digits")
        return libmpi.mpi_exp(value, self.prec)

    def log(self, value: Any) -> Any:
        self.spend(SERIES)
        if not positive(value):
            raise NotABallError("the logarithm of no positive number")
        return libmpi.mpi_log(value, self.prec)

    def power(self, base: Node, exponent: Node) -> Ball:
        low = self.value(base)
        plain = _fraction(exponent)
        if plain is not None:
            return self.rational_power(low, plain)
        high = self.value(exponent)
        if base.op == "const" and base.value == "e" and not is_real(high):
            size = self.exp(high[0])
            cos, sin = libmpi.mpi_cos(high[1], self.prec), libmpi.mpi_sin(high[1], self.prec)
            return libmpi.mpi_mul(size, cos, self.prec), libmpi.mpi_mul(size, sin, self.prec)
        if not (is_real(low) and is_real(high)):
            raise NotABallError("a complex power")
        return self.exp(libmpi.mpi_mul(self.log(low[0]), high[0], self.prec)), _ZERO_I

    def rational_power(self, base: Ball, exponent: Fraction) -> Ball:
        """x^(n/d): the real root where there is one, else i times the square root."""
        if exponent.denominator == 1:
            whole = int(exponent)
            if abs(whole) > 100_000:
                if not is_real(base):
                    raise NotABallError("a high complex power")
                sign = -1 if _negative(base[0]) and whole % 2 else 1
                size = base[0] if positive(base[0]) else libmpi.mpi_neg(base[0], self.prec)
                result = self.exp(libmpi.mpi_mul(self.log(size), _rational(Fraction(whole), self.prec), self.prec))
                return (result if sign > 0 else libmpi.mpi_neg(result, self.prec)), _ZERO_I
            if whole < 0:
                return self.div((_rational(Fraction(1), self.prec), _ZERO_I), self.rational_power(base, -exponent))
            if is_real(base):
                return libmpi.mpi_pow_int(base[0], whole, self.prec), _ZERO_I
            return libmpi.mpci_pow_int(base, whole, self.prec)
        if not is_real(base):
            raise NotABallError("the root of a complex number")
        value = base[0]
        if value == _ZERO_I and exponent > 0:
            return base
        if _negative(value):
            size = libmpi.mpi_neg(value, self.prec)
            if exponent.denominator % 2:
                result = self.exp(libmpi.mpi_mul(self.log(size), _rational(exponent, self.prec), self.prec))
                return (libmpi.mpi_neg(result, self.prec) if exponent.numerator % 2 else result), _ZERO_I
            if exponent.denominator == 2:
                root = _ZERO_I, libmpi.mpi_sqrt(size, self.prec)
                return self.rational_power(root, Fraction(exponent.numerator))
            raise NotABallError("an even root of a negative number")
        if exponent.denominator == 2 and exponent.numerator == 1 and not mpf_lt(value[0], fzero):
            return libmpi.mpi_sqrt(value, self.prec), _ZERO_I
        return self.exp(libmpi.mpi_mul(self.log(value), _rational(exponent, self.prec), self.prec)), _ZERO_I

    def absolute(self, ball: Ball) -> Ball:
        if is_real(ball):
            return libmpi.mpi_abs(ball[0], self.prec), _ZERO_I
        return libmpi.mpci_abs(ball, self.prec), _ZERO_I

    def factorial(self, value: Any) -> Ball:
        self.spend(5 * SERIES)
        if mpf_lt(value[0], fzero) or mpf_gt(value[1], libmpi.mpi_from_str("20000", 53)[0]):
            raise NotABallError("a factorial out of range")
        return libmpi.mpi_gamma(
            libmpi.mpi_add(value, _rational(Fraction(1), self.prec), self.prec), self.prec
        ), _ZERO_I

    def function(self, node: Node) -> Ball:
        self.spend(SERIES)
        name, args = node.value, node.args
        if name in ("log", "ln"):
            top = self.log(self.real(args[0]))
            if len(args) == 2:
                return self.div((top, _ZERO_I), (self.log(self.real(args[1])), _ZERO_I))
            return top, _ZERO_I
        if len(args) == 1 and name in _TRIG:
            return _TRIG[name](self, self.real(args[0])), _ZERO_I
        if name in ("floor", "ceil") and len(args) == 1:
            value = self.real(args[0])
            low, high = (
                to_int(value[0], "f" if name == "floor" else "c"),
                to_int(value[1], "f" if name == "floor" else "c"),
            )
            if low != high:
                raise NotABallError("an integer part that is not settled")
            return _rational(Fraction(low), self.prec), _ZERO_I
        if name in ("max", "min") and args:
            values = [self.real(arg) for arg in args]
            best = values[0]
            for value in values[1:]:
                above, below = mpf_gt(value[0], best[1]), mpf_lt(value[1], best[0])
                if not above and not below:
                    raise NotABallError("an order that is not settled")
                if above == (name == "max"):
                    best = value
            return best, _ZERO_I
        if name == "binom" and len(args) == 2:
            one = _rational(Fraction(1), self.prec)
            n, k = (self.real(arg) for arg in args)
            if any(mpf_lt(x[0], fzero) for x in (n, k, libmpi.mpi_sub(n, k, self.prec))):
                raise NotABallError("a binomial out of range")
            gamma = [
                libmpi.mpi_gamma(libmpi.mpi_add(x, one, self.prec), self.prec)
                for x in (n, k, libmpi.mpi_sub(n, k, self.prec))
            ]
            return libmpi.mpi_div(gamma[0], libmpi.mpi_mul(gamma[1], gamma[2], self.prec), self.prec), _ZERO_I
        raise NotABallError(f"the function {name}")


def _over(
    one: Callable[[Evaluator, Any], Any], other: Callable[[Evaluator, Any], Any]
) -> Callable[[Evaluator, Any], Any]:
    def quotient(ev: Evaluator, x: Any) -> Any:
        bottom = other(ev, x)
        if contains_zero(bottom):
            raise NotABallError("division by zero")
        return libmpi.mpi_div(one(ev, x), bottom, ev.prec)

    return quotient


def _number(value: int) -> Callable[[Evaluator, Any], Any]:
    return lambda ev, x: _rational(Fraction(value), ev.prec)


def _root_of_one_minus_square(ev: Evaluator, x: Any) -> Any:
    inside = libmpi.mpi_sub(_rational(Fraction(1), ev.prec), libmpi.mpi_mul(x, x, ev.prec), ev.prec)
    if mpf_lt(inside[0], fzero):
        if mpf_lt(inside[1], fzero):
            raise NotABallError("outside the domain")
        inside = (fzero, inside[1])
    return libmpi.mpi_sqrt(inside, ev.prec)


def _hyperbolic(sign: int) -> Callable[[Evaluator, Any], Any]:
    def half(ev: Evaluator, x: Any) -> Any:
        up, down = ev.exp(x), ev.exp(libmpi.mpi_neg(x, ev.prec))
        both = libmpi.mpi_add(up, down, ev.prec) if sign > 0 else libmpi.mpi_sub(up, down, ev.prec)
        return libmpi.mpi_div(both, _rational(Fraction(2), ev.prec), ev.prec)

    return half


def _inverse_hyperbolic(sign: int) -> Callable[[Evaluator, Any], Any]:
    def area(ev: Evaluator, x: Any) -> Any:
        inside = libmpi.mpi_add(libmpi.mpi_mul(x, x, ev.prec), _rational(Fraction(sign), ev.prec), ev.prec)
        if mpf_lt(inside[0], fzero):
            raise NotABallError("outside the domain")
        return ev.log(libmpi.mpi_add(x, libmpi.mpi_sqrt(inside, ev.prec), ev.prec))

    return area


def _atanh(ev: Evaluator, x: Any) -> Any:
    one = _rational(Fraction(1), ev.prec)
    top, bottom = libmpi.mpi_add(one, x, ev.prec), libmpi.mpi_sub(one, x, ev.prec)
    half = libmpi.mpi_sub(ev.log(top), ev.log(bottom), ev.prec)
    return libmpi.mpi_div(half, _rational(Fraction(2), ev.prec), ev.prec)


def _sin(ev: Evaluator, x: Any) -> Any:
    return libmpi.mpi_sin(x, ev.prec)


def _cos(ev: Evaluator, x: Any) -> Any:
    return libmpi.mpi_cos(x, ev.prec)


_sinh, _cosh = _hyperbolic(-1), _hyperbolic(1)
_TRIG: dict[str, Callable[[Evaluator, Any], Any]] = {
    "sin": _sin,
    "cos": _cos,
    "tan": _over(_sin, _cos),
    "cot": _over(_cos, _sin),
    "sec": _over(_number(1), _cos),
    "csc": _over(_number(1), _sin),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _over(_sinh, _cosh),
    "coth": _over(_cosh, _sinh),
    "sech": _over(_number(1), _cosh),
    "csch": _over(_number(1), _sinh),
    "asinh": _inverse_hyperbolic(1),
    "acosh": _inverse_hyperbolic(-1),
    "atanh": _atanh,
    "arcsin": lambda ev, x: libmpi.mpi_atan2(x, _root_of_one_minus_square(ev, x), ev.prec),
    "arccos": lambda ev, x: libmpi.mpi_atan2(_root_of_one_minus_square(ev, x), x, ev.prec),
    "arctan": lambda ev, x: libmpi.mpi_atan2(x, _rational(Fraction(1), ev.prec), ev.prec),
    "arccot": lambda ev, x: libmpi.mpi_atan2(_rational(Fraction(1), ev.prec), x, ev.prec),
}


def _fraction(node: Node) -> Fraction | None:
    if node.op == "num":
        return Fraction(node.value)
    try:
        return exact(node).rational
    except NotExactError:
        return None
