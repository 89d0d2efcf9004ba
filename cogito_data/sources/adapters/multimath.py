"""MultiMath-300K (Peng et al. 2024): chat rows in `data.json`, or Video-R1's selection of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem, one_of
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.conclusions import conclusion
from cogito_data.sources.shapes.conversations import question_and_options, turns
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.options import bare_options

_FOLDERS = ("", "images", "images/RGB_images")
_SELECTION = "Video-R1-*.json"


def _chat(row: Row, base: Path) -> Iterator[Problem]:
    check_readable(row)
    picture = picture_path(row, base, row.text("image"), _FOLDERS)
    for number, (place, asked, solution) in enumerate(turns(row)):
        name = f"{row.text('id')}-{number}"
        yield one_of(place, name, "train", partial(_turn, place, name, asked, solution, picture))


def _turn(place: Row, name: str, asked: str, solution: str, picture: Path) -> Problem:
    question, choices = question_and_options(asked)
    return Problem(
        upstream_id=name, split="train", question=question, pictures=(picture,),
        gold=conclusion(place, solution, choices, question),
        choices=choices,
        language="zh" if re.search(r"[\u4e00-\u9fff]", question) else "en",
        meta={"solution": solution},
    )


def _selection(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob(_SELECTION)):
        yield from (row for row in json_list(path) if row.get("data_source") == "Multimath-300k")


def _selected(row: Row, base: Path) -> Problem:
    choices = bare_options(row, row.texts("options")) if row.get("options") else ()
    question = row.text("problem")
    return Problem(
        upstream_id=Path(row.text("path")).stem if row.get("problem_id") is None else row.text("problem_id"),
        split="train",
        question=question,
        pictures=(picture_path(row, base, row.text("path").removeprefix("./"), _FOLDERS),),
        gold=conclusion(row, row.gold_text("solution"), choices, question),
        choices=choices,
    )


_ORIGINAL = Layout("original", ("data.json",), lambda base: json_list(base / "data.json"), _chat)

ADAPTER = Adapter((_ORIGINAL, Layout("video_r1", (_SELECTION,), _selection, _selected)))
