"""The build on real upstream records: five sources in their own layouts, leaks into MathVista, kills at random."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.realdata

SOURCES = ("geos", "scienceqa", "tabmwp", "chartqa", "geometry3k")


def command(folder: Path, shared: Path) -> list[str]:
    recipe = folder / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"name": "real", "data": {
        "any_split": True, "mix": [{"source": name} for name in SOURCES],
        "decontaminate": {"against": [{"name": "mathvista", "files": ["data/testmini.json"]}]},
        "hold_out": {"validation": 50}, "select": {"category_caps": {"science": 400}},
    }}))
    return [sys.executable, "-m", "cogito_data", "build", "--recipe", str(recipe), "--from", str(shared / "realdata"),
            "-o", str(folder / "out")]


def outputs(out: Path) -> dict[str, str]:
    paths = [out / "summary.json", out / "ledger.jsonl", out / "leaks.jsonl", out / "report.html", *sorted((out / "data").iterdir())]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, shared_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("real")
    done = subprocess.run(command(folder, shared_dir), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_every_record_is_accounted_for(built: Path) -> None:
    summary = json.loads((built / "summary.json").read_text())
    assert {name: counts["ingested"] for name, counts in summary["sources"].items()} == {
        "geos": 185, "scienceqa": 1773, "tabmwp": 2000, "chartqa": 2373, "geometry3k": 10}
    assert summary["ingested"] == summary["kept"] + sum(summary["dropped"].values())
    assert len((built / "ledger.jsonl").read_text().splitlines()) == sum(summary["dropped"].values())
    assert summary["sources"]["geos"]["rewritten"] == 45, "of the set aaai; the others print their options"


def test_all_geos_problems_of_mathvista_are_found(built: Path, shared_dir: Path) -> None:
    """MathVista's own records say which items it took from GEOS, which is here in full."""
    items = json.loads((shared_dir / "realdata" / "mathvista" / "data" / "testmini.json").read_text())
    theirs = {key for key, item in items.items() if item["metadata"]["source"] == "GEOS"}
    hits = [json.loads(line) for line in (built / "leaks.jsonl").read_text().splitlines()]
    found = {hit["benchmark_id"]: hit for hit in hits if hit["id"].startswith("geos/")}
    assert set(found) <= theirs
    assert len(found) >= 0.9 * len(theirs)
    pictures = {key for key in theirs if (shared_dir / "realdata" / "mathvista" / items[key]["image"]).exists()}
    assert {key for key, hit in found.items() if hit["tier"] == "T1"} >= pictures
    assert len(pictures) == 4


def test_killed_at_random_moments_it_ends_with_the_same_bytes(built: Path, tmp_path: Path, shared_dir: Path) -> None:
    rng = random.Random(7)
    kills = 0
    for _ in range(5):
        process = subprocess.Popen(command(tmp_path, shared_dir), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0.3, 4.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    assert kills
    subprocess.run(command(tmp_path, shared_dir), capture_output=True, check=True, timeout=300)
    assert outputs(tmp_path / "out") == outputs(built)
