"""What can stand as an operand: numbers, names, functions, fractions, roots, brackets, matrices."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from cogito_core.verify import brackets, functions
from cogito_core.verify.arguments import argument, raw_argument
from cogito_core.verify.lexer import Token, tokenize
from cogito_core.verify.tree import LOOK_AHEAD, Node, ReadError, number, show
from cogito_core.verify.units import parse_unit
from cogito_core.verify.words import is_number_word, number_words

if TYPE_CHECKING:
    from cogito_core.verify.reader import Parser

GREEK = frozenset(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau
upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()
)
LETTER_COMMANDS = frozenset(["$", "e", "i", "euro", "pound", "yen", "ell", "hbar", "nabla", "partial", "tg", "ctg"])
_ACCENTS = frozenset(
    "overline bar vec hat widehat tilde widetilde dot ddot overleftrightarrow overbrace underbrace".split()
)
_UNIT_VECTORS = frozenset(["i", "j", "k"])
"""Printed bold, with a hat or with an arrow: 3i - 4j in every case."""
_STOP_WORDS = frozenset(
    """is the for in of to no not yes are if then so we it as at by be on do an has was this that with
from all any let but can may its our you he she they hence thus where when which answer option none
get got sum now had use say see out too""".split()
)


_OPERATORS = frozenset("+-*/=^")
"""Behind one of these two letters are a product, even where they spell a word: v_0 + at."""


def atom(p: Parser) -> Node:
    """One operand."""
    token = p.token
    start = token.start
    if token.kind == "num":
        p.at += 1
        return _numeral(p, token)
    if token.kind == "vulgar":
        p.at += 1
        return number(token.number or 0, start, token.end)
    if token.kind == "word":
        p.at += 1
        return _word(p, token)
    if token.kind == "text":
        p.at += 1
        return _raw_text(p, token)
    if token.kind == "cmd":
        p.at += 1
        return _command(p, token)
    raise ReadError(f"nothing to read at {start}")


def _numeral(p: Parser, token: Token) -> Node:
    value = token.number or 0
    following = p.token
    # 0.1\overline{6}: a repeating decimal.
    if (
        following.kind == "cmd"
        and following.value in ("overline", "dot", "bar")
        and "." in token.value
        and not following.spaced
    ):
        p.at += 1
        digits = raw_argument(p)
        if not digits.isdigit() or len(digits) > 200:
            raise ReadError("unreadable repeating decimal")
        places = len(token.value.partition(".")[2])
        value = Fraction(value) + Fraction(int(digits), (10 ** len(digits) - 1) * 10**places)
        return number(value, token.start, p.tokens[p.at - 1].end)
    if isinstance(value, int) and "." not in token.value:
        mixed = _mixed(p, value)
        if mixed is not None:
            return number(mixed, token.start, p.tokens[p.at - 1].end)
    scale = p.token
    if (
        scale.kind == "word"
        and scale.spaced
        and scale.value.lower() in ("million", "billion", "trillion", "thousand", "hundred")
    ):
        p.at += 1
        factor = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}[
            scale.value.lower()
        ]
        return number(Fraction(value) * factor, token.start, scale.end)
    if scale.kind == "word" and scale.value in ("万", "亿"):
        p.at += 1
        return number(Fraction(value) * (10**4 if scale.value == "万" else 10**8), token.start, scale.end)
    return number(value, token.start, token.end)


def _mixed(p: Parser, whole: int) -> Fraction | None:
    """3 1/2, 3\\frac{1}{2} and 3½ are mixed numbers where the fraction is proper."""
    tokens, at = p.tokens, p.at
    one = tokens[at]
    if one.kind == "vulgar":
        p.at += 1
        return whole + Fraction(one.number or 0)
    if (
        one.kind == "num"
        and one.spaced
        and isinstance(one.number, int)
        and tokens[at + 1].value == "/"
        and tokens[at + 2].kind == "num"
        and isinstance(tokens[at + 2].number, int)
    ):
        top, bottom = one.number, tokens[at + 2].number or 0
        if 0 < top < bottom and tokens[at + 3].value not in ("^", "!"):
            p.at += 3
            return whole + Fraction(top, bottom)
        raise ReadError("two numbers side by side")
    if one.kind == "cmd" and one.value == "frac":
        found = _plain_fraction(tokens, at + 1)
        if found is not None and found[0] < found[1] and tokens[found[2]].value not in ("^", "!"):
            p.at = found[2]
            return whole + Fraction(found[0], found[1])
    return None


def _plain_fraction(tokens: list[Token], at: int) -> tuple[int, int, int] | None:
    """Top, bottom and the place behind `\\frac{1}{2}` or `\\frac12`, positive whole numbers only."""
    parts: list[int] = []
    while len(parts) < 2:
        braced = tokens[at].value == "{" and tokens[at].kind == "cmd"
        token = tokens[at + 1] if braced else tokens[at]
        if token.kind != "num" or not isinstance(token.number, int) or not token.number:
            return None
        if braced:
            if tokens[at + 2].value != "}":
                return None
            parts.append(token.number)
        elif len(token.value) == 1:
            parts.append(token.number)
        elif not parts and len(token.value) == 2 and token.value.isdigit() and "0" not in token.value:
            parts += [int(token.value[0]), int(token.value[1])]
        else:
            return None
        at += 3 if braced else 1
    return parts[0], parts[1], at


def indexed(p: Parser, base: Node, index: str, start: int) -> Node:
    """A name with an index, or digits in a base."""
    if base.op == "num" and index.isdigit():
        return p.node("based", int(index), (_in_base(base, int(index)),), start)
    if base.op in ("sym", "const"):
        node = p.node("sym", f"{base.value}_{index}", (), start)
        if p.is_sign("(") and base.value in ("f", "g", "h", "F", "G"):
            return application(p, str(node.value), start)
        return node
    if base.op in ("num", "quantity", "list"):
        raise ReadError("an index after a value")
    return p.node("sym", f"{show(base)}_{index}", (), start)


def _in_base(base: Node, radix: int) -> Node:
    if not 2 <= radix <= 36 or not isinstance(base.value, int) or base.value < 0:
        raise ReadError("no such base")
    try:
        return number(int(str(base.value), radix), base.start, base.end)
    except ValueError:
        raise ReadError(f"digits that base {radix} does not have") from None


def degree(p: Parser, base: Node, start: int) -> Node:
    """A degree sign after a value: an angle with minutes and seconds, or a temperature."""
    token = p.token
    if token.kind in ("word", "text") and token.value in ("C", "F"):
        unit = parse_unit(f"°{token.value}")
        p.at += 1
        return p.node("quantity", unit, (base,), start)
    if base.op == "num" and token.kind == "num" and p.tokens[p.at + 1].value == "'":
        minutes = Fraction(token.number or 0)
        p.at += 2
        value = Fraction(base.value) + minutes / 60
        if p.token.kind == "num" and p.tokens[p.at + 1].value == "'" and p.tokens[p.at + 2].value == "'":
            value += Fraction(p.token.number or 0) / 3600
            p.at += 3
        return p.node("deg", None, (number(value, start, token.end),), start)
    return p.node("deg", None, (base,), start)


def application(p: Parser, name: str, start: int) -> Node:
    """f(x, y) for a function whose meaning is not known."""
    p.expect("(")
    inner = p.sequence((")",))
    p.expect(")")
    return p.node("app", name, inner.args if inner.op == "list" else (inner,), start)


def _word(p: Parser, token: Token) -> Node:
    word, start = token.value, token.start
    lower = word.lower()
    if (
        word in functions.FUNCTIONS
        or word in ("tg", "ctg")
        or (lower in functions.FUNCTIONS and len(word) > 2 and word[1:].islower())
    ):
        return functions.function(p, lower if word not in ("Re", "Im", "Pr") else word, token)
    if lower in ("pi", "inf", "infinity", "infty", "oo") and (
        word != "oo" or p.tokens[p.at - 2].value in ("-", "+", ",", "(")
    ):
        return p.node("const", "pi" if lower == "pi" else "inf", (), start)
    if len(word) == 1:
        if word in ("e", "i"):
            return p.node("const", word, (), start)
        return _symbol(p, word, start)
    if word in GREEK:
        return _symbol(p, word, start)
    if lower in ("dne", "undefined"):
        return p.node("sym", lower, (), start)
    if not word.isascii():
        value = number_words(word)
        if value is not None:
            return number(value, start, token.end)
        raise ReadError(f"the word {word}")
    if is_number_word(lower):
        return _number_in_words(p, lower, start)
    if word.isupper() and len(word) <= 5 and len(p.tokens) <= 2:
        return p.node("sym", word, (), start)  # a name that stands alone
    if word.startswith("pi") and len(word) == 3:  # 2pir
        return p.node(
            "mul",
            None,
            (Node("const", "pi", (), start, start + 2), _tail(p, Node("sym", word[-1], (), start + 2, token.end))),
            start,
        )
    behind_sign = len(word) == 2 and p.at > 1 and p.tokens[p.at - 2].value in _OPERATORS
    if not (word.isupper() and len(word) <= 5) and ((lower in _STOP_WORDS and not behind_sign) or len(word) > 3):
        raise ReadError(f"the word {word}")
    if word.endswith("pi"):
        left = [Node("sym", c, (), start + k, start + k + 1) for k, c in enumerate(word[:-2])]
        return p.node("mul", None, (*left, Node("const", "pi", (), token.end - 2, token.end)), start)
    letters = [Node("const" if c in "ei" else "sym", c, (), start + k, start + k + 1) for k, c in enumerate(word)]
    # Powers, indices and arguments bind to the last letter alone: ab^2 is a times b^2.
    last = _tail(p, letters[-1])
    return p.node("mul", None, (*letters[:-1], last), start)


def _number_in_words(p: Parser, word: str, start: int) -> Node:
    words = [word]
    while (
        p.token.kind == "word"
        and is_number_word(p.token.value.lower())
        and number_words(" ".join((*words, p.token.value.lower()))) is not None
    ):
        words.append(p.token.value.lower())
        p.at += 1
    value = number_words(" ".join(words))
    if value is None:
        raise ReadError(f"the word {word}")
    return number(value, start, p.tokens[p.at - 1].end)


def _tail(p: Parser, last: Node) -> Node:
    base = p.postfix(last)
    if p.is_sign("^"):
        p.at += 1
        return p.raised(base, last.start)
    if p.token.kind == "sup":
        return p.superscripted(base, last.start)
    return base


def _symbol(p: Parser, name: str, start: int) -> Node:
    if name in ("f", "g", "h", "F", "G", "Phi", "phi") and p.is_sign("(") and not p.token.spaced:
        return application(p, name, start)
    if p.is_sign("(") and _has_comma_inside(p):
        return application(p, name, start)
    return p.node("sym", name, (), start)


def _has_comma_inside(p: Parser) -> bool:
    depth = 0
    for token in p.tokens[p.at : p.at + LOOK_AHEAD]:
        if token.kind == "cmd":
            if token.value in ("(", "[", "{", "{set"):
                depth += 1
            elif token.value in (")", "]", "}", "}set"):
                depth -= 1
                if depth <= 0:
                    return False
            elif token.value == "," and depth == 1:
                return True
    return False


def _raw_text(p: Parser, token: Token) -> Node:
    word, start = token.value, token.start
    if word in functions.FUNCTIONS:
        return functions.function(p, word, token)
    if word in ("e", "i", "d"):
        return p.node("const" if word != "d" else "sym", word, (), start)
    if word in ("pi", "π"):
        return p.node("const", "pi", (), start)
    if (
        word
        and len(word) <= 6
        and word.replace(" ", "").isalpha()
        and word.isascii()
        and (word.isupper() or len(word) == 1)
    ):
        return _symbol(p, word.replace(" ", ""), start)
    if word.replace(",", "").replace(".", "", 1).isdigit():
        return number(tokenize(word)[0].number or 0, start, token.end)
    value = number_words(word)
    if value is not None:
        return number(value, start, token.end)
    if word in ("N", "Z", "R", "Q", "C"):
        return p.node("const", word, (), start)
    raise ReadError(f"the words {word[:40]!r}")


def _command(p: Parser, token: Token) -> Node:
    value, start = token.value, token.start
    if value in ("(", "[", "{set"):
        return brackets.brackets(p, value, start)
    if value == "{":
        return brackets.braces(p, start)
    if value == "|":
        return brackets.absolute(p, start)
    if value == "frac":
        return brackets.fraction(p, start)
    if value in functions.FUNCTIONS or value in ("tg", "ctg"):
        if value == "binom":
            top, bottom = argument(p), argument(p)
            return p.node("func", "binom", (top, bottom), start)
        return functions.function(p, value, token)
    if value in ("e", "i"):
        return p.node("const", value, (), start)
    if value == "pi":
        return p.node("const", "pi", (), start)
    if value in GREEK or value in ("ell", "hbar", "nabla", "partial", "odot", "aleph", "square", "Box"):
        return _symbol(p, value, start)
    if value == "surd":
        return p.node("root", None, (functions.radicand(p), number(2)), start)
    if value in ("infty", "emptyset", "R", "Z", "N", "Q", "C"):
        return p.node("const", {"infty": "inf", "emptyset": "empty"}.get(value, value), (), start)
    if value in _ACCENTS:
        name = raw_argument(p)
        if name in _UNIT_VECTORS and value in ("hat", "widehat", "vec", "overrightarrow"):
            return p.node("const" if name == "i" else "sym", name, (), start)
        return p.node("sym", f"{value}({name})", (), start)
    if value in ("angle", "triangle"):
        sign = "∠" if value == "angle" else "△"
        name = ""
        while (
            p.token.kind == "word"
            and len(p.token.value) <= 4
            and p.token.value.isascii()
            and (p.token.value.isupper() or not name)
        ):
            name += p.token.value
            p.at += 1
        if not name and p.token.kind == "num":
            name = p.token.value
            p.at += 1
        if value == "angle" and len(name) == 3:
            name = min(name, name[::-1])  # the angle at B: ABC is CBA
        return p.node("sym", sign + name, (), start)
    if value in ("$", "euro", "pound", "yen"):
        return brackets.money(p, value, start)
    if value in ("boxed", "fbox"):
        return argument(p)
    if value in ("lfloor", "lceil"):
        closing = "rfloor" if value == "lfloor" else "rceil"
        inner = p.sequence((closing,))
        p.expect(closing)
        return p.node("func", "floor" if value == "lfloor" else "ceil", (inner,), start)
    if value in ("sum", "prod", "int", "iint", "oint", "lim", "limsup"):
        return brackets.big_operator(p, value, start)
    if value == "begin":
        return brackets.environment(p, start)
    if value in ("-", "+"):
        p.at -= 1
        return p.factor()
    raise ReadError(f"the sign {value} at {start}")
