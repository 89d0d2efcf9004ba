"""ScienceQA (Lu et al. 2022): `problems.json` by id, gold as index; pictures `images/<split>/<pid>/image.png`.

The `choice_<i>.png` files beside a picture are left alone: they do not follow the order of `choices` (problem
293 has acetaldehyde as choice_0 and carbon tetrachloride as its first option), and the text options are whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_core.sample import Picture
from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.conversations import llava_scienceqa
from cogito_data.sources.shapes.files import check_readable, json_dict, picture_path
from cogito_data.sources.shapes.hub import hub_pictures, parquet_layout, row_id, row_split
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.options import choice_by_index

_KEPT = ("task", "grade", "subject", "topic", "category", "skill", "lecture", "solution")


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob("problems*.json")):
        yield from json_dict(path, "pid")


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    pid, split = row.text("pid"), row.text("split")
    folders = (f"images/{split}/{pid}", f"{split}/{pid}")
    has_picture = row.need("image") is not None
    pictures = (picture_path(row, base, row.text("image"), folders),) if has_picture else ()
    return _common(row, pid, split, pictures)


def _common(row: Row, pid: str, split: str, pictures: tuple[Path | Picture, ...]) -> Problem:
    choices = row.texts("choices")
    index = row.gold_integer("answer")
    hint = row.text("hint") if row.get("hint") else ""
    question = row.text("question")
    return Problem(
        upstream_id=pid,
        split=split,
        question=f"{hint}\n{question}" if hint and question else question,
        pictures=pictures,
        gold=choice_by_index(row, choices, index, str(index)),
        choices=choices,
        meta={"hint": hint, **{key: row.values[key] for key in _KEPT if row.get(key)}},
    )


def _hub_row(row: Row) -> Problem:
    return _common(row, row_id(row), row_split(row), hub_pictures(row, "image"))


_ORIGINAL = Layout("original", ("problems*.json",), _read, _problem)

ADAPTER = Adapter((_ORIGINAL, llava_scienceqa(), parquet_layout(_hub_row), mathvista("ScienceQA")), _hub_row)
