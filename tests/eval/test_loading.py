"""Manifests and loaders: columns, golds in every form, pictures, counts, and what is said of a partial copy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_eval.benchmark import Benchmark, benchmark_names, load_benchmark, parse_names
from cogito_eval.building import build_item
from cogito_eval.loading import load_items
from cogito_eval.records import read_records

from .conftest import png

SHIPPED = benchmark_names()


def _benchmark(**columns: object) -> Benchmark:
    return Benchmark.model_validate({
        "name": "x", "title": "X", "licence": "none", "category": "general", "columns": columns,
    })


def _item(record: dict[str, object], **columns: object):
    benchmark = _benchmark(**columns)
    return build_item(benchmark, {"_key": None, **record}, benchmark.columns, id="1", part="", base=Path("/nowhere"))


def test_a_choice_benchmark_needs_a_manifest_alone(choice_bench):
    manifest, folder = choice_bench
    assert len(manifest.read_text().splitlines()) < 30
    found = load_items(load_benchmark(manifest), folder)
    assert [item.id for item in found.items] == ["q0", "q1", "q2", "q3", "q5"]
    assert found.absent[0][0] == "q4" and found.found == 6
    first = found.items[0]
    assert (first.gold, first.kind, first.choices) == ("A", "choice", ("3", "4", "5"))
    assert first.question.endswith("Choices:\n(A) 3\n(B) 4\n(C) 5")
    assert first.pictures[0].read().bytes == png(0)


def test_a_partial_copy_is_said_so(choice_bench):
    manifest, folder = choice_bench
    path = folder / "shapes" / "questions.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:4]))
    sentence = load_items(load_benchmark(manifest), folder).sentence()
    assert "4 records" in sentence and "has 6" in sentence and "partial" in sentence


@pytest.mark.parametrize(
    ("gold", "form", "choices", "expected"),
    [
        ("B", "letter", ["x", "y"], ("B", (), "choice")),
        ("(B)", "parenthesised", ["x", "y"], ("B", (), "choice")),
        (1, "index", ["x", "y"], ("B", (), "choice")),
        ("1", "index", ["x", "y"], ("B", (), "choice")),
        ("y", "text", ["x", "y"], ("B", (), "choice")),
        (9, "text", ["4", "9"], ("B", (), "choice")),
        ("60", "letter", [], ("60", (), "")),
        ("x", "letter", ["y", "x"], ("B", (), "choice")),
        ("C\nD", "letter", ["a", "b", "c", "d"], ("C, D", (), "choices")),
        ("5", "text", ["5", "6", "5"], ("A", ("C",), "choice")),
        (["24/7", "3.429"], "text", [], ("24/7", ("3.429",), "")),
        ("0", "flag", [], ("no", (), "yes_no")),
        (True, "flag", [], ("yes", (), "yes_no")),
        (4.0, "text", [], ("4", (), "")),
    ],
)
def test_golds_in_every_form(gold, form, choices, expected):
    item = _item({"question": "?", "answer": gold, "options": choices}, gold_form=form, choices="options")
    assert (item.gold, item.aliases, item.kind) == expected


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"question": "", "answer": "A"}, "no question"),
        ({"question": "?", "answer": None}, "no gold"),
        ({"question": "?", "answer": "D", "options": ["x", "y"]}, "option D"),
        ({"question": "?", "answer": "z", "options": ["x", "y"]}, "none of the 2 options"),
    ],
)
def test_records_that_cannot_be_asked_say_why(record, reason):
    with pytest.raises(ValueError, match=reason):
        _item(record, gold_form="letter", choices="options")


def test_letters_of_several_options_in_the_picture():
    item = _item({"question": "?", "answer": "C, A"}, gold_form="letters", choices_form="in_picture")
    assert (item.gold, item.kind) == ("A, C", "choices")


def test_picture_marks_become_plain_when_each_picture_is_named_once_in_order():
    record = {"question": "Compare <image 1> with <image 2>.", "answer": "1", "a": png(1), "b": png(2)}
    assert _item(record, pictures=["a", "b"]).problem == "Compare <image> with <image>."
    record["question"] = "Is <image_2> larger than <image_1>?"
    assert _item(record, pictures=["a", "b"]).problem == "Is [picture 2] larger than [picture 1]?"


def test_hub_pictures_and_empty_columns(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({
        "id": ["a", "b"], "question": ["one <image 1>", "two"], "answer": ["3", "4"],
        "image_1": pa.array([{"bytes": png(1), "path": "1.png"}, None], image),
        "image_2": pa.array([None, None], image),
    })
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data" / "test-00000-of-00001.parquet")
    benchmark = Benchmark.model_validate({
        "name": "x", "title": "X", "licence": "none", "category": "general", "hub": {"id": "a/b", "split": "test"},
        "columns": {"id": "id", "pictures": ["image_1", "image_2"]},
    })
    first, second = load_items(benchmark, tmp_path).items
    assert first.pictures[0].read().bytes == png(1) and first.problem == "one <image>"
    assert second.pictures == ()


def test_a_dict_key_is_an_id_even_where_it_is_a_number(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"16": {"question": "?", "answer": 1}, "54": {"question": "?", "answer": 2}}))
    assert [record["_key"] for record in read_records(path, "json")] == ["16", "54"]


@pytest.mark.parametrize(
    ("content", "form", "sentence"),
    [
        ("{", "json", "not valid JSON"),
        ('{"a": 1}\n{"b"', "jsonl", "line 2"),
        ("[1, 2]", "json", "record 0 is int"),
        ('"text"', "json", "must hold a list"),
        ("no parquet", "parquet", "not a readable Parquet"),
        ("no zip", "zip", "not a zip"),
    ],
)
def test_damaged_files_are_named(tmp_path, content, form, sentence):
    path = tmp_path / "records.x"
    path.write_text(content)
    with pytest.raises(CogitoError, match=sentence) as error:
        list(read_records(path, form))
    assert "records.x" in str(error.value)


def test_a_missing_folder_names_what_was_looked_for(tmp_path):
    with pytest.raises(CogitoError, match=r"data/testmini\.json"):
        load_items(load_benchmark("mathvista"), tmp_path)


def test_an_unknown_key_names_the_nearest(choice_bench):
    manifest, _ = choice_bench
    manifest.write_text(manifest.read_text().replace("licence:", "lisence:"))
    with pytest.raises(CogitoError, match=r"lisence.*licence"):
        load_benchmark(manifest)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_manifest_is_sound(name):
    benchmark = load_benchmark(name)
    assert benchmark.name == name
    assert benchmark.module == "" or benchmark.hook("adapt") or benchmark.hook("load")
    assert benchmark.layouts or benchmark.hub or benchmark.hook("load")


def test_all_benchmarks_of_the_paper_carry_its_figures():
    published = {name: load_benchmark(name).published_for("VL-Cogito 7B") for name in SHIPPED}
    with_figures = {name: score for name, score in published.items() if score is not None}
    ten = {key: value for key, value in with_figures.items() if key != "mmmu_sci"}
    assert len(ten) == 10
    # The paper states 59.5 for the mean of its ten columns.
    assert sum(ten.values()) / 10 == pytest.approx(59.5, abs=0.05)


def test_names():
    assert parse_names("mathvista, chartqa,mathvista") == ["mathvista", "chartqa"]
    assert parse_names("all") == SHIPPED
    with pytest.raises(CogitoError):
        parse_names(" , ")
