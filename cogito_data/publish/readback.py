"""Is it there? The published revision is read back as a stranger would read it, before it gets its tag."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.console import CogitoError
from cogito_data.publish.bundle import Bundle, LocalFile, split_of
from cogito_data.publish.hub import RANGE_BYTES, Hub
from cogito_data.publish.stranger import FirstRows, first_rows_apart

PROBE_BYTES = 4096
LOADED_ROWS = 4


def read_back(
    hub: Hub, bundle: Bundle, commit: str, first_rows: FirstRows = first_rows_apart
) -> dict[str, int]:
    """Compare a commit with the bundle; returns rows per split as the Hub's files state them.

    Every file by hash against the file list, every shard by a range read from its middle and the row count in its
    footer, the first rows of every split through `datasets` with their pictures decoded.

    Raises:
        CogitoError: names the first file, split or row that differs.
    """
    _compare_hashes(hub, bundle, commit)
    rows: dict[str, int] = {}
    for path, expected in bundle.rows.items():
        found = _check_shard(hub, bundle.files[path], commit)
        if found != expected:
            raise CogitoError(f"{hub.repo} at {commit[:12]}: {path} holds {found} rows, {expected} were published")
        rows[split_of(path)] = rows.get(split_of(path), 0) + found
    _load(hub, bundle, commit, first_rows)
    return rows


def _compare_hashes(hub: Hub, bundle: Bundle, commit: str) -> None:
    tree = hub.tree(commit)
    for path, file in bundle.files.items():
        if not file.equals(tree.get(path)):
            what = "is missing" if path not in tree else "has another hash"
            raise CogitoError(f"{hub.repo} at {commit[:12]}: {path} {what}; run the same command again")


def _check_shard(hub: Hub, file: LocalFile, commit: str) -> int:
    """Number of rows in the footer, after a look at the middle of the file."""
    middle = max(0, file.size // 2 - PROBE_BYTES // 2)
    end = min(file.size, middle + PROBE_BYTES)
    if hub.read(file.path, commit, middle, end) != file.read(middle, end):
        raise CogitoError(f"{hub.repo} at {commit[:12]}: bytes {middle}-{end} of {file.path} differ")
    start = max(0, file.size - RANGE_BYTES)
    tail = hub.read(file.path, commit, start, file.size)
    # Parquet ends with the length of its footer and a mark (parquet-format, "File Format").
    footer = int.from_bytes(tail[-8:-4], "little") + 8
    if footer > len(tail):
        tail = hub.read(file.path, commit, file.size - footer, file.size)
    try:
        return int(pq.read_metadata(io.BytesIO(tail)).num_rows)
    except pa.ArrowInvalid as error:
        raise CogitoError(f"{hub.repo} at {commit[:12]}: {file.path} has no readable footer: {error}") from error


def _load(hub: Hub, bundle: Bundle, commit: str, first_rows: FirstRows) -> None:
    """The first rows of every split through `datasets`, compared with the shards here."""
    ours = {split: _stored_rows(bundle, split) for split in bundle.splits}
    wanted = {split: len(rows) for split, rows in ours.items()}
    theirs = hub.call(f"load {hub.repo} with datasets", lambda: first_rows(hub.repo, commit, wanted))
    for split, rows in ours.items():
        if len(theirs[split]) != len(rows):
            raise CogitoError(
                f"{hub.repo} at {commit[:12]}: split {split} loads {len(theirs[split])} rows, not {len(rows)}"
            )
        for mine, loaded in zip(rows, theirs[split], strict=True):
            _compare_row(f"{hub.repo} at {commit[:12]}: row {mine['id']}", mine, loaded)


def _stored_rows(bundle: Bundle, split: str) -> list[dict[str, Any]]:
    shard = next(path for path in sorted(bundle.rows) if split_of(path) == split and bundle.rows[path])
    content = bundle.files[shard].content
    assert not isinstance(content, bytes)
    with pq.ParquetFile(content, memory_map=True) as opened:
        batch = next(opened.iter_batches(batch_size=LOADED_ROWS, columns=["id", "problem", "answer", "images"]))
    return list(batch.to_pylist())


def _compare_row(where: str, mine: Mapping[str, Any], loaded: Mapping[str, Any]) -> None:
    from cogito_core.images import picture_size

    for name in ("id", "problem", "answer"):
        if mine[name] != loaded[name]:
            raise CogitoError(f"{where} loads with {name} {loaded[name]!r}")
    sizes = [list(picture_size(picture["bytes"], where=where)) for picture in mine["images"]]
    if loaded["sizes"] != sizes:
        raise CogitoError(f"{where} loads with other pictures than it was published with")
