"""One tokenizer for LaTeX, plain maths, Unicode and full-width signs. Keeps the place of every token."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from cogito_core.verify.tree import MAX_CHARS, MAX_DIGITS, MAX_TOKENS, Budget, ReadError


class Token(NamedTuple):
    """kind: num, word, cmd (LaTeX command or sign, by its canonical name), text (inside \\text{}), sup, end."""

    kind: str
    value: str
    start: int
    end: int
    number: int | Fraction | None = None
    spaced: bool = False


_ONE_TO_ONE: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width forms
_ONE_TO_ONE |= dict.fromkeys(map(ord, "−–—‒―﹣‐‑"), "-")
_ONE_TO_ONE |= dict.fromkeys(
    map(ord, "\u00a0\u2009\u202f\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u200a\u3000"), " "
)
# Invisible characters separate: they never glue two digits into one number. Direction overrides are refused.
_ONE_TO_ONE |= dict.fromkeys([*range(0x200B, 0x2010), 0x202A, 0x202B, 0x202C, *range(0x2060, 0x2070), 0xFEFF], " ")
_ONE_TO_ONE |= {
    ord("，"): ",",
    ord("、"): ",",
    ord("；"): ";",
    ord("："): ":",
    ord("。"): ".",
    ord("’"): "'",
    ord("′"): "'",
    ord("‘"): "'",
    ord("∣"): "|",
    ord("⟨"): "(",
    ord("⟩"): ")",
    ord("∶"): ":",
    ord("⁄"): "/",
    ord("∕"): "/",
    ord("“"): '"',
    ord("”"): '"',
    ord("〔"): "[",
    ord("〕"): "]",
    ord("∼"): "~",
    ord("∗"): "*",
}

_SIGNS = {
    "×": "times",
    "·": "cdot",
    "⋅": "cdot",
    "∙": "cdot",
    "•": "cdot",
    "∘": "circ",
    "÷": "div",
    "≤": "le",
    "⩽": "le",
    "≦": "le",
    "≥": "ge",
    "⩾": "ge",
    "≧": "ge",
    "≠": "ne",
    "≈": "approx",
    "≒": "approx",
    "≅": "cong",
    "≃": "approx",
    "∞": "infty",
    "±": "pm",
    "∓": "mp",
    "√": "surd",
    "∛": "cbrt",
    "∪": "cup",
    "∩": "cap",
    "∖": "setminus",
    "∅": "emptyset",
    "⌀": "emptyset",
    "∈": "in",
    "∉": "notin",
    "°": "degree",
    "º": "degree",
    "℃": "celsius",
    "℉": "fahrenheit",
    "∠": "angle",
    "△": "triangle",
    "▲": "triangle",
    "Δ": "Delta",
    "∆": "Delta",
    "⊥": "perp",
    "∥": "parallel",
    "ℝ": "R",
    "ℤ": "Z",
    "ℕ": "N",
    "ℚ": "Q",
    "ℂ": "C",
    "∧": "wedge",
    "∨": "vee",
    "⇒": "Rightarrow",
    "→": "to",
    "←": "gets",
    "↔": "iff",
    "⇔": "iff",
    "⇌": "iff",
    "¢": "cents",
    "€": "euro",
    "£": "pound",
    "¥": "yen",
    "￥": "yen",
    "∂": "partial",
    "⌊": "lfloor",
    "⌋": "rfloor",
    "⌈": "lceil",
    "⌉": "rceil",
    "…": "ldots",
    "≡": "equiv",
    "∑": "sum",
    "∏": "prod",
    "∫": "int",
}
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΘΛΞΠΣΦΨΩϕ",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
            "chi psi omega Gamma Theta Lambda Xi Pi Sigma Phi Psi Omega phi"
        ).split(),
        strict=True,
    )
) | {"ϵ": "epsilon", "µ": "mu", "ς": "sigma"}
_SIGNS |= _GREEK
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
    "⅘": (4, 5),
    "⅙": (1, 6),
    "⅚": (5, 6),
    "⅐": (1, 7),
    "⅛": (1, 8),
    "⅜": (3, 8),
    "⅝": (5, 8),
    "⅞": (7, 8),
    "⅑": (1, 9),
    "⅒": (1, 10),
}
_SUPER = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ⁽⁾", "0123456789+-ni()", strict=True))
_SUB = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))

# Commands that only shape the page.
_SKIP = frozenset(
    """left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr quad qquad displaystyle
