"""Golds that several people gave: which answer is the gold, and which rows are refused."""

from __future__ import annotations

import pytest

from cogito_core.verify import verify
from cogito_data.sources.rows import REASONS, BadRow, Row
from cogito_data.sources.shapes.people import consensus_gold, scored_gold


@pytest.mark.parametrize(
    ("said", "chosen", "answer", "aliases"),
    [
        (["two"] * 2 + ["2"] * 5 + ["3"] * 3, "2", "2", ("3",)),
        (["cat", "Cat.", "the cat"] + [f"w{n}" for n in range(7)], None, "cat", ()),
        (["a dog"] * 6 + ["wolf"] * 4, "fox", "a dog", ("wolf",)),
        (["yes"] * 8 + ["no"] * 2, "yes", "yes", ()),
        (["red", "red"], None, "red", ()),
        (["knife", "knife", "fork", "fork"] + [f"w{n}" for n in range(6)], "knife", "no_consensus", ()),
        (["yes"] * 6 + ["no"] * 4, "yes", "no_consensus", ()),
        (["red", "blue"], "red", "no_consensus", ()),
        (["", "  "], None, "empty_gold", ()),
    ],
)
def test_what_three_people_said_is_the_gold(
    said: list[str], chosen: str | None, answer: str, aliases: tuple[str, ...]
) -> None:
    row = Row("file, row 0", {})
    if answer in REASONS:
        with pytest.raises(BadRow) as error:
            consensus_gold(row, said, chosen=chosen)
        assert error.value.reason == answer
        return
    gold, counts = consensus_gold(row, said, chosen=chosen)
    assert (gold.answer, gold.aliases, gold.kind) == (answer, aliases, "vqa")
    assert sum(counts.values()) == len(said)
    for one in (gold.answer, *gold.aliases):
        assert verify(gold.answer, one, kind="vqa", spec=gold.spec).is_right


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ({"riding": 0.667, "racing": 1, "moto": 1}, ("racing", ("moto",))),
        ({"climbing": 0.667}, "no_consensus"),
        ({"climbing": 0.667, "": 1}, "no_consensus"),
        ({"climbing": "1"}, "wrong_type"),
        ({"climbing": 3}, "wrong_type"),
        ({}, "empty_gold"),
        (None, "empty_gold"),
        (["climbing"], "wrong_type"),
    ],
)
def test_soft_labels(label: object, expected: object) -> None:
    row = Row("file, row 0", {"label": label})
    if isinstance(expected, tuple):
        gold = scored_gold(row, "label")
        assert (gold.answer, gold.aliases) == expected
    else:
        with pytest.raises(BadRow) as error:
            scored_gold(row, "label")
        assert error.value.reason == expected


def test_the_accepted_answers_are_those_of_the_vqa_measure() -> None:
    # Independent reference: VQA accuracy of an answer is min(1, people who gave it / 3).
    answers = ["aa"] * 5 + ["bb"] * 3 + ["cc"] * 2
    gold, _ = consensus_gold(Row("file, row 0", {}), answers)
    right = {answer for answer in set(answers) if min(1, answers.count(answer) / 3) == 1}
    assert {gold.answer, *gold.aliases} == right
    accepted = {one for one in set(answers) if verify(gold.answer, one, kind="vqa", spec=gold.spec).is_right}
    assert accepted == right
