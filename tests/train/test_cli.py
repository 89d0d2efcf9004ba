"""The command line: exit codes, one sentence for every fault, quick help."""

import os
import subprocess
import sys

import pytest


def _run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cogito_train.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["replay", "--help"]])
def test_help_imports_little(arguments):
    """Counted, not timed: torch alone would be some 1,500 modules, numpy 150."""
    command = [sys.executable, "-X", "importtime", "-m", "cogito_train.cli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert result.returncode == 0 and "Usage" in result.stdout
    imported = [line.rsplit("|", 1)[1].strip() for line in result.stderr.splitlines() if line.count("|") == 2]
    assert "typer" in imported and len(imported) < 700
    assert not {"torch", "transformers", "numpy", "pyarrow"} & set(imported)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--recipe", "nanoo"], 1, "did you mean 'nano'"),
        (["--recipe", "nano"], 1, "--set data=DIR"),
        (["--recipe", "nano", "--set", "data=/nowhere"], 1, "no data directory"),
        (["--recipe", "nano", "--set", "steps"], 1, "key=value"),
        (["--recipe", "nano", "--set", "stges=1"], 1, "did you mean 'stages'"),
        (["--recipe", "nano", "--resume"], 1, "no run to resume"),
        (["plan", "--recipe", "nano", "--gpu-memory", "much"], 1, "no amount of memory"),
        (["replay", "/nowhere", "--step", "1"], 1, "no run of cogito-train"),
        (["--no-such-option"], 2, "no-such-option"),
    ],
)
def test_a_fault_is_one_sentence_and_an_exit_code(arguments, code, words, tmp_path):
    output = ["-o", tmp_path / "run"] if "--recipe" in arguments and "plan" not in arguments else []
    result = _run(*output, *arguments)
    assert result.returncode == code, result.stderr
    assert words in result.stderr and "Traceback" not in result.stderr


def test_a_run_of_another_configuration_is_not_mixed_in(straight, data):
    result = _run("--recipe", "nano", "-o", straight, "--set", f"data={data}", "--set", "seed=5")
    assert result.returncode == 1 and "holds a run with train." in result.stderr


def test_plan_prints_parts_and_the_smallest_set():
    result = _run("plan", "--recipe", "nano", "--gpus", 2, "--gpu-memory", "24GB", "--set", "hand_over.reference=keep")
    assert result.returncode == 0, result.stderr
    assert "Adam moments" in result.stdout and "smallest set that fits: 1 x 22.4 GiB" in result.stdout
    assert "8-bit Adam" in result.stdout and result.stdout.count("not with this recipe") == 2


def test_replay_of_a_recorded_step_changes_nothing(straight):
    result = _run("replay", straight, "--stage", "hard", "--step", 2)
    assert result.returncode == 0, result.stderr
    assert "0 verdicts and 0 rewards of 16 differ" in result.stdout
