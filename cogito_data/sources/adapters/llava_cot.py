"""LLaVA-CoT-100k (Xu et al. 2024): chat rows in `train.jsonl` beside the unpacked pictures; gold in <CONCLUSION>."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem, one_of
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.conclusions import conclusion
from cogito_data.sources.shapes.conversations import question_and_options, turns
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path

_FILE = "train.jsonl"
_CONCLUSION = re.compile(r"<CONCLUSION>(.*?)</CONCLUSION>", re.DOTALL)
_FOLDERS = ("", "image", "images", "image_files")


def _problem(row: Row, base: Path) -> Iterator[Problem]:
    check_readable(row)
    picture = picture_path(row, base, row.text("image"), _FOLDERS)
    number = row.text("id") if row.get("id") is not None else row.where.rpartition(" ")[2]
    for turn, (place, asked, reply) in enumerate(turns(row)):
        name = f"{number}-{turn}"
        yield one_of(place, name, "train", partial(_turn, place, name, asked, reply, picture))


def _turn(place: Row, number: str, asked: str, reply: str, picture: Path) -> Problem:
    found = _CONCLUSION.search(reply)
    if found is None or not found.group(1).strip():
        raise place.fail("empty_gold", "the reply has no <CONCLUSION>")
    question, choices = question_and_options(asked)
    return Problem(
        upstream_id=number,
        split="train",
        question=question,
        pictures=(picture,),
        gold=conclusion(place, found.group(1), choices, question),
        choices=choices,
        meta={"reply": reply},
    )


ADAPTER = Adapter((Layout("original", (_FILE,), lambda base: json_lines(base / _FILE), _problem),))
