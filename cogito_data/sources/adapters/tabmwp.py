"""TabMWP (Lu et al. 2023): `problems_<split>.json` by id with `tables/<pid>.png`; golds with commas and units."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_dict, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.options import choice_by_text

_KEPT = ("table_title", "table", "solution", "ques_type", "ans_type", "grade")


def _read(base: Path) -> Iterator[Row]:
    """`problems_test1k.json` and `problems_dev1k.json` are parts of test and dev: an id is read once."""
    seen: set[str] = set()
    for path in sorted(base.glob("problems_*.json"), key=lambda path: ("1k" in path.stem, path.name)):
        for row in json_dict(path, "pid"):
            # Only the parts repeat: an id that two other files share is for the ledger.
            if "1k" not in path.stem or row.values["pid"] not in seen:
                seen.add(row.values["pid"])
                yield row


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    pid = row.text("pid")
    choices = row.texts("choices") if row.need("choices") is not None else ()
    unit = row.text("unit") if row.get("unit") is not None else None
    return Problem(
        upstream_id=pid,
        split=row.text("split"),
        question=row.text("question"),
        pictures=(picture_path(row, base, f"{pid}.png", ("tables",)),),
        gold=choice_by_text(row, choices, row.gold_text("answer")) if choices
        else free_form(row, row.need("answer"), unit=unit),
        choices=choices,
        meta={key: row.values[key] for key in _KEPT if row.get(key) is not None},
    )


_ORIGINAL = Layout("original", ("problems_*.json",), _read, _problem)

_hub_row = cauldron_hub(units=True)

ADAPTER = Adapter((_ORIGINAL, parquet_layout(_hub_row), mathvista("TabMWP")), _hub_row)
