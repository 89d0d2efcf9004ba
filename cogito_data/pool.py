"""The rows of a build: keys and fates of all of them in memory, text and pictures on disk until asked for.

A row costs about 300 bytes here, so a million rows fit into a few hundred megabytes whatever their pictures weigh.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cogito_core.sample import SCHEMA, Sample, row_to_sample
from cogito_data.prepare import Drop

_KEYS = ["id", "source", "category", "image_hash", "pictures", "dhashes", "question_key", "answer_key",
         "picture_bytes", "reformulation"]
_GROUPS_HELD = 4
_STREAM_ROWS = 4096


class Pool:
    """Rows in the order of the recipe's sources, then of their shards.

    Attributes:
        alive: which rows are still in, [n] bool.
        drops: what left, in the order in which it left.
    """

    def __init__(self, parts: Sequence[tuple[Path, Path]]) -> None:
        """`parts` are (ingested shard, prepared part) pairs."""
        self.parts = list(parts)
        self.drops: list[Drop] = []
        tables = [pq.read_table(part, columns=_KEYS, memory_map=True) for _, part in self.parts]
        self._keys = pa.concat_tables(tables)
        self._starts = np.cumsum([0, *(table.num_rows for table in tables)])
        self.alive = np.ones(len(self), dtype=bool)
        self._shards = _Groups([shard for shard, _ in self.parts], ["images"])
        self._texts = _Groups([part for _, part in self.parts], None)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def rows(self) -> list[int]:
        """Numbers of the rows that are still in."""
        return [int(row) for row in np.flatnonzero(self.alive)]

    def column(self, name: str) -> list[Any]:
        """One key column of all rows, dropped ones included; as Python objects, so not for wide columns."""
        return list(self._keys.column(name).to_pylist())

    def stream(self, *names: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """(row, its values) of the rows that are in when their turn comes, a few thousand unpacked at a time."""
        keys = self._keys.select(list(names))
        for start in range(0, len(self), _STREAM_ROWS):
            columns = keys.slice(start, _STREAM_ROWS).to_pydict()
            for place, values in enumerate(zip(*(columns[name] for name in names), strict=True)):
                if self.alive[start + place]:
                    yield start + place, values

    def value(self, name: str, row: int) -> Any:
        """One key of one row."""
        return self._keys.column(name)[row].as_py()

    def short_keys(self, *names: str) -> np.ndarray:
        """[n] uint64: a hash of the given key columns of every row; equal keys have equal hashes, not the reverse."""
        out = np.zeros(len(self), dtype=np.uint64)
        keys = self._keys.select(list(names))
        for start in range(0, len(self), _STREAM_ROWS):
            columns = keys.slice(start, _STREAM_ROWS).to_pydict()
            for place, values in enumerate(zip(*(columns[name] for name in names), strict=True)):
                joined = b"".join(b"".join(v) if isinstance(v, list) else v for v in values)
                out[start + place] = int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "little")
        return out

    def numbers(self, name: str) -> np.ndarray:
        """One numeric key column of all rows [n]; nulls are zero."""
        return np.asarray(pc.fill_null(self._keys.column(name), 0).to_numpy())

    def codes(self, name: str) -> tuple[list[str], np.ndarray]:
        """A text column as (its values, index of each row's value)."""
        encoded = pc.dictionary_encode(self._keys.column(name)).unify_dictionaries().combine_chunks()
        return list(encoded.dictionary.to_pylist()), np.asarray(encoded.indices)

    def name(self, row: int) -> str:
        """The id of a row."""
        return str(self._keys.column("id")[row].as_py())

    def drop(self, row: int, stage: str, reason: str, evidence: str = "") -> None:
        """Take a row out, with its reason for the ledger."""
        if not self.alive[row]:
            raise ValueError(f"row {row} was dropped before")
        self.alive[row] = False
        source, category = (str(self._keys.column(name)[row].as_py()) for name in ("source", "category"))
        self.drops.append(Drop(self.name(row), source, category, stage, reason, evidence))

    def place(self, row: int) -> tuple[int, int]:
        """(part, position in the part) of a row."""
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return part, row - int(self._starts[part])

    def excerpt(self, rows: Sequence[int]) -> tuple[list[tuple[str, str]], list[int]]:
        """The parts that hold `rows`, as plain text for a worker, and the numbers of the rows in a Pool of those.

        A work unit opens only these, so its memory does not grow with the build.
        """
        places = [self.place(row) for row in rows]
        used = sorted({part for part, _ in places})
        starts = dict(zip(used, np.cumsum([0, *(self._starts[part + 1] - self._starts[part] for part in used)]),
                          strict=False))
        parts = [(str(self.parts[part][0]), str(self.parts[part][1])) for part in used]
        return parts, [int(starts[part]) + position for part, position in places]

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


class _Groups:
    """Random access to rows of many Parquet files; a few row groups are held decoded."""

    def __init__(self, paths: Sequence[Path], columns: list[str] | None) -> None:
        self._paths = paths
        self._columns = columns
        self._files: OrderedDict[int, tuple[pq.ParquetFile, np.ndarray]] = OrderedDict()
        self._held: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()

    def row(self, number: int, position: int) -> dict[str, Any]:
        file, starts = self._file(number)
        group = int(np.searchsorted(starts, position, side="right")) - 1
        table = self._group(number, group, file)
        return dict(table.slice(position - int(starts[group]), 1).to_pylist()[0])

    def _file(self, number: int) -> tuple[pq.ParquetFile, np.ndarray]:
        known = self._files.get(number)
        if known is None:
            columns = [f"{name}.list.element.bytes" for name in self._columns or () if name == "images"]
            reading = [*columns] if columns else None
            file = pq.ParquetFile(self._paths[number], memory_map=True, read_dictionary=reading)
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
