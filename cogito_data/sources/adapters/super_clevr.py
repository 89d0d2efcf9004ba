"""Super-CLEVR (Li et al. 2023): golds of one file are true/false, numbers or words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, json_list, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.mathvista import mathvista

_PATTERN = "superCLEVR_questions_*.json"
_COUNTING = "superclevr_test200_counting_problems.jsonl"


def split_of(image_index: int) -> str:
    """The authors' split by picture: 20,000 train, 5,000 val, 5,000 test."""
    return "train" if image_index < 20_000 else "val" if image_index < 25_000 else "test"


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob(_PATTERN)):
        part = path.stem.removeprefix("superCLEVR_questions_")
        for row in json_list(path, "questions"):
            yield Row(row.where, {**row.values, "__part__": part})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    return Problem(
        # Question numbers start anew in each file.
        upstream_id=f"{row.text('__part__')}-{row.integer('question_index')}",
        split=split_of(row.integer("image_index")),
        question=row.text("question"),
        pictures=(picture_path(row, base, row.text("image_filename"), ("images", "")),),
        gold=free_form(row, row.need("answer"), prose=True),
        meta={"template": row.get("template_filename"), "image": row.get("image_filename")},
    )


def _counting(row: Row, base: Path) -> Problem:
    check_readable(row)
    name = Path(row.text("image_path")).name
    return Problem(
        upstream_id=f"r1v-{row.where.rpartition(' ')[2]}",
        split="test",
        question=row.text("question"),
        pictures=(picture_path(row, base, name, ("images", "")),),
        gold=free_form(row, row.need("ground_truth"), prose=True),
        meta={"image": name},
    )


ADAPTER = Adapter((
    Layout("original", (_PATTERN,), _read, _problem),
    Layout("r1v_counting", (_COUNTING,), lambda base: json_lines(base / _COUNTING), _counting),
    mathvista("Super-CLEVR"),
))
