"""Final shards, column by column: prepared text beside the pictures of the ingested shards, no row is unpacked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.sample import SCHEMA
from cogito_core.shards import write_table
from cogito_data.trials import Measured

_PICTURES = "images.list.element.bytes"
_MEASURED = ("pass_rate", "n_correct", "n_trials", "mean_correct_tokens", "difficulty_model")


def write_shard(
    aside: str, parts: Sequence[tuple[str, str]], rows: np.ndarray, measured: Measured | None = None
) -> None:
    """Write the shard that holds `rows` of `parts` to `aside`.

    Args:
        parts: (ingested shard, prepared part) pairs; rows are numbered through them.
        rows: ascending [n].
        measured: what was measured of each of them, in their order.
    """
    pieces = []
    start = 0
    for shard, part in parts:
        size = pq.read_metadata(part).num_rows
        here = rows[(rows >= start) & (rows < start + size)] - start
        pieces.append(_piece(Path(shard), Path(part), here))
        start += size
    table = pa.concat_tables(pieces)
    found = [] if measured is None else [measured.columns(place) for place in range(len(rows))]
    write_table(_with_measured(table, found), Path(aside))


def _piece(shard: Path, part: Path, rows: np.ndarray) -> pa.Table:
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
