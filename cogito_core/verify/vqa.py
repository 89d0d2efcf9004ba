"""VQA's consensus: a short answer judged against the answers of ten people (VQA v2, OK-VQA).

Accuracy of an answer = the mean, over the subsets that leave one person out, of min(1, people who gave it / 3); both
sides are processed as visualqa.org/evaluation describes it: lower case, no full stops, number words as digits, no
articles, apostrophes put back into contractions, other punctuation as spaces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache

FULL = 3
"""So many people must agree for full credit (Antol et al. 2015, section 3)."""

MAX_CHARS = 500
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_DIGITS = {
    word: str(value) for value, word in enumerate("zero one two three four five six seven eight nine ten".split())
}
_DIGITS["none"] = "0"
_ENDINGS = {
    "n't": "ai are ca could did does do had has have is might must need ought sha should was were wo would",
    "'ve": "could i might must not should they we what where who would you",
    "'ll": "how it somebody someone something they what who why you",
    "'re": "there they what why you",
    "'s": "he how somebody someone that there what when where who why",
    "'d": "he how it somebody someone something there they where who you",
}
_CONTRACTIONS = {
    stem + ending.replace("'", ""): stem + ending for ending, stems in _ENDINGS.items() for stem in stems.split()
} | {"maam": "ma'am", "oclock": "o'clock", "twas": "'twas", "yall": "y'all"}


@lru_cache(maxsize=4096)
def processed(text: str) -> str:
    """An answer as VQA compares it.

    >>> processed("The two dogs."), processed("dont know"), processed("100,978")
    ('2 dogs', "don't know", '100978')
    """
    text = re.sub(r"\s", " ", text[:MAX_CHARS]).strip().lower()
    between_digits = bool(re.search(r"\d,\d", text))
    plain = text
    for sign in _PUNCTUATION:
        apart = f"{sign} " in text or f" {sign}" in text
        plain = plain.replace(sign, "" if apart or between_digits else " ")
    plain = re.sub(r"\.(?!\d)", "", plain)
    words = [_DIGITS.get(word, word) for word in plain.split()]
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in ("a", "an", "the"))


def consensus(answer: str, people: Sequence[str]) -> Fraction:
    """The accuracy of `answer` against what `people` said: 0 to 1, 0 where nobody said anything."""
    if not people:
        return Fraction(0)
    said, given = [processed(one) for one in people], processed(answer)
    agree = said.count(given)
    without = [agree - (one == given) for one in said]
    return sum((min(Fraction(1), Fraction(count, FULL)) for count in without), Fraction(0)) / len(people)


def enough(answer: str, people: Sequence[str]) -> bool:
    """Whether three people (all, where fewer were asked) gave the answer: what the strict verdict calls right.

    With ten people that is a consensus of 0.9 or more.
    """
    given = processed(answer)
    return bool(people) and sum(processed(one) == given for one in people) >= min(FULL, len(people))


def people_of(gold: object) -> tuple[str, ...]:
    """The answers a gold holds: a list, the JSON text of one, or one answer.

    >>> people_of(["red", "dark red"]), people_of('["2", "two"]'), people_of("cat")
    (('red', 'dark red'), ('2', 'two'), ('cat',))
    """
    if isinstance(gold, str) and gold.lstrip().startswith("["):
        with suppress(ValueError):
            gold = json.loads(gold)
    if isinstance(gold, (list, tuple)):
        return tuple(str(one.get("answer", "")) if isinstance(one, dict) else str(one) for one in gold)
    return (str(gold),) if gold is not None and str(gold).strip() else ()
