"""The file of one finished unit, and how the shards are gathered from all of them with flat memory.

A unit holds two Arrow streams: its pictures, each once, then its rows, which point at them. Questions on one
picture are neighbours upstream, so this stores and copies a picture once instead of five or ten times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from cogito_core.sample import SCHEMA, Picture, Sample, samples_to_table
from cogito_core.shards import shard_paths, write_table

SHARD_ROWS = 5000
SHARD_BYTES = 256 * 2**20
"""A shard ends at this many rows or bytes of pictures, repeats counted: what one table in memory may hold."""

BATCH_PICTURES = 64
BATCH_BYTES = 16 * 2**20
"""A batch of a unit's picture stream ends at this many pictures or bytes."""

_PICTURES = pa.schema([("bytes", pa.binary()), ("path", pa.string())])
_POINTERS = pa.field("pictures", pa.list_(pa.int32()))


@dataclass(frozen=True)
class Refusal:
    """A row that was refused: its id, the reason as in `rows.REASONS`, and one sentence."""

    id: str
    reason: str
    evidence: str


def write_unit(path: Path, n_rows: int, found: Sequence[Sample | Refusal]) -> None:
    """Write samples and refusals in their order. `n_rows` is the number of upstream rows they came from."""
    kept: list[Picture] = []
    samples = [item for item in found if isinstance(item, Sample)]
    try:
        rows = _without_pictures(samples, kept)
    except UnicodeEncodeError:
        # Half a surrogate pair (JSON allows it) cannot be stored as UTF-8: those rows are refused, the others stay.
        found = [item if isinstance(item, Refusal) else _storable(item) for item in found]
        kept = []
        rows = _without_pictures([item for item in found if isinstance(item, Sample)], kept)
    refused = [[i, item.id, item.reason, item.evidence] for i, item in enumerate(found) if isinstance(item, Refusal)]
    rows = rows.replace_schema_metadata({"n_rows": str(n_rows), "refused": json.dumps(refused)})
    with pa.OSFile(str(path), "wb") as sink:
        with pa.ipc.new_stream(sink, _PICTURES) as writer:
            for part in _cut([len(picture.bytes) for picture in kept], BATCH_PICTURES, BATCH_BYTES):
                batch = [kept[place] for place in part]
                columns = [[picture.bytes for picture in batch], [picture.path for picture in batch]]
                writer.write_batch(pa.record_batch(columns, schema=_PICTURES))
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)


def _without_pictures(samples: Sequence[Sample], kept: list[Picture]) -> pa.Table:
    """The samples with a column of pointers in place of their pictures, which go into `kept`, each once."""
    places: dict[tuple[str, str | None], int] = {}
    pointers = []
    for sample in samples:
        here = []
        for picture in sample.images:
            place = places.setdefault((picture.sha256, picture.path), len(kept))
            if place == len(kept):
                kept.append(picture)
            here.append(place)
        pointers.append(here)
    light = [copy(sample) for sample in samples]
    for sample in light:
        sample.images = ()
    table = samples_to_table(light).append_column(_POINTERS, pa.array(pointers, _POINTERS.type))
    return table.drop_columns(["images"])


def _storable(sample: Sample) -> Sample | Refusal:
    try:
        samples_to_table([sample])
    except UnicodeEncodeError:
        return unstorable(sample.id)
    return sample


def unstorable(name: str) -> Refusal:
    """The refusal of a row whose text is no valid Unicode."""
    name = name.encode("utf-8", "backslashreplace").decode()
    return Refusal(name, "unreadable", f"{name}: its text holds half a surrogate pair and cannot be stored")


class UnitFile:
    """A finished unit, memory-mapped."""

    def __init__(self, path: Path) -> None:
        source = pa.memory_map(str(path))
        self._pictures = [(batch, i) for batch in pa.ipc.open_stream(source) for i in range(batch.num_rows)]
        self.rows = pa.ipc.open_stream(source).read_all()
        metadata = self.rows.schema.metadata
        self.n_rows = int(metadata[b"n_rows"])
        self.refused = {i: Refusal(*rest) for i, *rest in json.loads(metadata[b"refused"])}

    def picture(self, place: int) -> dict[str, bytes | str | None]:
        """A picture as the images column holds it."""
        batch, row = self._pictures[place]
        return {"bytes": batch.column(0)[row].as_py(), "path": batch.column(1)[row].as_py()}

    def size(self, place: int) -> int:
        """Bytes of a picture."""
        batch, row = self._pictures[place]
        return len(batch.column(0)[row].as_buffer())


