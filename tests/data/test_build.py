"""`cogito-data build` as a user runs it: resume after a kill, workers, refusals, bad input, and what it writes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from cogito_core.shards import read_samples
from cogito_data.explain import ledger_rows
from tests.engines.eye_server import EyeServer

RECIPE = {
    "name": "small",
    "data": {
        "mix": [{"source": "nano", "limit": 72}],
        "hold_out": {"validation": 8, "heldout": 12},
        "difficulty": {"model": "nano", "prompt": "nano", "trials": 8, "max_tokens": 16, "drop_above": 0.5},
        "select": {"category_caps": {"logic": 4}},
    },
}


def run(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cogito_data", *map(str, arguments)], capture_output=True, text=True, timeout=300,
        env={**os.environ, **(env or {})},
    )


def recipe_file(folder: Path, **changes: object) -> Path:
    data = {**RECIPE["data"], **changes}  # type: ignore[dict-item]
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"name": "small", "data": {k: v for k, v in data.items() if v is not None}}))
    return path


def outputs(out: Path) -> dict[str, str]:
    """Hashes of everything a build promises to be the same, whatever happened on the way."""
    names = ["config.yaml", "summary.json", "ledger.jsonl", "report.html"]
    paths = [out / name for name in names] + sorted((out / "data").glob("*")) + sorted((out / "work" / "trials").glob("*.parquet"))
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed build."""
    folder = tmp_path_factory.mktemp("built")
    done = run("build", "--recipe", recipe_file(folder), "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_the_funnel_adds_up_and_every_row_is_somewhere(built: Path) -> None:
    summary = json.loads((built / "summary.json").read_text())
    assert summary["ingested"] == 72 == summary["kept"] + sum(summary["dropped"].values())
    assert summary["splits"]["heldout"] == 12
    assert summary["splits"]["validation"] == 8
    kept = [sample.id for sample in read_samples(built / "data")]
    dropped = [row["id"] for row in ledger_rows(built)]
    assert len(kept) == summary["kept"]
    assert len(set(kept) | set(dropped)) == len(kept) + len(dropped) == 72
    for counts in (*summary["sources"].values(), *summary["categories"].values()):
        assert counts["ingested"] == counts.get("kept", 0) + sum(counts.get(reason, 0) for reason in summary["dropped"])


def test_training_rows_are_measured_and_held_out_rows_are_not(built: Path) -> None:
    train = list(read_samples(built / "data", "train"))
    assert train
    for sample in train:
        assert sample.n_trials is not None and sample.n_correct is not None
        assert sample.n_correct <= 4
        low, high = sample.meta["pass_rate_bounds"]
        assert low <= sample.n_correct / 8 <= high
        assert sample.difficulty_model is not None and sample.difficulty_model.startswith("nano T=1")
    assert all(sample.pass_rate is None for sample in read_samples(built / "data", "heldout"))
    pictures = [{sample.image_hash for sample in read_samples(built / "data", split)}
                for split in ("train", "validation", "heldout")]
    assert sum(map(len, pictures)) == len(set.union(*pictures))


def test_datasets_opens_the_shards(built: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    opened = load_dataset("parquet", data_dir=str(built / "data"), cache_dir=str(tmp_path))
    assert set(opened) >= {"train", "validation"}
    row = opened["train"][0]
    assert row["images"][0].size[0] > 0
    assert row["problem"].count("<image>") == len(row["images"])


def test_killed_at_random_moments_it_ends_with_the_same_bytes(built: Path, tmp_path: Path) -> None:
    rng = random.Random(4)
    command = [sys.executable, "-m", "cogito_data", "build", "--recipe", str(recipe_file(tmp_path)), "-o", str(tmp_path / "out")]
    kills = 0
    for _ in range(4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0.5, 5.0))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills
    assert run("build", "--recipe", recipe_file(tmp_path), "-o", tmp_path / "out").returncode == 0
    assert outputs(tmp_path / "out") == outputs(built)


def test_two_workers_write_the_same_bytes(built: Path, tmp_path: Path) -> None:
    done = run("build", "--recipe", recipe_file(tmp_path), "-o", tmp_path / "out", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert outputs(tmp_path / "out") == outputs(built)


def test_a_finished_build_is_not_done_again(built: Path, tmp_path: Path) -> None:
    before = outputs(built)
    done = run("build", "--recipe", recipe_file(tmp_path), "-o", built)
    assert done.returncode == 0
    assert "finished already" in done.stdout
    assert outputs(built) == before


def test_another_configuration_in_the_same_place_is_refused(built: Path, tmp_path: Path) -> None:
    done = run("build", "--recipe", recipe_file(tmp_path, seed=3), "-o", built)
    assert done.returncode == 1
    assert "data.seed = 0, this command has 3" in done.stderr


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cogito_data", "build", "--recipe", str(recipe_file(tmp_path)), "-o", str(tmp_path / "out")]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lock = tmp_path / "out" / "run.lock"
        while not (lock.exists() and lock.read_text().strip()):
            time.sleep(0.02)
            assert first.poll() is None
        second = run("build", "--recipe", recipe_file(tmp_path), "-o", tmp_path / "out")
        assert first.poll() is None, "the first process was done before the second one came"
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 1
    assert f"another process (pid {first.pid}) is at work" in second.stderr


def test_ctrl_c_is_one_sentence_and_the_build_goes_on(built: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cogito_data", "build", "--recipe", str(recipe_file(tmp_path)), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    events = tmp_path / "out" / "events.jsonl"
    while not (events.exists() and '"difficulty"' in events.read_text()):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: a run directory keeps what was finished" in said
    assert "Traceback" not in said
    assert run("build", "--recipe", recipe_file(tmp_path), "-o", tmp_path / "out").returncode == 0
    assert outputs(tmp_path / "out") == outputs(built)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system of a fixed size cannot be mounted here")
    recipe = recipe_file(tmp_path, difficulty=None)
    try:
        done = run("build", "--recipe", recipe, "-o", small / "out")
        assert done.returncode == 1
        assert "the disk is full" in done.stderr
        assert "Traceback" not in done.stderr
        subprocess.run(["mount", "-o", "remount,size=8m", str(small)], check=True)
        assert run("build", "--recipe", recipe, "-o", small / "out").returncode == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)


BAD = [
    ({"mixx": []}, "unknown key 'mixx' (did you mean 'mix'?)"),
    ({"difficulty": {"model": "nano", "trails": 8}}, "unknown key 'difficulty.trails' (did you mean 'trials'?)"),
    ({"mix": [{"source": "nano"}, {"source": "nano"}]}, "the source 'nano' is listed twice"),
    ({"mix": [{"source": "geoss"}]}, "geos"),
    ({"difficulty": {"model": "nano", "trials": "many"}}, "difficulty.trials"),
    ({"select": {"category_caps": {"maths": 3}}}, "'maths' is no category"),
]


@pytest.mark.parametrize(("changes", "sentence"), BAD)
def test_a_bad_recipe_is_one_sentence(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    done = run("build", "--recipe", recipe_file(tmp_path, **changes), "-o", tmp_path / "out", "--from", tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_source_folder_and_extra_are_named(tmp_path: Path) -> None:
    done = run("build", "--recipe", recipe_file(tmp_path, mix=[{"source": "geos"}]), "--from", tmp_path, "-o", tmp_path / "out")
    assert (done.returncode, "there is no folder 'geos'" in done.stderr) == (1, True)


def test_damaged_pictures_go_to_the_ledger_and_the_build_goes_on(tmp_path: Path) -> None:
    """A source in upstream's layout with a truncated picture, a bad row, and a picture whose scan is cut short."""
    from tests.data.making import encoded, noise_picture

    folder = tmp_path / "root" / "geos" / "official"
    folder.mkdir(parents=True)
    (tmp_path / "root" / "geos" / "practice").mkdir()
    for name in ("001", "002", "003"):
        row = {"answer": "3", "text": f"What is {name}?", "key": int(name), "choices": {"1": "5", "2": "6", "3": "7"}}
        (folder / f"{name}.json").write_text(json.dumps(row))
        (folder / f"{name}.png").write_bytes(encoded(noise_picture(int(name))))
    whole = (folder / "002.png").read_bytes()
    (folder / "002.png").write_bytes(whole[: len(whole) // 2])
    (folder / "003.json").write_text(json.dumps({"answer": "3", "key": 3, "choices": {}}))
    recipe = recipe_file(tmp_path, mix=[{"source": "geos"}], difficulty=None, hold_out=None)
    done = run("build", "--recipe", recipe, "--from", tmp_path / "root", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    reasons = {row["id"].split("/")[-1]: row["reason"] for row in ledger_rows(tmp_path / "out")}
    assert reasons["002"] == "picture_damaged"
    assert "missing_field" in reasons.values()
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["kept"] == 1


def test_questions_without_a_picture_can_be_left_out(tmp_path: Path) -> None:
    from cogito_core.shards import write_shards
    from cogito_data.prepare import part_drops, prepare_shard
    from tests.data.making import encoded, noise_picture, sample

    rows = [sample("seen", pictures=[encoded(noise_picture(1))]), sample("told")]
    shard = write_shards(rows, tmp_path)[0]
    prepare_shard(str(tmp_path / "part"), str(shard), True, False, None, True)
    assert [(drop.id, drop.reason) for drop in part_drops(tmp_path / "part")] == [("made/train/told", "no_picture")]


def test_explain_tells_the_story_of_a_row(built: Path) -> None:
    row = next(row for row in ledger_rows(built) if row["reason"] in ("category_cap", "too_easy"))
    said = run("explain", row["id"], "--run", built).stdout
    for part in ("ingest: nano", "reformulate:", "difficulty:", f"dropped at {row['stage']}: {row['reason']}"):
        assert part in said
    kept = next(read_samples(built / "data", "validation")).id
    assert "kept: data/validation-00000.parquet" in run("explain", kept, "--run", built).stdout
    listed = run("explain", "--dropped", row["reason"], "--run", built).stdout
    assert row["id"] in listed
    unknown = run("explain", kept + "x", "--run", built)
    assert (unknown.returncode, f"did you mean {kept}?" in unknown.stderr) == (1, True)
    assert run("explain", "--run", built).returncode == 2


def test_help_is_quick() -> None:
    before = os.times()
    assert run("--help").returncode == 0
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < 0.5


def test_a_shard_that_was_put_in_place_before_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """A kill between link and rename leaves a second name; the next run must clear it (found by 50 kills)."""
    from cogito_data.pipeline import _publish

    unit, place = tmp_path / "unit.parquet", tmp_path / "train-00000.parquet"
    unit.write_bytes(b"rows")
    for _ in range(2):
        _publish(unit, place)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["train-00000.parquet", "unit.parquet"]


def test_a_server_that_drops_pictures_ends_the_build_before_anything_is_measured(tmp_path: Path) -> None:
    server = EyeServer(picture_tokens=0)
    try:
        done = run("build", "--recipe", recipe_file(tmp_path), "-o", tmp_path / "out", "--engine", f"openai:{server.url}", "--model", "m")
    finally:
        server.kill()
    assert done.returncode == 1
    assert "drops pictures" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "out" / "work" / "trials").glob("*.parquet"))


def test_an_optional_source_that_is_nowhere_is_left_out_and_named(tmp_path: Path) -> None:
    changes = {"difficulty": None, "hold_out": None, "select": None}
    mix = [{"source": "nano", "limit": 12}, {"source": "easyarc"}]
    refused = run("build", "--recipe", recipe_file(tmp_path, mix=mix, **changes), "-o", tmp_path / "refused")
    assert refused.returncode == 1 and "easyarc" in refused.stderr
    mix[1]["optional"] = True
    done = run("build", "--recipe", recipe_file(tmp_path, mix=mix, **changes), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "easyarc is left out" in done.stderr
    assert "easyarc is left out" in (tmp_path / "out" / "report.html").read_text()


def test_a_build_that_leaves_nothing_to_train_on_says_so(tmp_path: Path) -> None:
    path = recipe_file(tmp_path, mix=[{"source": "nano", "limit": 12}], hold_out={"validation": 200}, difficulty=None, select=None)
    done = run("build", "--recipe", path, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "no row is left to train on (held out: 12 validation; dropped: " in done.stderr
