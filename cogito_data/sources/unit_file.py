"""The file of one finished unit: its pictures as raw bytes, each once, then its rows, which say where theirs are.

Questions on one picture are neighbours upstream, so this stores and copies a picture once instead of five or ten
times; and a picture can be read back without reading anything else.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from cogito_core.sample import Picture, Sample, samples_to_table

PICTURES = pa.field(
    "pictures", pa.list_(pa.struct([("at", pa.int64()), ("size", pa.int64()), ("path", pa.string())]))
)
"""Of each picture of a row: where its bytes start in the unit's file, how many they are, upstream's name."""

_END = struct.Struct("<Q")


@dataclass(frozen=True)
class Refusal:
    """A row that was refused: its id, the reason as in `rows.REASONS`, and one sentence."""

    id: str
    reason: str
    evidence: str


_UNSTORABLE = (UnicodeEncodeError, TypeError, ValueError, OverflowError, pa.ArrowException)


def write_unit(path: Path, n_rows: int, found: Sequence[Sample | Refusal]) -> None:
    """Write samples and refusals in their order. `n_rows` is the number of upstream rows they came from."""
    with path.open("wb") as out:
        places = _write_pictures(out, [item for item in found if isinstance(item, Sample)])
        try:
            rows = _without_pictures([item for item in found if isinstance(item, Sample)], places)
        except _UNSTORABLE:
            # Half a surrogate pair (JSON allows it) cannot be stored as UTF-8, nor bytes and dates of a Parquet copy
            # as the JSON of `meta`: those rows go, the others stay.
            found = [item if isinstance(item, Refusal) else _storable(item) for item in found]
            rows = _without_pictures([item for item in found if isinstance(item, Sample)], places)
        refused = [
            [i, item.id, item.reason, item.evidence] for i, item in enumerate(found) if isinstance(item, Refusal)
        ]
        rows = rows.replace_schema_metadata({"n_rows": str(n_rows), "refused": json.dumps(refused)})
        start = out.tell()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        out.write(sink.getvalue())
        out.write(_END.pack(start))


def _write_pictures(out: BinaryIO, samples: Sequence[Sample]) -> dict[tuple[str, int], int]:
    """Write each picture once; (its sha256, its size) -> where it starts."""
    places: dict[tuple[str, int], int] = {}
    for sample in samples:
        for picture in sample.images:
            if _identity(picture) not in places:
                places[_identity(picture)] = out.tell()
                out.write(picture.bytes)
    return places


def _identity(picture: Picture) -> tuple[str, int]:
    return picture.sha256, len(picture.bytes)


def _without_pictures(samples: Sequence[Sample], places: dict[tuple[str, int], int]) -> pa.Table:
    """The samples with the column PICTURES in place of their pictures."""
    pointers = [
        [{"at": places[_identity(one)], "size": len(one.bytes), "path": one.path} for one in sample.images]
        for sample in samples
    ]
    light = [copy(sample) for sample in samples]
    for sample in light:
        sample.images = ()
    table = samples_to_table(light).append_column(PICTURES, pa.array(pointers, PICTURES.type))
    return table.drop_columns(["images"])


def _storable(sample: Sample) -> Sample | Refusal:
    try:
        samples_to_table([sample])
    except UnicodeEncodeError:
        return unstorable(sample.id)
    except _UNSTORABLE as error:
        return Refusal(sample.id, "unreadable", f"{sample.id}: a value of the row cannot be stored ({error})")
    return sample


def unstorable(name: str) -> Refusal:
    """The refusal of a row whose text is no valid Unicode."""
    name = name.encode("utf-8", "backslashreplace").decode()
    return Refusal(name, "unreadable", f"{name}: its text holds half a surrogate pair and cannot be stored")


class UnitFile:
    """The rows and refusals of a finished unit; its pictures stay on disk.

    Attributes:
        rows: the samples without their pictures, with the column PICTURES.
        n_rows: upstream rows they came from.
        refused: position among samples and refusals -> refusal.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as handle:
            handle.seek(-_END.size, os.SEEK_END)
            end = handle.tell()
            (start,) = _END.unpack(handle.read(_END.size))
            handle.seek(start)
            self.rows = pa.ipc.open_stream(handle.read(end - start)).read_all()
        metadata = self.rows.schema.metadata
        self.n_rows = int(metadata[b"n_rows"])
        self.refused = {i: Refusal(*rest) for i, *rest in json.loads(metadata[b"refused"])}
