"""The options of DAPO and Dr. GRPO in a run: what was recorded agrees with their formulas and with replay."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cogito_train.replay import replay

from .conftest import small_recipe, train
from .tiny import nano_data

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")

LIMIT, BUFFER = 16, 8
SETTINGS = [
    f"max_response_tokens={LIMIT}", "prompts_per_step=6", "prompts_per_update=6", "samples_per_prompt=4",
    "validation.rows=2", "validation.samples=1", "stages.0.steps=2", "stages.1.steps=1", "stages.2.steps=1",
    "objective.kl=0", "objective.clip_high=0.28", "objective.advantage_scale=none", "objective.average=constant",
    "objective.drop_truncated=true", "objective.engine_cap=2.0",
    *(f"stages.{i}.rewards.overlong_buffer={BUFFER}" for i in range(3)), "stages.0.weighting.curve=uniform",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("variants")
    train(small_recipe(nano_data(root / "in", train=3, validation=1), *SETTINGS), root / "run")
    return root / "run"


def _step(run: Path, stage: str, step: int) -> tuple[dict, list[dict]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    row = next(row for row in rows if (row["stage"], row["step"]) == (stage, step))
    return row, pq.read_table(run / "rollouts" / stage / f"{step:05d}.parquet").to_pylist()


def test_the_recorded_step_follows_the_formulas(run):
    row, answers = _step(run, "easy", 1)
    lengths = np.array([len(a["token_ids"]) for a in answers])
    cut = np.array([a["finish"] == "length" for a in answers])
    assert 0 < cut.sum() < len(cut)
    overlong = -np.clip((lengths - (LIMIT - BUFFER)) / BUFFER, 0, 1)
    np.testing.assert_allclose([json.loads(a["parts"])["overlong"] for a in answers], overlong, atol=1e-12)
    rewards = np.array([a["reward"] for a in answers]).reshape(6, 4)
    centred = (rewards - rewards.mean(axis=1, keepdims=True)).ravel()
    np.testing.assert_allclose([a["advantage"] for a in answers], centred, atol=1e-12)
    # Dr. GRPO: the sum over tokens of the answers that count, over answers times the limit; every ratio is 1.
    expected = -(lengths * centred)[~cut].sum() / ((~cut).sum() * LIMIT)
    assert row["loss"] == pytest.approx(expected, abs=1e-6)
    assert row["truncated"] == cut.mean()


@pytest.mark.parametrize(("stage", "step"), [("easy", 2), ("medium", 1), ("hard", 1)])
def test_replay_gives_the_recorded_step(run, stage, step):
    done = replay(run, step, stage_name=stage, overrides=[])
    assert done.changed_rewards == 0 and done.largest_advantage_change == 0.0
    assert done.loss == pytest.approx(_step(run, stage, step)[0]["loss"], abs=1e-6)


@pytest.mark.parametrize("average", ["token", "sequence"])
def test_replay_weighs_answers_as_it_is_told(run, average):
    """The other averages, written out once more: a mean over tokens, and a mean of every answer's mean."""
    _, answers = _step(run, "easy", 1)
    lengths = np.array([len(a["token_ids"]) for a in answers])
    kept = np.array([a["finish"] != "length" for a in answers])
    advantages = np.array([a["advantage"] for a in answers])
    weights = lengths / lengths[kept].sum() if average == "token" else np.full(len(lengths), 1 / kept.sum())
    done = replay(run, 1, stage_name="easy", overrides=[f"objective.average={average}"])
    assert done.loss == pytest.approx(-(weights * advantages)[kept].sum(), abs=1e-12)
