"""Two expressions compared by balls: closed values, functions at test points, signs, and bounds of one value.

Disjoint balls prove two values different. Balls that still overlap at 700 bits (210 digits) and are tight there
count as equal, and the verdict says "to 210 digits".
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

from mpmath.libmp import fzero, libmpi, mpf_sub

from cogito_core.verify.balls import Ball, Evaluator, NotABallError, contains_zero, is_real, positive
from cogito_core.verify.tree import Node, has_constant

PRECISIONS = (120, 700)
POINT_PRECISION = 240


def _compare(one: Ball, other: Ball, prec: int) -> bool | None:
    """False: apart. True: together, tight to half the precision. None: too wide to tell."""
    tight = True
    if not all(_finite(end) for ball in (one, other) for interval in ball for end in interval):
        return None
    for a, b in zip(one, other, strict=True):
        difference = libmpi.mpi_sub(a, b, prec)
        if not contains_zero(difference):
            return False
        width = mpf_sub(difference[1], difference[0], 53, "u")
        scale = max(_size(a), _size(b), 1)
        if width != fzero and _exponent(width) > scale - prec // 2:
            tight = False
    return True if tight else None


def _finite(value: Any) -> bool:
    return bool(value[1]) or value == fzero


def _exponent(value: Any) -> int:
    return int(value[2] + value[3])


def _size(interval: Any) -> int:
    return max((_exponent(end) for end in interval if end[1]), default=-10_000)


def compare_values(one: Node, other: Node) -> bool | None:
    """Whether two closed forms are equal: False is proved, True holds to 210 digits, None is not decided."""
    verdict: bool | None = None
    for prec in PRECISIONS:
        try:
            verdict = _compare(Evaluator(prec).value(one), Evaluator(prec).value(other), prec)
        except (NotABallError, ValueError, ZeroDivisionError, OverflowError, NotImplementedError, RecursionError):
            return None
        if verdict is False:
            return False
    return verdict


_SCALES = (Fraction(1), Fraction(3), Fraction(7), Fraction(1, 3), Fraction(20))


def point(names: frozenset[str], index: int) -> dict[str, Fraction]:
    """Rational test values for the names, of both signs, the same in every run."""
    values = {}
    for name in names:
        seed = int.from_bytes(
            hashlib.blake2b(f"{index}\x1f{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
        )
        size = Fraction(seed % 99_991 + 7_919, 53_881) * _SCALES[index % len(_SCALES)]
        values[name] = -size if index % 3 == 2 and seed & 1 << 40 else size
    return values


def compare_functions(one: Node, other: Node, names: frozenset[str], points: int = 9) -> bool | None:
    """Whether two expressions in `names` agree where the first is real: at 4 or more of 9 points, to 36 digits
    or more."""
    agreed = 0
    for index in range(points):
        values = point(names, index)
        try:
            left = Evaluator(POINT_PRECISION, values).value(one)
        except (NotABallError, ValueError, ZeroDivisionError, OverflowError, NotImplementedError, RecursionError):
            continue
        if not is_real(left) and not has_constant(one, "i"):
            continue
        try:
            right = Evaluator(POINT_PRECISION, values).value(other)
        except (NotABallError, ValueError, ZeroDivisionError, OverflowError, NotImplementedError, RecursionError):
            return None
        same = _compare(left, right, POINT_PRECISION)
        if same is False:
            return False
        agreed += same is True
        if agreed >= 6:
            return True
    return True if agreed >= 4 else None


def sign_of_ratio(one: Node, other: Node, names: frozenset[str]) -> int:
    """The sign of one/other at the first point where both have a sign; 0 where there is none."""
    for index in range(4):
        values = point(names, index)
        try:
            left, right = (Evaluator(120, values).value(node) for node in (one, other))
        except (NotABallError, ValueError, ZeroDivisionError, OverflowError, NotImplementedError, RecursionError):
            continue
        if all(is_real(ball) and not contains_zero(ball[0]) for ball in (left, right)):
            return 1 if positive(left[0]) == positive(right[0]) else -1
    return 0


def approximate(node: Node) -> tuple[Fraction, Fraction] | None:
    """Rational bounds of a real closed form, to 30 digits or so; None where there is no enclosure."""
    try:
        ball = Evaluator(120).value(node)
    except (NotABallError, ValueError, ZeroDivisionError, OverflowError, NotImplementedError, RecursionError):
        return None
    if not is_real(ball):
        return None
    low, high = (_exactly(end) for end in ball[0])
    return None if low is None or high is None else (low, high)


def _exactly(value: Any) -> Fraction | None:
    sign, man, exp, _ = value
    if not man:
        return Fraction(0) if value == fzero else None
    if abs(exp) > 20_000:
        return None
    result = Fraction(int(man)) * Fraction(2) ** exp
    return -result if sign else result
