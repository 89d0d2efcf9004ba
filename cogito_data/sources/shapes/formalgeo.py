"""Problems re-annotated by FormalGeo7k: `problems/<n>.json` beside `images/<n>.png`; the gold is a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, picture_path
from cogito_data.sources.shapes.folders import json_files
from cogito_data.sources.shapes.golds import free_form

_PLACEHOLDER = re.compile(r"\bN_\d")


def _read(base: Path) -> Iterator[Row]:
    return json_files(base, "problems/*.json")


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    question, language = row.text("problem_text_en"), "en"
    # The English text of the GeoQA part has placeholders N_0, N_1 for its numbers; the Chinese one is whole.
    if not question or _PLACEHOLDER.search(question):
        question, language = row.text("problem_text_cn"), "zh"
    return Problem(
        upstream_id=row.text("problem_id"),
        split="formalgeo7k",
        question=question,
        pictures=(picture_path(row, base, row.text("problem_img"), ("images",)),),
        gold=free_form(row, row.need("problem_answer"), units=True),
        language=language,
        meta={"original": row.text("source"), "level": row.get("problem_level"), "goal": row.get("goal_cdl")},
    )


FORMALGEO = Layout("formalgeo7k", ("problems/*.json", "images"), _read, _problem)
