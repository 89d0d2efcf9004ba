"""Parquet shards of samples: sorted by picture, pictures dictionary-encoded, the same bytes every time.

Measured (reference/curation.md 6b): 16,000 questions on 2,000 pictures take 26 MB instead of 209 MB this
way, and every Parquet reader still sees plain rows.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.chat_column import PROMPT, prompt_column
from cogito_core.console import CogitoError
from cogito_core.files import replace_file
from cogito_core.sample import (
    PICTURE,
    REQUIRED,
    SCHEMA,
    SCHEMA_VERSION,
    Sample,
    row_to_sample,
    samples_to_table,
)

ROW_GROUP_ROWS = 500
"""Rows of one row group: small enough for random access, large enough for the dictionary to pay."""

PICTURE_BYTES = "images.list.element.bytes"
"""Parquet's own path of the column that holds the encoded pictures."""

_DICTIONARY_COLUMNS = [
    PICTURE_BYTES, "source", "category", "split", "license", "upstream_revision", "prompt.list.element.role",
    "prompt.list.element.content.list.element.type",
]  # fmt: skip


def hub_feature(kind: pa.DataType) -> Any:
    """What `datasets` calls a column of this type, as its JSON in a file's metadata has it.

    A list is a bare JSON list: what `datasets` 5 writes itself, `{"_type": "List"}`, stops versions before 4.
    """
    if pa.types.is_list(kind):
        return [hub_feature(kind.value_type)]
    if kind == PICTURE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {kind.field(i).name: hub_feature(kind.field(i).type) for i in range(kind.num_fields)}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}


def file_schema(others: Sequence[pa.Field] = (PROMPT,)) -> pa.Schema:
    """SCHEMA and what stands beside it in a file, with a shard's metadata: Hub features and our schema version."""
    fields = [*SCHEMA, *others]
    info = {"info": {"features": {field.name: hub_feature(field.type) for field in fields}}}
    return pa.schema(
        fields, metadata={"huggingface": json.dumps(info), "cogito_schema_version": str(SCHEMA_VERSION)}
    )


def codecs(schema: pa.Schema) -> dict[str, str]:
    """Compression of every column that Parquet stores, by its dotted path: pictures are compressed already."""
    found: dict[str, str] = {}

    def walk(path: str, kind: pa.DataType) -> None:
        if pa.types.is_list(kind):
            walk(f"{path}.list.element", kind.value_type)
        elif pa.types.is_struct(kind):
            for i in range(kind.num_fields):
                walk(f"{path}.{kind.field(i).name}", kind.field(i).type)
        else:
            found[path] = "none" if path == PICTURE_BYTES else "zstd"

    for field in schema:
        walk(field.name, field.type)
    return found


def sort_key(sample: Sample) -> tuple[str, str, str]:
    """Order within a shard: source, picture, id; questions on one picture become neighbours."""
    return (sample.source, sample.image_hash, sample.id)


def write_table(table: pa.Table, path: Path) -> None:
    """Write one shard atomically with fixed writer options; the same rows give the same bytes.

    `table` has the columns of SCHEMA. Others are left out: `prompt` is always made anew of `problem` and `images`.
    """
    table = table.select(SCHEMA.names).cast(SCHEMA)
    schema = file_schema()
    with replace_file(path) as aside, pq.ParquetWriter(
        aside,
        schema,
        compression=codecs(schema),
        use_dictionary=_DICTIONARY_COLUMNS,
        dictionary_pagesize_limit=64 * 2**20,
        write_statistics=["id", "source", "category", "split", "pass_rate"],
        store_schema=True,
    ) as writer:
        for start in range(0, table.num_rows, ROW_GROUP_ROWS):
            # A slice at a time: concatenating pictures beyond 2 GB overflows Arrow's offsets.
            rows = table.slice(start, ROW_GROUP_ROWS)
            rows = rows.append_column(PROMPT, prompt_column(rows)).replace_schema_metadata(schema.metadata)
            writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)


def write_shards(
    samples: Iterable[Sample], directory: Path | str, *, split: str = "train", max_rows: int = 5000
) -> list[Path]:
    """Write `<split>-00000.parquet ...` into `directory`, replacing what that split held before.

    Rows are sorted by (source, picture, id). Deterministic: the same samples in any order give the same bytes.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    ordered = sorted(samples, key=sort_key)
    paths = []
    for number, start in enumerate(range(0, max(len(ordered), 1), max_rows)):
        path = directory / f"{split}-{number:05d}.parquet"
        write_table(samples_to_table(ordered[start : start + max_rows]), path)
        paths.append(path)
    for stale in set(shard_paths(directory, split)) - set(paths):
        stale.unlink()
    return paths


def shard_folder(directory: Path) -> Path:
    """Where the shards of a build or of a plain folder lie: `directory/data` if it is there, else `directory`."""
    inner = directory / "data"
    return inner if inner.is_dir() else directory


def shard_paths(directory: Path | str, split: str | None = None) -> list[Path]:
    """The shards of a directory (of one split, if named) in order.

    Raises:
        CogitoError: the directory does not exist.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise CogitoError(f"there is no data directory {directory}")
    return sorted(directory.glob(f"{split or '*'}-[0-9]*.parquet"))


def _open_shard(path: Path) -> pq.ParquetFile:
    try:
        shard = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise CogitoError(f"{path} is not a readable Parquet file: {error}") from error
    version = _stated_version(shard, path)
    for column in REQUIRED:
        if column not in shard.schema_arrow.names:
            age = "states no schema version" if version is None else f"has schema version {version}"
            raise CogitoError(
                f"{path} lacks the column '{column}' and {age}: it is no Cogito shard, or one of before version 1; "
                "make it anew with cogito-data build or ingest"
            )
    for field in SCHEMA:
        if field.name in shard.schema_arrow.names:
            found = shard.schema_arrow.field(field.name).type
            if not _same_type(found, field.type):
                raise CogitoError(f"{path}: column '{field.name}' is {found}, expected {field.type}")
    return shard


