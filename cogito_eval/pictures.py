"""Small copies of the pictures of a run, kept beside its results so that a report needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from cogito_core.files import replace_file
from cogito_core.images import open_picture
from cogito_core.sample import Picture

MAX_SIDE = 360
_QUALITY = 72


def thumbnail(picture: Picture, *, where: str) -> bytes:
    """The picture as a JPEG of at most 360 pixels a side; a small PNG is kept as it is.

    Raises PictureError where it cannot be decoded; the sentence starts with `where`.
    """
    opened = open_picture(picture.bytes, where=where)
    if max(opened.size) <= MAX_SIDE and len(picture.bytes) <= 6000:
        return picture.bytes
    opened.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    opened.save(buffer, format="JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()


def write_pictures(path: Path, pictures: dict[str, bytes]) -> None:
    """Write hash -> small copy as a Parquet file with the columns `sha256` and `bytes`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted(pictures)
    table = pa.table({"sha256": pa.array(names, pa.string()),
                      "bytes": pa.array([pictures[name] for name in names], pa.binary())})
    with replace_file(path) as aside:
        pq.write_table(table, aside, compression="none")


def read_pictures(path: Path, wanted: Iterable[str] | None = None) -> dict[str, bytes]:
    """The small copies of a run, all or those named; a file that is not there holds none."""
    if not path.is_file():
        return {}
    import pyarrow.parquet as pq

    names = None if wanted is None else set(wanted)
    out: dict[str, bytes] = {}
    for batch in pq.ParquetFile(path).iter_batches(batch_size=256):
        for name, data in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            if names is None or name in names:
                out[name] = data
    return out
