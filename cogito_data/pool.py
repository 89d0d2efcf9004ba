"""The rows of a build: who they are and whether they are in, in memory; all else on disk until it is asked for.

A row costs about 80 bytes here, most of them its id. Keys, text and pictures are streamed or looked up, so what a
step needs in memory is what it keeps itself.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cogito_core.sample import SCHEMA, Sample, row_to_sample
from cogito_data.drops import Drop, DropLog

_CODED = ("source", "category", "reformulation")
_HELD = ["id", "picture_bytes", *_CODED]
_GROUPS_HELD = 4
_STREAM_ROWS = 4096


class Pool:
    """Rows in the order of the recipe's sources, then of their shards.

    Attributes:
        alive: which rows are still in, [n] bool.
        drops: what left, in the order in which it left.
        picture_bytes: encoded size of each row's pictures, [n] int64.
    """

    def __init__(self, parts: Sequence[tuple[Path, Path]], drops: DropLog | None = None) -> None:
        """`parts` are (ingested shard, prepared part) pairs; `drops` may hold what left before."""
        self.parts = list(parts)
        self.drops = DropLog() if drops is None else drops
        tables = [_read(part, _HELD) for _, part in self.parts]
        self._starts = np.cumsum([0, *(table.num_rows for table in tables)])
        held = pa.concat_tables(tables).unify_dictionaries() if tables else None
        self._ids = pa.chunked_array([], pa.string()) if held is None else held.column("id")
        self._codes = {name: _codes(held, name) for name in _CODED}
        self.picture_bytes = (
            np.zeros(0, np.int64) if held is None else np.asarray(pc.fill_null(held.column("picture_bytes"), 0))
        )
        self.alive = np.ones(len(self), dtype=bool)
        self._shards = _Groups([shard for shard, _ in self.parts], ["images"])
        self._texts = _Groups([part for _, part in self.parts], None)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def rows(self) -> np.ndarray:
        """Numbers of the rows that are still in, ascending [m] int64."""
        return np.flatnonzero(self.alive)

    def rows_of(self, part: int) -> np.ndarray:
        """Numbers of the rows of one part that are still in, ascending."""
        start, end = self._starts[part], self._starts[part + 1]
        return np.asarray(start + np.flatnonzero(self.alive[start:end]))

    def with_parts(self, prepared: Mapping[int, Path]) -> Pool:
        """The same rows with other prepared parts (number -> file) that hold the same rows in the same order."""
        parts = [(shard, prepared.get(number, part)) for number, (shard, part) in enumerate(self.parts)]
        pool = Pool(parts, self.drops)
        pool.alive = self.alive
        return pool

    def stream(self, *names: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """(row, its values) of the rows that are in when their turn comes, a few thousand read at a time."""
        for start, (_, part) in zip(self._starts.tolist(), self.parts, strict=False):
            with pq.ParquetFile(part) as file:
                for batch in file.iter_batches(_STREAM_ROWS, columns=list(names)):
                    if self.alive[start : start + batch.num_rows].any():
                        columns = batch.to_pydict()
                        for place, values in enumerate(zip(*(columns[name] for name in names), strict=True)):
                            if self.alive[start + place]:
                                yield start + place, values
                    start += batch.num_rows

    def value(self, name: str, row: int) -> Any:
        """One column of one row, but not its pictures."""
        return self._texts.value(*self.place(row), name)

    def short_keys(self, *names: str) -> np.ndarray:
        """[n] uint64: a hash of key columns; equal keys have equal hashes, not the reverse. Zero for dropped rows."""
        out = np.zeros(len(self), dtype=np.uint64)
        for row, values in self.stream(*names):
            joined = b"".join(b"".join(v) if isinstance(v, list) else v for v in values)
            out[row] = int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "little")
        return out

    def codes(self, name: str) -> tuple[list[str], np.ndarray]:
        """`source`, `category` or `reformulation` as (its values, index of each row's value [n])."""
        return self._codes[name]

    def name(self, row: int) -> str:
        """The id of a row."""
        return str(self._ids[int(row)].as_py())

    def names(self) -> Iterator[str]:
        """The ids of the rows that are in."""
        for chunk_start in range(0, len(self), _STREAM_ROWS):
            alive = self.alive[chunk_start : chunk_start + _STREAM_ROWS]
            yield from self._ids.slice(chunk_start, len(alive)).filter(pa.array(alive)).to_pylist()

    def drop(self, row: int, stage: str, reason: str, evidence: str = "") -> None:
        """Take a row out, with its reason for the ledger."""
        if not self.alive[row]:
            raise ValueError(f"row {row} was dropped before")
        self.alive[row] = False
        source, category = (values[codes[row]] for values, codes in (self._codes["source"], self._codes["category"]))
        self.drops.add(Drop(self.name(row), source, category, stage, reason, evidence))

    def place(self, row: int) -> tuple[int, int]:
        """(part, position in the part) of a row."""
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return part, row - int(self._starts[part])

    def excerpt(self, rows: np.ndarray) -> tuple[list[tuple[str, str]], np.ndarray]:
        """The parts that hold `rows`, as plain text for a worker, and the numbers of the rows in a Pool of those.

        A work unit opens only these, so its memory does not grow with the build.
        """
        part_of = np.searchsorted(self._starts, rows, side="right") - 1
        used, place = np.unique(part_of, return_inverse=True)
        sizes = self._starts[used + 1] - self._starts[used]
        starts = np.cumsum(sizes) - sizes
        parts = [(str(self.parts[part][0]), str(self.parts[part][1])) for part in used.tolist()]
        return parts, (starts[place] + rows - self._starts[part_of]).astype(np.int32)

    def text(self, row: int) -> dict[str, Any]:
        """All columns of a row but its pictures."""
        part, position = self.place(row)
        return self._texts.row(part, position)

    def pictures(self, row: int) -> list[bytes]:
        """Encoded pictures of a row."""
        part, position = self.place(row)
        shard_row = self._texts.row(part, position)["shard_row"]
        return [picture["bytes"] for picture in self._shards.row(part, shard_row)["images"]]

    def sample(self, row: int) -> Sample:
        """A row whole, pictures included."""
        part, position = self.place(row)
        values = self._texts.row(part, position)
        images = self._shards.row(part, values["shard_row"])["images"]
        known = {name: values[name] for name in SCHEMA.names if name != "images"}
        return row_to_sample({**known, "images": images})


def _read(part: Path, columns: list[str]) -> pa.Table:
    return pq.read_table(part, columns=columns, read_dictionary=[name for name in columns if name in _CODED])


def _codes(table: pa.Table | None, name: str) -> tuple[list[str], np.ndarray]:
    if table is None:
        return [], np.zeros(0, np.int32)
    column = table.column(name).combine_chunks()
    encoded = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return list(encoded.dictionary.to_pylist()), np.asarray(encoded.indices)


class _Groups:
    """Random access to rows of many Parquet files; a few row groups are held decoded."""

    def __init__(self, paths: Sequence[Path], columns: list[str] | None) -> None:
        self._paths = paths
        self._columns = columns
        self._files: OrderedDict[int, tuple[pq.ParquetFile, np.ndarray]] = OrderedDict()
        self._held: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()

    def row(self, number: int, position: int) -> dict[str, Any]:
        table, place = self._at(number, position)
        return dict(table.slice(place, 1).to_pylist()[0])

    def value(self, number: int, position: int, name: str) -> Any:
        table, place = self._at(number, position)
        return table.column(name)[place].as_py()

    def _at(self, number: int, position: int) -> tuple[pa.Table, int]:
        file, starts = self._file(number)
        group = int(np.searchsorted(starts, position, side="right")) - 1
        return self._group(number, group, file), position - int(starts[group])

    def _file(self, number: int) -> tuple[pq.ParquetFile, np.ndarray]:
        known = self._files.get(number)
        if known is None:
            columns = [f"{name}.list.element.bytes" for name in self._columns or () if name == "images"]
            reading = [*columns] if columns else None
            file = pq.ParquetFile(self._paths[number], read_dictionary=reading)
            sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            known = self._files[number] = (file, np.cumsum([0, *sizes]))
            if len(self._files) > 32:
                self._files.popitem(last=False)
        return known

    def _group(self, number: int, group: int, file: pq.ParquetFile) -> pa.Table:
        key = (number, group)
        if key not in self._held:
            self._held[key] = file.read_row_group(group, columns=self._columns)
            if len(self._held) > _GROUPS_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return self._held[key]
