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
    assert [(row["id"], row["verdict"]) for row in found] == [("3", True), ("line-3", True)]
    assert not faults


def test_an_id_that_came_before_is_counted(tmp_path):
    rows = [{"id": id, "gold": "7", "response": "7"} for id in ("a", "b", "a", 3, "3", "a")]
    found, faults, report = _grade(tmp_path, [json.dumps(row) for row in rows])
    assert len(found) == 6 and not faults
    assert (report.duplicates, report.first_duplicate) == (3, "'a' again in line 3")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("answer_kind", "nonsense", "nonsense"), ("precision", "abc", "abc"), ("precision", True, "True"),
     ("precision", "nan", "nan")],
)
def test_a_field_that_says_nothing_is_named_and_left_out(tmp_path, field, value, said):
    rows = [{"id": "a", "gold": "7", "response": "7", field: value}, {"id": "b", "gold": "7", "response": "7"}]
    found, faults, report = _grade(tmp_path, [json.dumps(row) for row in rows])
    assert [row["verdict"] for row in found] == [True, True] and report.faults == 1
    assert faults[0]["id"] == "a" and faults[0]["reason"] == f"unreadable {field}"
    assert f"rows.jsonl line 1: '{field}' is" in report.first_fault and said in report.first_fault


@pytest.mark.parametrize("fields", [{"answer_kind": "Float"}, {"answer_kind": ""}, {"precision": "2.0"},
                                    {"precision": ""}, {"precision": [0.1, None]}, {"precision": ",1e-2"}])
def test_a_field_that_a_rule_reads_is_no_fault(tmp_path, fields):
    found, faults, _ = _grade(tmp_path, [json.dumps({"id": "a", "gold": "7", "response": "7"} | fields)])
    assert found[0]["verdict"] and not faults


def test_the_place_in_a_broken_line_is_of_that_line(tmp_path):
    _, _, report = _grade(tmp_path, ['{"id": 1, "gold": "7", "response": "7"}', '{"id": '])
    assert report.first_fault.endswith("rows.jsonl line 2: Expecting value at character 8; expected one JSON object a line")


@pytest.mark.parametrize(
    ("response", "reason"),
    [("<think> so 3 + 4", "the thinking was not closed"), ("<think>x</think>\n", "nothing follows the thinking"),
     ("", "the response is empty")],
)
def test_no_answer_has_its_own_reason(tmp_path, response, reason):
    found, _, _ = _grade(tmp_path, [json.dumps({"id": "a", "gold": "7", "response": response})])
    assert found[0]["outcome"] == "undecidable" and found[0]["reason"].startswith(reason)


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


@pytest.mark.parametrize("precision", [99999, -1, 1e9])
def test_a_precision_that_no_policy_has_costs_only_its_row(tmp_path, precision):
    rows = [{"id": "a", "gold": "3.14", "response": "3.14", "precision": precision}, {"id": "b", "gold": "7", "response": "7"}]
    found, faults, _ = _grade(tmp_path, [json.dumps(row) for row in rows])
    assert [row["verdict"] for row in found] == [True, True]
    assert [one["reason"] for one in faults] == ["unreadable precision"]


@pytest.mark.parametrize(("form", "right"), [("list", True), ("List", True), (None, False), ("Interval", False), ("integer", False)])
def test_the_answer_type_says_what_brackets_are(tmp_path, form, right):
    found, _, _ = _grade(tmp_path, [json.dumps({"id": "a", "gold": "[2, 8]", "response": "2, 8", "answer_type": form})])
    assert found[0]["verdict"] is right


@pytest.mark.parametrize("content", ["id,gold,response\n1,2,2\n", '[{"id": 1}]\n', "", "\n\n"])
def test_a_file_without_a_row_is_a_failure_and_leaves_no_verdicts(tmp_path, content):
    (tmp_path / "rows.jsonl").write_text(content)
    with pytest.raises(CogitoError, match="one JSON object a line|holds no row|one object a line"):
        grade_file(tmp_path / "rows.jsonl", tmp_path / "out.jsonl")


def test_verdicts_go_to_plain_files_and_through_links(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a", "gold": "7", "response": "7"}\n')
    for place in (tmp_path, Path("/dev/stdout")):
        with pytest.raises(CogitoError, match="no plain file"):
            grade_file(rows, place)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "verdicts.jsonl")
    for _ in range(2):
        grade_file(rows, tmp_path / "link")
        assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "verdicts.jsonl").read_text().count("\n") == 1
