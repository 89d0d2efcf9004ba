"""GeoQA+ problems as Geo170K and R1-V carry them: English, with options in the text, or with the value as gold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.options import choice_by_letter, options_in_text

_QUESTION = re.compile(r"^.*?Question\s*:\s*", re.DOTALL)
_CHOICES = re.compile(r"\s*Choices\s*:\s*$")
_PROMPTS = "r1v_geoqa_test_prompts.jsonl"
_FOLDERS = ("images", "", "../images")


def _read(base: Path) -> Iterator[Row]:
    golds = {str(row.get("question_id")): row.get("text") for row in json_lines(base / "test_answers.jsonl")}
    for row in json_lines(base / "test_questions.jsonl"):
        yield Row(row.where, {**row.values, "__gold__": golds.get(str(row.get("question_id")), "")})


def _with_options(row: Row, base: Path) -> Problem:
    check_readable(row)
    question, choices = options_in_text(row.text("text"))
    return Problem(
        upstream_id=row.text("question_id"),
        split="test",
        question=_CHOICES.sub("", _QUESTION.sub("", question)),
        pictures=(picture_path(row, base, row.text("image"), _FOLDERS),),
        gold=choice_by_letter(row, choices, row.text("__gold__")),
        choices=choices,
    )


def _picture(row: Row, base: Path, name: str) -> Path:
    """Under the whole name of the prompt file, else where Geo170K itself keeps it."""
    whole = picture_path(row, base, name)
    return whole if whole.is_file() else picture_path(row, base, name.removeprefix("Geo170K/images/"), _FOLDERS)


def _with_value(row: Row, base: Path) -> Problem:
    check_readable(row)
    name = row.text("image_path").removeprefix("./")
    return Problem(
        upstream_id=f"r1v-{Path(name).stem}",
        split="test",
        question=row.text("question"),
        pictures=(_picture(row, base, name),),
        gold=free_form(row, row.need("ground_truth"), units=True),
    )


GEO170K = Layout("geo170k", ("test_questions.jsonl", "test_answers.jsonl"), _read, _with_options)
R1V_PROMPTS = Layout("r1v_prompts", (_PROMPTS,), lambda base: json_lines(base / _PROMPTS), _with_value)
