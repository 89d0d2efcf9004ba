"""CLEVR-Math (Lindström and Abraham 2022): `clevr-math-<split>.json` beside `CLEVR_v1.0/images/<split>/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista

_PATTERN = "clevr-math-*.json"


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob(_PATTERN)):
        for number, row in enumerate(json_list(path, "questions")):
            yield Row(row.where, {**row.values, "__number__": number, "__split__": path.stem.rpartition("-")[2]})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    split = row.text("split") if row.get("split") else row.text("__split__")
    folders = (f"CLEVR_v1.0/images/{split}", f"images/{split}", "images", "")
    return Problem(
        # Several questions share a picture, and upstream uses the picture's name as id.
        upstream_id=row.text("__number__"),
        split=row.text("__split__"),
        question=row.text("question"),
        pictures=(picture_path(row, base, row.text("image_filename"), folders),),
        gold=free_form(row, row.need("answer"), prose=True),
        meta={"template": row.get("template_filename"), "image": row.get("image_filename")},
    )


_hub_row = cauldron_hub()

_ORIGINAL = Layout("original", (_PATTERN,), _read, _problem)

ADAPTER = Adapter((_ORIGINAL, parquet_layout(_hub_row), mathvista("CLEVR-Math")), _hub_row)
