"""A run killed anywhere and started again gives the bytes of the undisturbed run: metrics, weights, checkpoints."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_train.checkpoint import Progress, load_progress, save_checkpoint
from cogito_train.loop import Trainer
from cogito_train.optim import new_optimizer
from cogito_train.parallel import World
from cogito_train.policy import Policy

from .conftest import RUN_SETTINGS, small_recipe, train

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


def _assert_same(run: Path, straight: Path) -> None:
    names = ["metrics.jsonl", "final/model.safetensors"]
    names += [f"stages/{stage}/best/model.safetensors" for stage in ("easy", "medium", "hard")]
    names += [str(path.relative_to(straight)) for path in straight.glob("rollouts/*/*.parquet")]
    for name in names:
        assert (run / name).read_bytes() == (straight / name).read_bytes(), name
    ours, theirs = (json.loads((folder / "summary.json").read_text())["stages"] for folder in (run, straight))
    assert ours == theirs


def _tree(run: Path) -> set[str]:
    return {str(path.relative_to(run)) for path in run.rglob("*")}


def test_the_run_learned_something_to_compare(straight):
    rows = [json.loads(line) for line in (straight / "metrics.jsonl").read_text().splitlines()]
    assert [(row["stage"], row["step"]) for row in rows] == [
        *(("easy", s) for s in (1, 2, 3)),
        *(("medium", s) for s in (1, 2)),
        *(("hard", s) for s in (1, 2, 3)),
    ]
    assert max(row["grad_norm"] for row in rows) > 0
    assert all(row["engine_gap"] < 1e-4 for row in rows)


@pytest.mark.parametrize("after", [1, 3, 4, 7])
def test_stopped_after_any_step_it_ends_the_same(data, straight, tmp_path, monkeypatch, after):
    """Stopped in process at a step that is no checkpoint, at a stage's end, early in a stage, near the end."""
    recipe, done = small_recipe(data), []
    record = Trainer._record

    def stop_later(self, *args):
        record(self, *args)
        done.append(1)
        if len(done) == after:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_record", stop_later)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "run")
    monkeypatch.undo()
    train(recipe, tmp_path / "run")
    _assert_same(tmp_path / "run", straight)


def test_what_a_kill_left_of_earlier_stages_is_cleared_away(data, straight, tmp_path):
    """A checkpoint of 7B takes 100 GB; killed just before its removal it must not stay for ever."""
    run = tmp_path / "run"
    shutil.copytree(straight, run)
    (run / "summary.json").unlink()
    for left in ("easy/checkpoint", "easy/.checkpoint.aside", "medium/.checkpoint.old"):
        shutil.copytree(run / "stages/hard/checkpoint", run / "stages" / left)
    train(small_recipe(data), run)
    assert _tree(run) == _tree(straight)


def test_killed_with_signal_9_at_a_random_moment(data, straight, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "cogito_train.cli", "--recipe", "nano", "-o", str(run)]
    for setting in (f"data={data}", *RUN_SETTINGS):
        command += ["--set", setting]
    # The time since the epoch picks the moment: another one at every call of the suite.
    wanted, pause = 1 + time.time_ns() // 1000 % 6, time.time_ns() // 1000 % 300 / 1000
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ))
    metrics = run / "metrics.jsonl"
    while process.poll() is None:
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= wanted:
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()
    assert process.returncode in (0, -signal.SIGKILL), process.stderr.read().decode()
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, env=dict(os.environ))
    assert again.returncode == 0, again.stderr
    _assert_same(run, straight)


def test_a_finished_run_is_left_alone(data, straight):
    before = (straight / "metrics.jsonl").stat().st_mtime_ns
    command = [sys.executable, "-m", "cogito_train.cli", "--recipe", "nano", "-o", str(straight)]
    for setting in (f"data={data}", *RUN_SETTINGS):
        command += ["--set", setting]
    result = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert result.returncode == 0 and "finished already" in result.stdout
    assert (straight / "metrics.jsonl").stat().st_mtime_ns == before


