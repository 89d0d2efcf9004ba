"""Answers and scores in VLMEvalKit's and inspect_ai's files, there and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

from cogito_core.console import CogitoError, UsageError
from cogito_eval.exchange.command import export, import_answers
from cogito_eval.exchange.inspect_log import log_of
from cogito_eval.exchange.predictions import Prediction, match
from cogito_eval.exchange.replay import ReplayEngine
from cogito_eval.exchange.vlmevalkit import dataset_name, write_table
from cogito_eval.item import Item
from cogito_eval.rescore import rescore
from cogito_eval.results import read_rows
from cogito_eval.run import EvalOptions, evaluate

from .conftest import result_row

ANSWERS = {
    "q0": (r"\boxed{A}", "=B"),
    "q1": ("It is\tB,\n\"quoted\"; the answer is B.", r"\boxed{B}"),
    "q2": ("<think>three?</think><answer>\\boxed{C}</answer>", "no idea"),
    "q3": ("I cannot tell.", "A"),
    "q5": ("C – ünïcode 图", "C"),
}


@pytest.fixture
def run(choice_bench: tuple[Path, Path], tmp_path: Path) -> Path:
    """A finished run of two samples a question."""
    manifest, root = choice_bench
    options = EvalOptions(bench=str(manifest), model="org/some model", root=str(root), samples=2, temperature=1.0)
    evaluate(options, tmp_path / "run", ReplayEngine("stored", ANSWERS))
    return tmp_path / "run"


def answers_of(run: Path) -> list[tuple[str, int, str, str]]:
    return [(row["id"], row["sample"], row["response"], row["strict"]["outcome"]) for row in read_rows(run / "results" / "shapes.jsonl")]


@pytest.mark.parametrize("suffix", [".tsv", ".json", ".xlsx"])
@pytest.mark.parametrize("sample", [0, 1])
def test_a_table_of_vlmevalkit_there_and_back(run: Path, choice_bench: tuple[Path, Path], tmp_path: Path, suffix: str, sample: int) -> None:
    if suffix == ".xlsx":
        pytest.importorskip("openpyxl", reason="openpyxl is not installed: pip install 'cogito-vlm[dev]'")
    (path,) = export(run, "vlmevalkit", tmp_path / "out", suffix=suffix, sample=sample)
    assert path.name == f"some-model_shapes{suffix}"
    # As vlmeval/smp/file.py loads them.
    read = {".tsv": lambda p: pandas.read_csv(p, sep="\t"), ".json": lambda p: pandas.DataFrame(json.loads(p.read_text())), ".xlsx": pandas.read_excel}
    table = read[suffix](path)
    assert list(table.columns) == ["index", "question", "A", "B", "C", "answer", "category", "split", "prediction"]
    assert list(table["index"]) == ["q0", "q1", "q2", "q3", "q5"]
    assert list(table["prediction"]) == [ANSWERS[index][sample] for index in table["index"]]
    assert table["question"].iloc[0] == "How many corners has shape 0?"
    manifest, root = choice_bench
    import_answers(path, str(manifest), tmp_path / "again", root=root, model=None)
    ours = [(id, 0, text, outcome) for id, n, text, outcome in answers_of(run) if n == sample]
    assert answers_of(tmp_path / "again") == ours
    changes = rescore(tmp_path / "again")["shapes"]
    assert changes["strict_changed"] == []


def test_a_log_of_inspect_there_and_back(run: Path, choice_bench: tuple[Path, Path], tmp_path: Path) -> None:
    (path,) = export(run, "inspect", tmp_path / "out")
    manifest, root = choice_bench
    scores = import_answers(path, str(manifest), tmp_path / "again", root=root, model=None)
    assert answers_of(tmp_path / "again") == answers_of(run)
    before = json.loads((run / "scores.json").read_text())["shapes"]
    assert scores["shapes"]["accuracy"] == before["accuracy"]
    assert scores["shapes"]["model"] == "org/some model"
    assert scores["shapes"]["sampling"] is None
    log = json.loads(path.read_text())
    assert log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == pytest.approx(before["accuracy"])


def inspect_python() -> str:
    """An interpreter that has inspect_ai: this one, or the one named by COGITO_INSPECT_PYTHON."""
    for python in (os.environ.get("COGITO_INSPECT_PYTHON"), sys.executable):
        if python and subprocess.run([python, "-c", "import importlib.util as u, sys; sys.exit(u.find_spec('inspect_ai') is None)"]).returncode == 0:
            return python
    pytest.skip("inspect_ai is in no environment here: set COGITO_INSPECT_PYTHON to an interpreter that has it")


READ = """
import json, sys
from inspect_ai.log import read_eval_log, write_eval_log
log = read_eval_log(sys.argv[1])
write_eval_log(log, sys.argv[2])
print(json.dumps([[s.id, s.epoch, s.output.completion, s.scores["strict"].value, s.target] for s in log.samples]))
print(log.status, log.eval.model, log.results.scores[0].metrics["accuracy"].value)
"""


def test_inspect_reads_ours_and_we_read_what_it_writes(run: Path, choice_bench: tuple[Path, Path], tmp_path: Path) -> None:
    python = inspect_python()
    (path,) = export(run, "inspect", tmp_path / "out")
    done = subprocess.run([python, "-c", READ, str(path), str(tmp_path / "theirs.json")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    samples, line = done.stdout.splitlines()
    expected = [[id, n + 1, text, "C" if outcome == "right" else "I", "ABC"[int(id[1]) % 3]] for id, n, text, outcome in sorted(answers_of(run), key=lambda row: row[1])]
    assert json.loads(samples) == expected
    assert line.startswith("success org/some model 0.")
    manifest, root = choice_bench
    import_answers(tmp_path / "theirs.json", str(manifest), tmp_path / "again", root=root, model=None)
    assert answers_of(tmp_path / "again") == answers_of(run)


def test_a_log_with_messages_of_several_parts_is_read(choice_bench: tuple[Path, Path], tmp_path: Path) -> None:
    """As inspect_ai logs a model that thinks apart and a question with a picture."""
    message = {"role": "assistant", "content": [{"type": "reasoning", "reasoning": "B?"}, {"type": "text", "text": "\\boxed{A}"}]}
    asked = [{"role": "system", "content": "Answer."}, {"role": "user", "content": [{"type": "image", "image": "attachment://x"}, {"type": "text", "text": "How many corners has shape 0?"}]}]
    sample = {"id": 17, "epoch": 1, "input": asked, "target": "A", "output": {"choices": [{"message": message}]}}
    empty = {"id": "q1", "epoch": 1, "input": "How many corners has shape 1?", "target": "B", "output": {"choices": []}}
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"version": 2, "eval": {"model": "m"}, "samples": [sample, empty]}))
    manifest, root = choice_bench
    import_answers(path, str(manifest), tmp_path / "run", root=root, model=None)
    rows = {row["id"]: row for row in read_rows(tmp_path / "run" / "results" / "shapes.jsonl")}
    assert rows["q0"]["response"] == "\\boxed{A}" and rows["q0"]["strict"]["outcome"] == "right"
    assert rows["q1"]["status"] == "empty"
    assert rows["q2"]["status"] == "failed" and rows["q2"]["error"] == "the file holds 0 of 1 answers to it"


def test_shares_of_points_and_failed_requests_reach_inspect() -> None:
    half = {"outcome": "undecidable", "rule": "guess", "extracted": None, "reason": "a guess of two", "expectation": 0.5}
    failed = result_row("b", outcome="wrong", error="server gone", status="failed")
    log = log_of("mathvista", [result_row("a", official=half), failed], {"model": "m"}, 0.0, {})
    assert log["samples"][1]["error"]["message"] == "server gone"
    assert log["results"]["completed_samples"] == 1
    assert log["samples"][0]["scores"]["official"]["value"] == 0.5
    assert {score["name"] for score in log["results"]["scores"]} == {"strict", "official"}


ITEMS = [Item("1", "<image>What is shown?", "A"), Item("2", "How many circles?", "3"), Item("3", "What is shown?", "B"), Item("4", "Which  Side is longer?", "AB")]


def test_an_index_alone_proves_nothing() -> None:
    """A table numbered from 0 would give every item its neighbour's answer."""
    shifted = [Prediction("0", "What is shown?", ("a",)), Prediction("1", "How many circles?", ("b",)), Prediction("2", "What is shown?", ("c",)), Prediction("3", "which side is longer", ("d",))]
    found = match(shifted, ITEMS)
    assert found.answers == {"2": ("b",), "4": ("d",)}
    assert [index for index, _ in found.strange] == ["0", "2"]
    assert "2 of the items ask that question" in found.strange[0][1]


