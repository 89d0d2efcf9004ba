"""Grids of cells, as ARC and its kin give them as golds: one form whatever upstream writes, so that shape counts."""

from __future__ import annotations

import json
import re
from typing import Any

from cogito_data.sources.base import Gold
from cogito_data.sources.rows import Row, plain
from cogito_data.sources.shapes.golds import free_form

_FENCE = re.compile(r"```\w*")
_CELL = re.compile(r"-?\d+|[A-Za-z#._-]")


def grid_gold(row: Row, value: Any) -> Gold:
    """The gold of a grid: kind list, `[[1, 2], [3, 4]]`, rows from the top; a single value is a number or text.

    Read are lists of rows, their JSON text, and rows as lines with cells parted by spaces, commas or `|`. Digits that
    touch (`123`) are read as cells where there are several lines of equal length.

    Raises:
        BadRow: it is none of these, it is empty, or its rows have different lengths.
    """
    original = value if isinstance(value, str) else json.dumps(value)
    lines = _lines(row, value)
    if not lines:
        raise row.fail("empty_gold", "the gold is empty")
    if isinstance(value, str) and len(lines) == len(lines[0]) == 1:
        return free_form(row, lines[0][0])
    if not lines[0] or len({len(line) for line in lines}) > 1:
        widths = ", ".join(str(len(line)) for line in lines)
        raise row.fail("unclear_gold", f"the gold is no grid: its rows have {widths} cells")
    rows = ", ".join(f"[{', '.join(line)}]" for line in lines)
    return Gold(f"[{rows}]", "list", original.strip())


def _lines(row: Row, value: Any) -> list[list[str]]:
    if isinstance(value, str):
        text = _FENCE.sub("\n", value).strip()
        if text.startswith("["):
            try:
                return _lines(row, json.loads(text))
            except (json.JSONDecodeError, RecursionError):
                pass  # `[1 2]` on each line is no JSON and is read as lines.
        return _written(row, [line for line in text.splitlines() if line.strip()])
    if isinstance(value, list | tuple) and all(isinstance(line, list | tuple) for line in value):
        return [[_cell(row, cell) for cell in line] for line in value]
    raise row.fail("wrong_type", "the gold is neither text nor a list of rows")


def _written(row: Row, lines: list[str]) -> list[list[str]]:
    parted = [[cell for cell in re.split(r"[\s,|;\[\]]+", line) if cell] for line in lines]
    if len(parted) == 1 and len(parted[0]) == 1:
        return parted  # One value, which may be any word.
    if parted and all(len(line) == 1 and line[0].isdigit() and len(line[0]) > 1 for line in parted):
        return [list(line[0]) for line in parted]
    return [[_cell(row, cell) for cell in line] for line in parted]


def _cell(row: Row, cell: Any) -> str:
    text = plain(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else str(cell).strip()
    if not _CELL.fullmatch(text):
        raise row.fail("unclear_gold", f"the gold is no grid: {text[:40]!r} is no cell")
    return text
