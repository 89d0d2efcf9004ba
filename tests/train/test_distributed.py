"""Two processes (FSDP2 on gloo) train what one process trains; rows without pictures and odd counts hang nobody."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from cogito_core.sample import Sample
from cogito_core.shards import read_samples, write_shards

from .tiny import nano_data

SETTINGS = [
    "prompts_per_step=5",
    "prompts_per_update=5",
    "samples_per_prompt=4",
    "max_response_tokens=20",
    "micro_batch_tokens=400",
    "checkpoint_every=2",
    "validation.every=2",
    "validation.rows=5",
    "optimizer.learning_rate=1e-4",
    "check_first_rollouts=false",
    "stages.0.steps=3",
    "stages.1.steps=2",
    "stages.2.steps=2",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Nano questions, two thirds of them without their picture: some updates of a process have none at all."""
    directory = nano_data(tmp_path_factory.mktemp("data"), train=4, validation=1)
    rows = list(read_samples(directory / "data", "train"))
    blind = [
        Sample(**{**vars(row), "images": (), "image_hash": "", "problem": row.problem.replace("<image>", "")})
        if number % 3
        else row
        for number, row in enumerate(rows)
    ]
    write_shards(blind, directory / "data", split="train")
    return directory


def _command(data: Path, run: Path, processes: int) -> list[str]:
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    command = [sys.executable, *start, "-m", "cogito_train.cli", "--recipe", "nano", "-o", str(run)]
    for setting in (f"data={data}", *SETTINGS):
        command += ["--set", setting]
    return command


def _run(data: Path, run: Path, processes: int) -> None:
    # A hang would show as this time limit, with the phase in the output.
    environment = {**os.environ, "COGITO_TIMEOUT_S": "300"}
    result = subprocess.run(_command(data, run, processes), capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "alone"
    _run(data, run, 1)
    return run


def _assert_close(run: Path, alone: Path) -> None:
    ours, theirs = (
        [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()] for folder in (run, alone)
    )
    assert [(r["stage"], r["step"]) for r in ours] == [(r["stage"], r["step"]) for r in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert a["solved_histogram"] == b["solved_histogram"] and a["tokens"] == b["tokens"]
        for key in ("reward", "loss", "kl", "entropy", "grad_norm", "weight"):
            assert a[key] == pytest.approx(b[key], rel=1e-3, abs=1e-6), (a["stage"], a["step"], key)
    weights, expected = (load_file(folder / "final" / "model.safetensors") for folder in (run, alone))
    assert weights.keys() == expected.keys()
    moved = max(float(np.abs(weights[name] - expected[name]).max()) for name in expected)
    assert moved < 1e-4, moved


def test_two_processes_equal_one(data, alone, tmp_path):
    _run(data, tmp_path / "run", 2)
    _assert_close(tmp_path / "run", alone)


def _kill_workers_of(run: Path) -> None:
    """torchrun gives its workers sessions of their own: they outlive it by a moment and would hold the lock."""
    mark = str(run).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if mark in words:
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
    with (run / "run.lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # waits until the last of them is gone


def test_killed_with_two_processes_resumed_with_one(data, alone, tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen(
        _command(data, run, 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    metrics = run / "metrics.jsonl"
    while process.poll() is None:
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= 4:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _kill_workers_of(run)
    assert not (run / "summary.json").exists()
    _run(data, run, 1)
    _assert_close(run, alone)