def test_questions_may_carry_hints_and_options() -> None:
    found = match([Prediction("2", "Hint: count.\nQuestion: How many circles?\nA. 3", ("b",)), Prediction("2", None, ("c",))], ITEMS)
    assert found.answers == {"2": ("b",)}
    assert found.strange == [("2", "a second answer to 2")]


def test_files_of_another_kind_are_named(run: Path, choice_bench: tuple[Path, Path], tmp_path: Path) -> None:
    manifest, root = choice_bench

    def take(name: str, content: str) -> None:
        path = tmp_path / name
        path.write_text(content)
        import_answers(path, str(manifest), tmp_path / "x", root=root, model=None)

    with pytest.raises(CogitoError, match="has no column 'prediction'"):
        take("a.tsv", "index\tquestion\nq0\tx\n")
    with pytest.raises(CogitoError, match=r"is no log of inspect_ai \('eval'\)"):
        take("a.json", "{}")
    with pytest.raises(CogitoError, match="inspect log convert --to json"):
        take("a.eval", "PK")
    with pytest.raises(CogitoError, match="none of its 1 answers is to .*no item has that index"):
        take("b.tsv", "index\tprediction\nzzz\tx\n")
    with pytest.raises(CogitoError, match=r"there is no file .*none\.tsv"):
        import_answers(tmp_path / "none.tsv", str(manifest), tmp_path / "x", root=root, model=None)
    with pytest.raises(UsageError, match="--format must be one of vlmevalkit, inspect"):
        export(run, "csv", tmp_path)
    with pytest.raises(CogitoError, match="there is no sample 2"):
        export(run, "vlmevalkit", tmp_path, sample=2)


def test_text_too_long_for_excel_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="openpyxl is not installed: pip install 'cogito-vlm[dev]'")
    with pytest.raises(CogitoError, match=r"q1: prediction is too long for an Excel cell; write \.tsv instead"):
        write_table(tmp_path / "a.xlsx", ["index", "prediction"], [{"index": "q1", "prediction": "x" * 40_000}])
    assert list(tmp_path.iterdir()) == []


def test_names_of_benchmarks() -> None:
    assert dataset_name("mathvista") == "MathVista_MINI"
    assert dataset_name("nano") == "nano"
