"""Chat rows as LLaVA and its kin write them: `{"id", "image", "conversations": [{"from", "value"}]}`."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from cogito_data.sources.base import Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.options import choice_by_letter, options_in_text

_CONTEXT = re.compile(r"^Context:\s*(?:N/A\n)?")


_HINT = re.compile(r"^Hint:\s*Please[^\n]*\n\s*")
_CALLED = re.compile(r"^Question:\s*")


def question_and_options(asked: str) -> tuple[str, tuple[str, ...]]:
    """A human turn without picture marks, an empty context, and the hint of how to answer: (question, options)."""
    question, choices = options_in_text(asked.replace("<image>", "").strip())
    return _CALLED.sub("", _HINT.sub("", _CONTEXT.sub("", question))).strip(), choices


def turns(row: Row) -> list[tuple[Row, str, str]]:
    """(place, question, answer) of each human turn that a gpt turn follows; picture marks are left in.

    Raises:
        BadRow: there is no such pair, or a turn lacks its fields.
    """
    said = row.rows("conversations")
    found = [
        (asked, asked.text("value"), answered.text("value"))
        for asked, answered in pairwise(said)
        if asked.text("from") == "human" and answered.text("from") == "gpt"
    ]
    if not found:
        raise row.fail("empty_gold", "no human turn is followed by a gpt turn")
    return found


def llava_scienceqa() -> Layout:
    """LLaVA's evaluation file of ScienceQA: `llava_test_CQM-A.json`, pictures `images/test/<pid>/image.png`."""
    name = "llava_test_CQM-A.json"

    def problem(row: Row, base: Path) -> Problem:
        check_readable(row)
        place, asked, answer = turns(row)[0]
        question, choices = question_and_options(asked)
        folders = ("images/test", "test", "")
        image = row.text("image") if row.get("image") is not None else None
        return Problem(
            upstream_id=row.text("id"),
            split="test",
            question=question,
            pictures=(picture_path(row, base, image, folders),) if image is not None else (),
            gold=choice_by_letter(place, choices, answer),
            choices=choices,
        )

    return Layout("llava_json", (name,), lambda base: json_list(base / name), problem)
