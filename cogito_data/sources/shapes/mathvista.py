"""Records of a source as MathVista kept them: `testmini_subset.json` with pictures `images/<pid>.jpg`.

For six sources this is the only form in which real records can be had without a large download. They are
benchmark questions: their split is `testmini`, which no manifest lists as a training split.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import json_dict, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.options import choice_by_text

_FILE = "testmini_subset.json"
_LANGUAGES = {"english": "en", "chinese": "zh", "persian": "fa"}


def _problem(row: Row, base: Path) -> Problem:
    picture = picture_path(row, base, row.text("image"))
    choices = row.texts("choices") if row.get("choices") is not None else ()
    metadata = row.mapping("metadata")
    if choices:
        gold: Gold = choice_by_text(row, choices, row.gold_text("answer"))
    else:
        unit = row.get("unit")
        gold = free_form(row, row.need("answer"), unit=str(unit) if unit else None, spec=_spec(row))
    return Problem(
        upstream_id=row.text("pid"),
        split="testmini",
        question=row.text("question"),
        pictures=(picture,),
        gold=gold,
        choices=choices,
        language=_LANGUAGES.get(str(metadata.get("language")), "en"),
        meta={"benchmark": "mathvista", "task": metadata.get("task"), "grade": metadata.get("grade")},
    )


def _spec(row: Row) -> dict[str, object]:
    # MathVista compares floats after rounding to this many decimals.
    precision = row.get("precision")
    return {"precision": int(precision)} if isinstance(precision, int | float) and precision in range(16) else {}


def mathvista(name: str) -> Layout:
    """The layout for the source that MathVista calls `name`; records of other sources are passed over."""

    def read(base: Path) -> Iterator[Row]:
        for row in json_dict(base / _FILE, "pid"):
            metadata = row.get("metadata")
            if not isinstance(metadata, dict) or metadata.get("source") == name:
                yield row

    return Layout("mathvista_subset", (_FILE,), read, _problem)
