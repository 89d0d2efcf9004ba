"""The paper's rescue of a multiple choice answer that is none of the options: the most similar option.

The paper says "semantically closest option" without a method (VL-Cogito, section 5); here it is text similarity:
the Dice coefficient of character trigrams, after case and space are folded. A tie decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cogito_eval.item import LETTERS

RULE = "nearest option"
MIN_SIMILARITY = 0.3
"""Below this the best option shares hardly a word with the answer, and choosing it would be a guess."""


def similarity(a: str, b: str) -> float:
    """Dice coefficient of the character trigrams of two texts, in [0, 1]."""
    left, right = _trigrams(a), _trigrams(b)
    total = sum(left.values()) + sum(right.values())
    return 2 * sum((left & right).values()) / total if total else 0.0


def nearest_option(text: str, choices: Sequence[str]) -> str | None:
    """The letter of the one option most similar to `text`; None for a tie or where nothing is similar."""
    scores = [similarity(text, choice) for choice in choices]
    best = max(scores, default=0.0)
    if best < MIN_SIMILARITY or scores.count(best) > 1:
        return None
    return LETTERS[scores.index(best)]


def nearest_verdict(row: Mapping[str, Any], strict: dict[str, Any]) -> dict[str, Any]:
    """The strict verdict of a row, or the rescue's where the answer names no option but resembles one."""
    said = strict["extracted"]
    letter = nearest_option(said, row["choices"])
    if letter is None:
        return strict
    right = letter == row["gold"] or letter in row["aliases"]
    return {**strict, "outcome": "right" if right else "wrong", "rule": RULE,
            "answer": letter, "reason": f"{said!r} is no option; option {letter} is the most similar one"}


def _trigrams(text: str) -> Counter[str]:
    folded = f"  {' '.join(text.casefold().split())}  "
    return Counter(folded[i : i + 3] for i in range(len(folded) - 2))
