"""Benchmark questions and pictures to keep out of training, read from the files of the benchmark's own release."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, warn
from cogito_core.files import write_atomic
from cogito_core.hub import fetch_files
from cogito_core.images import PictureError
from cogito_core.verify.official.row import options
from cogito_data.likeness import Look, Seen
from cogito_data.recipe import Decontaminate, Probe, ProbeHub
from cogito_data.sources.shapes.options import LETTERS


@dataclass(frozen=True)
class ParquetCell:
    """A picture that stays in its Parquet file until it is looked at: ten benchmarks' pictures are gigabytes."""

    path: Path
    row: int
    column: str

    def read(self) -> bytes | None:
        """The encoded bytes."""
        import pyarrow.parquet as pq

        file, row = pq.ParquetFile(self.path), self.row
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row < rows:
                return _encoded(file.read_row_group(group, [self.column]).column(0)[row].as_py())
            row -= rows
        return None


@dataclass
class ProbeItem:
    """One benchmark question.

    Attributes:
        answer: the gold's text, empty where the release gives none.
        picture: where its encoded bytes are; None where the release names none or lacks the file.
    """

    benchmark: str
    id: str
    question: str
    answer: str
    picture: bytes | Path | ParquetCell | None
    look: Look | None = field(default=None)

    def picture_bytes(self) -> bytes | None:
        """The encoded picture; None where there is none."""
        if isinstance(self.picture, Path):
            return self.picture.read_bytes()
        return self.picture.read() if isinstance(self.picture, ParquetCell) else self.picture


def read_probes(settings: Decontaminate, root: Path | None, *, kept: Path | None = None) -> list[ProbeItem]:
    """All items of all benchmarks of the recipe, with their pictures fingerprinted.

    `kept` is a file that remembers the commits of Hub copies, so that a resumed run reads the same rows.

    Raises:
        CogitoError: a benchmark is neither below `root` nor on the Hub, or lacks a column, unless the recipe calls it
            optional.
    """
    items: list[ProbeItem] = []
    for probe in settings.against:
        try:
            items += _read(probe, root, kept)
        except CogitoError as error:
            if not settings.optional:
                raise
            warn(f"not compared with {probe.name}: {error}")
    return items


def _read(probe: Probe, root: Path | None, kept: Path | None) -> Iterator[ProbeItem]:
    base = (root / probe.name) if root is not None else None
    files = [path for pattern in probe.files for path in sorted(base.glob(pattern))] if base is not None else []
    if not files and probe.hub is not None:
        base = _fetch(probe, probe.hub, kept)
        files = [path for pattern in probe.hub.files for path in sorted(base.glob(pattern))]
    if not files:
        place = base if base is not None else f"{probe.name} (give --from ROOT)"
        wanted = " or ".join(probe.files) or "file named"
        raise CogitoError(f"decontaminate: there is no {wanted} in {place}")
    assert base is not None
    for path in files:
        for number, (key, row) in enumerate(_rows(path)):
            yield _item(probe, base, path, number, key if key is not None else str(number), row)


def _fetch(probe: Probe, hub: ProbeHub, kept: Path | None) -> Path:
    """The Hub copy's files in the local cache; the cache names a snapshot's folder by its commit."""
    commits = json.loads(kept.read_text(encoding="utf-8")) if kept is not None and kept.exists() else {}
    try:
        folder = fetch_files(hub.repo, hub.files, commits.get(hub.repo, hub.revision))
    except Exception as error:  # The client raises network, HTTP and validation errors of unrelated families.
        raise CogitoError(
            f"decontaminate: {probe.name} is not below ROOT, and {hub.repo} cannot be fetched from the Hub "
            f"({type(error).__name__})"
        ) from error
    if kept is not None and commits.get(hub.repo) != folder.name:
        write_atomic(kept, json.dumps({**commits, hub.repo: folder.name}) + "\n")
    return folder


def _item(probe: Probe, base: Path, path: Path, number: int, key: str, row: Mapping[str, Any]) -> ProbeItem:
    question = next((row[column] for column in probe.question if column in row), None)
    if question is None:
        columns = "' or '".join(probe.question)
        raise CogitoError(f"{path}, row {key}: there is no column '{columns}' (it has: {', '.join(list(row)[:12])})")
    name = str(row[probe.id]) if probe.id and probe.id in row else key
    item = ProbeItem(probe.name, name, str(question), _answer(probe, row), None)
    for column in probe.picture:
        value = row.get(column)
        data = _encoded(value)
        if data is not None:
            item.picture = ParquetCell(path, number, column) if path.suffix == ".parquet" else data
        else:
            item.picture = _file_of(value, base / probe.pictures_in)
            data = item.picture.read_bytes() if item.picture is not None else None
        if data is None:
            continue
        try:
            item.look = Seen(data, where=f"{probe.name} {name}").look
            break
        except PictureError as error:
            warn(str(error))
            item.picture = None
    return item


def _answer(probe: Probe, row: Mapping[str, Any]) -> str:
    """The gold's text: an option where the release gives its letter or its position from 0."""
    value = next((row[column] for column in probe.answer if column in row), None)
    text = "" if value is None else str(value)
    choices = options({"choices": row.get(probe.choices)}) if probe.choices else []
    if isinstance(value, int) and choices and text not in choices:
        return choices[value] if 0 <= value < len(choices) else text
    if len(text.strip("()")) == 1 and choices and text not in choices:
        position = LETTERS.find(text.strip("()").upper())
        return choices[position] if 0 <= position < len(choices) else text
    return text


def _encoded(value: object) -> bytes | None:
    """The first encoded picture of a cell: bytes, the Hub's image feature, or a list of either."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("bytes")
    return value if isinstance(value, bytes) else None


def _file_of(value: object, base: Path) -> Path | None:
    """The picture file that a cell names, if it is there and below `base`."""
    if isinstance(value, Mapping):
        value = value.get("path")
    if isinstance(value, str) and value and (path := base / value).is_file():
        return path if path.resolve().is_relative_to(base.resolve()) else None
    return None


def _rows(path: Path) -> Iterable[tuple[str | None, Mapping[str, Any]]]:
    """(key, row) of a JSON list, a JSON dict of rows, JSON lines, CSV, TSV or Parquet."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(path).iter_batches(64):
            yield from ((None, row) for row in batch.to_pylist())
        return
    try:
        if path.suffix in (".csv", ".tsv"):
            with path.open(encoding="utf-8", newline="") as handle:
                yield from (
                    (None, row) for row in csv.DictReader(handle, delimiter="\t" if path.suffix == ".tsv" else ",")
                )
            return
        text = path.read_text(encoding="utf-8")
        try:
            loaded = json.loads(text)
        except json.JSONDecodeError:
            loaded = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CogitoError(f"{path} cannot be read: {error}") from error
    rows = loaded.items() if isinstance(loaded, dict) else ((None, row) for row in loaded)
    for key, row in rows:
        if not isinstance(row, Mapping):
            raise CogitoError(f"{path} does not hold rows but {type(row).__name__}")
        yield key, row
