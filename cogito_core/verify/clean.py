"""Take the page dress off a short answer: math delimiters, boxes, bold, full stops, damaged backslashes."""

from __future__ import annotations

import re
import unicodedata

_DAMAGED = (
    ("\x0c", "rac orall".split(), "f"),
    ("\x08", "oxed inom eta ar egin f ".split(), "b"),
    ("\t", "ext imes heta frac an au riangle o ".split(), "t"),
    ("\r", "ight ho angle ".split(), "r"),
)
_ENVIRONMENT = re.compile(
    r"\\(?:begin|end)\{(?:align|aligned|equation|gather|gathered|split|displaymath|math|center)\*?\}"
)
_WRAPPER = re.compile(
    r"\\(?:boxed|fbox|text|textbf|mathrm|mathbf|mbox|textit|textnormal|boldsymbol|underline|bf|rm|mathit|displaystyle|ensuremath)\s*\{"
)

_COLOURED = re.compile(r"\\(?:text)?color\s*\{[^{}]*\}\s*\{|\{\s*\\color\s*\{[^{}]*\}")


def repair(text: str) -> str:
    """Put back backslashes that a JSON or Python string swallowed: form feed + "rac" is `\\frac`."""
    for char, tails, letter in _DAMAGED:
        if char in text:
            for tail in tails:
                if tail:
                    text = text.replace(f"\\{char}{tail}", f"\\{letter}{tail}").replace(
                        f"{char}{tail}", f"\\{letter}{tail}"
                    )
    if "\\\\" in text and "\\begin" not in text:
        text = re.sub(r"\\\\(?=[A-Za-z]{2,})", r"\\", text)
    return text


def matching_brace(text: str, opening: int) -> int:
    """The place of the brace that closes the one at `opening`, or -1. Escaped braces do not count."""
    depth, position, stop = 0, opening, len(text)
    while position < stop:
        char = text[position]
        if char == "\\":
            position += 2
            continue
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if not depth:
                return position
        position += 1
    return -1


def braces(text: str) -> dict[int, int]:
    """Where each opening brace is closed, in one pass. Escaped braces do not count."""
    closing: dict[int, int] = {}
    stack: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.S):
        if match.group() == "{":
            stack.append(match.start())
        elif match.group() == "}" and stack:
            closing[stack.pop()] = match.start()
    return closing


def blank_dollars(text: str) -> str:
    """Math delimiters `$` become spaces, money signs stay; the length does not change.

    An even number of signs are delimiters, unless a closing one is followed by a digit ("$5 and $6"); an odd
    number leaves a sign before or after a digit as money.
    """
    places = [m.start() for m in re.finditer(r"(?<!\\)\$", text)]
    if not places:
        return text
    pairs = re.findall(r"(?<!\\)\$\$", text)
    money = len(places) % 2 == 1 and not pairs
    if not money and len(places) >= 2 and not pairs:
        money = all(text[p + 1 : p + 2].isdigit() for p in places) and not re.fullmatch(r"\$[^$]*\$", text)
    if money and len(places) > 1 and not all(text[p + 1 : p + 2].isdigit() for p in places):
        money = False
    if money and all(
        text[p + 1 : p + 2].strip()[:1].isdigit()
        or text[p + 1 : p + 2] in (".", " ")
        or text[p - 1 : p].isdigit()
        or text[p - 1 : p] == " "
        for p in places
    ):
        return text
    chars = list(text)
    for place in places:
        chars[place] = " "
    return "".join(chars)


_DRESS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("**", "**"),
    ("`", "`"),
    ("__", "__"),
    ('"', '"'),
    ("“", "”"),
    ("*", "*"),
    ("_", "_"),
    ("'", "'"),
    ("‘", "’"),
    ("「", "」"),
)
_DRESSED = frozenset("{").union(opening[0] for opening, _ in _DRESS)
_STOPS = (".", "。", ",", ";", "，", "！", ":")


def strip_dress(text: str) -> str:
    """`text` without outer delimiters, box, bold, quotes and a closing full stop, until nothing more comes off."""
    text = repair(text).strip()
    for _ in range(12):
        before = text
        text = text.strip().strip("\u200b\ufeff")
        if text[:1] in _DRESSED:
            text = _undressed(text)
        if text.startswith("=") and len(text) > 1 and not text.startswith(("==", "=>")):
            text = text[1:]
        if "\\" in text:
            text = _ENVIRONMENT.sub(" ", text)
            if text.endswith("\\") and not text.endswith("\\\\"):
                text = text[:-1]
        if text.endswith(_STOPS) and not text.endswith("..."):
            text = text[:-1]
        if text == before:
            break
    return text


