"""VQA's pair of files: `*questions.json` and `*annotations.json`, pictures of COCO, ten answers a question."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_data.sources.base import Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable, json_lines, json_list, picture_path, read_json
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.people import consensus_gold

_SUBTYPES = ("train2014", "val2014", "test2015")
_ANNOTATION = "__annotation__"
_EXPECTED = "__expected__"
_SUBTYPE = "__subtype__"
_KEPT = ("multiple_choice_answer", "question_type", "answer_type")


def coco_folders(subtype: str) -> tuple[str, ...]:
    """Where COCO pictures of a subtype may lie beside the question files."""
    return (subtype, "images", f"images/{subtype}", "")


def coco_picture(row: Row, base: Path, image_id: int, subtype: str) -> Path:
    """The COCO picture of an id; the subtype of the file is tried first, then the others."""
    order = (subtype, *(other for other in _SUBTYPES if other != subtype))
    candidates = [
        picture_path(row, base, f"COCO_{name}_{image_id:012d}.jpg", coco_folders(name)) for name in order
    ]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _pairs(base: Path) -> Iterator[tuple[Path, Path]]:
    for questions in sorted(base.glob("*questions.json")):
        if "MultipleChoice" not in questions.name:
            name = questions.name.replace("OpenEnded_", "").replace("questions", "annotations")
            yield questions, questions.with_name(name)


def _read(base: Path) -> Iterator[Row]:
    for questions, beside in _pairs(base):
        known = _annotations(beside) if beside.is_file() else {}
        subtype = _subtype(questions)
        for row in json_list(questions, "questions"):
            found = known.get(_key(row))
            place = {_ANNOTATION: found, _EXPECTED: beside.name, _SUBTYPE: subtype}
            yield Row(row.where, {**row.values, **place})


def _annotations(path: Path) -> dict[int | str | None, dict[str, Any]]:
    """Annotations by question. Of the ten answers only the words are kept: the train file has 4.4 million."""
    known: dict[int | str | None, dict[str, Any]] = {}
    for row in json_list(path, "annotations"):
        values = {key: row.values[key] for key in _KEPT if key in row.values}
        answers = row.values.get("answers")
        words = [a.get("answer") for a in answers if isinstance(a, dict)] if isinstance(answers, list) else []
        if words and all(isinstance(word, str) for word in words):
            values["answers"] = tuple(sys.intern(str(word)) for word in words)
        known[_key(row)] = values
    return known


def _key(row: Row) -> int | str | None:
    """The question's number; None for what can be none, which the row's own check then refuses."""
    number = row.values.get("question_id")
    return number if isinstance(number, int | str) else None


def _subtype(questions: Path) -> str:
    """`train2014`, `val2014`: from the file's name, else from its head or tail, where upstream names it."""
    named = next((name for name in _SUBTYPES if name in questions.name), None)
    if named is not None:
        return named
    head = read_json(questions)
    return str(head.get("data_subtype", "")) if isinstance(head, dict) else ""


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    number = row.text("question_id")
    found = row.values[_ANNOTATION]
    if found is None:
        raise row.fail("empty_gold", f"question {number} has no annotation in {row.values[_EXPECTED]}")
    annotation = Row(f"{row.values[_EXPECTED]}, question {number}", found)
    chosen = annotation.text("multiple_choice_answer") if "multiple_choice_answer" in found else None
    gold, counts = consensus_gold(row, annotation.texts("answers"), chosen=chosen)
    subtype = row.text(_SUBTYPE)
    return Problem(
        upstream_id=number,
        split=subtype or "unsplit",
        question=row.text("question"),
        pictures=(coco_picture(row, base, row.integer("image_id"), subtype),),
        gold=gold,
        meta={
            "answer_counts": counts,
            "question_type": annotation.get("question_type"),
            "answer_type": annotation.get("answer_type"),
        },
    )


_WITH_GOLDS = ("*questions.json", "*annotations.json")


def vqa_pairs() -> Layout:
    """Question files with their annotation files."""
    return Layout("original", _WITH_GOLDS, _read, _problem)


def vqa_questions() -> Layout:
    """Question files alone: every row is refused for want of a gold, which tells what is missing."""
    return Layout("original_questions", ("*questions.json",), _read, _problem)


def annotated_jsonl(pattern: str, split: str) -> Layout:
    """JSON lines `{image, question, question_id, answer: [{answer, ...} x 10]}` (DAM-QA and others)."""

    def read(base: Path) -> Iterator[Row]:
        files = sorted(base.glob(pattern))
        if not files:
            raise CogitoError(f"{base} holds no {pattern}")
        for path in files:
            yield from json_lines(path)

    def problem(row: Row, base: Path) -> Problem:
        check_readable(row)
        gold, counts = consensus_gold(row, (answer.text("answer") for answer in row.rows("answer")))
        return Problem(
            upstream_id=row.text("question_id"),
            split=split,
            question=row.text("question"),
            pictures=(picture_path(row, base, row.text("image"), coco_folders(split)),),
            gold=gold,
            meta={"answer_counts": counts},
        )

    return Layout("annotated_jsonl", (pattern,), read, problem)


def first_of(row: Row, answers: tuple[str, ...]) -> Gold:
    """Gold of a question with several equally good answers: the first, the others as aliases.

    Each alone is right (wordings and orders that one annotation lists), so nothing is counted as among VQA's people.
    """
    given = [text for answer in answers if (text := " ".join(answer.split()))]
    if not given:
        raise row.fail("empty_gold", "no answer is given")
    gold = free_form(row, given[0], prose=True, question=row.text("question"))
    aliases = tuple(dict.fromkeys((*gold.aliases, *(answer for answer in given if answer != gold.original))))
    return Gold(gold.answer, gold.kind, gold.original, gold.spec, aliases)
