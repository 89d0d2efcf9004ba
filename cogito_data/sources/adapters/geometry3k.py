"""Geometry3K (Lu et al. 2021): one folder a problem with `data.json` and `img_diagram.png`; the gold is a letter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable
from cogito_data.sources.shapes.folders import FILE, json_files
from cogito_data.sources.shapes.formalgeo import FORMALGEO
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import hub_pictures, parquet_layout, row_id, row_split
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.options import choice_by_letter


def _read(base: Path) -> Iterator[Row]:
    return json_files(base, "[0-9]*/data.json", "*/[0-9]*/data.json")


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    file = Path(row.text(FILE))
    choices = row.texts("choices")
    gold = choice_by_letter(row, choices, row.gold_text("answer"))
    unit = row.get("unit")
    if isinstance(unit, str) and unit.strip():
        gold.spec["unit"] = unit.strip()
    return Problem(
        upstream_id=row.text("id") if row.get("id") is not None else file.parent.name,
        split=row.text("data_type"),
        question=row.text("problem_text"),
        pictures=(base / file.with_name("img_diagram.png"),),
        gold=gold,
        choices=choices,
        meta={key: row.get(key) for key in ("precise_value", "problem_type_goal", "problem_type_graph")},
    )


def _hub_row(row: Row) -> Problem:
    return Problem(
        upstream_id=row_id(row),
        split=row_split(row),
        question=row.text("problem"),
        pictures=hub_pictures(row, "images"),
        gold=free_form(row, row.need("answer"), units=True),
    )


ORIGINAL = Layout("original", ("[0-9]*/data.json or */[0-9]*/data.json",), _read, _problem)

ADAPTER = Adapter((ORIGINAL, parquet_layout(_hub_row), FORMALGEO, mathvista("Geometry3K")), _hub_row)
