"""Trials: what is stored is not asked again, and grading again needs no model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cogito_core.engines.cache import AnswerStore, CachedEngine
from cogito_data.difficulty import measure
from cogito_data.recipe import Difficulty
from cogito_data.trials import TRIAL_SCHEMA, UNASKED, EngineOnDemand, read_measured
from tests.data.test_difficulty import Scripted, items

SETTINGS = Difficulty(model="m", drop_above=0.5)


def outcomes(engine: CachedEngine) -> dict[int, list[str]]:
    return {item.row: [trial.outcome for trial in item.trials] for item in measure(iter(items(12)), engine, SETTINGS, 0)}


def never() -> Scripted:
    raise AssertionError("the model was opened though every answer is stored")


def test_grading_again_opens_no_model(tmp_path: Path) -> None:
    name, store = tmp_path / "engine.json", tmp_path / "answers.sqlite"
    scripted = Scripted(lambda request, seed: seed % 2 == 0, 5)
    # Ids of CachedEngine's own requests are not the rows, so the script goes by seed alone.
    first = outcomes(CachedEngine(EngineOnDemand(name, lambda: scripted), AnswerStore(store)))
    assert json.loads(name.read_text()) == {"engine": "scripted"}
    again = outcomes(CachedEngine(EngineOnDemand(name, never), AnswerStore(store)))
    assert again == first
    assert len(scripted.asked) == sum(map(len, first.values()))


def test_an_answer_that_is_missing_opens_it(tmp_path: Path) -> None:
    name, store = tmp_path / "engine.json", tmp_path / "answers.sqlite"
    outcomes(CachedEngine(EngineOnDemand(name, lambda: Scripted(lambda request, seed: True, 5)), AnswerStore(store)))
    with pytest.raises(AssertionError, match="model was opened"):
        list(measure(iter(items(13)), CachedEngine(EngineOnDemand(name, never), AnswerStore(store)), SETTINGS, 0))


def _trial(place: int, number: int, outcome: str, text: str = "3") -> dict[str, object]:
    return {"place": place, "id": f"q{place}", "trial": number, "seed": 1, "text": text, "n_tokens": 4, "finish": "stop",
            "outcome": outcome, "rule": "number", "extracted": "3"}


def test_a_question_that_was_refused_halfway_counts_as_not_measured(tmp_path: Path) -> None:
    records = [_trial(0, 0, "right"), _trial(0, 1, "wrong"), _trial(1, 0, "right"), _trial(1, 1, UNASKED, "too narrow"), _trial(2, 0, "wrong")]
    pq.write_table(pa.Table.from_pylist(records, schema=TRIAL_SCHEMA), tmp_path / "unit.parquet")
    found = read_measured([tmp_path / "unit.parquet"], np.array([4, 6, 7]), 9, SETTINGS)
    assert found.unasked == {6: "too narrow"}
    assert found.rows.tolist() == [4, 7] and found.counts(4) == (1, 2) and found.counts(7) == (0, 1)
