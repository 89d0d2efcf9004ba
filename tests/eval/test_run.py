"""Whole runs with cogito-nano: results, resume after a kill, damaged input, several samples, rotations, rescoring."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cogito_core.console import CogitoError, UsageError
from cogito_eval.compare import compare_runs, examples
from cogito_eval.rescore import rescore
from cogito_eval.results import read_rows, result_files
from cogito_eval.run import EvalOptions, evaluate

NANO = EvalOptions(bench="nano", model="nano", limit=18, temperature=1.0, max_tokens=24)
OUTPUTS = ("results/nano.jsonl", "results/nano.parquet", "scores.json", "report.html", "pictures/nano.parquet")


@pytest.fixture(scope="module")
def nano_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "nano"
    evaluate(NANO, out)
    return out


def _events(out: Path, kind: str) -> list[dict]:
    lines = (out / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def test_a_run_directory_is_whole(nano_run):
    for name in (*OUTPUTS, "config.yaml", "provenance.json", "summary.json", "ledger.jsonl"):
        assert (nano_run / name).is_file(), name
    scores = json.loads((nano_run / "scores.json").read_text())["nano"]
    assert scores["n"] == 18 and scores["ci95"][0] <= scores["accuracy"] <= scores["ci95"][1]
    assert scores["items"]["expected"] == 600 and scores["items"]["asked"] == 18
    assert scores["sampling"]["temperature"] == 1.0 and scores["prompt"].startswith("nano/")
    assert len(scores["by"]["category"]) == 6
    rows = list(read_rows(nano_run / "results" / "nano.jsonl"))
    assert len({row["id"] for row in rows}) == 18 and all(row["pictures"] for row in rows)
    right = sum(row["strict"]["outcome"] == "right" for row in rows)
    assert scores["accuracy"] == pytest.approx(right / 18)


def test_the_same_command_gives_the_same_bytes(nano_run, tmp_path):
    evaluate(NANO, tmp_path / "again")
    for name in OUTPUTS:
        ours, other = (nano_run / name).read_bytes(), (tmp_path / "again" / name).read_bytes()
        if name == "report.html":
            ours, other = (text.replace(str(p).encode(), b"") for text, p in
                           ((ours, nano_run), (other, tmp_path / "again")))
        assert ours == other, name


def test_a_finished_run_asks_nothing(nano_run):
    before = (nano_run / "events.jsonl").read_bytes()
    assert evaluate(NANO, nano_run) == json.loads((nano_run / "scores.json").read_text())
    assert (nano_run / "events.jsonl").read_bytes() == before


def test_another_configuration_is_refused(nano_run):
    with pytest.raises(CogitoError, match="seed"):
        evaluate(EvalOptions(bench="nano", model="nano", limit=18, temperature=1.0, max_tokens=24, seed=1), nano_run)


KILLED_AFTER = """
import os, sys
from pathlib import Path
from cogito_core.engines.cache import AnswerStore
from cogito_eval.run import EvalOptions, evaluate

put, stored = AnswerStore.put, 0

def put_and_die(self, *arguments):
    global stored
    put(self, *arguments)
    stored += 1
    if stored == int(sys.argv[2]):
        os.kill(os.getpid(), 9)