def write_sorted(units: Sequence[tuple[Path, Sequence[int]]], directory: Path) -> list[Path]:
    """Write the kept rows of all units as `train-*.parquet`, sorted by picture and id.

    The bytes are those that `cogito_core.shards.write_shards` gives for the same samples cut into the same
    shards, but only one shard is in memory at a time.

    Args:
        units: file and the positions of its kept rows, in upstream's order.
        directory: where the shards go; shards of an earlier run that are not replaced are removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    opened = lru_cache(maxsize=64)(UnitFile)
    order = _order((number, opened(path), kept) for number, (path, kept) in enumerate(units))
    paths = []
    for number, part in enumerate(_cut(order.column("size").to_pylist(), SHARD_ROWS, SHARD_BYTES)):
        rows = order.slice(part.start, len(part))
        wanted = list(zip(rows.column("unit").to_pylist(), rows.column("row").to_pylist(), strict=True))
        path = directory / f"train-{number:05d}.parquet"
        write_table(_gather(wanted, lambda unit: opened(units[unit][0])), path)
        paths.append(path)
    for stale in set(shard_paths(directory, "train")) - set(paths):
        stale.unlink()
    return paths


_ORDER = pa.schema([
    ("image_hash", pa.string()), ("id", pa.string()), ("unit", pa.int32()), ("row", pa.int32()), ("size", pa.int64())
])


def _order(units: Iterable[tuple[int, UnitFile, Sequence[int]]]) -> pa.Table:
    """Where each kept row is, in the order of the shards; as Arrow columns, a million rows are about 80 MB."""
    parts = [_ORDER.empty_table()]
    for number, unit, kept in units:
        rows = unit.rows.select(["image_hash", "id", "pictures"]).take(pa.array(kept, pa.int64()))
        sizes = [sum(map(unit.size, places)) for places in rows.column("pictures").to_pylist()]
        columns = [
            rows.column("image_hash").combine_chunks(),
            rows.column("id").combine_chunks(),
            pa.array([number] * len(kept), pa.int32()),
            pa.array(kept, pa.int32()),
            pa.array(sizes, pa.int64()),
        ]
        parts.append(pa.Table.from_arrays(columns, schema=_ORDER))
    return pa.concat_tables(parts).sort_by([("image_hash", "ascending"), ("id", "ascending")])


def _cut(sizes: Sequence[int], most_rows: int, most_bytes: int) -> Iterator[range]:
    """Ranges of at most so many rows and bytes; one empty range where there are no rows."""
    start = used = 0
    for row, size in enumerate(sizes):
        if row > start and (row - start >= most_rows or used + size > most_bytes):
            yield range(start, row)
            start, used = row, 0
        used += size
    yield range(start, len(sizes))


def _gather(wanted: Sequence[tuple[int, int]], opened) -> pa.Table:  # type: ignore[no-untyped-def]
    """The table of one shard: rows taken unit by unit, then put into the wanted order."""
    by_unit: dict[int, list[int]] = {}
    position: dict[tuple[int, int], int] = {}
    for unit, row in wanted:
        by_unit.setdefault(unit, []).append(row)
    tables = []
    images: list[list[dict[str, bytes | str | None]]] = []
    for unit, rows in by_unit.items():
        file = opened(unit)
        for row in rows:
            position[unit, row] = len(position)
        table = file.rows.take(pa.array(rows, pa.int64())).replace_schema_metadata(None)
        known: dict[int, dict[str, bytes | str | None]] = {}
        for places in table.column("pictures").to_pylist():
            images.append([known.get(place) or known.setdefault(place, file.picture(place)) for place in places])
        tables.append(table.drop_columns(["pictures"]))
    if not tables:
        return SCHEMA.empty_table()
    sequence = [position[key] for key in wanted]
    gathered = pa.concat_tables(tables).take(pa.array(sequence, pa.int64()))
    column = pa.array([images[place] for place in sequence], SCHEMA.field("images").type)
    at = SCHEMA.get_field_index("images")
    return gathered.add_column(at, SCHEMA.field("images"), column)
