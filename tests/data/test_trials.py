"""Trials: what is stored is not asked again, and grading again needs no model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cogito_core.engines.cache import AnswerStore, CachedEngine
from cogito_data.difficulty import measure
from cogito_data.recipe import Difficulty
from cogito_data.trials import EngineOnDemand
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
