"""Procedural picture questions in six categories and three levels, each a pure function of its seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from cogito_core.console import CogitoError
from cogito_core.engines.base import IMAGE_MARK
from cogito_nano.tasks import chart, counting, general, geometry, logic, science
from cogito_nano.tasks.item import LETTERS, Draft, NanoItem

LEVELS = (1, 2, 3)
CHOICE_SHARE = 0.3
"""The share of questions (yes/no apart) that come as multiple choice, with the options in the question's text."""

_BUILDERS: dict[str, Callable[[int, random.Random], Draft]] = {
    "math": geometry.build,
    "logic": logic.build,
    "counting": counting.build,
    "science": science.build,
    "chart": chart.build,
    "general": general.build,
}
CATEGORIES = tuple(_BUILDERS)

__all__ = ["CATEGORIES", "CHOICE_SHARE", "LEVELS", "NanoItem", "problem_text", "task"]


def task(category: str, level: int, seed: int) -> NanoItem:
    """The question number ``seed`` of a category and level. The same arguments give the same bytes everywhere.

    Raises CogitoError for an unknown category or level.
    """
    return _finish(*sketch(category, level, seed), category, level, seed)


def sketch(category: str, level: int, seed: int) -> tuple[Draft, random.Random]:
    """The undrawn question and the generator that phrases it: cheap, so a caller may discard it by its picture."""
    if category not in _BUILDERS:
        raise CogitoError(f"There is no nano category {category!r}; the six are {', '.join(CATEGORIES)}.")
    if level not in LEVELS:
        raise CogitoError(f"Nano questions have levels 1, 2 and 3, not {level!r}.")
    rng = random.Random(f"cogito-nano/{category}/{level}/{seed}")
    return _BUILDERS[category](level, rng), rng


def _finish(draft: Draft, rng: random.Random, category: str, level: int, seed: int) -> NanoItem:
    answer, kind = draft.answer, draft.kind
    choices: tuple[str, ...] = ()
    if draft.kind != "yes_no" and len(draft.pool) >= 3 and rng.random() < CHOICE_SHARE:
        options = [draft.answer, *draft.pool[:3]]
        rng.shuffle(options)
        choices, kind = tuple(options), "choice"
        answer = LETTERS[options.index(draft.answer)]
    return NanoItem(
        problem=problem_text(draft.question, choices),
        png_bytes=draft.canvas.png(),
        answer=answer,
        answer_kind=kind,
        choices=choices,
        category=category,
        level=level,
        describe=draft.describe,
        value=draft.answer,
        value_kind=draft.kind,
        pool=draft.pool,
        question=draft.question,
        state=draft.state,
        seed=seed,
        picture_key=draft.canvas.key(),
    )


def problem_text(question: str, choices: tuple[str, ...]) -> str:
    """The question as the model sees it: the picture's mark, the question, the options as lines ``(A) text``.

    The form is that of every other source of the data pipeline.
    """
    lines = [f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return "\n".join([IMAGE_MARK, question, *lines])