textstyle scriptstyle limits nolimits rm bf it hfill thinspace medspace thickspace negthinspace mathstrut strut
mathrm mathbf mathit mathsf
hspace vspace label boldmath unboldmath noindent centering large Large small normalsize""".split()
)
# Commands around text or letters whose argument is taken raw.
_WRAP = (
    r"text|textbf|textit|textrm|textnormal|textsf|texttt|textup|mathrm|mathbf|mathit|mathsf|mathtt|mathcal|mathbb|"
    r"mathscr|mathfrak|boldsymbol|bm|operatorname\*?|mbox|hbox|emph|underline|unit|mathop|textmd"
)
_RENAME = {
    "leq": "le",
    "leqslant": "le",
    "lt": "<",
    "geq": "ge",
    "geqslant": "ge",
    "gt": ">",
    "neq": "ne",
    "dfrac": "frac",
    "tfrac": "frac",
    "cfrac": "frac",
    "nicefrac": "frac",
    "sfrac": "frac",
    "dbinom": "binom",
    "tbinom": "binom",
    "varnothing": "emptyset",
    "approxeq": "approx",
    "simeq": "approx",
    "thickapprox": "approx",
    "lbrace": "{",
    "rbrace": "}",
    "lbrack": "[",
    "rbrack": "]",
    "lparen": "(",
    "rparen": ")",
    "vert": "|",
    "lvert": "|",
    "rvert": "|",
    "mid": "|",
    "colon": ":",
    "ast": "*",
    "land": "wedge",
    "lor": "vee",
    "cdotp": "cdot",
    "centerdot": "cdot",
    "varepsilon": "epsilon",
    "vartheta": "theta",
    "varphi": "phi",
    "dots": "ldots",
    "cdots": "ldots",
    "dotsc": "ldots",
    "rightarrow": "to",
    "longrightarrow": "to",
    "leftarrow": "gets",
    "longleftarrow": "gets",
    "leftrightarrow": "iff",
    "longleftrightarrow": "iff",
    "Leftrightarrow": "iff",
    "rightleftharpoons": "iff",
    "implies": "Rightarrow",
    "degrees": "degree",
    "infinity": "infty",
    "smallsetminus": "setminus",
    "backslash": "setminus",
    "tilde": "approx",
    "lang": "(",
    "rang": ")",
    "langle": "(",
    "rangle": ")",
    "bigcup": "cup",
    "bigcap": "cap",
    "exponentialE": "e",
    "imaginaryI": "i",
    "comma": ",",
    "dollar": "$",
    "percent": "%",
    "ldotp": ".",
    "prime": "'",
    "measuredangle": "angle",
    "textdegree": "degree",
    "overrightarrow": "vec",
    "over": "over",
}

_ESCAPES = {
    "{": "{set",
    "}": "}set",
    "|": "|",
    "%": "%",
    "$": "$",
    "#": "#",
    "&": "and",
    "\\": "\\\\",
    "_": "_",
    "-": "",
    "(": "",
    ")": "",
    "[": "",
    "]": "",
    '"': "",
    "'": "",
}
_GROUP_SEP = r"(?:,|'|\{,\}|,\\!\s?|\\!,|\\,|\\ |~| )"
_LEX = re.compile(
    r"(?P<space>\s+|\\[ ,;:!>/]|\\\\(?=\s*$)|~(?=\s*\S))"
    rf"|(?P<grouped>\d{{1,3}}(?P<sep>{_GROUP_SEP})\d{{3}}(?:(?P=sep)\d{{3}})*(?![\d])(?:\.\d+)?)"
    r"|(?P<num>(?:\d+\.?\d*|\.\d+)(?:[eE](?:[+-]\d+|\d+)(?![A-Za-z\d.]))?)"
    r"|\\mathbb\s*\{?\s*(?P<numbers>[NZQRC])\s*\}?"
    rf"|\\(?:{_WRAP})\s*\{{(?P<text>(?:[^{{}}]|\{{[^{{}}]*\}})*)\}}"
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
    return text if text.isascii() else text.translate(_ONE_TO_ONE)


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
            name = _RENAME.get(raw, raw)
            if raw.startswith(("quad", "qquad")) and raw not in _SKIP:  # \\quadx
                position = start + (6 if raw.startswith("qquad") else 5)
                spaced = True
                continue
            if name in _SKIP:
                if raw in ("left", "right") and source[end : end + 1] == ".":
                    end += 1
                position = end
                continue
            tokens.append(Token("cmd", name, start, end, None, spaced))
        elif kind == "esc":
            if raw not in _ESCAPES:
                raise ReadError(f"unknown command \\{raw}")
            name = _ESCAPES[raw]
            if name:
                depth += {"{set": 1, "}set": -1}.get(name, 0)
                tokens.append(Token("cmd", name, start, end, None, spaced))
        elif kind in ("word", "cjk"):
            tokens.append(Token("word", raw, start, end, None, spaced))
        elif kind == "sup":
            tokens.append(Token("sup", "".join(_SUPER[c] for c in raw), start, end, None, spaced))
        elif kind == "sub":
            tokens.append(Token("sub", "".join(_SUB[c] for c in raw), start, end, None, spaced))
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
        elif raw in _VULGAR:
            top, bottom = _VULGAR[raw]
            tokens.append(Token("vulgar", raw, start, end, Fraction(top, bottom), spaced))
        elif raw in _SIGNS:
            tokens.append(Token("cmd", _SIGNS[raw], start, end, None, spaced))
        elif raw.isalpha():
            tokens.append(Token("word", raw, start, end, None, spaced))
        else:
            raise ReadError(f"the sign U+{ord(raw):04X}")
        spaced, position = False, end
        if len(tokens) > MAX_TOKENS:
            raise Budget(f"more than {MAX_TOKENS} tokens")
    tokens.append(Token("end", "", stop, stop, None, True))
    return tokens
