"""ArXivQA (Li et al. 2024): `arxivqa.jsonl` beside the unpacked `images/`; options carry letters."""

from __future__ import annotations

from pathlib import Path

from cogito_data.sources.base import Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path
from cogito_data.sources.shapes.options import choice_by_letter, choice_by_text, read_letter, strip_option_labels

_FILE = "arxivqa.jsonl"


def _gold(row: Row, choices: tuple[str, ...], raw: tuple[str, ...]) -> Gold:
    """A letter, a lettered option or an option's text; the first letter of any other text would be a guess."""
    label = row.text("label")
    if read_letter(label) is not None:
        return choice_by_letter(row, choices, label)
    return choice_by_text(row, raw if label in raw else choices, label)


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    raw = row.texts("options")
    choices = strip_option_labels(raw)
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
