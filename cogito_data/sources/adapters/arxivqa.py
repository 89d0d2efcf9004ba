"""ArXivQA (Li et al. 2024): `arxivqa.jsonl` beside the unpacked `images/`; options carry letters."""

from __future__ import annotations

from pathlib import Path

from cogito_data.sources.base import Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path
from cogito_data.sources.shapes.options import bare_options, choice_as_written, choice_by_text

_FILE = "arxivqa.jsonl"


def _gold(row: Row, choices: tuple[str, ...], raw: tuple[str, ...]) -> Gold:
    """A letter, a lettered option or an option's text; the first letter of any other text would be a guess."""
    label = row.gold_text("label")
    return choice_by_text(row, raw, label) if label in raw else choice_as_written(row, choices, label)


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    raw = row.texts("options")
    choices = bare_options(row, raw)
    return Problem(
        upstream_id=row.text("id"),
        split="train",
        question=row.text("question"),
        pictures=(picture_path(row, base, row.text("image"), ("", "images")),),
        gold=_gold(row, choices, raw),
        choices=choices,
        meta={"rationale": row.get("rationale")},
    )


ADAPTER = Adapter((Layout("original", (_FILE,), lambda base: json_lines(base / _FILE), _problem),))
