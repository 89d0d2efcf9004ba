"""Values that no writer of an adapter thought of: every row ends as samples or as lines of the ledger, none is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from source_makers import picture, png, put, run

from cogito_core.sample import Sample
from cogito_data.ingest import _problems
from cogito_data.sources.base import load_source, source_names
from cogito_data.sources.origins import Origin
from cogito_data.sources.pictures import PictureReader
from cogito_data.sources.shapes.hub import numbered
from cogito_data.sources.unit_file import Refusal, UnitFile, write_unit

HOSTILE: list[Any] = [
    None, "", "  ", 3, -1, 2.5, float("nan"), float("inf"), True, b"\xff", [], {}, [None], [[]], [{}], {"a": None},
    "x" * 300, "\ud800", "\x00", "²", "A, B", "<image>", ["x", "x"], ["x"] * 30, 10**400,
]
OTHER_ROWS: dict[str, dict[str, Any]] = {
    "geometry3k": {"images": [picture(png())], "problem": "<image>Find x.", "answer": "3"},
    "geoqa_plus": {"image": picture(png()), "problem": "Find x.", "solution": "<answer> 145° </answer>"},
    "chartqa": {"image": picture(png()), "query": "How many?", "label": ["14"], "human_or_machine": 0},
    "scienceqa": {"image": picture(png()), "question": "Which?", "choices": ["a", "b"], "answer": 1, "hint": "h",
                  "task": "t", "grade": "g", "subject": "s", "topic": "t", "category": "c", "skill": "s",
                  "lecture": "l", "solution": "s"},
    "mm_iq": {"data_id": 1, "question": "Which?", "answer": "B", "category": "x", "image": [picture(png())]},
}
CAULDRON_ROW = {"images": [picture(png())], "texts": [
    {"user": "What is it?\nChoices:\nA. x\nB. y\nAnswer with the letter.", "assistant": "Answer: B", "source": "s"}]}


def mutants(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The row with one field, or one field of the first object in a list, made hostile or left out."""
    for name, value in values.items():
        yield {key: other for key, other in values.items() if key != name}
        yield from ({**values, name: hostile} for hostile in HOSTILE)
        if isinstance(value, list) and isinstance(value[0], dict):
            for inner in value[0]:
                yield from ({**values, name: [{**value[0], inner: hostile}, *value[1:]]} for hostile in HOSTILE)


@pytest.mark.parametrize("name", [name for name in source_names() if load_source(name).adapter.hub_row is not None])
def test_hostile_values_of_hub_rows(name: str, tmp_path: Path) -> None:
    source = load_source(name)
    assert source.adapter.hub_row is not None
    origin = Origin("hub", "hub", tmp_path, "", "", "", lambda start: iter(()), source.adapter.hub_row)
    rows = [numbered(values, "train", number, "repo")
            for number, values in enumerate(mutants(OTHER_ROWS.get(name, CAULDRON_ROW)))]
    found = list(_problems(rows, source, origin, PictureReader(tmp_path)))
    assert len(found) >= len(rows) > 70
    write_unit(tmp_path / "unit", len(rows), found)
    unit = UnitFile(tmp_path / "unit")
    assert len(unit.rows) + len(unit.refused) == len(found)
    for refusal in unit.refused.values():
        assert refusal.evidence and "\n" not in refusal.evidence
    assert [fault for sample in found if isinstance(sample, Sample) for fault in sample.faults()] == []


def test_a_bad_turn_takes_no_other_turn_with_it(tmp_path: Path) -> None:
    source = load_source("vqav2")
    assert source.adapter.hub_row is not None
    turns = [{"user": f"How many {n}?", "assistant": answer, "source": ""}
             for n, answer in enumerate(["3.", "", "5.", None, "7."])]
    origin = Origin("hub", "hub", tmp_path, "", "", "", lambda start: iter(()), source.adapter.hub_row)
    rows = [numbered({"images": [picture(png())], "texts": turns}, "train", 7, "repo"),
            numbered({"images": [picture(png())], "texts": []}, "train", 8, "repo")]
    found = list(_problems(rows, source, origin, PictureReader(tmp_path)))
    assert [(one.id, isinstance(one, Sample)) for one in found[:5]] == [
        (f"vqav2/train/7-{n}", n in (0, 2, 4)) for n in range(5)]
    assert isinstance(found[5], Refusal) and found[5].reason == "empty_question"


def test_a_bad_turn_of_a_chat_takes_no_other_turn_with_it(tmp_path: Path) -> None:
    turns = [{"from": who, "value": text} for n in range(3) for who, text in (
        ("human", f"<image>\nWhat is {n}?"), ("gpt", "no tag" if n == 1 else f"<CONCLUSION>Red {n}</CONCLUSION>"))]
    put(tmp_path / "up/train.jsonl", json.dumps({"id": "a", "image": "1.png", "conversations": turns}))
    put(tmp_path / "up/image/1.png", png())
    result, samples, ledger = run("llava_cot", tmp_path / "up", tmp_path / "out")
    assert list(samples) == ["llava_cot/train/a-0", "llava_cot/train/a-2"]
    assert [(row["id"], row["reason"]) for row in ledger] == [("llava_cot/train/a-1", "empty_gold")]
    assert result.rows_read == 3


def test_an_adapter_that_fails_on_a_row_does_not_end_the_run(tmp_path: Path) -> None:
    """Ids that are objects, options that are lists, a number of five thousand digits, a folder in place of a file."""
    good = {"id": "good", "image": "1.png", "options": ["A) 1", "B) 2"], "question": "Which?", "label": "B"}
    lines = [json.dumps(row) for row in (
        good, {**good, "id": {"a": 1}}, {**good, "id": "b", "options": [["A) 1"], "B) 2"]},
        {**good, "id": "c", "image": "x" * 5000 + ".png"})]
    put(tmp_path / "up/arxivqa.jsonl", "\n".join([*lines, '{"id": ' + "1" * 5000 + "}"]) + "\n")
    put(tmp_path / "up/1.png", png())
    result, samples, ledger = run("arxivqa", tmp_path / "up", tmp_path / "out")
    assert list(samples) == ["arxivqa/train/good"]
    assert result.dropped == {"picture_missing": 1, "unreadable": 1, "wrong_type": 2}
    assert any("thousands of digits" in row["evidence"] for row in ledger)

    put(tmp_path / "geos/aaai/000.json", {"answer": "60", "text": "What is x?", "key": 1, "choices": {}})
    put(tmp_path / "geos/aaai/000.png", png())
    (tmp_path / "geos/aaai/001.json").mkdir()
    result, _, _ = run("geos", tmp_path / "geos", tmp_path / "out2")
    assert (result.kept, result.dropped) == (1, {"unreadable": 1})
