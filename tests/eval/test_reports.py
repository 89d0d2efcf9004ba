"""Reports and tables: self-contained, escaped, complete; the command line's exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cogito_core.console import CogitoError, UsageError
from cogito_core.sample import Picture
from cogito_eval.aggregate import score_rows
from cogito_eval.benchmark import load_benchmark
from cogito_eval.browser import MAX_TEXT, answer_entry, browser, question_entry
from cogito_eval.compare import compare_runs
from cogito_eval.pictures import MAX_SIDE, read_pictures, thumbnail, write_pictures
from cogito_eval.report import score_table, write_comparison, write_report
from cogito_eval.results import write_rows
from cogito_eval.settings import coverage_sentence
from cogito_eval.tables import render_table

from .conftest import png, result_row

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \ud800 é"


def make_run(folder: Path, outcomes: str, **fields: object) -> Path:
    """A run directory of `nano` with one question a letter: r right, w wrong."""
    rows = [result_row(f"q{i}", outcome="right" if letter == "r" else "wrong",
                       tags={"category": ["red" if i % 2 else "blue"], "level": ["1"]}, **fields)
            for i, letter in enumerate(outcomes)]
    write_rows(folder / "results" / "nano.jsonl", rows)
    scores = {"nano": score_rows(rows, load_benchmark("nano")) | {"model": folder.name}}
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


def _data(page: str, name: str) -> object:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found.group(1))


def test_a_report_is_one_file_and_keeps_text_text(tmp_path):
    run = make_run(tmp_path / "a", "rw", response=EVIL, question=EVIL)
    page = write_report(run).read_text(encoding="utf-8")
    assert page.count("<script") == 4 and "alert(1)</script>" not in page
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)
    rows = _data(page, "rows")
    assert [row["a"][0]["v"] for row in rows] == ["right", "wrong"]
    assert rows[0]["q"].startswith("</script><script>")


def test_the_report_holds_every_question_with_its_pictures(tmp_path):
    data = png(9)
    key = Picture(data).sha256[:16]
    run = make_run(tmp_path / "a", "rwr", pictures=[key, "absent"])
    write_pictures(run / "pictures" / "nano.parquet", {key: data})
    page = write_report(run).read_text()
    assert _data(page, "pics")[key].startswith("data:image/png;base64,")
    assert [row["i"] for row in _data(page, "rows")] == ["q0", "q1", "q2"]
    assert "66.7" in page


def test_long_answers_are_cut_in_the_page_only():
    entry = answer_entry(result_row("a", response="x" * 9000))
    assert len(entry["t"]) < MAX_TEXT + 60 and "5000 more characters" in entry["t"]


def test_pictures_beyond_the_budget_are_said_to_be_left_out(monkeypatch):
    monkeypatch.setattr("cogito_eval.browser.MAX_PICTURE_BYTES", 150)
    row = result_row("a", pictures=["one", "two"])
    page = browser([question_entry("nano", row, [answer_entry(row)])], {"one": b"x" * 100, "two": b"y" * 100}, ["m"])
    assert "1 pictures are left out" in page and list(_data(page, "pics")) == ["one"]


def test_thumbnails_are_small_and_stored_by_hash(tmp_path):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.effect_noise((900, 500), 60).convert("RGB").save(buffer, format="PNG")
    small = thumbnail(Picture(buffer.getvalue()), where="x")
    assert max(Image.open(io.BytesIO(small)).size) == MAX_SIDE and len(small) < 60_000
    assert thumbnail(Picture(png(1)), where="x") == png(1)
    write_pictures(tmp_path / "p.parquet", {"b": small, "a": png(1)})
    assert read_pictures(tmp_path / "p.parquet") == {"a": png(1), "b": small}
    assert read_pictures(tmp_path / "p.parquet", ["a"]) == {"a": png(1)}
    assert read_pictures(tmp_path / "none.parquet") == {}


def test_a_comparison_shows_both_answers(tmp_path):
    a, b = make_run(tmp_path / "base", "rwwr"), make_run(tmp_path / "trained", "rrrw")
    compared = compare_runs(a, b)
    entry = compared["benchmarks"]["nano"]
    assert entry["gained"] == ["q1", "q2"] and entry["lost"] == ["q3"]
    assert entry["difference"]["value"] == pytest.approx(0.25)
    assert entry["by"]["category"]["red"]["n"] == 2
    write_comparison(a, b, compared, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert _data(page, "sides") == ["base", "trained"]
    assert [[x["v"] for x in row["a"]] for row in _data(page, "rows")][3] == ["right", "wrong"]


def _settle(run: Path, config: dict[str, object], **scores: object) -> None:
    """Give a run of `make_run` the settings that a real one states."""
    plain = {"samples": 1, "limit": None, "blind": False, "engine": "vllm", "engine_options": {}}
    (run / "config.yaml").write_text(json.dumps(plain | config))
    path = run / "scores.json"
    asked = {"protocol": "nano", "prompt": "nano/1", "sampling": {"temperature": 0.0, "max_tokens": 24}, "circular": False}
    path.write_text(json.dumps({"nano": json.loads(path.read_text())["nano"] | asked | scores}))


@pytest.mark.parametrize(
    ("config", "scores", "differ"),
    [
        ({"engine": "transformers", "model": "other"}, {}, {}),
        ({"limit": 5}, {}, {"limit": (None, 5)}),
        ({"blind": True, "samples": 4}, {}, {"blind": (False, True), "samples": (1, 4)}),
        ({}, {"protocol": "paper", "prompt": "eval/1"}, {"protocol": ("nano", "paper"), "prompt": ("nano/1", "eval/1")}),
        ({}, {"sampling": {"temperature": 0.0, "max_tokens": 99}}, {"sampling.max_tokens": (24, 99)}),
        ({}, {"circular": True}, {"circular": (False, True)}),
        ({"engine_options": {"max_pixels": 1048576}}, {}, {"max_pixels": (None, 1048576)}),
        ({"engine": "import:ab"}, {"sampling": None, "protocol": "paper", "prompt": "eval/1"}, {}),
    ],
)
def test_runs_that_were_asked_otherwise_are_said_so(tmp_path, config, scores, differ):
    a, b = make_run(tmp_path / "a", "rrr"), make_run(tmp_path / "b", "rwr")
    _settle(a, {})
    _settle(b, config, **scores)
    compared = compare_runs(a, b)
    found = compared["benchmarks"]["nano"]["settings_differ"]
    assert {one["setting"]: (one["a"], one["b"]) for one in found} == differ
    write_comparison(a, b, compared, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert ("were not asked alike" in page) == bool(differ)
    assert all(f"{name} " in page for name in differ)


def test_compare_warns_of_settings_that_differ(tmp_path):
    a, b = make_run(tmp_path / "a", "rrr"), make_run(tmp_path / "b", "rwr")
    _settle(a, {})
    _settle(b, {"blind": True})
    done = _cogito_eval("compare", a, b, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert "nano: the two runs were not asked alike: blind false against true" in " ".join(done.stderr.split())
    assert json.loads((tmp_path / "out" / "compare.json").read_text())["benchmarks"]["nano"]["settings_differ"]


def test_the_table_shows_what_counts_as_wrong_without_an_answer_and_the_circular_score(tmp_path):
    rows = [result_row("a"), result_row("b", outcome="wrong", status="failed", error="no answer to it"),
            result_row("a#r1", outcome="wrong", rotation_of="a")]
    scores = {"nano": score_rows(rows, load_benchmark("nano"))}
    columns, [cells] = score_table(scores)
    shown = dict(zip(columns, cells, strict=True))
    assert shown["no answer"] == 1 and shown["strict"] == "50.0"
    assert shown["circular"].startswith("0.0 (0.0 to ")
    columns, _ = score_table({"nano": score_rows(rows[:1], load_benchmark("nano"))})
    assert "circular" not in columns and "no answer" not in columns


def test_a_changed_gold_is_another_question(tmp_path):
    a, b = make_run(tmp_path / "a", "rrr"), make_run(tmp_path / "b", "rrr")
    path = b / "results" / "nano.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0].replace('"gold": "7", "kind"', '"gold": "8", "kind"'), *lines[1:]]))
    entry = compare_runs(a, b)["benchmarks"]["nano"]
    assert entry["changed"] == 1 and entry["difference"]["n"] == 2


def test_tables_for_a_paper(tmp_path):
    a, b = make_run(tmp_path / "base_1", "rwww"), make_run(tmp_path / "trained", "rrrw")
    markdown = render_table([a, b])
    assert markdown.splitlines()[0] == "| run | nano |" and "**75.0** [30.1, 95.4]" in markdown
    assert "| 25.0 [4.6, 69.9]" in markdown
    latex = render_table([a, b], "latex")
    assert r"base\_1" in latex and r"$\mathbf{75.0}\;{\scriptstyle[30.1,\,95.4]}$" in latex and latex.count(r"\\") == 3
    with pytest.raises(UsageError, match="markdown or latex"):
        render_table([a], "html")
    with pytest.raises(CogitoError, match=r"scores\.json"):
        render_table([tmp_path])


def _cogito_eval(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cogito_eval.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--model", "nano"), 2, "--bench"),
        (("--bench", "mathvist", "--model", "nano"), 1, "mathvista"),
        (("--bench", "nano", "--model", "nano", "--samples", "0"), 2, "--samples"),
        (("compare", "/nowhere", "/nowhere"), 1, "/nowhere"),
        (("grade", "--in", "/nowhere", "--out", "/tmp/x"), 1, "/nowhere"),
        (("rescore", "/nowhere"), 1, "/nowhere"),
        (("grade",), 2, "--in"),
    ],
)
def test_errors_are_one_sentence_with_the_right_exit_code(arguments, code, said):
    done = _cogito_eval(*arguments)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from cogito_eval.cli import main; sys.argv = ['cogito-eval', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pyarrow', 'numpy', 'PIL'} & set(sys.modules)\n"
        "print(heavy, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"
    assert all(name in done.stdout for name in ("grade", "rescore", "compare", "list", "leaks"))


def test_list_names_every_benchmark():
    done = _cogito_eval("list")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("mathvista", "mmmu_pro", "olympiadbench", "tabmwp"))


def test_a_page_says_what_a_score_does_not_cover(tmp_path):
    items = {"expected": 1000, "found": 1000, "asked": 40, "without_pictures": 891, "unusable": 0}
    said = coverage_sentence("mathvista", items)
    assert said.startswith("mathvista: 40 of 1000 questions were asked (891 have no picture in this copy, 69 were left")
    assert "--limit" in coverage_sentence("mathvista", items | {"without_pictures": 0})
    assert coverage_sentence("mathvista", items | {"asked": 1000}) == "" and coverage_sentence("nano", {}) == ""
    run = make_run(tmp_path / "a", "rw")
    scores = json.loads((run / "scores.json").read_text())
    scores["nano"]["items"] = {"expected": 9, "found": 4, "asked": 2, "without_pictures": 1}
    (run / "scores.json").write_text(json.dumps(scores))
    said = "2 of 9 questions were asked (1 have no picture in this copy, 5 are not in this copy, 1 were left out by"
    assert said in write_report(run).read_text()


def test_what_two_runs_do_not_share_is_said(tmp_path):
    a, b = make_run(tmp_path / "a", "rrrw"), make_run(tmp_path / "b", "rr")
    done = _cogito_eval("compare", a, b, "-o", tmp_path / "out")
    said = "nano: 2 questions are paired; 2 questions stand only in A"
    assert said in done.stderr and said in (tmp_path / "out" / "report.html").read_text()
