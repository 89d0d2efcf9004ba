"""JSON lines that evaluation suites convert data sets into: `{image, question, question_id, answer}`.

Options and a request such as "Answer with the option's letter" stand inside the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from cogito_data.sources.base import Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path
from cogito_data.sources.shapes.options import choice_by_letter, options_in_text

_REQUEST = re.compile(r"\nAnswer the question using a single word or phrase\.\s*$")


def vlm_jsonl(pattern: str, gold: Callable[[Row], Gold], folders: tuple[str, ...] = ("",)) -> Layout:
    """The layout of such files. The split is the part of the file name that is train, val or test.

    Args:
        pattern: of the file names.
        gold: the gold of a row without options.
        folders: where pictures may lie.
    """

    def read(base: Path) -> Iterator[Row]:
        for path in sorted(base.glob(pattern)):
            split = next((part for part in re.split(r"[_\-]", path.stem) if part in ("train", "val", "test")), "all")
            for number, row in enumerate(json_lines(path)):
                yield Row(row.where, {**row.values, "__split__": split, "__number__": number})

    def problem(row: Row, base: Path) -> Problem:
        check_readable(row)
        question, choices = options_in_text(_REQUEST.sub("", row.text("question")))
        name = row.text("image")
        # -1 stands for every row of some files.
        known = row.get("question_id") not in (None, -1)
        return Problem(
            upstream_id=row.text("question_id" if known else "__number__"),
            split=row.text("__split__"),
            question=question,
            pictures=(picture_path(row, base, name, folders),),
            gold=choice_by_letter(row, choices, row.gold_text("answer")) if choices else gold(row),
            choices=choices,
            meta={"image": name},
        )

    return Layout("vlm_jsonl", (pattern,), read, problem)
