"""The kept rows of all units, sorted by picture, with the memory of one shard however many there are.

An external merge sort: the text of a few thousand rows at a time is sorted into a run on disk, and the shards are
merged from all runs. Pictures stay in their unit's file until the shard that needs them is written.
"""

from __future__ import annotations

import heapq
import os
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cogito_core.sample import SCHEMA
from cogito_core.shards import shard_paths, write_table
from cogito_data.sources.unit_file import UnitFile

SHARD_ROWS = 5000
SHARD_BYTES = 96 * 2**20
"""A shard ends at this many rows or bytes of pictures, repeats counted: what one table in memory may hold."""

RUN_UNITS = 32
"""Units that are sorted together in memory, without their pictures."""

RUN_BATCH = 256
"""Rows of a run that are read at once."""

OPEN_FILES = 64

_UNIT = pa.field("unit", pa.int32())


def write_sorted(
    units: Sequence[tuple[Path, np.ndarray]], directory: Path, scratch: Path, split: str = "train"
) -> list[Path]:
    """Write the kept rows of all units as `<split>-*.parquet`, sorted by picture and id.

    The bytes are those that `cogito_core.shards.write_shards` gives for the same samples cut into the same shards.

    Args:
        units: file and the positions of its kept rows [n], in upstream's order.
        directory: where the shards go; shards of an earlier run that are not replaced are removed.
        scratch: a folder for the sorted runs, made anew and removed at the end.
        split: how the shards' names start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    runs = [
        _write_run(scratch / f"{start}.arrow", start, units[start : start + RUN_UNITS])
        for start in range(0, len(units), RUN_UNITS)
    ]
    pictures = _Pictures([path for path, _ in units])
    paths = []
    for number, rows in enumerate(_cut(_merged(runs))):
        path = directory / f"{split}-{number:05d}.parquet"
        write_table(_shard(rows, runs, pictures), path)
        paths.append(path)
    for stale in set(shard_paths(directory, split)) - set(paths):
        stale.unlink()
    shutil.rmtree(scratch)
    return paths


def _write_run(path: Path, first: int, units: Sequence[tuple[Path, np.ndarray]]) -> Path:
    """Sort the kept rows of a few units, of which `first` is the number of the first, into one file."""
    tables = []
    for number, (unit, kept) in enumerate(units, first):
        table = UnitFile(unit).rows.take(pa.array(kept, pa.int64())).replace_schema_metadata(None)
        tables.append(table.append_column(_UNIT, pa.array(np.full(len(kept), number), _UNIT.type)))
    table = pa.concat_tables(tables).sort_by([("image_hash", "ascending"), ("id", "ascending")])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=RUN_BATCH)
    return path


def _batches(run: Path, first: int = 0) -> Iterator[pa.RecordBatch]:
    # Read, not mapped: mapped pages would count as memory of this process as long as the file is open.
    with pa.OSFile(str(run), "rb") as source, pa.ipc.open_file(source) as reader:
        for number in range(first, reader.num_record_batches):
            yield reader.get_batch(number)


_Key = tuple[str, str, int, int, int]


def _merged(runs: Sequence[Path]) -> Iterator[_Key]:
    """(picture hash, id, run, row in the run, bytes of its pictures) of all rows in the order of the shards."""
    return heapq.merge(*(_keys(number, run) for number, run in enumerate(runs)))


def _keys(number: int, run: Path) -> Iterator[_Key]:
    rows = count()
    for batch in _batches(run):
        columns = batch.select(["image_hash", "id", "pictures"]).to_pydict()
        for image_hash, name, pictures in zip(*columns.values(), strict=True):
            yield image_hash, name, number, next(rows), sum(one["size"] for one in pictures)


def _cut(rows: Iterator[_Key]) -> Iterator[list[tuple[int, int]]]:
    """(run, row) of the rows of each shard; one empty shard where there are no rows."""
    part: list[tuple[int, int]] = []
    used = written = 0
    for *_, run, row, size in rows:
        if part and (len(part) >= SHARD_ROWS or used + size > SHARD_BYTES):
            yield part
            part, used, written = [], 0, written + 1
        part.append((run, row))
        used += size
    if part or not written:
        yield part


def _shard(rows: list[tuple[int, int]], runs: Sequence[Path], pictures: _Pictures) -> pa.Table:
    """The table of one shard. The rows of a run stand together in it, so each run gives one slice."""
    by_run: dict[int, list[int]] = {}
    for run, row in rows:
        by_run.setdefault(run, []).append(row)
    slices = []
    starts = {}
    total = 0
    for run, wanted in by_run.items():
        starts[run] = total - wanted[0]
        slices.append(_slice(runs[run], wanted[0], wanted[-1] + 1))
        total += len(wanted)
    if not slices:
        return SCHEMA.empty_table()
    order = np.array([starts[run] + row for run, row in rows], dtype=np.int64)
    table = pa.concat_tables(slices).take(pa.array(order))
    images = pa.array(pictures.of(table), SCHEMA.field("images").type)
    table = table.drop_columns(["pictures", _UNIT.name])
    return table.add_column(SCHEMA.get_field_index("images"), SCHEMA.field("images"), images)


def _slice(run: Path, start: int, stop: int) -> pa.Table:
    first = start // RUN_BATCH
    needed = -(-stop // RUN_BATCH) - first
    batches = [batch for _, batch in zip(range(needed), _batches(run, first), strict=False)]
    return pa.Table.from_batches(batches).slice(start - first * RUN_BATCH, stop - start)


class _Pictures:
    """Reads pictures out of the unit files, one at a time."""

    def __init__(self, units: Sequence[Path]) -> None:
        self._units = units

    def of(self, table: pa.Table) -> list[list[dict[str, Any]]]:
        """The images column of rows that have the columns `unit` and `pictures`."""
        handles = lru_cache(OPEN_FILES)(lambda unit: self._units[unit].open("rb", buffering=0))
        found = []
        # Rows are sorted by picture: the questions on one follow each other and share its bytes.
        read = lru_cache(64)(lambda unit, at, size: os.pread(handles(unit).fileno(), size, at))
        for unit, row in zip(*(table.column(name).to_pylist() for name in ("unit", "pictures")), strict=True):
            found.append([{"bytes": read(unit, one["at"], one["size"]), "path": one["path"]} for one in row])
        return found
