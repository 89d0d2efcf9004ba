"""Sources that keep one problem a file or folder: rows are read file by file, in a natural order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cogito_core.console import CogitoError
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import as_row, read_json, unreadable

FILE = "__file__"


def problem_files(base: Path, *patterns: str) -> list[Path]:
    """Files of all patterns below `base`, numbers in names in numeric order."""
    found = {path for pattern in patterns for path in base.glob(pattern)}
    return sorted(found, key=lambda path: _natural(path.relative_to(base).as_posix()))


def json_files(base: Path, *patterns: str) -> Iterator[Row]:
    """One row a JSON file; a file that cannot be parsed becomes an unreadable row. The path is in FILE."""
    for path in problem_files(base, *patterns):
        name = path.relative_to(base).as_posix()
        try:
            row = as_row(name, read_json(path))
        except CogitoError as error:
            row = Row(name, unreadable(f"{name}: {str(error).removeprefix(str(path)).strip()}"))
        yield Row(row.where, {**row.values, FILE: name})


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
