"""Final shards, column by column: prepared text beside the pictures of the ingested shards, no row is unpacked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.sample import SCHEMA
from cogito_core.shards import write_table

_PICTURES = "images.list.element.bytes"
_MEASURED = ("pass_rate", "n_correct", "n_trials", "mean_correct_tokens", "difficulty_model")


def write_shard(
    aside: str, parts: Sequence[tuple[str, str]], rows: Sequence[int], measured: dict[int, dict[str, Any]]
) -> None:
    """Write the shard that holds `rows` of `parts` to `aside`.

    Args:
        parts: (ingested shard, prepared part) pairs; rows are numbered through them.
        rows: ascending.
        measured: row -> the columns of its measurement, with what belongs into its `meta`.
    """
    pieces = []
    start = 0
    for shard, part in parts:
        size = pq.read_metadata(part).num_rows
        here = [row - start for row in rows if start <= row < start + size]
        pieces.append(_piece(Path(shard), Path(part), here))
        start += size
    table = pa.concat_tables(pieces)
    write_table(_with_measured(table, [measured.get(row) for row in rows]), Path(aside))


def _piece(shard: Path, part: Path, rows: list[int]) -> pa.Table:
    texts = pq.read_table(part, columns=[*(name for name in SCHEMA.names if name != "images"), "shard_row"])
    texts = texts.take(pa.array(rows, pa.int64()))
    # Dictionary-encoded as stored: a picture with eight questions is in memory once until it is written.
    pictures = pq.read_table(shard, columns=["images"], read_dictionary=[_PICTURES])
    images = pictures.take(texts.column("shard_row")).column("images").cast(SCHEMA.field("images").type)
    columns = [images if name == "images" else texts.column(name) for name in SCHEMA.names]
    return pa.table(columns, schema=SCHEMA)


def _with_measured(table: pa.Table, found: Sequence[dict[str, Any] | None]) -> pa.Table:
    if not any(found):
        return table
    for name in _MEASURED:
        field = SCHEMA.field(name)
        values = [None if one is None else one[name] for one in found]
        table = table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))
    notes = table.column("meta").to_pylist()
    for place, one in enumerate(found):
        if one is not None:
            merged = {**json.loads(notes[place] or "{}"), **one["meta"]}
            notes[place] = json.dumps(merged, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return table.set_column(table.schema.get_field_index("meta"), SCHEMA.field("meta"), pa.array(notes, pa.string()))
