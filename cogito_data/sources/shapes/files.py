"""Reading upstream's JSON, JSON-lines and Parquet files row by row, with the place of every row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, warn
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.shapes.json_stream import stream_list, stream_pairs


def read_json(path: Path) -> Any:
    """A whole JSON file.

    Raises:
        CogitoError: the file is missing or not JSON; the sentence names the file and the place.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise CogitoError(f"there is no file {path}") from error
    except UnicodeDecodeError as error:
        raise CogitoError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise CogitoError(f"{path} is not valid JSON (line {error.lineno}: {error.msg})") from error
    except RecursionError as error:
        raise CogitoError(f"{path} is nested too deeply to be read") from error
    except (OSError, ValueError) as error:  # A folder, or a number of thousands of digits.
        raise CogitoError(f"{path} cannot be read ({type(error).__name__})") from error


def json_list(path: Path, key: str | None = None) -> Iterator[Row]:
    """The objects of a JSON list, or of the list under `key` of a JSON object.

    A file that is JSON lines in spite of its name is read as such (PuzzleVQA and others do that).

    Raises:
        CogitoError: the file is no such list.
    """
    if key is None and _looks_like_lines(path):
        yield from json_lines(path)
        return
    for number, values in enumerate(stream_list(path, key)):
        yield as_row(f"{path.name}, row {number}", values)


def json_dict(path: Path, id_field: str) -> Iterator[Row]:
    """The rows of a JSON object `{id: row}`, in file order; the key goes into `id_field`.

    Raises:
        CogitoError: the file is no JSON object.
    """
    for key, values in stream_pairs(path):
        row = as_row(f"{path.name}, row '{key}'", values)
        yield Row(row.where, {**row.values, id_field: key})


def json_lines(path: Path) -> Iterator[Row]:
    """One row a line; a line that is not JSON becomes an unreadable row, the others go on.

    Raises:
        CogitoError: the file is not UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig") as handle:
            for number, line in enumerate(handle):
                if not line.strip():
                    continue
                where = f"{path.name}, row {number}"
                try:
                    values = json.loads(line)
                except json.JSONDecodeError as error:
                    values = unreadable(f"{where}: the line is not JSON ({error.msg} at column {error.colno})")
                except RecursionError:
                    values = unreadable(f"{where}: the line is nested too deeply")
                except ValueError:
                    values = unreadable(f"{where}: the line holds a number of thousands of digits")
                yield as_row(where, values)
    except UnicodeDecodeError as error:
        raise CogitoError(f"{path} is not UTF-8 text (byte {error.start})") from error


_UNREADABLE = "__unreadable__"


def unreadable(sentence: str) -> dict[str, str]:
    """Raw values that stand for a row that could not be parsed."""
    return {_UNREADABLE: sentence}


def check_readable(row: Row) -> None:
    """Raise BadRow for a row that could not be parsed."""
    if _UNREADABLE in row.values:
        raise BadRow("unreadable", row.values[_UNREADABLE])


def as_row(where: str, values: Any) -> Row:
    """A row of any JSON value: what is no object becomes an unreadable row."""
    if isinstance(values, dict):
        return Row(where, values)
    return Row(where, unreadable(f"{where}: a row should be an object, not {type(values).__name__}"))


def listed_ids(path: Path, without: str) -> frozenset[str]:
    """The ids of a file that has one a line; without the file none, and `without` is said on standard error."""
    if not path.is_file():
        warn(f"there is no {path}; {without}")
        return frozenset()
    return frozenset(line.strip(" \",\r") for line in path.read_text(encoding="utf-8-sig").split("\n"))


LONGEST_NAME = 255
"""Bytes of a file's name on every usual file system."""


def picture_path(row: Row, base: Path, name: str, folders: tuple[str, ...] = ("",)) -> Path:
    """Where a picture named in a row lies: the first of `folders` that holds it, else the first of them.

    Raises:
        BadRow: the name is empty, absolute or leads out of the base folder.
    """
    name = name.replace("\\", "/")
    if not name or "\0" in name:
        raise row.fail("no_picture", "the picture's name is empty")
    if name.startswith("/") or ".." in name.split("/"):
        raise row.fail("unsafe_path", f"the picture '{name}' lies outside the source's folder")
    candidates = [base / folder / name for folder in folders]
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME for path in candidates for part in path.parts):
        raise row.fail("picture_missing", f"no file can have the name of the picture ({len(name)} characters)")
    if len(candidates) == 1:
        return candidates[0]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _looks_like_lines(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as handle:
            return handle.readline().lstrip().startswith("{")
    except (OSError, UnicodeDecodeError):
        return False
