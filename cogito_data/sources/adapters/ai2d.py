"""AI2D (Kembhavi et al. 2016): `questions/<n>.png.json`, gold as index; `ai2d_test_ids.csv` names the test split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import as_row, check_readable, listed_ids, picture_path
from cogito_data.sources.shapes.folders import json_files
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.options import choice_by_index, choice_by_letter
from cogito_data.sources.shapes.vlm_jsonl import vlm_jsonl

_PATTERN = "questions/*.json"


def _read(base: Path) -> Iterator[Row]:
    tested = listed_ids(base / "ai2d_test_ids.csv", "without it AI2D's official test questions are split train")
    for file in json_files(base, _PATTERN):
        questions = file.get("questions")
        if not isinstance(questions, dict):
            yield file
        for text, values in questions.items() if isinstance(questions, dict) else ():
            row = as_row(f"{file.where}, question '{text}'", values)
            name = file.get("imageName")
            split = "test" if str(name).removesuffix(".png") in tested else "train"
            yield Row(row.where, {**row.values, "__text__": text, "__split__": split, "imageName": name})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    choices, index = row.texts("answerTexts"), row.gold_integer("correctAnswer")
    masked = row.get("abcLabel") is True
    return Problem(
        upstream_id=row.text("questionId"),
        split=row.text("__split__"),
        question=row.text("__text__"),
        # `What is A?` needs the letter in the picture.
        pictures=(picture_path(row, base, row.text("imageName"), ("abc_images" if masked else "images",)),),
        gold=choice_by_index(row, choices, index, str(index)),
        choices=choices,
        meta={"abc_label": masked},
    )


_hub_row = cauldron_hub()

ADAPTER = Adapter(
    (
        Layout("original", (_PATTERN,), _read, _problem),
        vlm_jsonl("test.jsonl", lambda row: choice_by_letter(row, (), row.gold_text("answer"))),
        parquet_layout(_hub_row),
        mathvista("AI2D"),
    ),
    _hub_row,
)