def _stated_version(shard: pq.ParquetFile, path: Path) -> int | None:
    """The schema version in a file's metadata; None where there is none.

    Other programs drop the metadata when they write a set anew, so then the columns alone decide: the optional ones
    that are not there get their defaults.
    """
    raw = (shard.schema_arrow.metadata or {}).get(b"cogito_schema_version")
    if raw is None:
        return None
    text = raw.decode("utf-8", errors="replace")
    if not text.isdecimal():
        raise CogitoError(f"{path} states the schema version '{text}', which is no number: the file is damaged")
    if int(text) > SCHEMA_VERSION:
        raise CogitoError(
            f"{path} has schema version {text}, this program reads up to {SCHEMA_VERSION}: "
            "it was written by a newer version; pip install --upgrade cogito-vlm"
        )
    return int(text)


def _same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_dictionary(found):
        found = found.value_type
    if pa.types.is_list(expected):
        is_list = pa.types.is_list(found) or pa.types.is_large_list(found)
        return is_list and _same_type(found.value_type, expected.value_type)
    if pa.types.is_struct(expected):
        if not pa.types.is_struct(found):
            return False
        names = {found.field(i).name for i in range(found.num_fields)}
        return {"bytes", "path"} <= names
    for family in (pa.types.is_string, pa.types.is_large_string):
        if family(found) and pa.types.is_string(expected):
            return True
    for family in (pa.types.is_integer, pa.types.is_floating):
        if family(found) and family(expected):
            return True
    return pa.types.is_null(found) or found == expected


def read_samples(
    directory: Path | str, split: str | None = None, columns: list[str] | None = None
) -> Iterator[Sample]:
    """Every sample of a directory, row group by row group, in stored order.

    `columns` limits what is read; the required columns are always read.

    Raises:
        CogitoError: no shard is there, or one is damaged or of another schema.
    """
    paths = shard_paths(directory, split)
    if not paths:
        raise CogitoError(f"{directory} holds no shard{f' of split {split}' if split else ''}")
    for path in paths:
        shard = _open_shard(path)
        wanted = _wanted_columns(shard, columns)
        for batch in shard.iter_batches(batch_size=ROW_GROUP_ROWS, columns=wanted):
            for row in batch.to_pylist():
                yield row_to_sample(row, str(path))


def _wanted_columns(shard: pq.ParquetFile, columns: list[str] | None) -> list[str]:
    known = [name for name in SCHEMA.names if name in shard.schema_arrow.names]
    if columns is None:
        return known
    # The stored hash must come along where pictures do not, or it would be taken of nothing.
    wanted = {*REQUIRED, *columns, "problem_hash", "image_hash" if "image_hash" in known else "images"}
    return [name for name in known if name in wanted]


def count_rows(directory: Path | str, split: str | None = None) -> int:
    """Number of rows, read from the file footers."""
    return sum(pq.read_metadata(path).num_rows for path in shard_paths(directory, split))


class SampleStore:
    """Random access to the rows of a directory of shards, in stored order.

    Only a few row groups are held decoded; pictures stay encoded bytes.
    """

    def __init__(self, directory: Path | str, split: str | None = None, cached_groups: int = 16) -> None:
        self.directory = Path(directory)
        paths = shard_paths(directory, split)
        if not paths:
            raise CogitoError(f"{directory} holds no shard{f' of split {split}' if split else ''}")
        self._paths = paths
        self._shards = [_open_shard(path) for path in paths]
        self._groups: list[tuple[int, int, int]] = []
        start = 0
        for number, shard in enumerate(self._shards):
            for group in range(shard.num_row_groups):
                self._groups.append((start, number, group))
                start += shard.metadata.row_group(group).num_rows
        self._len = start
        self._cache: OrderedDict[int, list[dict[str, Any]]] = OrderedDict()
        self._cached_groups = cached_groups

    def __len__(self) -> int:
        return self._len

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self._len:
            raise IndexError(f"row {index} of {self._len}")
        position = self._find(index)
        start, number, _ = self._groups[position]
        return row_to_sample(self._rows(position)[index - start], str(self._paths[number]))

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(self._len))

    def column(self, name: str) -> list[Any]:
        """One column of all rows, in order, without reading the others; defaults where a shard lacks it."""
        values: list[Any] = []
        for shard in self._shards:
            if name in shard.schema_arrow.names:
                values.extend(shard.read(columns=[name]).column(name).to_pylist())
                continue
            for batch in shard.iter_batches(batch_size=ROW_GROUP_ROWS, columns=_wanted_columns(shard, None)):
                samples = [row_to_sample(row) for row in batch.to_pylist()]
                values.extend(samples_to_table(samples).column(name).to_pylist())
        return values

    def _find(self, index: int) -> int:
        from bisect import bisect_right

        return bisect_right(self._groups, (index, len(self._shards), 0)) - 1

    def _rows(self, position: int) -> list[dict[str, Any]]:
        if position in self._cache:
            self._cache.move_to_end(position)
            return self._cache[position]
        _, number, group = self._groups[position]
        shard = self._shards[number]
        rows = shard.read_row_group(group, columns=_wanted_columns(shard, None)).to_pylist()
        self._cache[position] = rows
        if len(self._cache) > self._cached_groups:
            self._cache.popitem(last=False)
        return rows
