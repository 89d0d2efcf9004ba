"""ChartQA (Masry et al. 2022): `<split>/<split>_{human,augmented}.json` beside `<split>/png/<imgname>`.

Numbers are judged with ChartQA's relaxed accuracy, 5% relative tolerance (section 5.1 of the paper), but years
exactly: at 5% every plausible year would be right, which rewards a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import hub_pictures, parquet_layout, row_id, row_split
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.vlm_jsonl import vlm_jsonl

RELAXED = {"policy": "relative(0.05,years)"}


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob("*/*_human.json")) + sorted(base.glob("*/*_augmented.json")):
        split, _, part = path.stem.rpartition("_")
        for number, row in enumerate(json_list(path)):
            place = {"__split__": split, "__part__": part, "__number__": number, "__folder__": path.parent.name}
            yield Row(row.where, {**row.values, **place})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    part, name = row.text("__part__"), row.text("imgname")
    return Problem(
        upstream_id=f"{part}-{row.integer('__number__')}",
        split=row.text("__split__"),
        question=row.text("query"),
        pictures=(picture_path(row, base / row.text("__folder__"), name, ("png",)),),
        gold=free_form(row, row.need("label"), prose=True, spec=RELAXED),
        meta={"part": part, "imgname": name},
    )


def _hub_row(row: Row) -> Problem:
    labels = row.need("label")
    return Problem(
        upstream_id=row_id(row),
        split=row_split(row),
        question=row.text("query"),
        pictures=hub_pictures(row, "image"),
        gold=free_form(row, labels[0] if isinstance(labels, list) and labels else labels, prose=True, spec=RELAXED),
        meta={"part": row.get("human_or_machine")},
    )


_ORIGINAL = Layout("original", ("*/*_human.json",), _read, _problem)
_CONVERTED = vlm_jsonl("test_all.jsonl", lambda row: free_form(row, row.need("answer"), prose=True, spec=RELAXED))

ADAPTER = Adapter((_ORIGINAL, _CONVERTED, parquet_layout(_hub_row), mathvista("ChartQA")), _hub_row)