def test_a_checkpoint_of_another_shape_is_refused(data, straight, tmp_path):
    """A tensor that is on one side only must never keep its value in silence."""
    recipe = small_recipe(data, "train_vision=false")
    trainer = Trainer(recipe, tmp_path, None, World.join())
    trainer.directory = straight
    with pytest.raises(CogitoError, match="does not fit this run"):
        trainer.train()


def test_a_damaged_progress_file_is_named(tmp_path):
    (tmp_path / "progress.json").write_text('{"stage": ')
    with pytest.raises(CogitoError, match=r"progress\.json cannot be read"):
        load_progress(tmp_path)


@pytest.fixture
def full_disk(tmp_path):
    """A file system of 2 MB, less than nano's weights."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("this machine does not let the test mount a small file system")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_disk_that_fills_up_is_one_system_error_and_leaves_the_last_checkpoint(data, full_disk):
    """The checkpoint library wraps it in what `except Exception` does not see, safetensors in a text."""
    policy = Policy(small_recipe(data), World.join())
    optimizer = new_optimizer(policy, policy.recipe.optimizer)
    folder = full_disk / "checkpoint"
    folder.mkdir()
    (folder / "progress.json").write_text('{"stage": 1, "step": 4}')
    with pytest.raises(OSError) as caught:
        save_checkpoint(folder, policy, optimizer, Progress(), World.join())
    assert caught.value.errno == errno.ENOSPC
    assert load_progress(folder) == Progress(stage=1, step=4)
    shutil.rmtree(full_disk / ".checkpoint.aside")
    with pytest.raises(OSError) as caught:
        policy.export(full_disk / "best", dtype="float32")
    assert caught.value.errno == errno.ENOSPC and not (full_disk / "best").exists()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: _cut(next((run / "stages/hard/checkpoint").glob("*.safetensors"))), "checkpoint cannot be read"),
        (lambda run: next((run / "stages/hard/checkpoint").glob("*.safetensors")).write_bytes(b""), "cannot be read"),
        (lambda run: next((run / "stages/hard/checkpoint").glob("*.safetensors")).unlink(), "does not fit this run"),
        (lambda run: (run / "stages/hard/checkpoint/progress.json").unlink(), r"progress\.json cannot be read"),
        (lambda run: _cut(run / "stages/medium/best/model.safetensors"), r"medium/best cannot be loaded \(Error while"),
        (lambda run: shutil.rmtree(run / "stages/medium/best"), r"medium/best cannot be loaded \(there is no such"),
        (lambda run: (run / "metrics.jsonl").write_text("no row\n"), r"metrics\.jsonl holds a line that is no row"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_starts_anew_in_silence(data, straight, tmp_path, spoil, words):
    run = tmp_path / "run"
    shutil.copytree(straight, run)
    # One step is left to do: the KL reference has to be read too.
    (run / "summary.json").unlink()
    progress = json.loads((run / "stages/hard/checkpoint/progress.json").read_text())
    (run / "stages/hard/checkpoint/progress.json").write_text(json.dumps({**progress, "step": progress["step"] - 1}))
    spoil(run)
    with pytest.raises(CogitoError, match=words):
        train(small_recipe(data), run)


def test_the_old_checkpoint_counts_if_the_kill_fell_between_the_renames(tmp_path):
    old = tmp_path / ".checkpoint.old"
    old.mkdir()
    (old / "progress.json").write_text('{"stage": 1, "step": 4}')
    found = load_progress(tmp_path / "checkpoint")
    assert found is not None and (found.stage, found.step) == (1, 4)


def test_a_checkpoint_holds_no_pickle_and_opens_none(data, straight, tmp_path):
    """Opening a pickle runs whatever is in it; a run directory may come from anybody."""
    folder = straight / "stages" / "hard" / "checkpoint"
    assert {path.suffix for path in folder.iterdir()} == {".safetensors", ".json"}
    run = tmp_path / "run"
    shutil.copytree(straight, run)
    (run / "summary.json").unlink()
    trap = b"cbuiltins\nopen\n(V" + str(tmp_path / "sprung").encode() + b"\nVw\ntR."
    (run / "stages" / "hard" / "checkpoint" / ".metadata").write_bytes(trap)
    train(small_recipe(data), run)
    assert not (tmp_path / "sprung").exists()
