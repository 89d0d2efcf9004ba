"""EasyARC (Unsal and Akkus 2025): pictures of grid pairs, the gold is the output grid as a list of rows.

No public copy was seen: columns follow the paper's description and are read under several names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path
from cogito_data.sources.shapes.grids import grid_gold
from cogito_data.sources.shapes.hub import hub_pictures, parquet_layout, row_id, row_split

_QUESTION, _ANSWER = ("question", "prompt", "problem"), ("answer", "output", "solution")
_PICTURES = ("images", "image")


def _field(row: Row, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in row.values), names[0])


def _common(row: Row, number: str, split: str, pictures: tuple[Any, ...]) -> Problem:
    if not pictures:
        raise row.fail("no_picture", f"field '{_field(row, _PICTURES)}' is empty")
    meta = {key: row.values[key] for key in ("difficulty", "problem_type") if row.get(key)}
    return Problem(upstream_id=number, split=split, question=row.text(_field(row, _QUESTION)), pictures=pictures,
                   gold=grid_gold(row, row.gold(_field(row, _ANSWER))), meta=meta)


def _hub_row(row: Row) -> Problem:
    return _common(row, row_id(row, "id"), row_split(row), hub_pictures(row, _field(row, _PICTURES)))


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob("*.jsonl")):
        for row in json_lines(path):
            yield Row(row.where, {**row.values, "__split__": path.stem})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    field = _field(row, _PICTURES)
    names = row.texts(field) if isinstance(row.need(field), list) else (row.text(field),)
    paths = tuple(picture_path(row, base, name, ("", "images")) for name in names)
    return _common(row, row.text("id"), row.text("__split__"), paths)


ADAPTER = Adapter((parquet_layout(_hub_row), Layout("jsonl", ("*.jsonl",), _read, _problem)), _hub_row)
