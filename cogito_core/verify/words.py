"""Number words, English and Chinese: "twenty-one", "one thousand six hundred", "三百二十一", "half"."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_FRACTIONS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "thirds": 3,
    "quarter": 4,
    "quarters": 4,
    "fourth": 4,
    "fourths": 4,
    "fifth": 5,
    "fifths": 5,
    "sixth": 6,
    "sixths": 6,
    "seventh": 7,
    "sevenths": 7,
    "eighth": 8,
    "eighths": 8,
    "ninth": 9,
    "ninths": 9,
    "tenth": 10,
    "tenths": 10,
}
_ZH_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ZH_UNITS = {"十": 10, "百": 100, "千": 1000}
_ZH_SCALES = {"万": 10**4, "亿": 10**8}


def is_number_word(word: str) -> bool:
    """Whether the lower-case `word` takes part in a number's name."""
    return word in _UNITS or word in _TENS or word in _SCALES or word in ("hundred", "half", "dozen")


@lru_cache(maxsize=4096)
def number_words(text: str) -> int | Fraction | None:
    """The value of a text that is a number in words and nothing else, or None."""
    if len(text) > 200 or not text:
        return None
    if text.isascii():
        return _english(re.sub(r"[-,]", " ", text.lower()).split())
    return _chinese(text)


def _english(words: list[str]) -> int | Fraction | None:
    if not words:
        return None
    sign = 1
    if words[0] in ("minus", "negative") and len(words) > 1:
        sign, words = -1, words[1:]
    if words in (["half"], ["a", "half"], ["one", "half"]):
        return Fraction(sign, 2)
    if "and" in words[1:-1]:  # two and a half
        place = len(words) - 1 - words[::-1].index("and")
        if words[-1] in _FRACTIONS:
            whole, part = _english(words[:place]), _english(words[place + 1 :])
            return sign * (whole + part) if whole is not None and part is not None and 0 < part < 1 else None
    if words[-1] in _FRACTIONS and len(words) >= 2:
        above = _english(words[:-1]) if words[:-1] != ["a"] else 1
        return None if above is None else Fraction(sign * above, _FRACTIONS[words[-1]])
    if "point" in words:
        place = words.index("point")
        whole = _english(words[:place]) if place else 0
        digits = [_UNITS.get(word, 10) for word in words[place + 1 :]]
        if whole is None or not digits or max(digits) > 9:
            return None
        return sign * (whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits)))
    if words == ["a", "dozen"] or words == ["one", "dozen"]:
        return 12 * sign
    if words == ["half", "a", "dozen"]:
        return 6 * sign
    total, group, last = 0, 0, ""
    for index, word in enumerate(words):
        if word == "and" and last in ("hundred", *_SCALES) and index + 1 < len(words):
            continue
        if word in _UNITS:
            if last in _UNITS or (last in _TENS and not 1 <= _UNITS[word] <= 9):
                return None
            group += _UNITS[word]
        elif word in _TENS:
            if last in _UNITS or last in _TENS:
                return None
            group += _TENS[word]
        elif word == "hundred":
            if last not in _UNITS and not (index == 1 and words[0] == "a"):
                return None
            group = (group or 1) * 100
        elif word in _SCALES:
            if not group:
                return None
            total, group = total + group * _SCALES[word], 0
        elif word == "a" and index == 0 and len(words) > 1 and words[1] in ("hundred", *_SCALES):
            group = 1 if words[1] != "hundred" else 0
            continue
        else:
            return None
        last = word
    return sign * (total + group)


def _chinese(text: str) -> int | Fraction | None:
    sign = 1
    if text[:1] == "负" and len(text) > 1:
        sign, text = -1, text[1:]
    bottom, divided, top = text.partition("分之")
    if divided:
        below, above = _chinese(bottom), _chinese(top)
        return Fraction(sign * above, below) if below and above is not None and isinstance(below, int) else None
    whole, point, places = text.partition("点")
    if point:
        base = _chinese(whole)
        if base is None or not places or any(c not in _ZH_DIGITS for c in places):
            return None
        return sign * (base + Fraction(int("".join(str(_ZH_DIGITS[c]) for c in places)), 10 ** len(places)))
    if text in ("半", "一半"):
        return Fraction(sign, 2)
    if len(text) >= 3 and text[-1] in _ZH_DIGITS and text[-1] not in "零〇" and text[-2] in "百千万亿":
        # 一百五 is 150, 两万五 is 25,000: the last digit counts tenths of the unit before it
        unit = _ZH_UNITS.get(text[-2]) or _ZH_SCALES[text[-2]]
        most = _chinese(text[:-1])
        return None if most is None else sign * (most + _ZH_DIGITS[text[-1]] * unit // 10)
    total, section, digit = 0, 0, None  # type: int, int, int | None
    if len(text) > 1 and all(c in _ZH_DIGITS for c in text):
        return sign * int("".join(str(_ZH_DIGITS[c]) for c in text))
    for char in text:
        if char in _ZH_DIGITS:
            if digit not in (None, 0):
                return None
            digit = _ZH_DIGITS[char]
        elif char in _ZH_UNITS:
            section += (1 if digit is None else digit) * _ZH_UNITS[char]
            digit = None
        elif char in _ZH_SCALES:
            total = (total + section + (digit or 0)) * _ZH_SCALES[char]
            section, digit = 0, None
        else:
            return None
    return sign * (total + section + (digit or 0))
