"""Texts that say the same in other words: ordinals, sizes, ranges, remainders, short names of months."""

from __future__ import annotations

import re

from cogito_core.verify.words import number_words

_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}
_WHOLE = {
    name[:3]: name
    for name in ("january february march april june july august september october november december").split()
} | {"sept": "september"}
_ABBREVIATED = {"fig": "figure", "figs": "figures", "vs": "versus", "approx": "approximately", "&": "and"}
_REWRITES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(\d(?:\s?[a-z]{1,4})?)\s*(?:\bby|\bx|×|\\times|\*|(?<=\d)x)\s*(?=\d)", r"\1×"),
        (r"(?<=\d)\s*(?:remainder|rem|r|余|……)\s*(?=\d)", " r "),
        (r"^between (\d[\d.:]*) and (\d[\d.:]*)", r"\1-\2"),
        (r"^(?:from )?(\d[\d.:]*)\s*(?:-|–|—|~|to|through|至|到)\s*(\d[\d.:]*)(?=$|\s|[^\W\d])", r"\1-\2"),
        (r"(?<=\$)(\d+)\.00\b", r"\1"),
        (r"(\d)(?:st|nd|rd|th)\b", r"\1."),
    )
)
_CHINESE_NUMBER = re.compile("[零〇一二两三四五六七八九十百千万亿]{1,20}")


def _digits(match: re.Match[str]) -> str:
    value = number_words(match.group())
    return match.group() if value is None else str(value)


_SEAM = re.compile(r"(?<=[^\W\d])\s+(?=\d)|(?<=[\d°])\s+(?=[^\W\d])|\s+(?=°)")


def canonical(text: str) -> str:
    """One spelling of a folded text.

    >>> canonical("third"), canonical("5 by 7"), canonical("dec"), canonical("n 30° e"), canonical("5 to 10 years")
    ('3.', '5×7', 'december', 'n30°e', '5-10years')
    """
    text = re.sub(r"n[' ]t\b", "nt", text)  # don't
    words = [_ABBREVIATED.get(word, word) for word in text.split()]
    if len(words) == 1 and words[0] in _WHOLE:
        return _WHOLE[words[0]]
    if any(word in _ORDINALS for word in words):
        words = [f"{_ORDINALS[word]}." if word in _ORDINALS else word for word in words]
    if not text.isascii():
        words = [_CHINESE_NUMBER.sub(_digits, word) for word in words]
    text = " ".join(str(value) if (value := number_words(word)) is not None else word for word in words)
    if any(char.isdigit() for char in text):
        for pattern, replacement in _REWRITES:
            text = pattern.sub(replacement, text)
        text = _SEAM.sub("", text)
    return text
