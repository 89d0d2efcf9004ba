"""What the warm-up teaches cogito-nano to answer: careful chains of thought and hasty guesses."""

from __future__ import annotations

import random
from dataclasses import replace

from cogito_nano.tasks import NanoItem, problem_text
from cogito_nano.tasks.item import LETTERS

_OPENINGS = ("guess", "maybe", "looks like", "about")
_TRUTH_SHARE = {1: 0.30, 2: 0.18, 3: 0.10}
"""How often a hasty guess is the truth, by level: harder questions are guessed worse."""


def careful(item: NanoItem) -> str:
    """The answer that describes the picture first and then concludes."""
    thought = f"{item.describe} = {item.answer}" if item.choices else item.describe
    return _answer(thought, item.answer)


def reworded(item: NanoItem, rng: random.Random) -> NanoItem:
    """A multiple choice item as the data pipeline may rewrite it: openly, or with its options as a plain list.

    Two in three keep their letters; other items stay as they are.
    """
    draw = rng.random()
    if not item.choices or draw < 0.65:
        return item
    question = item.question if draw < 0.85 else f"{item.question} Choose from: {', '.join(item.choices)}."
    problem = problem_text(question, ())
    return replace(item, problem=problem, answer=item.value, answer_kind=item.value_kind, choices=())


def hasty(item: NanoItem, rng: random.Random) -> str:
    """An answer that names a plausible value at once, right with a small probability that falls with the level."""
    if rng.random() < _TRUTH_SHARE[item.level]:
        guess = item.answer
    elif item.choices:
        guess = rng.choice([letter for letter in LETTERS if letter != item.answer])
    else:
        guess = rng.choice(item.pool)
    return _answer(f"{rng.choice(_OPENINGS)} {guess}", guess)


def hasty_openings() -> tuple[str, ...]:
    """The words a hasty thought begins with."""
    return _OPENINGS


def _answer(thought: str, conclusion: str) -> str:
    return f"<think>{thought}</think><answer>\\boxed{{{conclusion}}}</answer>"
