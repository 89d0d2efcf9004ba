"""Rows of a Hub data set, streamed or from a local copy of its Parquet files: the same values either way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cogito_core.console import CogitoError
from cogito_core.sample import Picture
from cogito_data.sources.base import HubMaker, Layout
from cogito_data.sources.rows import Row

NUMBER = "__number__"
SPLIT = "__split__"


def parquet_layout(hub_row: HubMaker, pattern: str = "**/*.parquet") -> Layout:
    """A downloaded copy of the Hub repository: Parquet files named `<split>-00000-of-00002.parquet`."""
    return Layout("hub_parquet", (pattern,), lambda base: parquet_rows(base, pattern), lambda row, _: hub_row(row))


def parquet_rows(base: Path, pattern: str) -> Iterator[Row]:
    """The rows of all files in name order, numbered within their split; pictures stay encoded bytes.

    Raises:
        CogitoError: a file is no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers: Counter[str] = Counter()
    for path in sorted(base.glob(pattern)):
        name = path.relative_to(base).as_posix()
        split = path.stem.split("-")[0]
        try:
            with pq.ParquetFile(path) as shard:
                for batch in shard.iter_batches(batch_size=64):
                    for values in batch.to_pylist():
                        yield numbered(values, split, numbers[split], name)
                        numbers[split] += 1
        except (pa.ArrowInvalid, OSError) as error:
            raise CogitoError(f"{path} is not a readable Parquet file: {error}") from error


def numbered(values: dict[str, object], split: str, number: int, name: str) -> Row:
    """A Hub row with its split and its number within the split, which serves as id where upstream has none."""
    return Row(f"{name}, row {number}", {**values, SPLIT: split, NUMBER: number})


def row_split(row: Row) -> str:
    return str(row.need(SPLIT))


def row_id(row: Row, field: str | None = None) -> str:
    """Upstream's id where it has one, else the row's number within its split."""
    if field is not None and row.get(field) not in (None, ""):
        return row.text(field)
    return str(row.need(NUMBER))


def hub_pictures(row: Row, field: str) -> tuple[Picture, ...]:
    """The pictures of an undecoded Image column, or of a list of them; null means none.

    Raises:
        BadRow: the column is absent or holds no encoded bytes (a path into an archive that is not here).
    """
    value = row.need(field)
    if value is None:
        return ()
    items = value if isinstance(value, list | tuple) else [value]
    pictures = []
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("bytes"), bytes):
            raise row.fail("picture_missing", f"field '{field}' holds no picture bytes, only {str(item)[:60]!r}")
        path = item.get("path")
        pictures.append(Picture(item["bytes"], path if isinstance(path, str) else None))
    return tuple(pictures)
