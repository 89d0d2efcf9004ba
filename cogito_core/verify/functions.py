"""Functions by name: \\sin^2 x, \\log_2 8, sqrt(2), \\sqrt[3]{x}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogito_core.verify.arguments import argument
from cogito_core.verify.lexer import Token
from cogito_core.verify.tree import Node, ReadError, number, show

if TYPE_CHECKING:
    from cogito_core.verify.reader import Parser

FUNCTIONS = frozenset(
    """sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch
arsinh arcosh artanh arcsinh arccosh arctanh asin acos atan asinh acosh atanh log ln lg exp sqrt cbrt abs floor
ceil gcd
lcm max min det sgn sign binom mod arg dim ker Re Im Pr""".split()
)


_CANON = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "arsinh": "asinh",
    "arcsinh": "asinh",
    "arcosh": "acosh",
    "arccosh": "acosh",
    "artanh": "atanh",
    "arctanh": "atanh",
    "sgn": "sign",
    "lg": "log10",
    "tg": "tan",
    "ctg": "cot",
}


def function(p: Parser, name: str, token: Token) -> Node:
    """A function by its name, with index, power and argument."""
    start = token.start
    name = _CANON.get(name, name)
    exponent: Node | None = None
    base: Node | None = None
    if name == "sqrt":
        if p.is_sign("["):
            p.at += 1
            base = p.sequence(("]",))
            p.expect("]")
        inner = radicand(p)
        return p.node("root", None, (inner, base or number(2)), start)
    if name == "cbrt":
        return p.node("root", None, (radicand(p), number(3)), start)
    for _ in range(2):
        if p.is_sign("_") and base is None:
            p.at += 1
            base = argument(p)
        elif p.token.kind == "sub" and base is None:
            base = number(int(p.token.value), p.token.start, p.token.end)
            p.at += 1
        elif p.is_sign("^") and exponent is None:
            p.at += 1
            exponent = argument(p) if not p.is_sign("-") else p.factor()
        elif p.token.kind == "sup" and exponent is None:
            exponent = number(int(p.token.value), p.token.start, p.token.end)
            p.at += 1
    if (
        exponent is not None
        and exponent.op == "num"
        and exponent.value == -1
        and name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")
    ):
        name = f"a{name}" if name.endswith("h") else f"arc{name}"
        exponent = None
    args = function_argument(p, name)
    if name == "binom":
        if len(args) == 1 and p.is_sign("{"):  # binom{16}{3} without its backslash
            args = (*args, argument(p))
        if len(args) != 2:
            raise ReadError("a binomial of other than two numbers")
        node = p.node("func", "binom", args, start)
    elif name == "log":
        node = p.node("func", "log", (args[0],) if base is None else (args[0], base), start)
    elif name == "log10":
        node = p.node("func", "log", (args[0], number(10)), start)
    elif name == "exp":
        node = p.node("pow", None, (Node("const", "e"), args[0]), start)
    elif name == "abs":
        node = p.node("abs", None, args[:1], start)
    else:
        if base is not None and name not in ("max", "min"):
            name = f"{name}_{show(base)}"
        node = p.node("func", name, args, start)
    return p.node("pow", None, (node, exponent), start) if exponent is not None else node


def radicand(p: Parser) -> Node:
    """What stands under a root sign."""
    if p.is_sign("{"):
        return argument(p)
    if p.is_sign("("):
        p.at += 1
        inner = p.sequence((")",))
        p.expect(")")
        return inner
    if p.token.kind == "word" and len(p.token.value) > 1 and p.token.value not in ("pi",):
        return argument(p)
    return p.postfix_free()


def function_argument(p: Parser, name: str) -> tuple[Node, ...]:
    """The arguments in brackets, or the terms side by side that follow a name."""
    token = p.token
    if token.kind == "cmd" and token.value in ("(", "[", "{"):
        closing = {"(": ")", "[": "]", "{": "}"}[token.value]
        p.at += 1
        inner = p.sequence((closing,))
        p.expect(closing)
        return inner.args if inner.op == "list" and inner.value == "," else (inner,)
    # \sin 2x y: terms side by side up to a sign, a bracket after a factor, or another function.
    left = p.power()
    while True:
        token = p.token
        if token.kind == "word" and (token.value.lower() in FUNCTIONS or len(token.value) > 3):
            break
        if token.kind == "cmd" and (
            token.value in FUNCTIONS or token.value in ("(", "|", "[", "{set", "cdot", "times", "sum", "int")
        ):
            break
        if left.op == "func" or token.kind == "end" or not p.starts_factor(left):
            break
        left = p.node("mul", None, (left, p.power()), left.start)
    return (left,)
