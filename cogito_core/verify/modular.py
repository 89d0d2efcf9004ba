"""Identity of rational expressions: evaluation at random points modulo large primes (Schwartz 1980, Zippel 1979).

Two different rational functions of degree d agree at a random point modulo p with probability at most d/p; with two
61-bit primes and three points each the chance of a false "equal" is below 1e-90 for the degrees the reader admits.
pi and e count as variables, i as a square root of -1 (both primes are 1 modulo 4). A root, a function or a power with
a symbolic exponent is an opaque atom whose value depends on the values of its arguments only, so equal arguments give
equal atoms: "equal" stays a proof, "different" then proves nothing.
"""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from functools import lru_cache

from cogito_core.verify import meter
from cogito_core.verify.tree import Node

PRIMES = (2305843009213693921, 2305843009213693693)
POINTS = 3
MAX_OPERATIONS = 4_000
STEPS = 2
"""Microseconds or so that one operation costs."""


class NotModularError(Exception):
    """Division by zero at the point, a structure without a value, or the budget. Never leaves the ladder."""


def _hash(*parts: object) -> int:
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")


@lru_cache(maxsize=8)
def _root_of_minus_one(prime: int) -> int:
    for base in range(2, 200):
        candidate = pow(base, (prime - 1) // 4, prime)
        if candidate * candidate % prime == prime - 1:
            return candidate
    raise NotModularError("no square root of -1")


class Point:
    """Values of all names at one point modulo one prime."""

    def __init__(self, prime: int, index: int) -> None:
        self.prime, self.index, self.opaque = prime, index, False
        self.left = meter.allowance(MAX_OPERATIONS, STEPS)

    def name(self, *parts: object) -> int:
        return _hash(self.index, self.prime, *parts) % self.prime

    def value(self, node: Node) -> int:
        self.left -= 1
        meter.charge(1, STEPS)
        if self.left < 0:
            raise NotModularError("budget")
        op, args, prime = node.op, node.args, self.prime
        if op == "num":
            value = node.value
            if isinstance(value, Fraction):
                return value.numerator * self.inverse(value.denominator) % prime
            return value % prime
        if op == "sym":
            return self.name("sym", node.value)
        if op == "const":
            if node.value == "i":
                return _root_of_minus_one(prime)
            if node.value in ("pi", "e"):
                return self.name("const", node.value)
            raise NotModularError(f"the constant {node.value}")
        if op in ("paren", "pos") or (op == "group" and node.value == "[]" and len(args) == 1):
            return self.value(args[0])
        if op == "add":
            return sum(self.value(arg) for arg in args) % prime
        if op == "neg":
            return -self.value(args[0]) % prime
        if op == "mul":
            product = 1
            for arg in args:
                product = product * self.value(arg) % prime
            return product
        if op in ("div", "ratio") and len(args) == 2:
            return self.value(args[0]) * self.inverse(self.value(args[1])) % prime
        if op == "pow":
            return self.power(args[0], args[1])
        if op == "root" and args[1].op == "num":
            return self.root(self.value(args[0]), Fraction(1, args[1].value) if args[1].value else Fraction(0))
        if op == "percent":
            return self.value(args[0]) * self.inverse(100) % prime
        if op == "deg":
            return self.value(args[0]) * self.name("const", "pi") * self.inverse(180) % prime
        if op == "fact":
            return self.factorial(args[0])
        if op in ("func", "app", "abs", "based", "mod", "builder"):
            return self.call(node)
        raise NotModularError(f"a {op}")

    def inverse(self, value: int) -> int:
        value %= self.prime
        if not value:
            raise NotModularError("division by zero")
        return pow(value, -1, self.prime)

    def power(self, base: Node, exponent: Node) -> int:
        low = self.value(base)
        plain = _rational(exponent)
        if plain is not None:
            return self.root(low, plain)
        # A sum in the exponent splits: a^(x+1) = a * a^x. Integer multiples become powers.
        self.opaque = True
        if exponent.op == "add":
            product = 1
            for arg in exponent.args:
                product = product * self.power(base, arg) % self.prime
            return product
        if exponent.op == "neg":
            return self.inverse(self.power(base, exponent.args[0]))
        if (
            exponent.op == "mul"
            and exponent.args[0].op == "num"
            and isinstance(exponent.args[0].value, int)
            and abs(exponent.args[0].value) < 10**6
        ):
            rest = exponent.args[1] if len(exponent.args) == 2 else Node("mul", None, exponent.args[1:])
            whole = exponent.args[0].value
            result = pow(self.name("pow", low, self.value(rest)), abs(whole), self.prime)
            return self.inverse(result) if whole < 0 else result
        return self.name("pow", low, self.value(exponent))

    def root(self, low: int, exponent: Fraction) -> int:
        if exponent.denominator != 1:
            self.opaque = True
            low = self.name("root", low, exponent.denominator)
        if exponent.numerator < 0:
            return pow(self.inverse(low), -exponent.numerator, self.prime)
        return pow(low, exponent.numerator, self.prime)

    def factorial(self, inner: Node) -> int:
        """n! with a symbolic n: (n - k)! is the unit, so n! = n (n-1) ... (n-k+1) (n-k)!."""
        self.opaque = True
        shift = 0
        if inner.op == "add":
            for arg in inner.args:
                if arg.op == "num" and isinstance(arg.value, int) and abs(arg.value) <= 50:
                    shift += arg.value
                if (
                    arg.op == "neg"
                    and arg.args[0].op == "num"
                    and isinstance(arg.args[0].value, int)
                    and arg.args[0].value <= 50
                ):
                    shift -= arg.args[0].value
        top = self.value(inner)
        base = (top - shift) % self.prime
        result = self.name("fact", base)
        for k in range(1, shift + 1):
            result = result * (base + k) % self.prime
        for k in range(-shift):
            result = result * self.inverse(base - k) % self.prime
        return result

    def call(self, node: Node) -> int:
        self.opaque = True
        values = [
            self.value(arg) if arg.op not in ("rel", "matrix", "list") else self.structure(arg) for arg in node.args
        ]
        if node.op == "func":
            if node.value == "binom" and len(values) == 2:
                n, k = values
                lower = node.args[1]
                if lower.op == "num" and isinstance(lower.value, int) and 0 <= lower.value <= 20:
                    # n (n-1) ... (n-k+1) / k!
                    top = math.prod(n - j for j in range(lower.value)) % self.prime
                    return top * self.inverse(math.factorial(lower.value)) % self.prime
                return (
                    self.name("fact", n)
                    * self.inverse(self.name("fact", k) * self.name("fact", (n - k) % self.prime))
                    % self.prime
                )
            if node.value in ("gcd", "lcm", "max", "min"):
                values.sort()
            if node.value in ("log", "ln"):
                if len(values) == 2:
                    return self.name("ln", values[0]) * self.inverse(self.name("ln", values[1])) % self.prime
                return self.name("ln", values[0])
        return self.name(node.op, node.value, *values)

    def structure(self, node: Node) -> int:
        return self.name(node.op, node.value, *(self.value(arg) for arg in node.args))


def _rational(node: Node) -> Fraction | None:
    if node.op == "num":
        value = Fraction(node.value)
    elif node.op == "neg" and node.args[0].op == "num":
        value = -Fraction(node.args[0].value)
    elif node.op == "div" and node.args[0].op == node.args[1].op == "num" and node.args[1].value:
        value = Fraction(node.args[0].value) / Fraction(node.args[1].value)
    elif node.op == "neg" and node.args[0].op == "div":
        inner = _rational(node.args[0])
        return None if inner is None else -inner
    elif node.op == "paren":
        return _rational(node.args[0])
    else:
        return None
    return value if abs(value.numerator) < 10**18 and value.denominator < 10**6 else None


def identical(one: Node, other: Node) -> bool | None:
    """True: the same expression (proved). False: different rational functions. None: not decided here."""
    opaque = False
    agreed = 0
    for prime in PRIMES:
        for index in range(POINTS):
            point = Point(prime, index)
            try:
                same = point.value(one) == point.value(other)
            except NotModularError:
                continue
            except (RecursionError, ValueError):
                return None
            opaque = opaque or point.opaque
            if not same:
                return None if opaque else False
            agreed += 1
    return True if agreed >= 4 else None


def proportional(one: Node, other: Node) -> bool | None:
    """Whether one expression is a constant times the other, at all points; None where not decided.

    With f, g at two points: f1 * g2 = f2 * g1, and neither is zero everywhere.
    """
    opaque, agreed = False, 0
    for prime in PRIMES:
        previous: tuple[int, int] | None = None
        for index in range(POINTS + 1):
            point = Point(prime, index)
            try:
                pair = (point.value(one), point.value(other))
            except NotModularError:
                continue
            except (RecursionError, ValueError):
                return None
            opaque = opaque or point.opaque
            if not pair[0] or not pair[1]:
                return None if opaque else False
            if previous is not None:
                if previous[0] * pair[1] % prime != previous[1] * pair[0] % prime:
                    return None if opaque else False
                agreed += 1
            previous = pair
    return True if agreed >= 4 else None
