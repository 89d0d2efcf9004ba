"""Loggers against the real packages, each where it is installed."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cogito_train.loggers import Loggers, _flatten

ROW = {"reward": 0.5, "parts": {"format": 0.25}, "engine_gap": None, "prompts": 4, "solved_histogram": [1, 2]}

RUN = """
import json, sys
from pathlib import Path
from cogito_train.loggers import Loggers
loggers = Loggers(Path(sys.argv[1]), "run-7", {"prompts_per_step": 4})
for step in (1, 2):
    loggers.log({**json.loads(sys.argv[2]), "reward": step / 2}, step)
loggers.close()
"""


def _log(folder: Path, **environment: str) -> None:
    paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    subprocess.run(
        [sys.executable, "-c", RUN, str(folder), json.dumps(ROW)],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", **environment},
    )


def test_every_number_is_sent_under_its_path():
    assert dict(_flatten(ROW)) == {"reward": 0.5, "parts/format": 0.25, "prompts": 4.0}


def test_without_any_logger_nothing_happens(tmp_path, monkeypatch):
    for module in ("torch.utils.tensorboard", "wandb", "trackio"):
        monkeypatch.setitem(sys.modules, module, None)
    loggers = Loggers(tmp_path, "run", {})
    loggers.log(ROW, 1)
    loggers.close()
    assert not list(tmp_path.iterdir())


def test_trackio_keeps_the_figures(tmp_path):
    pytest.importorskip("trackio")
    _log(tmp_path, TRACKIO_DIR=str(tmp_path / "trackio"))
    (base,) = (tmp_path / "trackio").glob("*.db")
    with sqlite3.connect(base) as connection:
        rows = connection.execute("select run_name, step, metrics from metrics order by step").fetchall()
    assert [(name, step) for name, step, _ in rows] == [("run-7", 1), ("run-7", 2)]
    assert [json.loads(metrics)["reward"] for _, _, metrics in rows] == [0.5, 1.0]
    assert json.loads(rows[0][2])["parts/format"] == 0.25


def test_tensorboard_keeps_the_figures(tmp_path):
    pytest.importorskip("torch.utils.tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _log(tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("reward")] == [(1, 0.5), (2, 1.0)]
    assert events.Tags()["scalars"] == ["reward", "parts/format", "prompts"]
