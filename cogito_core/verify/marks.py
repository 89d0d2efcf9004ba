"""What follows an operand: ! % degrees, primes, indices, and what `^` does besides raising to a power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogito_core.verify import arguments, atoms
from cogito_core.verify.lexer import Token
from cogito_core.verify.tree import Node, ReadError, number

if TYPE_CHECKING:
    from cogito_core.verify.reader import Parser


def raised(p: Parser, base: Node, start: int) -> Node:
    """What `base ^` becomes: degrees, primes and ordinals are no powers."""
    token = p.token
    inner = p.tokens[p.at + 1] if token.value == "{" and token.kind == "cmd" else token
    closed = inner is not token and p.tokens[p.at + 2].value == "}"
    lone = inner.kind == "cmd" and (closed or inner is token)
    if lone and (inner.value in ("circ", "degree", "'", "*") or (closed and inner.value in "+-")):
        p.at += 3 if closed else 1
        if inner.value in ("circ", "degree"):
            return postfix(p, atoms.degree(p, base, start))
        mark = "'" if inner.value == "'" else f"^{inner.value}"
        return postfix(p, p.node("sym", f"{arguments.name_of(base)}{mark}", (), start))
    if base.op in ("group", "matrix") and _transposes(inner, closed or inner is token):
        p.at += 3 if closed else 1
        return postfix(p, _transposed(base))
    if inner.kind in ("word", "text") and inner.value in ("st", "nd", "rd", "th") and (closed or inner is token):
        p.at += 3 if closed else 1
        return base
    if token.kind == "cmd" and token.value == "{":
        p.at += 1
        if p.take("}"):
            return base
        exponent = p.sequence(("}",))
        p.expect("}")
    elif p.is_sign("-", "+"):
        exponent = p.factor()
    elif token.kind == "num":
        p.at += 1
        exponent = number(token.number or 0, token.start, token.end)
        if p.take("^"):
            exponent = raised(p, exponent, token.start)
    else:
        exponent = p.power()
    if exponent.op == "list":
        raise ReadError("a list as exponent")
    if base.op == "sym" and p.take("_"):  # v^2_0
        base = atoms.indexed(p, base, arguments.raw_argument(p), start)
    return postfix(p, p.node("pow", None, (base, exponent), start))


def _transposes(inner: Token, whole: bool) -> bool:
    """Whether the exponent is the sign of a transpose and nothing else."""
    return whole and inner.value in ("T", "top", "intercal")


def _transposed(base: Node) -> Node:
    """A matrix with rows and columns exchanged; a tuple of numbers does not tell a row from a column."""
    if base.op == "group":
        return base
    rows, columns = base.value
    turned = tuple(base.args[row * columns + column] for column in range(columns) for row in range(rows))
    return base._replace(value=(columns, rows), args=turned)


def postfix(p: Parser, base: Node) -> Node:
    """! % degree prime and index after an operand."""
    start = base.start
    while True:
        token = p.token
        if token.kind == "sub":
            p.at += 1
            base = atoms.indexed(p, base, token.value, start)
            continue
        if token.kind == "word" and token.value.lower() in ("percent", "pct", "percentage") and base.op != "percent":
            p.at += 1
            base = p.node("percent", None, (base,), start)
            continue
        if token.kind == "text" and token.value.lower().strip(" .") in (
            "percent",
            "pct",
            "percentage",
            "%",
            "\\%",
        ):
            p.at += 1
            base = p.node("percent", None, (base,), start)
            continue
        if (
            token.kind == "word"
            and token.value.lower() in ("degrees", "degree", "deg", "度")
            and base.op in ("num", "div", "neg", "mul")
            and p.tokens[p.at + 1].value.lower() not in ("celsius", "fahrenheit", "c", "f", "centigrade")
        ):
            p.at += 1
            base = p.node("deg", None, (base,), start)
            continue
        if token.kind == "text" and token.value.lower().strip(" .") in ("degrees", "degree", "deg", "度", "°"):
            p.at += 1
            base = p.node("deg", None, (base,), start)
            continue
        if token.kind != "cmd":
            return base
        if token.value == "!":
            p.at += 1
            base = p.node("fact", None, (base,), start)
        elif token.value == "%":
            p.at += 1
            if base.op == "percent":
                continue
            base = p.node("percent", None, (base,), start)
        elif token.value == "circ" and base.op == "sym" and p.tokens[p.at + 1].kind == "word":
            p.at += 1
            base = p.node("func", "compose", (base, p.power()), start)
        elif token.value in ("degree", "circ"):
            p.at += 1
            base = atoms.degree(p, base, start)
        elif token.value == "'":
            if base.op == "deg" or base.op not in ("sym", "const"):
                raise ReadError("a prime after a value")
            p.at += 1
            base = p.node("sym", f"{arguments.name_of(base)}'", (), start)
            if p.is_sign("(") and len(base.value) <= 4:
                base = atoms.application(p, base.value, start)
        elif token.value == "_":
            p.at += 1
            base = atoms.indexed(p, base, arguments.raw_argument(p), start)
        else:
            return base


def superscript(token: Token) -> Node:
    """The exponent that Unicode superscript characters spell."""
    text = token.value
    try:
        return number(int(text), token.start, token.end)
    except ValueError:
        if text in ("n", "i"):
            return Node("sym" if text == "n" else "const", text, (), token.start, token.end)
        raise ReadError("an unreadable exponent") from None
