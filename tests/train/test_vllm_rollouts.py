"""Rollouts from vLLM in this process: pushed weights arrive, stale ones stop the run. Runs in the vLLM
environment.
"""

import json
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.engines import open_engine
from cogito_core.engines.base import Request, Sampling
from cogito_core.prompts import build_chat
from cogito_core.runs import RunDir
from cogito_core.shards import SampleStore
from cogito_train.config import load_train_recipe
from cogito_train.loop import Trainer
from cogito_train.parallel import World
from cogito_train.rollout_engine import RolloutEngine

from .tiny import nano_data

pytest.importorskip("vllm", reason="vLLM is not installed here: see scripts/setup-vllm-env.sh")

pytestmark = [pytest.mark.vllm, pytest.mark.filterwarnings("ignore")]

SETTINGS = [
    "engine=vllm",
    "engine_options={eager: true, max_rows: 16}",
    "prompts_per_step=6",
    "prompts_per_update=6",
    "samples_per_prompt=4",
    "max_response_tokens=24",
    "validation.rows=6",
    "validation.every=1",
    "check_first_rollouts=false",
    # A large rate: after one update a stale engine would be far off.
    "optimizer.learning_rate=1e-3",
    "max_engine_gap=0.001",
    "stages.0.steps=3",
    "stages.1.steps=1",
    "stages.2.steps=1",
]


def _trainer(root: Path, run: RunDir) -> Trainer:
    data = nano_data(root / "in", train=4, validation=1)
    recipe = load_train_recipe("nano", [f"data={data}", *SETTINGS])
    return Trainer(recipe, run.path, run, World.join())


def _assert_the_final_model_answers_alike(root: Path) -> None:
    """The trained folder in vLLM and in transformers: the same answers with the same log-probabilities."""
    sample = SampleStore(root / "in" / "data", "validation")[0]
    request = Request(
        "q", build_chat("nano", sample.problem, sample.images), (1, 2), Sampling(max_tokens=12, logprobs=True)
    )
    final = str(root / "run" / "final")
    found = []
    for name, options in (("vllm", {"eager": True, "max_rows": 4, "max_model_len": 256}), ("transformers", {})):
        engine = open_engine(name, final, dtype="float32", **options)
        (result,) = engine.generate([request])
        assert result.error is None
        found.append(result.answers)
        engine.close()
    for ours, theirs in zip(*found, strict=True):
        common = min(len(ours.token_ids), len(theirs.token_ids))
        shared = next((i for i in range(common) if ours.token_ids[i] != theirs.token_ids[i]), common)
        assert shared > 0
        assert ours.logprobs[:shared] == pytest.approx(theirs.logprobs[:shared], abs=1e-4)


def test_every_push_arrives_and_a_missed_one_stops_the_run(tmp_path, monkeypatch):
    with RunDir.open(tmp_path / "run", config={}, command="cogito-train") as run:
        trainer = _trainer(tmp_path, run)
        trainer.train()
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 5 and max(row["grad_norm"] for row in rows) > 0
    assert all(row["engine_gap"] < 1e-4 for row in rows), [row["engine_gap"] for row in rows]
    trainer.rollouts.close()
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    pushes = [event for event in events if event["event"] == "push"]
    assert len(pushes) >= 5 and all(event["gap"] < 1e-4 for event in pushes)
    _assert_the_final_model_answers_alike(tmp_path)

    monkeypatch.setattr(RolloutEngine, "_push", lambda self: None)
    with RunDir.open(tmp_path / "stale", config={}, command="cogito-train") as run:
        trainer = _trainer(tmp_path, run)
        with pytest.raises(CogitoError, match="engine and trainer disagree"):
            trainer.train()
        trainer.rollouts.close()
