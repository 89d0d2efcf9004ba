"""ingest: every row is either a sample or in the ledger, bad input is named, a killed run finishes alike."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from source_makers import files_of, jpeg, png, put, run

import cogito_data.ingest as module
from cogito_core.console import CogitoError
from cogito_core.sample import Sample
from cogito_core.shards import read_samples, write_shards
from cogito_data.ingest import ingest
from cogito_data.sources import sorting


def tables(root: Path, n: int, **changes: dict[str, object]) -> Path:
    """A TabMWP folder of n problems; `changes` replaces fields of single rows (None removes the field)."""
    rows: dict[str, dict[str, object]] = {}
    for i in range(n):
        row: dict[str, object] = {
            "question": f"What is the sum of row {i}?", "choices": None, "answer": f"{i},000" if i else "0",
            "unit": "$" if i % 2 else None, "split": "train", "ques_type": "free_text", "grade": 3,
        }
        for key, value in changes.get(f"row{i}", {}).items():
            if value is None:
                row.pop(key)
            else:
                row[key] = value
        rows[str(i)] = row
        put(root / "tables" / f"{i}.png", png(i))
    put(root / "problems_train.json", rows)
    return root


def test_rows_become_samples_with_provenance(tmp_path: Path) -> None:
    result, samples, ledger = run("tabmwp", tables(tmp_path / "up", 3), tmp_path / "out")
    assert (result.rows_read, result.kept, result.dropped, ledger) == (3, 3, {}, [])
    sample = samples["tabmwp/train/1"]
    assert sample.problem == "<image>\nWhat is the sum of row 1?"
    assert (sample.answer, sample.original_answer, sample.answer_kind) == ("1000", "1,000", "number")
    assert sample.answer_spec == {"unit": "$"}
    assert sample.category == "chart"
    assert sample.license == "CC-BY-NC-SA-4.0"
    assert sample.upstream_id == "1"
    assert sample.images[0].bytes == png(1), "the encoded bytes stay as they were"
    assert sample.images[0].path == "tables/1.png"


def test_the_run_directory_is_complete(tmp_path: Path) -> None:
    run("tabmwp", tables(tmp_path / "up", 2), tmp_path / "out")
    for name in ("config.yaml", "provenance.json", "events.jsonl", "summary.json", "ledger.jsonl", "report.html"):
        assert (tmp_path / "out" / name).is_file(), name
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["kept"] == 2 and summary["shards"] == ["data/train-00000.parquet"]


BAD_ROWS = {
    "missing_field": ({"question": None}, "'question' is missing"),
    "wrong_type": ({"question": ["a"]}, "'question' should be text, not a list"),
    "empty_question": ({"question": "  "}, "no text"),
    "empty_gold": ({"answer": " "}, "gold is empty"),
    "gold_not_in_choices": ({"choices": ["a", "b"], "answer": "c"}, "none of the options"),
    "bad_choices": ({"choices": ["a"], "answer": "a"}, "1 options"),
}


@pytest.mark.parametrize("reason", BAD_ROWS)
def test_a_bad_row_is_named_and_the_others_go_on(tmp_path: Path, reason: str) -> None:
    changes, words = BAD_ROWS[reason]
    result, samples, ledger = run("tabmwp", tables(tmp_path / "up", 4, row2=dict(changes)), tmp_path / "out")
    assert result.dropped == {reason: 1}
    assert set(samples) == {"tabmwp/train/0", "tabmwp/train/1", "tabmwp/train/3"}
    assert ledger[0]["reason"] == reason
    assert "problems_train.json, row '2'" in ledger[0]["evidence"]
    assert words in ledger[0]["evidence"]
    assert "\n" not in ledger[0]["evidence"]


def test_pictures_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 6)
    (root / "tables/0.png").unlink()
    (root / "tables/1.png").write_bytes(png(1)[:-20])
    (root / "tables/2.png").write_bytes(b"not a picture at all")
    (root / "tables/3.png").write_bytes(b"")
    (root / "tables/4.png").write_bytes(jpeg(4)[:-40])
    result, samples, ledger = run("tabmwp", root, tmp_path / "out")
    assert result.dropped == {"picture_damaged": 4, "picture_missing": 1}
    assert list(samples) == ["tabmwp/train/5"]
    said = {row["id"]: row["evidence"] for row in ledger}
    assert "tables/0.png is not there" in said["tabmwp/train/0"]
    assert "truncated" in said["tabmwp/train/1"]
    assert "truncated" in said["tabmwp/train/4"]


def test_a_doubled_id_is_kept_once(tmp_path: Path) -> None:
    question = {"image_index": 0, "answer": 1, "question": "Is it?", "image_filename": "a.png", "question_index": 7}
    put(tmp_path / "up/superCLEVR_questions_30k.json", {"questions": [question, question]})
    put(tmp_path / "up/images/a.png", png())
    result, samples, ledger = run("super_clevr", tmp_path / "up", tmp_path / "out")
    assert result.dropped == {"duplicate_id": 1}
    assert list(samples) == ["super_clevr/train/30k-7"]
    assert ledger[0]["id"] == "super_clevr/train/30k-7"


def test_half_a_surrogate_pair_is_one_bad_row(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 5, row2={"question": "What \ud83d is it?"}, row4={"table": "\udfff"})
    result, samples, ledger = run("tabmwp", root, tmp_path / "out")
    assert result.dropped == {"unreadable": 2}
    assert set(samples) == {f"tabmwp/train/{i}" for i in (0, 1, 3)}
    assert [samples[f"tabmwp/train/{i}"].images[0].bytes for i in (0, 1, 3)] == [png(0), png(1), png(3)]
    assert [row["id"] for row in ledger] == ["tabmwp/train/2", "tabmwp/train/4"]


def test_no_usable_row_because_of_the_form_is_an_error(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 2, row0={"answer": None}, row1={"answer": None})
    with pytest.raises(CogitoError, match="row '0'.*'answer' is missing"):
        ingest("tabmwp", root=root, out=tmp_path / "out")


def test_no_usable_row_for_want_of_pictures_is_an_error_that_names_the_archive(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 2)
    (root / "tables").rename(tmp_path / "away")
    put(root / "images.tgz", b"packed")
    wanted = r"not one of 2 rows could be used; first: .*tables/0.png is not there; images.tgz in .*: unpack it there"
    with pytest.raises(CogitoError, match=wanted):
        ingest("tabmwp", root=root, out=tmp_path / "out")
    assert not (tmp_path / "out/summary.json").exists(), "such a run is not finished"
    assert len((tmp_path / "out/ledger.jsonl").read_text().splitlines()) == 2
    (tmp_path / "away").rename(root / "tables")
    assert ingest("tabmwp", root=root, out=tmp_path / "out").kept == 2, "the same command again, once they are unpacked"


def test_some_missing_pictures_name_the_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tables(tmp_path / "up", 3)
    (root / "tables/1.png").unlink()
    put(root / "more.zip", b"packed")
    assert run("tabmwp", root, tmp_path / "out")[0].kept == 2
    assert "1 pictures are not there; more.zip in" in capsys.readouterr().err


def test_rows_of_other_splits_are_not_in_the_files_of_train(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 9, **{f"row{i}": {"split": "test"} for i in (1, 4)}, row7={"split": "dev"})
    result, samples, _ = run("tabmwp", root, tmp_path / "out")
    assert result.shards == [f"data/{name}-00000.parquet" for name in ("test", "train", "validation")]
    assert {sample.upstream_id for sample in read_samples(tmp_path / "out/data", "test")} == {"1", "4"}
    assert {sample.split for sample in read_samples(tmp_path / "out/data", "train")} == {"train"}
    assert samples["tabmwp/dev/7"].split == "dev", "the column keeps upstream's word"


def test_datasets_presents_the_splits_as_they_are(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    root = tables(tmp_path / "up", 3, **{f"row{i}": {"split": "test"} for i in range(3)})
    run("tabmwp", root, tmp_path / "out")
    loaded = datasets.load_dataset("parquet", data_dir=str(tmp_path / "out/data"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"test": 3}


@pytest.mark.parametrize(("split", "training", "name"), [
    ("train2014", ("train",), "train"), ("val_easy", (), "validation"), ("testmini", (), "test"),
    ("test", ("test",), "test"), ("practice", ("practice",), "train"), ("all", (), "test"), ("dev", (), "validation"),
    ("sample-train1", ("sample-train1",), "train"),
])
def test_file_names_of_splits(split: str, training: tuple[str, ...], name: str) -> None:
    assert module.file_split(split, training) == name


def test_the_report_shows_counts_reasons_and_rows(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 30, row3={"answer": " "}, row5={"question": "What is 1 < 2 & 3?"})
    run("tabmwp", root, tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "29" in page and "empty_gold" in page and "row &#x27;3&#x27;" in page
    assert page.count("<div class=card>") == 12
    assert page.count("data:image/png;base64,") == 12
    assert "1 < 2 &" not in page, "upstream's words are escaped"


def test_pictures_only_counts_rows_with_pictures(tmp_path: Path) -> None:
    rows = {
        str(i): {"question": f"q{i}?", "choices": ["a", "b"], "answer": 0, "split": "train",
                 "image": "image.png" if i % 3 == 2 else None}
        for i in range(12)
    }
    put(tmp_path / "up/problems.json", rows)
    for i in range(2, 12, 3):
        put(tmp_path / f"up/images/train/{i}/image.png", png(i))
    result, samples, _ = run("scienceqa", tmp_path / "up", tmp_path / "out", limit=3, pictures_only=True)
    assert (set(samples), result.dropped) == ({f"scienceqa/train/{i}" for i in (2, 5, 8)}, {"no_picture": 6})


def test_an_output_inside_the_input_is_refused(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 2)
    with pytest.raises(CogitoError, match="lies inside --from"):
        ingest("tabmwp", root=root, out=root / "out")


def test_a_folder_without_a_known_layout_names_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "up").mkdir()
    with pytest.raises(CogitoError, match=r"none of the layouts of tabmwp; looked for original: problems_\*\.json"):
        ingest("tabmwp", root=tmp_path / "up", out=tmp_path / "out")


def test_of_many_sources_in_one_folder_the_one_of_that_name_is_read(tmp_path: Path) -> None:
    """Releases use the same file names: ScienceQA's problems.json stands before TabMWP's in any listing."""
    tables(tmp_path / "up/tabmwp", 2)
    row = {"question": "Is it?", "choices": ["no", "yes"], "answer": 1, "hint": "", "split": "train", "image": None}
    put(tmp_path / "up/scienceqa/problems_train.json", {"5": row})
    for name, n in (("tabmwp", 2), ("scienceqa", 1)):
        result = ingest(name, root=tmp_path / "up", out=tmp_path / name)
        assert (result.kept, result.origin) == (n, str(tmp_path / "up" / name))


def test_damaged_json_names_file_and_row(tmp_path: Path) -> None:
    put(tmp_path / "up/problems_train.json", '{"1": {"question": "q?"}, "2": {"question": ')
    with pytest.raises(CogitoError, match=r"problems_train\.json is not valid JSON \(after row '1': "):
        ingest("tabmwp", root=tmp_path / "up", out=tmp_path / "out")


def test_an_unknown_source_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CogitoError, match="did you mean 'geos'"):
        ingest("geoss", root=tmp_path, out=tmp_path / "out")


def test_neither_folder_nor_hub_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CogitoError, match="--from DIR, or --from hub"):
        ingest("geos", out=tmp_path / "out")


@pytest.mark.parametrize("limit", [1, 5, 40])
def test_limit_counts_kept_rows(tmp_path: Path, limit: int) -> None:
    root = tables(tmp_path / "up", 12, row0={"answer": " "}, row3={"answer": " "})
    result, samples, _ = run("tabmwp", root, tmp_path / "out", limit=limit)
    assert result.kept == min(limit, 10)
    assert min(int(name.rpartition("/")[2]) for name in samples) == 1, "row 0 is bad, so row 1 is the first kept"


def test_the_result_does_not_depend_on_the_unit_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tables(tmp_path / "up", 23, row4={"answer": " "}, row20={"question": None})
    run("tabmwp", root, tmp_path / "whole")
    for size in (1, 7, 23):
        monkeypatch.setattr(module, "UNIT_ROWS", size)
        run("tabmwp", root, tmp_path / f"cut{size}")
        assert files_of(tmp_path / f"cut{size}") == files_of(tmp_path / "whole")


def test_the_result_does_not_depend_on_where_the_folder_is(tmp_path: Path) -> None:
    run("tabmwp", tables(tmp_path / "a", 5), tmp_path / "out_a")
    run("tabmwp", tables(tmp_path / "b/deeper", 5), tmp_path / "out_b")
    first, second = files_of(tmp_path / "out_a"), files_of(tmp_path / "out_b")
    assert first["data/train-00000.parquet"] == second["data/train-00000.parquet"]


def test_an_interrupted_run_takes_up_after_the_last_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tables(tmp_path / "up", 20, row13={"answer": " "})
    monkeypatch.setattr(module, "UNIT_ROWS", 4)
    run("tabmwp", root, tmp_path / "whole")
    done: list[str] = []
    real = module.to_sample

    def counted(manifest, problem, row, pictures, **more) -> Sample:  # type: ignore[no-untyped-def]
        if len(done) == 11:
            raise KeyboardInterrupt
        done.append(problem.upstream_id)
        return real(manifest, problem, row, pictures, **more)

    monkeypatch.setattr(module, "to_sample", counted)
    with pytest.raises(KeyboardInterrupt):
        ingest("tabmwp", root=root, out=tmp_path / "out")
    del done[:]
    monkeypatch.setattr(module, "to_sample", lambda *a, **k: (done.append(a[1].upstream_id), real(*a, **k))[1])
    ingest("tabmwp", root=root, out=tmp_path / "out")
    assert done[0] == "8", "units 0 and 1 were finished, so row 8 is the first to be done again"
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_a_finished_run_is_returned_as_it_is(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 3)
    first = ingest("tabmwp", root=root, out=tmp_path / "out")
    before = files_of(tmp_path / "out")
    assert ingest("tabmwp", root=root, out=tmp_path / "out") == first
    assert files_of(tmp_path / "out") == before


def test_another_setting_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 3)
    ingest("tabmwp", root=root, out=tmp_path / "out")
    with pytest.raises(CogitoError, match="limit"):
        ingest("tabmwp", root=root, out=tmp_path / "out", limit=1)


def test_changed_input_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    root = tables(tmp_path / "up", 3)
    ingest("tabmwp", root=root, out=tmp_path / "out")
    tables(root, 4)
    with pytest.raises(CogitoError, match=r"names, sizes or times of files there have changed since"):
        ingest("tabmwp", root=root, out=tmp_path / "out")


def test_shards_have_the_bytes_of_write_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tables(tmp_path / "up", 50)
    for i in range(0, 50, 7):
        put(root / f"tables/{i}.png", png(1))
    monkeypatch.setattr(module, "UNIT_ROWS", 6)
    monkeypatch.setattr(sorting, "SHARD_ROWS", 20)
    monkeypatch.setattr(sorting, "RUN_UNITS", 3)
    monkeypatch.setattr(sorting, "RUN_BATCH", 4)
    run("tabmwp", root, tmp_path / "out")
    samples = list(read_samples(tmp_path / "out/data"))
    random.Random(1).shuffle(samples)
    expected = write_shards(samples, tmp_path / "expected", max_rows=20)
    assert [path.name for path in expected] == ["train-00000.parquet", "train-00001.parquet", "train-00002.parquet"]
    for path in expected:
        assert path.read_bytes() == (tmp_path / "out/data" / path.name).read_bytes()


def test_a_shard_ends_before_its_pictures_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "SHARD_BYTES", 5 * len(png(1)) + 1)
    result, samples, _ = run("tabmwp", tables(tmp_path / "up", 12), tmp_path / "out")
    assert len(samples) == 12
    assert len(result.shards) == 3


CHILD = """
import sys
from pathlib import Path
import cogito_data.ingest as module
module.UNIT_ROWS = 5
module.ingest("tabmwp", root=Path(sys.argv[1]), out=Path(sys.argv[2]))
"""


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tables(tmp_path / "up", 120)
    monkeypatch.setattr(module, "UNIT_ROWS", 10)
    run("tabmwp", root, tmp_path / "whole")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o"]
    if subprocess.run([*mount, "size=160k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        with pytest.raises(OSError) as caught:
            ingest("tabmwp", root=root, out=disk / "out")
        assert caught.value.errno == errno.ENOSPC
        assert 0 < units_done(disk / "out") < 12
        subprocess.run([*mount, "remount,size=32m", "tmpfs", str(disk)], check=True)
        ingest("tabmwp", root=root, out=disk / "out")
        assert files_of(disk / "out") == files_of(tmp_path / "whole")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def units_done(out: Path) -> int:
    manifest = out / "work/units/units.jsonl"
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


def test_kill_9_at_random_moments_gives_the_same_bytes(tmp_path: Path, repository: Path) -> None:
    root = tables(tmp_path / "up", 400, row7={"answer": " "}, row300={"question": None})
    command = [sys.executable, "-c", CHILD, str(root)]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    subprocess.run([*command, str(tmp_path / "whole")], check=True, env=environment)
    moments = random.Random(7)
    kills = 0
    for target in sorted(moments.sample(range(80), 5)):
        child = subprocess.Popen([*command, str(tmp_path / "out")], env=environment)
        while child.poll() is None and units_done(tmp_path / "out") < target:
            time.sleep(0.0005)
        time.sleep(moments.uniform(0, 0.004))
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
    assert kills >= 1
    subprocess.run([*command, str(tmp_path / "out")], check=True, env=environment)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
    assert len(list(read_samples(tmp_path / "out/data"))) == 398
