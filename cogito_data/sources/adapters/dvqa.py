"""DVQA (Kafle et al. 2018): `<split>_qa.json` beside `images/`; digits are values read off, words are counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.golds import counted, free_form
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista

_PATTERN = "*_qa.json"


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob(_PATTERN)):
        for row in json_list(path):
            yield Row(row.where, {**row.values, "__split__": path.stem.removesuffix("_qa")})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    return Problem(
        upstream_id=row.text("question_id"),
        split=row.text("__split__"),
        question=row.text("question"),
        pictures=(picture_path(row, base, row.text("image"), ("images", "")),),
        gold=counted(free_form(row, row.need("answer"), prose=True)),
        meta={"question_type": row.get("question_type"), "template": row.get("template_id")},
    )


_hub_row = cauldron_hub()

_ORIGINAL = Layout("original", (_PATTERN,), _read, _problem)

ADAPTER = Adapter((_ORIGINAL, parquet_layout(_hub_row), mathvista("DVQA")), _hub_row)
