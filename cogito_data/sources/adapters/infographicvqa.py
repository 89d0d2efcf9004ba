"""InfographicVQA (Mathew et al. 2022): `infographicsVQA_<split>_v1.0*.json`; several answers are equally right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.vlm_jsonl import vlm_jsonl
from cogito_data.sources.shapes.vqa import first_of

_PATTERN = "infographicsVQA_*_v1.0*.json"
_FOLDERS = ("infographicsvqa_images", "images", "", "../images")


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob(_PATTERN)):
        for row in json_list(path, "data"):
            yield Row(row.where, {**row.values, "__split__": path.stem.split("_")[1]})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    kept = ("answer_type", "evidence", "operation/reasoning")
    return Problem(
        upstream_id=row.text("questionId"),
        split=row.text("__split__"),
        question=row.text("question"),
        pictures=(picture_path(row, base, row.text("image_local_name"), _FOLDERS),),
        gold=first_of(row, row.texts("answers")),
        meta={key: row.values[key] for key in kept if row.get(key)},
    )


_hub_row = cauldron_hub()

ADAPTER = Adapter(
    (
        Layout("original", (_PATTERN,), _read, _problem),
        vlm_jsonl("infographicvqa_*.jsonl", lambda row: first_of(row, row.texts("answer")), _FOLDERS),
        parquet_layout(_hub_row),
    ),
    _hub_row,
)
