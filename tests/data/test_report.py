"""Report and gallery: self-contained, and text from data stays text."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cogito_core.runs import RunDir
from cogito_core.shards import write_shards
from cogito_data.decontaminate import decontaminate
from cogito_data.dedup import deduplicate
from cogito_data.difficulty import bounds
from cogito_data.funnel import summarise
from cogito_data.inspect_gallery import write_gallery
from cogito_data.nano_source import ingest_nano
from cogito_data.pipeline import Build
from cogito_data.pool import Pool
from cogito_data.probes import ProbeItem
from cogito_data.recipe import DataRecipe, Difficulty
from cogito_data.report import render, shares_shown
from cogito_data.selection import drop_by_difficulty
from cogito_data.trials import Measured
from tests.data.making import encoded, noise_picture, pool_of, sample

EVIL = "<script>alert('x')</script> & <b>bold</b>"


def small_build(folder: Path) -> tuple[Build, Pool]:
    png = encoded(noise_picture(1))
    pool = pool_of([
        sample("a", f"How many {EVIL}?", "3", pictures=[png]),
        sample("b", f"How many {EVIL}?", "3", pictures=[png]),
        sample("c", "How far is it?", "B", kind="choice", choices=("3 km", "4 km"), pictures=[encoded(noise_picture(2))]),
        sample("d", "What is it?", "owl", kind="text", pictures=[encoded(noise_picture(3))], category="science"),
    ], folder)
    recipe = DataRecipe.model_validate({
        "mix": [{"source": "made"}], "difficulty": {"model": "m", "drop_above": 0.5},
        "decontaminate": {"against": [{"name": "bench", "files": ["x.json"]}]},
    })
    findings = deduplicate(pool, recipe.deduplicate)
    probes = [ProbeItem("bench", "7", "What is it?", "owl", None)]
    hits = decontaminate(pool, recipe.decontaminate, recipe.deduplicate, probes)
    assert recipe.difficulty is not None
    measured = Measured(len(pool), recipe.difficulty)
    measured.add(pool.rows[:1], right=5, done=6, tokens=100)
    drop_by_difficulty(pool, measured, recipe.difficulty)
    splits = {"train": pool.rows}
    funnel = summarise(recipe, pool, Counter(), splits, measured)
    return Build("made", recipe, pool, findings, hits, probes, measured, splits, funnel), pool


def test_the_report_is_self_contained_and_escaped(tmp_path: Path) -> None:
    build, _ = small_build(tmp_path)
    page = render(build)
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    for title in ("Funnel", "Difficulty", "Multiple choice opened", "Duplicates", "Benchmark leaks", "Licences"):
        assert f">{title}</h2>" in page
    assert "duplicate_bytes" in page
    assert "How far is it? Give the answer in km." in page
    assert page.count("data:image/png;base64,") >= 4


def test_the_funnel_counts_each_row_once(tmp_path: Path) -> None:
    build, pool = small_build(tmp_path)
    assert build.funnel.ingested == 4 == build.funnel.kept + len(pool.drops)
    assert build.funnel.dropped == {"duplicate_bytes": 1, "too_easy": 1}
    assert build.funnel.sources["made"]["rewritten"] == 1


SHOWN = [
    # trials, recipe, (right, done) of the rows, labels
    (8, {"drop_above": 0.5}, [(5, 5), (0, 4), (3, 7), (4, 8), (5, 8)], ["5-8", "0-4", "3-4", "4", "5"]),
    (8, {"drop_above": 0.5, "exact_rate": True}, [(0, 8), (8, 8)], ["0", "8"]),
    (16, {"keep_between": [0.0625, 0.9375]},
     [*((1, done) for done in range(2, 14)), (12, 13), (0, 16), (16, 16)],
     [*["kept (1-15)"] * 13, "0", "16"]),
]


@pytest.mark.parametrize(("trials", "rule", "rows", "labels"), SHOWN)
def test_the_histogram_shows_bounds_where_asking_stopped(
    trials: int, rule: dict[str, Any], rows: list[tuple[int, int]], labels: list[str]
) -> None:
    settings = Difficulty.model_validate({"model": "m", "trials": trials, **rule})
    measured = Measured(len(rows), settings)
    right, done = zip(*rows, strict=True)
    measured.add(range(len(rows)), right, done, [1] * len(rows))
    shown = shares_shown(measured, settings)
    assert [label for _, _, label in shown] == labels
    for row, (least, most, _) in enumerate(shown):
        low, high = bounds(*rows[row], trials)
        assert least <= round(low * trials) and round(high * trials) <= most


def test_the_report_says_that_a_row_was_not_asked_to_the_end(tmp_path: Path) -> None:
    build, _ = small_build(tmp_path)
    page = render(build)
    assert "<title>5-7: 1</title>" in page
    assert "the least and the most that all answers could have shown" in page


def test_the_gallery_holds_every_row_and_its_filters(tmp_path: Path) -> None:
    rows = [sample(f"q{i}", f"Question {i} {EVIL}?", str(i), pictures=[encoded(noise_picture(i % 3))]) for i in range(12)]
    write_shards(rows, tmp_path / "data")
    path, shown, total = write_gallery(tmp_path, None, limit=2000)
    page = path.read_text()
    assert (shown, total) == (12, 12)
    assert all(f"Question {i} " in page for i in range(12))
    assert "<b>bold</b>" not in page
    assert "3 more on this picture" in page
    assert '<option value="math">math (12)</option>' in page
    _, shown, total = write_gallery(tmp_path, tmp_path / "few.html", limit=5)
    assert (shown, total) == (5, 12)


def test_a_run_directory_is_opened_by_its_data_folder(tmp_path: Path) -> None:
    with RunDir.open(tmp_path / "run", config={}, command="test") as run:
        write_shards([sample("a")], run.path / "data")
    path, shown, _ = write_gallery(tmp_path / "run", None, limit=10)
    assert (path.parent, shown) == (tmp_path / "run", 1)


def test_an_ingest_of_nano_writes_a_page(tmp_path: Path) -> None:
    first = ingest_nano(tmp_path / "run", 12, seed=0)
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "Ingest of nano" in page and "Apache-2.0" in page
    assert page.count("data:image/png;base64,") == 12
    assert (tmp_path / "run/ledger.jsonl").read_text(encoding="utf-8") == ""
    written = (tmp_path / "run/report.html").stat().st_mtime_ns
    assert ingest_nano(tmp_path / "run", 12, seed=0) == first
    assert (tmp_path / "run/report.html").stat().st_mtime_ns == written, "a finished ingest is left as it is"
