"""Records as upstream ships them: JSON, JSON Lines, CSV, JSON files in a zip, the Hub's Parquet, our own shards."""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cogito_core.archives import read_member
from cogito_core.console import CogitoError

Record = dict[str, Any]
KEY = "_key"
"""Where a record keeps the key it had in a JSON object; None where it had only a position."""


def read_records(path: Path, form: str) -> Iterator[Record]:
    """Every record of one file. Raises CogitoError naming the file and, for line formats, the line."""
    if form == "jsonl":
        yield from _lines(path)
    elif form in ("csv", "tsv"):
        yield from _table(path, "\t" if form == "tsv" else ",")
    elif form == "parquet":
        yield from _parquet(path)
    elif form == "zip":
        yield from _zipped(path)
    elif form == "answers":
        yield from _answers(path)
    else:
        yield from _listed(_load_json(path.read_bytes(), str(path)), str(path))


def _load_json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CogitoError(f"{where} is not valid JSON: {error}") from error


def _listed(loaded: Any, where: str) -> Iterator[Record]:
    if isinstance(loaded, dict) and loaded and not all(isinstance(value, dict) for value in loaded.values()):
        # One object is one record (Geometry3K keeps a file a problem).
        yield {KEY: Path(where).parent.name, **loaded}
        return
    if not isinstance(loaded, dict | list):
        raise CogitoError(f"{where} must hold a list or an object of records, not {type(loaded).__name__}")
    pairs = list(loaded.items()) if isinstance(loaded, dict) else [(None, record) for record in loaded]
    for number, (key, record) in enumerate(pairs):
        if not isinstance(record, dict):
            raise CogitoError(f"{where}: record {key or number} is {type(record).__name__}, not an object")
        yield {KEY: key, **record}


def _answers(path: Path) -> Iterator[Record]:
    loaded = _load_json(path.read_bytes(), str(path))
    if not isinstance(loaded, dict):
        raise CogitoError(f"{path} must hold an object of golds, not {type(loaded).__name__}")
    for key, gold in loaded.items():
        yield {KEY: key, "answer": gold}


def _lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            record = _load_json(line, f"{path} line {number}")
            if not isinstance(record, dict):
                raise CogitoError(f"{path} line {number} is {type(record).__name__}, not an object")
            yield {KEY: None, **record}


def _table(path: Path, separator: str) -> Iterator[Record]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle, delimiter=separator):
            yield {KEY: None, **{name: value for name, value in row.items() if name}}


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
        for batch in table.iter_batches(batch_size=64):
            for row in batch.to_pylist():
                yield {KEY: None, **row}
    except (pa.ArrowInvalid, OSError) as error:
        raise CogitoError(f"{path} is not a readable Parquet file: {error}") from error


def _zipped(path: Path) -> Iterator[Record]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".json"))
            for name in names:
                if not name.startswith("__MACOSX"):
                    for record in _listed(_load_json(read_member(archive, name), f"{path}:{name}"), name):
                        yield {**record, "_file": Path(name).stem}
    except zipfile.BadZipFile as error:
        raise CogitoError(f"{path} is not a zip file") from error


def lookup(record: Record, path: str) -> Any:
    """The value at a dotted path, or None; `a.0.b` reaches into lists."""
    value: Any = record
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def fill_template(template: str, record: Record) -> str:
    """`template` with the record's values in place of `{name}`. Raises CogitoError where one is not there."""
    try:
        return template.format_map(record)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise CogitoError(f"the manifest's template '{template}' does not fit the record: {error}") from error
