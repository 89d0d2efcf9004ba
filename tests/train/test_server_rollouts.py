"""Rollouts from a real vLLM server over HTTP: pushed weights arrive, lost ones stop the run.

Runs in the vLLM environment: .venv-vllm/bin/python -m pytest -m vllm tests/train/test_server_rollouts.py
"""

import json
import shutil
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.runs import RunDir
from cogito_train.config import load_train_recipe
from cogito_train.loop import Trainer
from cogito_train.parallel import World
from cogito_train.policy import Policy

from .test_vllm_rollouts import SETTINGS
from .tiny import nano_data

pytest.importorskip("vllm", reason="vLLM is not installed here: see scripts/setup-vllm-env.sh")

pytestmark = [pytest.mark.vllm, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def server():
    from engines.vllm_server import VllmServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_SERVER_DEV_MODE", "1")
        with VllmServer("nano") as server:
            yield server


def _trainer(root: Path, run: RunDir, urls: list[str], *more: str) -> Trainer:
    data = root / "in"
    if not data.exists():
        nano_data(data, train=4, validation=1)
    settings = [setting for setting in SETTINGS if not setting.startswith("engine")]
    options = json.dumps({"urls": urls})
    recipe = load_train_recipe(
        "nano", [f"data={data}", *settings, "engine=openai", f"engine_options={options}", *more]
    )
    return Trainer(recipe, run.path, run, World.join())


def _events(run: Path, kind: str) -> list[dict]:
    lines = (run / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def test_a_run_sends_its_weights_after_every_update(server, tmp_path):
    """Two addresses of one server stand for two servers: each is sent the weights and probed alone."""
    urls = [server.url, server.url.replace("127.0.0.1", "localhost")]
    with RunDir.open(tmp_path / "run", config={}, command="cogito-train") as run:
        trainer = _trainer(tmp_path, run, urls)
        assert len(trainer.rollouts._probed) == 2
        summary = trainer.train()
        # A server that was started anew has its first weights and another version: it is sent ours before it is asked.
        pushes = len(_events(run.path, "push"))
        server.post("/update_weight_version", {"new_version": "default"})
        with trainer.rollouts.asking():
            pass
        assert len(_events(run.path, "push")) == pushes + 1
        with trainer.rollouts.asking():
            pass
        assert len(_events(run.path, "push")) == pushes + 1
        trainer.rollouts.close()
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 5 and max(row["grad_norm"] for row in rows) > 0
    assert all(row["engine_gap"] < 1e-4 for row in rows), [row["engine_gap"] for row in rows]
    events = _events(tmp_path / "run", "push")
    assert all(event["gap"] < 1e-4 for event in events), events
    # One push at the start of each stage, one after each of its updates that is followed by answers, one by hand.
    assert len(events) == 3 + 5 + 1
    assert [stage["steps"] for stage in summary["stages"]] == [3, 1, 1]
    assert not list((tmp_path / "run" / "weights-for-servers").glob("*"))


def test_a_push_without_the_tied_head_stops_the_run(server, tmp_path, monkeypatch):
    whole = Policy.stream_weights

    def without_head(self, dtype):
        return ((name, weight) for name, weight in whole(self, dtype) if name != "lm_head.weight")

    monkeypatch.setattr(Policy, "stream_weights", without_head)
    with RunDir.open(tmp_path / "run", config={}, command="cogito-train") as run:
        trainer = _trainer(tmp_path, run, [server.url])
        with pytest.raises(CogitoError, match="the weights did not arrive.*max_engine_gap"):
            trainer.train()
        trainer.rollouts.close()


def test_a_push_that_a_server_refuses_is_said(server, tmp_path):
    """The server cannot read the folder: other machines see it under another path, or not at all."""
    with RunDir.open(tmp_path / "run", config={}, command="cogito-train") as run:
        trainer = _trainer(tmp_path, run, [server.url])
        from cogito_train import weight_servers

        write = weight_servers.write_weights

        def write_and_lose(weights, folder):
            write(weights, folder)
            shutil.rmtree(folder)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(weight_servers, "write_weights", write_and_lose)
            with pytest.raises(CogitoError, match="answers /collective_rpc with"):
                trainer.train()
        trainer.rollouts.close()