def _undressed(text: str) -> str:
    """`text` without the delimiters or the command around all of it."""
    for opening, closing in _DRESS:
        if len(text) > len(opening) + len(closing) - 1 and text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : len(text) - len(closing)]
            if opening not in inner and closing not in inner:
                text = inner.strip()
    if not text.startswith(("\\", "{")):
        return text
    if text.startswith("\\left{") or "\\beginboxed" in text:
        text = text.replace("\\beginboxed", "\\boxed")
    for pattern in (_WRAPPER, _COLOURED):
        wrapped = pattern.match(text)
        if wrapped and matching_brace(text, wrapped.end() - 1) == len(text) - 1:
            text = text[wrapped.end() : -1]
    return text


_FORMULA = re.compile(
    r"[\[\]@|]|\w\(|\b[A-Za-z]'+(?![A-Za-z])|"
    r"\\(?!(?:text|textbf|mathrm|mathbf|mbox|textit|operatorname|textnormal)\b|[%&_ ])"
)


_RELATED = (
    (re.compile(r"\\parallel\b|//|\|\|"), "∥"),
    (re.compile(r"\\perp\b"), "⊥"),
    (re.compile(r"\\angle\b"), "∠"),
    (re.compile(r"\\triangle\b"), "△"),
    (re.compile(r"\\(?:land|wedge)\b"), "∧"),
    (re.compile(r"\\(?:lor|vee)\b"), "∨"),
    (re.compile(r"\\(?:neg|lnot)\b\s?"), "¬"),
    (re.compile(r"(,\s?)(?:\\[lc]?dots[cb]?\b|\.\.\.|…)"), r"\1etc"),
)
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_FORMULA_OF_ATOMS = re.compile(r"(?:\(?[A-Z][a-z]?\)?\d*)+(?:\d*[+-])?")


def fold(text: str) -> str:
    """Key for equality of words, see `fold_words`; a formula (SMILES, f(x), LaTeX) keeps every sign but spaces."""
    text = text.replace("′", "'")
    text = _RAISED.sub(lambda match: "^" + match.group().translate(_DIGITS), text)
    if any(sign in text for sign in ("\\", "//", "||", "...", "…")):
        for pattern, sign in _RELATED:
            text = pattern.sub(sign, text)
    atoms = re.sub(r"\\(?:ce|text|mathrm|rm)\s*|[_{}]|\^(?=\{?\d*[+-])", "", text)
    if len(atoms) < len(text) and _FORMULA_OF_ATOMS.fullmatch(atoms):  # H_2O, \ce{Fe^3+}
        return atoms.casefold()
    return "".join(text.split()) if _FORMULA.search(text) else fold_words(text)


_ACCENTS = re.compile(r"(?<=[A-Za-z])[\u0300-\u036f]+")
_INITIALS = re.compile(r"\b[A-Za-z](?:\.\s?[A-Za-z])+\b(?:\.(?!\d))?")


def fold_words(text: str) -> str:
    """Key for comparing words: NFKC, case, accents, quotes, punctuation, spaces and initials folded, articles
    dropped, numbers kept."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
        text = unicodedata.normalize("NFKC", text).translate(
            {0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2212: "-", 0x2013: "-"}
        )
    text = _INITIALS.sub(lambda match: re.sub(r"[.\s]", "", match.group()), text)
    text = text.casefold().replace("\\&", "&").replace("\\%", "%").replace("\\_", "_").replace("\\ ", " ")
    text = re.sub(r"\\(?:text|textbf|mathrm|mathbf|mbox|textit|operatorname|textnormal)\s*\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", re.sub(r"\s+%", "%", text))
    signs = "" if text.isascii() else "".join(c for c in set(text) if unicodedata.category(c) == "Sm")
    text = re.sub(rf"[^\w\s.%+\-/=<>&$°*^:#△{re.escape(signs)}!]", " ", re.sub(r"(?<![\d)])!", " ", text))
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", text)
    text = re.sub(r"(?<=\w)[-/](?=[^\W\d])|(?<=[^\W\d])[-/](?=\w)", " ", text)
    words = text.split()
    kept = [
        word
        for word, after in zip(words, [*words[1:], ""], strict=False)
        if word not in ("the", "a", "an") or (word == "a" and len(after) < 2)
    ]
    return " ".join(kept or words)


def as_text(value: object) -> str:
    """The text of a gold or an answer as datasets carry them: strings, numbers, lists, None."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(as_text(item) for item in value)
    return str(value)
