"""One tokenizer for LaTeX, plain maths, Unicode and full-width signs. Keeps the place of every token."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from cogito_core.verify.signs import ESCAPES, ONE_TO_ONE, RENAME, SIGNS, SKIP, SUB, SUPER, VULGAR, WRAP
from cogito_core.verify.tree import MAX_CHARS, MAX_DIGITS, MAX_TOKENS, Budget, ReadError


class Token(NamedTuple):
    """kind: num, word, cmd (LaTeX command or sign, by its canonical name), text (inside \\text{}), sup, end."""

    kind: str
    value: str
    start: int
    end: int
    number: int | Fraction | None = None
    spaced: bool = False


_GROUP_SEP = r"(?:,|'|\{,\}|,\\!\s?|\\!,|\\,|\\ |~| )"
_LEX = re.compile(
    r"(?P<space>\s+|\\[ ,;:!>/]|\\\\(?=\s*$)|~(?=\s*\S))"
    rf"|(?P<grouped>\d{{1,3}}(?P<sep>{_GROUP_SEP})\d{{3}}(?:(?P=sep)\d{{3}})*(?![\d])(?:\.\d+)?)"
    r"|(?P<num>(?:\d+\.?\d*|\.\d+)(?:[eE](?:[+-]\d+|\d+)(?![A-Za-z\d.]))?)"
    r"|\\mathbb\s*\{?\s*(?P<numbers>[NZQRC])\s*\}?"
    rf"|\\(?:{WRAP})\s*\{{(?P<text>(?:[^{{}}]|\{{[^{{}}]*\}})*)\}}"
    r"|\\(?P<cmd>[A-Za-z]+)\*?"
    r"|\\(?P<esc>[^A-Za-z\s])"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<cjk>[\u3400-\u9fff]+)"
    r"|(?P<sup>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ⁽⁾]+)"
    r"|(?P<sub>[₀₁₂₃₄₅₆₇₈₉]+)"
    r"|(?P<op>\*\*|<=|>=|!=|<>|==|=<|=>|->|\|\||\.\.\.|[-+*/^_=<>(){}\[\],;:|!'%&\"$~.@#])"
    r"|(?P<sign>.)",
    re.S,
)


def _to_number(text: str) -> int | Fraction:
    digits = len(text)
    if digits > MAX_DIGITS:
        raise Budget(f"a number of more than {MAX_DIGITS} digits")
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent[:8])) > MAX_DIGITS:
        raise Budget("an exponent beyond the limit on digits")
    if exponent or "." in mantissa:
        whole, _, fraction = mantissa.partition(".")
        value = Fraction(int((whole + fraction) or "0")) * Fraction(10) ** (int(exponent or 0) - len(fraction))
        return value.numerator if value.denominator == 1 else value
    return int(mantissa)


def translate(text: str) -> str:
    """Full-width, dash and space variants to ASCII, character for character, so that places stay the same."""
    return text if text.isascii() else text.translate(ONE_TO_ONE)


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`, then an `end` token. Raises ReadError on signs without a meaning here."""
    if len(text) > MAX_CHARS:
        raise Budget(f"more than {MAX_CHARS} characters")
    source = translate(text)
    tokens: list[Token] = []
    position, stop, depth, spaced = 0, len(source), 0, False
    while position < stop:
        match = _LEX.match(source, position)
        if match is None:  # pragma: no cover - the last alternative takes any character
            raise ReadError("unreadable text")
        kind = match.lastgroup or ""
        start, end = match.span()
        if kind == "space":
            spaced, position = True, end
            continue
        if kind == "sep":
            kind = "grouped"
        raw = match.group(kind)
        if kind == "grouped":
            # Inside brackets a comma parts the members; 0,123 and 012 345 are not grouped numbers.
            separator = match.group("sep")
            if raw[0] == "0" or (depth and separator == ","):
                match = re.compile(r"\d+\.?\d*").match(source, position)
                assert match is not None
                end, raw = match.end(), match.group()
            else:
                raw = raw.replace(separator, "")
            tokens.append(Token("num", raw, start, end, _to_number(raw), spaced))
        elif kind == "num":
            if raw.endswith("."):  # a full stop, or a decimal point without digits
                raw, end = raw[:-1], end - 1
                position_after = end + 1
                following = source[position_after : position_after + 1]
                if source.startswith(("\\overline", "\\dot", "\\bar"), position_after) or (
                    following and not following.isspace() and following not in ")]}$,;\\\"'"
                ):
                    raw, end = raw + ".", end + 1
                else:
                    end = position_after
            kept = raw if source[end : end + 1] == "\\" else raw.rstrip(".")  # 0.\\overline{3}
            tokens.append(Token("num", kept, start, end, _to_number(raw.rstrip(".")), spaced))
        elif kind == "numbers":
            tokens.append(Token("cmd", raw, start, end, None, spaced))
        elif kind == "text":
            tokens.append(Token("text", raw.strip().strip("~").strip(), start, end, None, spaced or raw[:1] in " ~"))
        elif kind == "cmd":
            name = RENAME.get(raw, raw)
            if raw.startswith(("quad", "qquad")) and raw not in SKIP:  # \\quadx
                position = start + (6 if raw.startswith("qquad") else 5)
                spaced = True
                continue
            if name in SKIP:
                if raw in ("left", "right") and source[end : end + 1] == ".":
                    end += 1
                position = end
                continue
            tokens.append(Token("cmd", name, start, end, None, spaced))
        elif kind == "esc":
            if raw not in ESCAPES:
                raise ReadError(f"unknown command \\{raw}")
            name = ESCAPES[raw]
            if name:
                depth += {"{set": 1, "}set": -1}.get(name, 0)
                tokens.append(Token("cmd", name, start, end, None, spaced))
        elif kind in ("word", "cjk"):
            tokens.append(Token("word", raw, start, end, None, spaced))
        elif kind == "sup":
            tokens.append(Token("sup", "".join(SUPER[c] for c in raw), start, end, None, spaced))
        elif kind == "sub":
            tokens.append(Token("sub", "".join(SUB[c] for c in raw), start, end, None, spaced))
        elif kind == "op":
            if raw in ("$", '"', "~", "#", "@"):
                if raw == "$" and not (tokens and tokens[-1].value == "$"):
                    tokens.append(Token("cmd", "$", start, end, None, spaced))
                elif raw in "#@":
                    raise ReadError(f"the sign {raw}")
            else:
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(raw, 0)
                name = {
                    "**": "^",
                    "<=": "le",
                    "=<": "le",
                    ">=": "ge",
                    "=>": "Rightarrow",
                    "!=": "ne",
                    "<>": "ne",
                    "==": "=",
                    "->": "to",
                    "...": "ldots",
                }.get(raw, raw)
                tokens.append(Token("cmd", name, start, end, None, spaced))
        elif raw in VULGAR:
            top, bottom = VULGAR[raw]
            tokens.append(Token("vulgar", raw, start, end, Fraction(top, bottom), spaced))
        elif raw in SIGNS:
            tokens.append(Token("cmd", SIGNS[raw], start, end, None, spaced))
        elif raw.isalpha():
            tokens.append(Token("word", raw, start, end, None, spaced))
        else:
            raise ReadError(f"the sign U+{ord(raw):04X}")
        spaced, position = False, end
        if len(tokens) > MAX_TOKENS:
            raise Budget(f"more than {MAX_TOKENS} tokens")
    tokens.append(Token("end", "", stop, stop, None, True))
    return tokens
