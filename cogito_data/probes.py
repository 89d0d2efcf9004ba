"""Benchmark questions and pictures to keep out of training, read from the files of the benchmark's own release."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, warn
from cogito_core.images import PictureError
from cogito_data.likeness import Look, Seen
from cogito_data.recipe import Decontaminate, Probe
from cogito_data.sources.shapes.options import LETTERS


@dataclass
class ProbeItem:
    """One benchmark question.

    Attributes:
        answer: the gold's text, empty where the release gives none.
        picture: encoded bytes, or the file that holds them; None where the release names none or lacks the file.
    """

    benchmark: str
    id: str
    question: str
    answer: str
    picture: bytes | Path | None
    look: Look | None = field(default=None)

    def picture_bytes(self) -> bytes | None:
        """The encoded picture; None where there is none."""
        return self.picture.read_bytes() if isinstance(self.picture, Path) else self.picture


def read_probes(settings: Decontaminate, root: Path | None) -> list[ProbeItem]:
    """All items of all benchmarks of the recipe, with their pictures fingerprinted.

    Raises:
        CogitoError: a benchmark's files are not below `root`, or lack a column, unless the recipe calls it optional.
    """
    items: list[ProbeItem] = []
    for probe in settings.against:
        try:
            items += _read(probe, root)
        except CogitoError as error:
            if not settings.optional:
                raise
            warn(f"not compared with {probe.name}: {error}")
    return items


def _read(probe: Probe, root: Path | None) -> Iterator[ProbeItem]:
    base = (root / probe.name) if root is not None else None
    files = [path for pattern in probe.files for path in sorted(base.glob(pattern))] if base is not None else []
    if not files:
        place = base if base is not None else f"{probe.name} (give --from ROOT)"
        raise CogitoError(f"decontaminate: there is no {' or '.join(probe.files)} in {place}")
    assert base is not None
    for path in files:
        for number, (key, row) in enumerate(_rows(path)):
            yield _item(probe, base, path, key if key is not None else str(number), row)


def _item(probe: Probe, base: Path, path: Path, key: str, row: Mapping[str, Any]) -> ProbeItem:
    if probe.question not in row:
        raise CogitoError(
            f"{path}, row {key}: there is no column '{probe.question}' (it has: {', '.join(list(row)[:12])})"
        )
    name = str(row[probe.id]) if probe.id and probe.id in row else key
    item = ProbeItem(probe.name, name, str(row[probe.question]), _answer(probe, row), _picture(probe, base, row))
    data = item.picture_bytes()
    if data is not None:
        try:
            item.look = Seen(data, where=f"{probe.name} {name}").look
        except PictureError as error:
            warn(str(error))
            item.picture = None
    return item


def _answer(probe: Probe, row: Mapping[str, Any]) -> str:
    value = row.get(probe.answer) if probe.answer else None
    text = "" if value is None else str(value)
    options = row.get(probe.choices) if probe.choices else None
    if isinstance(options, list) and len(text.strip("()")) == 1 and text not in map(str, options):
        position = LETTERS.find(text.strip("()").upper())
        return str(options[position]) if 0 <= position < len(options) else text
    return text


def _picture(probe: Probe, base: Path, row: Mapping[str, Any]) -> bytes | Path | None:
    value = row.get(probe.picture) if probe.picture else None
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    if (
        isinstance(value, str)
        and value
        and (path := base / value).is_file()
        and path.resolve().is_relative_to(base.resolve())
    ):
        return path
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
