"""Multiple choice: one letter or several, option texts, and the two against each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cogito_core.verify.clean import fold, strip_dress

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_OPTION = 1_000
CACHED_CHARS = 300
_BARE = re.compile(r"[(\[（【]?\s*(?:\\text\s*\{)?\s*\(?([A-Za-z])\)?\s*\}?\s*[)\]）】]?\s*[.:。：,)]?", re.S)
_NAMED = re.compile(
    r"(?:the\s+)?(?:correct\s+)?(?:answer|option|choice|选项|答案)(?:\s+is)?\s*[:：]?\s*[(（]?([A-Za-z])[)）]?\s*[.。]?",
    re.I,
)
_LEADING = re.compile(
    r"[(\[（【]\s*([A-Za-z])\s*[)\]）】]\s*[.:：]?\s*(?P<a>.+)|([A-Z])\s*[.:)：。、,]\s*(?P<b>.+)|"
    r"([A-Z])(?=[\u3400-\u9fff])(?P<d>.+)|([A-Z])\s+(?P<c>.+)",
    re.S,
)
_AMC = re.compile(
    r"^\\(?:textbf|text|mathrm|mathbf|bf)\s*\{\s*(\([A-Z]\)|[A-Z][.:])\s*\}(?:\\ |\\qquad|\\quad|~|\s)*"
)
"""\\textbf{(C)}\\ 60, as competitions print their options."""
_LETTERS_ONLY = re.compile(r"[(（]?[A-Z][)）]?(?:\s*(?:,|、|and|or|&)+\s*[(（]?[A-Z][)）]?)*\W*")


class Pick(NamedTuple):
    """Indices of the options picked; `conflict` says why none could be settled on."""

    picked: frozenset[int]
    how: str
    conflict: str = ""


_NOTHING = Pick(frozenset(), "none")


def option_key(text: str) -> str:
    """What makes two option texts the same: dress, case and spaces do not. A very long one is compared as written."""
    return _key(text) if len(text) <= MAX_OPTION else text


@lru_cache(maxsize=4096)
def _key(text: str) -> str:
    return fold(strip_dress(text))


def pick_one(answer: str, choices: Sequence[str], count: int = 0, gold_side: bool = False) -> Pick:
    """The one option that `answer` names by letter, by text or by both.

    `count` bounds the letters where no option texts are known. A letter and a text that name different options, two
    letters, or a negation are a conflict. One letter within the range is a letter, also where options are letters.
    """
    if len(answer) > 4 * MAX_OPTION:
        return Pick(frozenset(), "none", "too long for an option")
    text = _AMC.sub(r"\1 ", strip_dress(answer))
    last = (len(choices) or count or 10) - 1
    keys = [option_key(choice) for choice in choices]
    bare = _BARE.fullmatch(text) or _NAMED.fullmatch(text)
    if bare:
        index = _letter(bare.group(1), last)
        if index >= 0:
            return Pick(frozenset([index]), "letter")
    if list(choices).count(text) == 1:
        return Pick(frozenset([list(choices).index(text)]), "option text")
    leading = _LEADING.fullmatch(text)
    key = option_key(text)
    by_text = [index for index, one in enumerate(keys) if one and one == key]
    if by_text and not (
        leading and leading.group(7) is None and _letter(leading.group(1) or leading.group(3) or "?", last) >= 0
    ):
        return _narrowed(by_text, text, choices)
    if leading:
        letter = leading.group(1) or leading.group(3) or leading.group(5) or leading.group(7)
        rest = leading.group("a") or leading.group("b") or leading.group("d") or leading.group("c") or ""
        index = _letter(letter, last)
        if 0 <= index < 25 and re.search(rf"(?:^|\s)\(?{LETTERS[index + 1]}[).:]\s", rest):
            return _NOTHING  # a list of options, not one of them
        certain = leading.group(7) is None
        if index >= 0:
            pick = _with_text(index, rest, keys, certain or gold_side)
            if pick is not None:
                return pick
    return _NOTHING


DENIES = re.compile(
    r"\s*(?:(?:is|are|was|were|would be|seems?|looks?|must be|has to be)\s+(?:to be\s+)?(?:\w+ly\s+|also\s+|just\s+)?"
    r"(?:incorrect|wrong|false|not|out|excluded|eliminated|ruled out|impossible|irrelevant)\b|"
    r"(?:is|are|was|were|does|did|can|could|would)n'?\s?t\b|cannot\b|(?:can|does|did|could|would) not\b|"
    r"can be (?:excluded|eliminated|ruled out|dismissed)\b)"
)


def text_behind_letter(answer: str) -> str:
    """What stands behind the letter of "D. 60"; "" where no letter with a full stop or bracket leads."""
    leading = _LEADING.fullmatch(_AMC.sub(r"\1 ", strip_dress(answer))) if len(answer) <= MAX_OPTION else None
    return (leading.group("a") or leading.group("b") or "") if leading else ""


def _narrowed(found: list[int], text: str, choices: Sequence[str]) -> Pick:
    """One of several options with the same key: the one written exactly so; equal ones count as one."""
    exact = [index for index in found if strip_dress(choices[index]) == text]
    if exact:
        return Pick(frozenset(exact), "option text")
    if len({"".join(choices[index].split()) for index in found}) > 1:
        return Pick(frozenset(), "conflict", "options that differ by case or signs only")
    return Pick(frozenset(found), "option text")


def _letter(letter: str, last: int) -> int:
    index = LETTERS.find(letter.upper())
    return index if 0 <= index <= last else -1


def _with_text(index: int, rest: str, keys: list[str], certain: bool) -> Pick | None:
    """A letter followed by words: the option's own text, a reason, or another option's text."""
    key = option_key(rest)
    named = [other for other, one in enumerate(keys) if one and one == key]
    if named and index not in named:
        return Pick(
            frozenset(), "conflict", f"the letter {LETTERS[index]} against the text of option {LETTERS[named[0]]}"
        )
    if named:
        return Pick(frozenset([index]), "letter and text")
    own = keys[index] if keys else ""
    if DENIES.match(key) or (own and key.startswith(own) and DENIES.match(key[len(own) :])):
        return None  # "(C) is incorrect"
    if not named and _LETTERS_ONLY.fullmatch(rest.strip()):
        return Pick(frozenset(), "conflict", "several letters")
    if re.match(r"(?:or|and|或|和|/|,|&)\s*[(（]?[A-Z][)）]?(?:\W|$)|(?:or\b|或)", rest.strip()):
        return Pick(frozenset(), "conflict", "several letters")
    if keys and keys[index] and key.startswith(f"{keys[index]} or "):
        return Pick(frozenset(), "conflict", "an either-or")
    if keys and keys[index] and (key.startswith(keys[index]) or (len(key) > 3 and keys[index].startswith(key))):
        return Pick(frozenset([index]), "letter and text")
    if certain:
        return Pick(frozenset([index]), "letter")
    return None


def pick_many(answer: str, choices: Sequence[str], count: int = 0) -> Pick:
    """All options that `answer` names: "A, C", "AC", "(A) and (C)", "['a', 'c']", option texts."""
    if len(answer) > 4 * MAX_OPTION:
        return Pick(frozenset(), "none", "too long for options")
    text = strip_dress(answer)
    last = (len(choices) or count or 10) - 1
    body = re.sub(r"^(?:options?|choices?|answers?)\s*[:：]?\s*", "", text, flags=re.I)
    if re.search(
        r"(?<![A-Za-z])[A-Z]\W{0,3}\s*(?:\bor\b|或)\s*\W{0,3}[A-Z](?![A-Za-z])|^\W*[a-z]\W*\bor\b\W*[a-z]\W*$", body
    ):
        return Pick(frozenset(), "conflict", "an either-or")
    compact = re.sub(r"[\s,;，、；/&+()\[\]{}'\"（）.]|\band\b|和", "", body)
    if (
        compact
        and compact.isalpha()
        and compact.isascii()
        and len(compact) <= last + 1
        and (compact.isupper() or re.fullmatch(r"\W*\w(?:\W+\w)*\W*", body))
    ):
        indices = [_letter(letter, last) for letter in compact]
        if min(indices) >= 0 and len(set(indices)) == len(indices):
            return Pick(frozenset(indices), "letters")
    one = pick_one(text, choices, count)
    if one.picked or one.conflict:
        return one
    parts = [part for part in re.split(r"\s*(?:;|,|、|，|\n|\band\b)\s*", body) if part.strip()]
    if len(parts) > 1:
        picks = [pick_one(part, choices, count) for part in parts]
        if all(pick.picked for pick in picks):
            return Pick(frozenset(index for pick in picks for index in pick.picked), "letters and texts")
    return _NOTHING


def several_letters(gold: str, choices: Sequence[str]) -> bool:
    """Whether a gold names several of the options by letter and is not itself an option: "A, C", "AC".

    >>> several_letters("A, C", ["x", "y", "z"]), several_letters("AC", ["AC", "DC"])
    (True, False)
    """
    if any(option_key(gold) == option_key(choice) for choice in choices):
        return False
    pick = pick_many(gold, choices)
    return pick.how == "letters" and len(pick.picked) > 1
