"""MM-IQ (Cai et al. 2025): the options are drawn in the picture, the gold is a letter, all is one split."""

from __future__ import annotations

from pathlib import Path

from cogito_data.sources.base import Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines
from cogito_data.sources.shapes.hub import hub_pictures, parquet_layout, row_id, row_split
from cogito_data.sources.shapes.options import read_letter

_ANSWERS = "MMIQ_benchmark_answer_dict.jsonl"


def _hub_row(row: Row) -> Problem:
    answer = row.gold_text("answer")
    letter = read_letter(answer)
    if letter is None:
        raise row.fail("gold_not_in_choices" if answer else "empty_gold", f"the gold {answer!r} is no option letter")
    pictures = hub_pictures(row, "image")
    if not pictures:
        raise row.fail("no_picture", "field 'image' is empty")
    question = row.text("question")
    return Problem(
        upstream_id=row_id(row, "data_id"),
        split=row_split(row),
        question=question,
        pictures=pictures,
        gold=Gold(letter, "choice", answer),
        language="zh" if any("\u4e00" <= c <= "\u9fff" for c in question) else "en",
        meta={"category": row.get("category")},
    )


def _answer_only(row: Row, base: Path) -> Problem:
    check_readable(row)
    raise row.fail(
        "no_picture", f"this file holds only the gold {row.text('answer')!r} of question {row.text('data_id')}, "
        "neither its text nor its picture: take them from the Hub copy"
    )


ADAPTER = Adapter(
    (
        parquet_layout(_hub_row),
        Layout("answers_only", (_ANSWERS,), lambda base: json_lines(base / _ANSWERS), _answer_only),
    ),
    _hub_row,
)
