"""Rows of The Cauldron (Laurençon et al. 2024): `images` and `texts`, a list of {user, assistant, source} turns.

A turn is a question of its own, so a row gives as many problems as it has turns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cogito_data.sources.base import Gold, Problem, one_of
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.conclusions import final_answer, without_full_stop
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import hub_pictures, row_id, row_split
from cogito_data.sources.shapes.options import choice_by_letter, options_in_text, read_letter

_LABEL = re.compile(r"^\s*(?:Question|Answer)\s*:\s*", re.IGNORECASE)
_CHOICES_LINE = re.compile(r"\n\s*(?:Choices|Options)\s*:\s*$", re.IGNORECASE)
_LISTED = re.compile(r"^\s*(?:choices|options)\s*:|^\s*[(（]?[A-Z]\s?[)）.．:]\s*\S", re.IGNORECASE | re.MULTILINE)
_STYLE = re.compile(
    r"\b(brief|short|succinct|concise|terse|compact|brevity|quick|letter|to the point"
    r"|(?:brief|short|succinct|concise|terse|compact|quick)ly)\b",
    re.IGNORECASE,
)


def cauldron_row(row: Row, *, units: bool = False, letters: bool = False,
                 spec: Mapping[str, Any] | None = None) -> Iterator[Problem]:
    """The problems of a Cauldron row.

    Args:
        row: the row.
        units: whether golds may carry a unit.
        letters: whether a gold that is one letter names an option drawn in the picture.
        spec: tolerance policy of numeric golds.

    Raises:
        BadRow: a column is absent or of the wrong type, or a gold is none of its options.
    """
    pictures = hub_pictures(row, "images")
    if not pictures:
        raise row.fail("no_picture", "field 'images' is empty")
    for number, turn in enumerate(row.rows("texts")):
        name = f"{row_id(row)}-{number}"

        def problem(turn: Row = turn, name: str = name) -> Problem:
            question, choices = split_question(turn.text("user"))
            answer = _LABEL.sub("", turn.gold_text("assistant")).strip()
            gold = _gold(turn, question, answer, choices, units, letters, spec)
            return Problem(
                upstream_id=name, split=row_split(row), question=question, pictures=pictures, gold=gold,
                choices=choices,
            )

        yield one_of(turn, name, row_split(row), problem)


def _gold(turn: Row, question: str, answer: str, choices: tuple[str, ...], units: bool, letters: bool,
          spec: Mapping[str, Any] | None) -> Gold:
    if choices:
        return choice_by_letter(turn, choices, answer)
    if letters:
        letter = read_letter(answer)
        if letter is None:
            raise turn.fail("gold_not_in_choices", f"the gold {answer!r} is no option letter")
        return Gold(letter, "choice", answer)
    if read_letter(answer) is not None and _LISTED.search(question):
        raise turn.fail("bad_choices", f"the gold is the letter {answer!r}, but the options cannot be read")
    short = without_full_stop(final_answer(turn, answer, label=True))
    return free_form(turn, short, units=units, prose=not units, spec=spec, question=question)


def split_question(text: str) -> tuple[str, tuple[str, ...]]:
    """(question, options): labels such as `Question:`, the `Choices:` line and the style request are dropped."""
    question, choices = options_in_text(_LABEL.sub("", text))
    question = _CHOICES_LINE.sub("", f"\n{question}").strip()
    head, newline, last = question.rpartition("\n")
    if newline and not last.rstrip().endswith("?") and _STYLE.search(last) and len(last.split()) <= 12:
        question = head.strip()
    return question, choices


def cauldron_hub(*, units: bool = False, letters: bool = False,
                 spec: Mapping[str, Any] | None = None) -> Callable[[Row], Iterator[Problem]]:
    """`cauldron_row` with its settings fixed."""
    return lambda row: cauldron_row(row, units=units, letters=letters, spec=spec)
