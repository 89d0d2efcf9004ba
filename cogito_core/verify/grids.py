"""Grids of cells written as plain lines (ARC and its kin): read as the list of their rows, so that shape counts."""

from __future__ import annotations

import re

from cogito_core.verify.candidates import tags
from cogito_core.verify.visible import visible

_LIST_OF_ROWS = re.compile(r"\s*\[\s*\[")
_FENCE = re.compile(r"```\w*")
_BETWEEN_CELLS = re.compile(r"[\s,|;\[\]]+")
_CELL = re.compile(r"[-+]?\d+(?:\.\d+)?|[A-Za-z#._-]{1,24}")
_RULE = re.compile(r"[\s|:+-]*")
MAX_CELLS = 2_500
"""A grid of 30 by 30 cells is the largest of ARC."""


_BLOCK = re.compile(r"```\w*\n(.*?)```", re.S)
MAX_RESPONSE = 100_000
"""Characters; in a longer response no grid is looked for."""


def rows_in(response: str, gold: str) -> tuple[str, tuple[int, int]] | None:
    """The grid that a response ends in, as a list of rows with its place; None where the gold is no such list.

    It is looked for in the last answer tag, else in the last fenced block.
    """
    if not _LIST_OF_ROWS.match(gold) or len(response) > MAX_RESPONSE:
        return None
    shown = visible(response)
    places = [(tag.text, tag.span) for tag in tags(shown)] or [
        (block.group(1), block.span(1)) for block in _BLOCK.finditer(shown)
    ]
    if not places:
        return None
    text, span = places[-1]
    rows = as_rows(gold, text)
    return (rows, span) if rows != text else None


def as_rows(gold: str, answer: str) -> str:
    r"""`answer` as `[[1, 2], [3, 4]]` where the gold is such a list and the answer writes one row a line.

    Cells are parted by spaces, commas or `|`. Digits that touch are cells of their own where the gold has several in
    a row. All else stays as it is: lines of different lengths, nested lists, LaTeX.

    >>> as_rows("[[1, 2], [3, 4]]", "1 2\n3 4"), as_rows("[[1, 2], [3, 4]]", "1 2 3 4")
    ('[[1, 2], [3, 4]]', '1 2 3 4')
    """
    if not _LIST_OF_ROWS.match(gold) or "\n" not in answer.strip():
        return answer
    text = _FENCE.sub("\n", answer).strip()
    if _LIST_OF_ROWS.match(text) or "\\" in text:
        return answer
    lines = [line for line in text.splitlines() if line.strip() and not _RULE.fullmatch(line)]
    rows = [[cell for cell in _BETWEEN_CELLS.split(line) if cell] for line in lines]
    width = gold.partition("]")[0].count(",") + 1
    if width > 1 and all(len(row) == 1 and row[0].isdigit() for row in rows):
        rows = [list(row[0]) for row in rows]
    if len(rows) < 2 or len({len(row) for row in rows}) > 1 or len(rows) * len(rows[0]) > MAX_CELLS:
        return answer
    if not all(_CELL.fullmatch(cell) for row in rows for cell in row):
        return answer
    written = ", ".join("[" + ", ".join(row) + "]" for row in rows)
    return f"[{written}]"
