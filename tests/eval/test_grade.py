"""`grade`: every readable row gets a verdict, every fault is named, nothing crashes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_core.console import CogitoError
from cogito_eval.grade import grade_file

KEYS = ("id", "verdict", "outcome", "extracted", "rule", "reason")


def _grade(tmp_path: Path, lines: list[str], **options: str) -> tuple[list[dict], list[dict], object]:
    source, target = tmp_path / "rows.jsonl", tmp_path / "verdicts.jsonl"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = grade_file(source, target, **options)
    ledger = Path(f"{target}.ledger.jsonl")
    faults = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()], faults, report


def test_a_row_a_verdict_in_the_same_order(tmp_path):
    rows = [{"id": f"r{i}", "gold": "7", "response": f"so \\boxed{{{i}}}"} for i in range(9)]
    found, faults, report = _grade(tmp_path, [json.dumps(row) for row in rows])
    assert [row["id"] for row in found] == [row["id"] for row in rows]
    assert [row["verdict"] for row in found] == [i == 7 for i in range(9)]
    assert all(tuple(row) == KEYS for row in found)
    assert not faults and report.judged == 9


def test_extraction_is_judged_where_it_is_given(tmp_path):
    rows = [{"id": "a", "gold": "7", "response": "\\boxed{8}", "extraction": "7"},
            {"id": "b", "gold": "7", "response": "\\boxed{7}", "extraction": ""},
            {"id": "c", "gold": "7", "response": "\\boxed{7}", "extraction": None}]
    found, _, _ = _grade(tmp_path, [json.dumps(row) for row in rows])
    assert [row["verdict"] for row in found] == [True, False, True]


@pytest.mark.parametrize(
    ("line", "reason", "graded"),
    [
        ('{"id": "x", "gold": ', "broken JSON", False),
        ("[1, 2]", "not an object", False),
        ('{"id": "x", "response": "7"}', "no gold", True),
        ('{"id": "x", "gold": "7"}', "no answer", True),
        ('{"id": "x", "gold": {"a": 1}, "response": "7"}', "wrong type", True),
        ('{"id": "x", "gold": "7", "response": ["7"]}', "wrong type", True),
        ('{"id": "x", "gold": "7", "response": "7", "choices": 3}', "wrong type", True),
        ('{"id": "x", "gold": "7", "response": "7", "answer_type": 3}', "wrong type", True),
        ('{"id": "x", "gold": [], "response": "7"}', "wrong type", True),
    ],
)
@pytest.mark.parametrize("bench", [None, "mathvista"])
def test_faults_go_to_the_ledger_and_the_rest_goes_on(tmp_path, line, reason, graded, bench):
    good = json.dumps({"id": "good", "gold": "7", "extraction": "7", "question_type": "free_form",
                       "answer_type": "integer"})
    found, faults, report = _grade(tmp_path, [line, good], **({"bench": bench} if bench else {}))
    assert len(found) == 1 + graded
    assert found[-1]["id"] == "good" and found[-1]["verdict"] is True
    assert [fault["reason"] for fault in faults] == [reason]
    assert report.faults == 1 and "rows.jsonl line 1" in report.first_fault
    if graded:
        assert found[0]["outcome"] == "undecidable" and found[0]["verdict"] is False


_json = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
                     lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3),
                     max_leaves=6)
_names = st.sampled_from(["id", "gold", "response", "extraction", "choices", "question_type", "answer_type",
                          "precision", "unit", "answer_kind", "aliases", "answer_spec"])


@given(st.lists(st.dictionaries(_names, _json, max_size=9), min_size=1, max_size=4))
@pytest.mark.parametrize("bench", [None, "mathvista", "mmmu"])
def test_no_row_of_any_shape_crashes(tmp_path_factory, bench, rows):
    folder = tmp_path_factory.mktemp("any")
    found, _, _ = _grade(folder, [json.dumps(row) for row in rows], **({"bench": bench} if bench else {}))
    assert len(found) == len(rows)
    assert all(isinstance(row["verdict"], bool) and isinstance(row["id"], str) for row in found)


def test_numbers_and_empty_lines_are_fine(tmp_path):
    lines = ['{"id": 3, "gold": 7, "extraction": 7.0}', "", '{"gold": "7", "response": 7}']
    found, faults, _ = _grade(tmp_path, lines)
    assert [(row["id"], row["verdict"]) for row in found] == [("3", True), ("3", True)]
    assert not faults


def test_what_cannot_be_done_is_one_sentence(tmp_path):
    rows = tmp_path / "rows.jsonl"
    with pytest.raises(CogitoError, match="no file"):
        grade_file(rows, tmp_path / "out.jsonl")
    rows.write_text("{}\n")
    with pytest.raises(CogitoError, match="overwrite"):
        grade_file(rows, rows)
    with pytest.raises(CogitoError, match="mathvista"):
        grade_file(rows, tmp_path / "out.jsonl", bench="mathvist")
    with pytest.raises(CogitoError, match="needs --bench"):
        grade_file(rows, tmp_path / "out.jsonl", scoring="official")
    with pytest.raises(CogitoError, match="no released"):
        grade_file(rows, tmp_path / "out.jsonl", bench="nano", scoring="official")
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.realdata
def test_mathvista_verdicts_equal_the_official_ones(shared_dir, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(gzip.decompress((shared_dir / "labels" / "mathvista.jsonl.gz").read_bytes()))
    report = grade_file(rows, tmp_path / "verdicts.jsonl", bench="mathvista")
    agreed, labelled = report.agreement
    assert labelled == 7000
    assert agreed / labelled >= 0.995
    assert not report.faults
