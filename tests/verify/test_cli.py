"""`cogito-eval verify`: explain, lint, mutate, compare; and Math-Verify in its killable worker."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cogito_core.verify import verify
from cogito_core.verify.cas import MathVerify, available
from cogito_eval.verify_cli import app

RUN = CliRunner()


def _rows(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_explain_says_why() -> None:
    done = RUN.invoke(app, ["explain", "5 cm", "5 km"])
    assert done.exit_code == 0 and "wrong: 5 km against 5 cm, same dimension, factor 10^5" in done.stdout
    done = RUN.invoke(
        app, ["explain", "B", "The answer is (B).", "--response", "--choice", "red", "--choice", "blue", "--json"]
    )
    said = json.loads(done.stdout)
    assert said["verdict"] is True and said["extracted"] == "B" and said["rule"].endswith("letter")


def test_lint_lists_doubtful_golds(tmp_path: Path) -> None:
    source = _rows(
        tmp_path / "golds.jsonl",
        {"id": "1", "gold": "42"},
        {"id": "2", "gold": ""},
        {"id": "3", "gold": "A", "kind": "choice", "choices": ["red", "red"]},
    )
    done = RUN.invoke(app, ["lint", str(source), "-o", str(tmp_path / "found.jsonl")])
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert [(one["id"], one["rule"]) for one in found] == [("2", "empty gold"), ("3", "double options")]


def test_mutate_counts_faults(tmp_path: Path) -> None:
    source = _rows(
        tmp_path / "golds.jsonl", *({"gold": gold} for gold in ("42", "(1, 2)", "3.14", "5 cm", "\\frac{1}{2}"))
    )
    done = RUN.invoke(app, ["mutate", str(source), "-o", str(tmp_path / "faults.jsonl")])
    assert done.exit_code == 0 and "hedge" in done.stdout
    assert (tmp_path / "faults.jsonl").read_text() == ""



@pytest.mark.skipif(not available(), reason="math-verify is not installed")
def test_compare_lists_disagreements(tmp_path: Path) -> None:
    source = _rows(
        tmp_path / "rows.jsonl",
        {"id": "same", "gold": "1/2", "extraction": "0.5"},
        {"id": "units", "gold": "5 cm", "extraction": "5 km"},
    )
    done = RUN.invoke(app, ["compare", str(source), "-o", str(tmp_path / "differing.jsonl")])
    assert done.exit_code == 0, done.output
    differing = [json.loads(line) for line in (tmp_path / "differing.jsonl").read_text().splitlines()]
    assert [one["id"] for one in differing] == ["units"] and differing[0]["which"] == "only theirs accepts"


@pytest.mark.skipif(not available(), reason="math-verify is not installed")
def test_the_worker_is_killed_at_its_deadline_and_comes_back() -> None:
    worker = MathVerify()
    try:
        assert worker.ask("1/2", "0.5", 60.0) is True
        start = time.monotonic()
        assert worker.ask("9^{9^{9^{9}}}", "9^{9^{9^{8}}}+1", 0.2) is None
        assert time.monotonic() - start < 60, "the deadline was 0.2 s; the comparison itself would take for ever"
        assert worker.ask("2", "3", 60.0) is False
    finally:
        worker.close()


@pytest.mark.skipif(not available(), reason="math-verify is not installed")
def test_a_second_opinion_only_where_asked_and_undecided() -> None:
    integral = "\\int_0^1 x dx"
    assert verify(integral, "\\frac{1}{2}").outcome == "undecidable"
    settled = verify(integral, "\\frac{1}{2}", spec={"cas": 60})
    assert settled.outcome == "right" and settled.rule == "math-verify"
    decided = verify("42", "43", spec={"cas": 60})
    assert decided.rule != "math-verify" and decided.outcome == "wrong"


def test_a_kind_that_is_none_is_named() -> None:
    done = RUN.invoke(app, ["explain", "5", "5", "--kind", "intger"])
    assert done.exit_code != 0 and "intger is no answer kind; known are angle, " in str(done.exception)


def test_lint_leaves_broken_lines_out_and_says_so(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text('{"gold": "5"}\nbroken\n{"x": 1}\n')
    done = RUN.invoke(app, ["lint", str(source)])
    assert done.exit_code == 0 and "Lint of 1 golds" in done.output
    assert "2 lines left out; the first:" in done.output and "line 2 is no JSON" in done.output
    source.write_text("broken\n")
    assert RUN.invoke(app, ["lint", str(source)]).exit_code != 0
