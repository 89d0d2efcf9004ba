"""Records as upstream ships them: JSON, JSON Lines, CSV, JSON files in a zip, the Hub's Parquet, our own shards."""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cogito_core.archives import read_member
from cogito_core.console import CogitoError

Record = dict[str, Any]
KEY = "_key"
"""Where a record keeps the key it had in a JSON object; None where it had only a position."""

Broken = Callable[[str, str], None]
"""Takes the place of a record that cannot be read ("questions.jsonl line 31") and the reason."""


def read_records(path: Path, form: str, broken: Broken | None = None) -> Iterator[Record]:
    """Every record of one file; a broken line, or one that is no object, is told to `broken`, in its turn.

    Raises CogitoError where the file as a whole cannot be read, naming it; without `broken` for a broken line too.
    """
    if form == "jsonl":
        yield from _lines(path, broken)
    elif form in ("csv", "tsv"):
        yield from _table(path, "\t" if form == "tsv" else ",")
    elif form == "parquet":
        yield from _parquet(path)
    elif form == "zip":
        yield from _zipped(path)
    elif form == "answers":
        yield from _answers(path)
    else:
        yield from _listed(_load_json(path.read_bytes(), str(path)), str(path), broken)


def _load_json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CogitoError(f"{where} is not valid JSON: {error}") from error


def json_fault(error: Exception) -> str:
    """What is wrong with one line that is no JSON; the parser's own line number, always 1 or 2, is left out."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.pos + 1}"
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _listed(loaded: Any, where: str, broken: Broken | None = None) -> Iterator[Record]:
    if isinstance(loaded, dict) and loaded and not all(isinstance(value, dict) for value in loaded.values()):
        # One object is one record (Geometry3K keeps a file a problem).
        yield {KEY: Path(where).parent.name, **loaded}
        return
    if not isinstance(loaded, dict | list):
        raise CogitoError(f"{where} must hold a list or an object of records, not {type(loaded).__name__}")
    pairs = list(loaded.items()) if isinstance(loaded, dict) else [(None, record) for record in loaded]
    for number, (key, record) in enumerate(pairs):
        if isinstance(record, dict):
            yield {KEY: key, **record}
            continue
        place, reason = f"record {key or number}", f"is {type(record).__name__}, not an object"
        if broken is None:
            raise CogitoError(f"{where}: {place} {reason}")
        broken(f"{Path(where).name} {place}", reason)


def _answers(path: Path) -> Iterator[Record]:
    loaded = _load_json(path.read_bytes(), str(path))
    if not isinstance(loaded, dict):
        raise CogitoError(f"{path} must hold an object of golds, not {type(loaded).__name__}")
    for key, gold in loaded.items():
        yield {KEY: key, "answer": gold}


def _lines(path: Path, broken: Broken | None) -> Iterator[Record]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line.rstrip(b"\r\n"))
                reason = "" if isinstance(record, dict) else f"is {type(record).__name__}, not an object"
            except (ValueError, RecursionError) as error:
                reason = f"is not valid JSON: {json_fault(error)}"
            if not reason:
                yield {KEY: None, **record}
            elif broken is None:
                raise CogitoError(f"{path} line {number} {reason}")
            else:
                broken(f"{path.name} line {number}", reason)


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


def holds(record: Record, path: str) -> bool:
    """Whether a record has the place that a dotted path names, whatever stands there."""
    head, _, rest = path.rpartition(".")
    return isinstance(inside := lookup(record, head) if head else record, dict) and rest in inside


def fill_template(template: str, record: Record) -> str:
    """`template` with the record's values in place of `{name}`. Raises CogitoError where one is not there."""
    try:
        return template.format_map(record)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise CogitoError(f"the manifest's template '{template}' does not fit the record: {error}") from error