AnswerStore.put = put_and_die
evaluate(EvalOptions(bench="nano", model="nano", limit=18, temperature=1.0, max_tokens=24), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("after", [1, 11])
def test_after_kill_nine_no_answer_is_asked_twice(nano_run, tmp_path, after):
    out = tmp_path / "killed"
    done = subprocess.run([sys.executable, "-c", KILLED_AFTER, str(out), str(after)], capture_output=True)
    assert done.returncode == -9 and not (out / "summary.json").exists()
    evaluate(NANO, out)
    last = _events(out, "answered")[-1]
    assert (last["stored_before"], last["generated"]) == (after, 18 - after)
    for name in ("results/nano.jsonl", "results/nano.parquet", "scores.json"):
        assert (out / name).read_bytes() == (nano_run / name).read_bytes()


def test_a_benchmark_from_a_manifest_file_with_rotations(choice_bench, tmp_path):
    manifest, folder = choice_bench
    (folder / "shapes" / "1.png").write_bytes((folder / "shapes" / "1.png").read_bytes()[:60])
    options = EvalOptions(bench=str(manifest), model="nano", root=str(folder), max_tokens=8, circular=True)
    scores = evaluate(options, tmp_path / "out")["shapes"]
    assert scores["n"] == 4 and scores["circular_accuracy"]["n"] == 4
    assert scores["items"]["without_pictures"] == 1 and scores["items"]["damaged_pictures"] == 3
    rows = list(read_rows(tmp_path / "out" / "results" / "shapes.jsonl"))
    assert len(rows) == 12
    turned = {row["id"]: (row["gold"], row["choices"]) for row in rows if row["id"].startswith("q2")}
    assert {choices["ABC".index(gold)] for gold, choices in turned.values()} == {"5"}
    reasons = [json.loads(line) for line in (tmp_path / "out" / "ledger.jsonl").read_text().splitlines()]
    assert {entry["reason"] for entry in reasons} == {"cannot be asked", "damaged picture"}
    config = tmp_path / "out" / "config.yaml"
    assert rescore(tmp_path / "out")["shapes"]["before"] == scores["accuracy"]
    config.write_text("".join(line for line in config.read_text().splitlines(keepends=True)
                              if not line.startswith(("manifests:", "  shapes: /"))))
    with pytest.raises(CogitoError, match=r"write `manifests: \{shapes: PATH\}` into .*config\.yaml"):
        rescore(tmp_path / "out")


def test_a_request_that_fails_counts_as_wrong_and_is_asked_again(choice_bench, tmp_path):
    manifest, folder = choice_bench
    path = folder / "shapes" / "questions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["question"] = "How many corners? " * 20_000
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = EvalOptions(bench=str(manifest), model="nano", root=str(folder), max_tokens=4)
    scores = evaluate(options, tmp_path / "out")["shapes"]
    assert scores["n"] == 5 and scores["counts"]["failed"] == 1
    failed = next(read_rows(tmp_path / "out" / "results" / "shapes.jsonl"))
    assert failed["status"] == "failed" and failed["strict"]["outcome"] == "wrong" and failed["error"]
    assert "request failed" in (tmp_path / "out" / "ledger.jsonl").read_text()
    evaluate(options, tmp_path / "out")
    first, second = _events(tmp_path / "out", "answered")
    assert (first["failed"], second["stored_before"], second["generated"]) == (1, 4, 1)


def test_engine_options_reach_the_engine_and_the_record(tmp_path):
    small = EvalOptions(bench="nano", model="nano", limit=2, max_tokens=4, engine_options=("max_pixels=3136",))
    evaluate(small, tmp_path / "out")
    assert "max_pixels: 3136" in (tmp_path / "out" / "config.yaml").read_text()
    wrong = EvalOptions(bench="nano", model="nano", limit=2, engine_options=("max_pixel=3136",))
    with pytest.raises(UsageError, match=r"max_pixel.*max_pixels"):
        evaluate(wrong, tmp_path / "wrong")


def test_several_samples(tmp_path):
    options = EvalOptions(bench="nano", model="nano", limit=6, samples=3, max_tokens=16)
    scores = evaluate(options, tmp_path / "out")["nano"]
    assert scores["samples"] == 3 and scores["sampled"]["k"] == 3 and scores["n"] == 6
    rows = list(read_rows(tmp_path / "out" / "results" / "nano.jsonl"))
    assert len({row["response"] for row in rows if row["id"] == rows[0]["id"]}) > 1
    compared = compare_runs(tmp_path / "out", tmp_path / "out")["benchmarks"]["nano"]
    assert compared["difference"]["value"] == 0 and compared["gained"] == compared["lost"] == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"samples": 0}, "--samples"), ({"samples": 4, "temperature": 0.0}, "--temperature"), ({"limit": 0}, "--limit"),
     ({"protocol": "papr"}, "--protocol"), ({"judge": "openai:http://x"}, "--judge-model"),
     ({"temperature": -1.0}, "temperature"), ({"protocol": "own"}, "no prompt")],
)
def test_wrong_usage_is_said_before_anything_is_written(change, sentence, tmp_path):
    with pytest.raises(UsageError, match=sentence):
        evaluate(EvalOptions(**{"bench": "nano", "model": "nano", **change}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rescore_repeats_the_verdicts_and_names_changes(nano_run, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(nano_run, copy)
    unchanged = rescore(copy)["nano"]
    assert unchanged["before"] == unchanged["after"] and not unchanged["strict_changed"]
    assert (copy / "results" / "nano.jsonl").read_bytes() == (nano_run / "results" / "nano.jsonl").read_bytes()
    path = copy / "results" / "nano.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["response"], rows[0]["strict"]["outcome"] = f"\\boxed{{{rows[0]['gold']}}}", "wrong"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    changed = rescore(copy)["nano"]["strict_changed"]
    assert [(c["id"], c["before"], c["after"]) for c in changed] == [(rows[0]["id"], "wrong", "right")]


def test_comparison_pairs_by_question(nano_run, tmp_path):
    other = EvalOptions(bench="nano", model="nano", limit=18, temperature=1.0, max_tokens=24, seed=5)
    evaluate(other, tmp_path / "b")
    found = compare_runs(nano_run, tmp_path / "b")["benchmarks"]["nano"]
    a = {r["id"]: r["strict"]["outcome"] == "right" for r in read_rows(result_files(nano_run)["nano"])}
    b = {r["id"]: r["strict"]["outcome"] == "right" for r in read_rows(result_files(tmp_path / "b")["nano"])}
    assert found["gained"] == [id for id in a if b[id] and not a[id]]
    assert found["lost"] == [id for id in a if a[id] and not b[id]]
    expected = (sum(b.values()) - sum(a.values())) / 18
    assert found["difference"]["value"] == pytest.approx(expected)
    shown = examples(nano_run, tmp_path / "b", "nano", 6)
    assert len({entry["category"] for entry in shown}) == 6
    assert all(entry["pictures"] and entry["before"] is not None for entry in shown)


def test_runs_without_a_common_question_are_refused(nano_run, tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(CogitoError, match="no results"):
        compare_runs(nano_run, tmp_path)
    (tmp_path / "results" / "other.jsonl").write_text("")
    with pytest.raises(CogitoError, match="share no benchmark"):
        compare_runs(nano_run, tmp_path)
    (tmp_path / "results" / "nano.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(CogitoError, match="line 1"):
        compare_runs(nano_run, tmp_path)
