"""RAVEN and I-RAVEN (Zhang et al. 2019): one npz a puzzle, drawn here as one sheet with options A to H.
An npz is a zip of arrays: it is read member by member with bounds, and an array of objects is refused unopened."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from cogito_core.archives import ArchiveError, read_array
from cogito_core.sample import Picture
from cogito_data.sources.base import Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.folders import FILE, problem_files
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.options import LETTERS
from cogito_data.sources.shapes.sheet import puzzle_sheet

_PATTERN = "*/RAVEN_*.npz"
QUESTION = (
    "The 3 x 3 grid of figures follows a rule in each row, and its last figure is missing. "
    "Which of the figures A to H completes the grid? Answer with the letter."
)


def _read(base: Path) -> Iterator[Row]:
    for path in problem_files(base, _PATTERN):
        name = path.relative_to(base).as_posix()
        yield Row(name, {FILE: name})


def _problem(row: Row, base: Path) -> Problem:
    import numpy as np

    file = Path(row.text(FILE))
    try:
        with zipfile.ZipFile(base / file) as arrays:
            panels, target = read_array(arrays, "image"), int(read_array(arrays, "target"))
    except (KeyError, ValueError, TypeError, OSError, ArchiveError, zipfile.BadZipFile) as error:
        reason = "missing_field" if isinstance(error, KeyError) else "unreadable"
        raise row.fail(reason, f"the npz cannot be read ({' '.join(str(error).split())})") from error
    if panels.ndim != 3 or panels.shape[0] != 16 or panels.dtype != np.uint8:
        raise row.fail("wrong_type", f"array 'image' is {panels.dtype} {panels.shape}, not uint8 (16, h, w)")
    if not 0 <= target < 8:
        raise row.fail("gold_not_in_choices", f"the target {target} is none of the 8 candidates")
    number, _, split = file.stem.removeprefix("RAVEN_").partition("_")
    return Problem(
        upstream_id=f"{file.parent.name}-{number}",
        split=split,
        question=QUESTION,
        pictures=(Picture(puzzle_sheet(panels), f"{file.parent.name}/{file.stem}.png"),),
        gold=Gold(LETTERS[target], "choice", str(target)),
        meta={"configuration": file.parent.name},
    )


_hub_row = cauldron_hub(letters=True)

ADAPTER = Adapter((Layout("original", (_PATTERN,), _read, _problem), parquet_layout(_hub_row)), _hub_row)
