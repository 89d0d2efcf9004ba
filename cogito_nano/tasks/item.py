"""The types of the nano world: what a category draws (``Draft``) and what a reader gets (``NanoItem``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cogito_nano.tasks.draw import Canvas

LETTERS = "ABCD"


@dataclass(frozen=True)
class NanoItem:
    """One question about one picture.

    ``answer`` is the gold: a letter where ``choices`` is not empty, else the value itself. ``value`` is the
    value in either case. ``describe`` is the careful chain of thought that leads to the gold, ``pool`` the
    answers a hasty reader might give, ``state`` the latent facts the gold can be recounted from.
    """

    problem: str
    png_bytes: bytes
    answer: str
    answer_kind: str
    choices: tuple[str, ...]
    category: str
    level: int
    describe: str
    value: str
    value_kind: str
    pool: tuple[str, ...]
    question: str
    state: dict[str, Any]
    seed: int
    picture_key: str = field(repr=False)


@dataclass(frozen=True)
class Draft:
    """A question before it is phrased: the picture's commands, the open question and its answer.

    ``pool`` holds plausible answers in order of nearness to the truth, the truth itself left out.
    ``kind`` is ``number``, ``text`` or ``yes_no``.
    """

    canvas: Canvas
    question: str
    answer: str
    kind: str
    describe: str
    pool: tuple[str, ...]
    state: dict[str, Any]


def near_numbers(value: int, lowest: int, highest: int, step: int = 1) -> tuple[str, ...]:
    """The up to four multiples of ``step`` nearest to ``value`` in ``[lowest, highest]``, without ``value``."""
    around = [value + step * delta for delta in (1, -1, 2, -2, 3, -3, 4)]
    return tuple(str(number) for number in around if lowest <= number <= highest)[:4]
