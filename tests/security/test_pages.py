"""Every HTML page that is written: markup in data stays text, in every place where data can stand."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from cogito_core import charts
from cogito_core.engines.base import Answer
from cogito_core.html import Card, Page
from cogito_core.sample import Picture, Sample
from cogito_core.shards import SampleStore, write_shards
from cogito_data.inspect_gallery import write_gallery
from cogito_eval.aggregate import score_rows
from cogito_eval.benchmark import load_benchmark
from cogito_eval.compare import compare_runs
from cogito_eval.report import write_comparison, write_report
from cogito_eval.results import write_rows
from cogito_train.config import Objective, Stage
from cogito_train.report import write_report as write_training_report
from cogito_train.rollout import RolloutGroup, judge_answer
from cogito_train.scores import score_groups
from cogito_train.telemetry import record_rollouts, step_metrics
from tests.data.test_report import small_build
from tests.eval.conftest import result_row

EVIL = "\"'> </script></style></svg></title></textarea>--><script>pwned()</script><img src=x onerror=pwned()> <b onclick=pwned()>"


class _Reader(HTMLParser):
    """Collects every element that data brought to life."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[str] = []
        self.text = ""
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag if tag in ("script", "style") else self._in
        values = dict(attrs)
        if any(name.startswith("on") for name in values) or values.get("src") == "x":
            self.alive.append(f"<{tag} {values}>")
        if tag == "script" and values.get("type") == "application/json":
            self._in = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in and "pwned" in data:
            self.alive.append(data[:200])
        self.text += data


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


def assert_dead(page: str, at_least: int) -> None:
    """Nothing of EVIL is an element, an attribute or a script; as text it stands there `at_least` times."""
    reader = read(page)
    assert reader.alive == []
    assert reader.text.count("pwned()") + page.count("\\u003cscript>pwned()") >= at_least


def test_the_reader_sees_what_is_alive() -> None:
    for page in (f"<p>{EVIL}</p>", f'<p title="{EVIL}">', f"<style>{EVIL}</style>", "<script>pwned()</script>", "<a onclick=f()>"):
        assert read(page).alive


def test_every_part_of_a_page(tmp_path: Path) -> None:
    page = Page(EVIL, EVIL)
    page.section(EVIL)
    page.section("two make a table of contents")
    page.heading(EVIL)
    page.paragraph(EVIL)
    page.tiles([(EVIL, EVIL)])
    page.table([EVIL], [[EVIL]])
    page.gallery([Card(EVIL, [(EVIL, EVIL)], [EVIL.encode()], True)])
    page.picture(EVIL.encode())
    page.line_chart(EVIL, {EVIL: [(0, 1), (1, 2)], "b": [(0, 1)]}, x_label=EVIL, y_label=EVIL, marks=[(0.5, EVIL)])
    page.bar_chart(EVIL, [(EVIL, [1.0, 2.0])], names=[EVIL, "b"], y_label=EVIL)
    page.histogram(EVIL, [1.0, 2.0], x_label=EVIL)
    page.charts(charts.line_chart(EVIL, {}))
    assert_dead(page.render(), 15)


def _evil_sample(id: str) -> Sample:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 30)).save(buffer, "PNG")
    sample = Sample(
        id=f"{id} {EVIL}", source=EVIL, category="math", split=EVIL, problem=EVIL, images=(Picture(buffer.getvalue(), EVIL),),
        answer=EVIL, answer_kind=EVIL, choices=(EVIL,), reformulation=EVIL, original_problem=EVIL, original_answer=EVIL,
        pass_rate=0.5, n_correct=4, n_trials=8, image_hash=EVIL, problem_hash=EVIL, license=EVIL, upstream_url=EVIL,
        upstream_id=EVIL, upstream_revision=EVIL, meta={EVIL: EVIL},
    )
    return sample


def test_the_gallery(tmp_path: Path) -> None:
    write_shards([_evil_sample("a"), _evil_sample("b")], tmp_path / "data")
    path, shown, _ = write_gallery(tmp_path, None, limit=10)
    assert shown == 2
    assert_dead(path.read_text(encoding="utf-8"), 20)


def test_the_report_of_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.data.test_report.EVIL", EVIL)
    from cogito_data.report import render

    build, _ = small_build(tmp_path)
    build.name = EVIL
    assert_dead(render(build), 5)


def _evil_run(folder: Path, outcome: str) -> Path:
    strict = {"outcome": outcome, "rule": EVIL, "extracted": EVIL, "gold": EVIL, "answer": EVIL, "reason": EVIL}
    rows = [result_row(f"{i} {EVIL}", outcome=outcome, question=EVIL, gold=EVIL, response=EVIL, error=EVIL, pictures=[EVIL],
                       part=EVIL, tags={EVIL: [EVIL, "other"], "level": [EVIL if i else "2"]}, strict=strict)
            for i in range(4)]
    write_rows(folder / "results" / "nano.jsonl", rows)
    scores = {"nano": score_rows(rows, load_benchmark("nano")) | {"model": EVIL}}
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


def test_the_reports_of_an_evaluation(tmp_path: Path) -> None:
    a, b = _evil_run(tmp_path / "<img src=x>", "right"), _evil_run(tmp_path / "b onerror=pwned()", "wrong")
    assert_dead(write_report(a).read_text(encoding="utf-8"), 20)
    write_comparison(a, b, compare_runs(a, b), tmp_path / "compared.html")
    assert_dead((tmp_path / "compared.html").read_text(encoding="utf-8"), 20)


def test_the_report_of_a_training_run(tmp_path: Path) -> None:
    """Groups, scores, metrics and rollouts are made by the trainer's own functions, so new fields come along."""
    write_shards([_evil_sample("a")], tmp_path / "data")
    store = SampleStore(tmp_path / "data")
    answers = tuple(Answer(text, (1,), (0.0,), "stop", 1, 1, seed) for seed, text in enumerate((EVIL, f"no {EVIL}")))
    group = RolloutGroup(store[0], answers, tuple(judge_answer(store[0], answer.text) for answer in answers))
    scores = score_groups([group], Stage(name="s", steps=2), Objective(), max_response_tokens=64)
    # A stage's name is a folder's name, so it cannot hold a slash.
    stage = {"name": "<img src=x onerror=pwned()>", "steps": 2, "best_step": 1, "validation": 0.5,
             "validations": [{"step": 1, "accuracy": 0.5}]}
    metrics = step_metrics([group], scores, defaultdict(lambda: 0.5)) | {"stage": stage["name"]}
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(metrics | {"step": step}) + "\n" for step in (1, 2)))
    event = {"event": "step", "stage": stage["name"], "seconds": 1.0, "rollout": 0.5, "update": 0.5}
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n")
    record_rollouts(tmp_path / "rollouts" / str(stage["name"]) / "00001.parquet", [group], scores)
    page = write_training_report(tmp_path, {"stages": [stage]}, store)
    assert_dead(page, 10)
    assert "best and worst of the last step" in page
