"""TQA (Kembhavi et al. 2017): lessons of textbook questions; options under letters, the gold is one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import as_row, check_readable, json_list, picture_path
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.options import choice_by_index

_GROUPS = ("diagramQuestions", "nonDiagramQuestions")


def _read(base: Path) -> Iterator[Row]:
    for path in [*sorted(base.glob("tqa_v*.json")), *sorted(base.glob("lesson_*.json"))]:
        split = re.search(r"_(train|val|test)$", path.stem)
        for lesson in json_list(path):
            groups = lesson.get("questions")
            for questions in (groups.get(g) or {} for g in _GROUPS) if isinstance(groups, dict) else (None,):
                if not isinstance(questions, dict):
                    yield lesson
                for key, values in questions.items() if isinstance(questions, dict) else ():
                    row = as_row(f"{lesson.where}, question '{key}'", values)
                    place = {"__id__": key, "__split__": split.group(1) if split else "unsplit"}
                    yield Row(row.where, {**row.values, **place, "__lesson__": lesson.get("lessonName")})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    keys = sorted(row.mapping("answerChoices"))
    options = Row(f"{row.where}, answerChoices", row.mapping("answerChoices"))
    choices = tuple(Row(f"{row.where}, option {key}", options.mapping(key)).text("processedText") for key in keys)
    gold = Row(row.where, row.gold_mapping("correctAnswer")).gold_text("processedText")
    if gold not in keys:
        reason = "gold_not_in_choices" if gold else "empty_gold"
        raise row.fail(reason, f"the gold {gold!r} is none of {', '.join(keys)}")
    image = row.text("imagePath") if row.get("imagePath") else None
    return Problem(
        upstream_id=row.text("__id__"),
        split=row.text("__split__"),
        question=Row(row.where, row.mapping("beingAsked")).text("processedText"),
        pictures=(picture_path(row, base, image),) if image else (),
        gold=choice_by_index(row, choices, keys.index(gold), gold),
        choices=choices,
        # `questionType` says Multiple Choice of true/false and matching questions too.
        meta={"type": row.get("questionSubType"), "lesson": row.get("__lesson__")},
    )


_hub_row = cauldron_hub()

_ORIGINAL = Layout("original", ("tqa_v*.json or lesson_*.json",), _read, _problem)

ADAPTER = Adapter((_ORIGINAL, parquet_layout(_hub_row), mathvista("TQA")), _hub_row)
