"""Manifests and loaders: columns, golds in every form, pictures, counts, and what is said of a partial copy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_eval.benchmark import Benchmark, benchmark_names, load_benchmark, parse_names
from cogito_eval.building import build_item
from cogito_eval.item import PicturePlaces
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
    return build_item(benchmark, {"_key": None, **record}, benchmark.columns, id="1", part="", places=PicturePlaces(Path("/nowhere")))


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


def _questions(folder: Path) -> Path:
    return folder / "shapes" / "questions.jsonl"


def test_a_misspelt_picture_column_is_an_error(choice_bench):
    manifest, folder = choice_bench
    manifest.write_text(manifest.read_text().replace("pictures: [image]", "pictures: [imgae]"))
    with pytest.raises(CogitoError, match=r"no record in .* the picture column 'imgae'; the nearest is 'image'"):
        load_items(load_benchmark(manifest), folder)
    assert len(load_items(load_benchmark(manifest), folder, blind=True).items) == 6
    manifest.write_text(manifest.read_text().replace("imgae", "photo"))
    with pytest.raises(CogitoError, match=r"picture column 'photo'; they have .*image"):
        load_items(load_benchmark(manifest), folder)


def test_one_misspelt_column_among_several_is_an_error_and_a_spare_one_is_not(choice_bench):
    manifest, folder = choice_bench
    path = _questions(folder)
    rows = [json.loads(line) | {"image_2": "0.png", "image_type": "drawing"} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = manifest.read_text()
    manifest.write_text(text.replace("pictures: [image]", "pictures: [image, imgae_2]"))
    with pytest.raises(CogitoError, match="'imgae_2'; the nearest is 'image_2'"):
        load_items(load_benchmark(manifest), folder)
    manifest.write_text(text.replace("pictures: [image]", "pictures: [image, image_2, image_3]"))
    assert {len(item.pictures) for item in load_items(load_benchmark(manifest), folder).items} == {2}


def test_a_copy_of_olympiadbenchs_text_problems_alone_is_asked(tmp_path):
    row = {"id": 1, "question": "Find x.", "final_answer": ["3"], "answer_type": "Numerical", "subfield": "Algebra"}
    copy = _hub_copy(tmp_path, "OE_TO_maths_en_COMP/train-0.parquet", [row])
    assert load_items(load_benchmark("olympiadbench"), copy).items[0].gold == "3"


@pytest.mark.parametrize("where", ["question", "options"])
def test_a_marked_picture_that_the_record_lacks_is_absent_and_never_asked_blind(choice_bench, where):
    manifest, folder = choice_bench
    path = _questions(folder)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["image"], rows[1]["image"] = None, None
    rows[0][where] = "What is in <image 1>?" if where == "question" else ["3", "<image_2>", "5"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = load_items(load_benchmark(manifest), folder)
    assert [id for id, _ in found.absent] == ["q0", "q4"] and "marks a picture" in found.absent[0][1]
    assert [item.id for item in found.items] == ["q1", "q2", "q3", "q5"]
    assert len(load_items(load_benchmark(manifest), folder, blind=True).items) == 6


@pytest.mark.parametrize(
    ("gold", "columns", "reason"),
    [
        ("D", {"gold_form": "letter", "choices": "options"}, "no options in 'options', but the gold 'D'"),
        ("(b)", {"gold_form": "parenthesised", "choices": "options"}, "no options in 'options'"),
        ("A, C", {"gold_form": "letters", "choices": "options"}, "no options"),
        (2, {"gold_form": "index", "choices": "options"}, "no options in 'options', but the gold '2'"),
        ("B", {"gold_form": "letter", "choices_form": "columns"}, "no options in the columns A, B, C"),
    ],
)
def test_a_gold_that_names_an_option_needs_options(gold, columns, reason):
    record = {"question": "?", "answer": gold, "options": []}
    with pytest.raises(ValueError, match=reason):
        _item(record, **columns)
    if columns["gold_form"] != "index":
        assert _item(record, **columns, choices_optional=True).choices == ()
    assert _item(record, gold_form="text", choices="options").gold == str(gold)


@pytest.mark.parametrize(
    ("gold", "columns", "reason"),
    [
        ({"value": 3}, {}, "the gold is an object, not a text"),
        ([["A"]], {}, "a list in a list"),
        ("B", {"gold_form": "flag"}, "neither yes nor no"),
        ("A", {"gold_form": "letter", "choices": "many"}, "30 options, but there are only 26 letters"),
        ("A", {"gold_form": "letter", "choices": "holes"}, "option B is empty"),
    ],
)
def test_a_gold_or_options_of_another_kind_say_so(gold, columns, reason):
    record = {"question": "?", "answer": gold, "many": [f"o{i}" for i in range(30)], "holes": ["x", None, "z"]}
    with pytest.raises(ValueError, match=reason):
        _item(record, **columns)


def test_letters_beyond_j_and_several_accepted_letters():
    options = [f"o{i}" for i in range(12)]
    assert _item({"question": "?", "answer": "L", "o": options}, gold_form="letter", choices="o").gold == "L"
    item = _item({"question": "?", "answer": ["B", "D"], "o": options}, gold_form="letter", choices="o")
    assert (item.gold, item.aliases, item.kind) == ("B", ("D",), "choice")


def test_a_choice_without_options_is_no_free_answer(tmp_path):
    record = {"pid": "1", "question": "Which?", "image": "a.png", "answer": "red", "question_type": "multi_choice",
              "answer_type": "text", "choices": None, "precision": None}
    free = {**record, "pid": "2", "question_type": "free_form"}
    path = tmp_path / "mathvista" / "data" / "testmini.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"1": record, "2": free}))
    found = load_items(load_benchmark("mathvista"), tmp_path, blind=True)
    assert [item.id for item in found.items] == ["2"]
    assert found.unusable == [("testmini.json record 1", "question_type is multi_choice, but there are no choices")]


def test_a_question_in_a_picture_that_is_not_there_is_absent(tmp_path):
    folder = tmp_path / "mathverse" / "data"
    folder.mkdir(parents=True)
    record = {"sample_index": "5", "problem_index": "1", "problem_version": "Vision Only", "question": "", "image": None,
              "answer": "B", "question_for_eval": "Find x.\nChoices:\nA:1\nB:2", "question_type": "multi-choice"}
    (folder / "testmini.json").write_text(json.dumps([record, {**record, "sample_index": "6", "question": "Find x."}]))
    found = load_items(load_benchmark("mathverse"), tmp_path, layout="release")
    assert found.absent == [("5", "the question marks a picture, the record has none")]
    assert [item.id for item in found.items] == ["6"]


def test_broken_lines_cost_themselves_alone_and_keep_their_place(choice_bench):
    manifest, folder = choice_bench
    manifest.write_text(manifest.read_text().replace("id: qid, ", ""))
    path = _questions(folder)
    lines = path.read_text().splitlines()
    whole = {item.id: item.problem for item in load_items(load_benchmark(manifest), folder).items}
    lines[1], lines[3] = '{"qid": "q1", "question', "[1, 2]"
    path.write_text("\n".join(lines) + "\n")
    found = load_items(load_benchmark(manifest), folder)
    assert {item.id: item.problem for item in found.items} == {id: whole[id] for id in ("0", "2", "5")}
    assert [id for id, _ in found.unusable] == ["questions.jsonl line 2", "questions.jsonl line 4"]
    assert found.unusable[0][1] == "is not valid JSON: Unterminated string starting at character 15"
    assert found.found == 6 and "2 unusable (first: questions.jsonl line 2" in found.sentence()


def test_a_record_of_another_form_costs_itself_alone(tmp_path):
    folder = tmp_path / "scienceqa" / "llava_eval"
    folder.mkdir(parents=True)
    turns = [{"value": "Which?\nA. one\nB. two"}, {"value": "B"}]
    rows = [{"id": "1", "image": "1.png", "conversations": turns}, {"id": "2", "image": "2.png", "conversations": [7]},
            {"id": "3", "image": "3.png", "conversations": [{}, {}]}, 5]
    (folder / "llava_test_CQM-A.json").write_text(json.dumps(rows))
    found = load_items(load_benchmark("scienceqa"), tmp_path, blind=True)
    assert [item.id for item in found.items] == ["1"] and found.found == 4
    assert [id for id, _ in found.unusable] == [
        "llava_test_CQM-A.json record 2", "llava_test_CQM-A.json record 3", "llava_test_CQM-A.json record 3"]


def test_train_problems_of_geometry3k_are_left_out(tmp_path):
    for number, part in enumerate(["train", "val", "test", "train"]):
        place = tmp_path / "geometry3k" / "original_layout" / str(number)
        place.mkdir(parents=True)
        (place / "img_diagram.png").write_bytes(png(number))
        (place / "data.json").write_text(json.dumps(
            {"id": number, "data_type": part, "problem_text": "Find x.", "choices": ["1", "2"], "answer": "B"}))
    found = load_items(load_benchmark("geometry3k"), tmp_path)
    assert [item.id for item in found.items] == ["2"]
    assert "1 records in the release layout (2 of data_type train, 1 of data_type val left out)" in found.sentence()


def test_a_list_of_option_columns_is_told_how(choice_bench):
    manifest, _ = choice_bench
    manifest.write_text(manifest.read_text().replace("choices: options", "choices: [A, B, C]"))
    with pytest.raises(CogitoError, match="choices_form: columns"):
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


def test_pictures_in_a_zip_beside_the_records(tmp_path):
    import zipfile

    (tmp_path / "data.jsonl").write_text("".join(json.dumps(
        {"id": i, "question": "Which comes next?", "image_path": f"./images/{i}.png", "label": "b", "tag": "Spatial"}
    ) + "\n" for i in range(3)))
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.writestr("images/0.png", png(0))
        archive.writestr("images/1.png", png(1))
    found = load_items(load_benchmark("visulogic"), tmp_path)
    assert [item.pictures[0].read().bytes for item in found.items] == [png(0), png(1)]
    assert [item.gold for item in found.items] == ["B", "B"] and len(found.absent) == 1


def _hub_copy(folder: Path, name: str, rows: list[dict]) -> Path:
    """Rows as a hub copy keeps them, pictures as the image feature."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return folder


def test_mathvistas_hub_copy(tmp_path):
    image = {"bytes": png(3), "path": "1.jpg"}
    row = {"pid": "1", "question": "How far?", "image": "images/1.jpg", "decoded_image": image, "choices": None,
           "unit": None, "precision": 1.0, "answer": "1.2", "question_type": "free_form", "answer_type": "float",
           "metadata": {"source": "SciBench", "task": "textbook"}}
    other = row | {"pid": "2", "choices": ["near", "far"], "answer": "far", "question_type": "multi_choice",
                   "answer_type": "text"}
    first, second = load_items(load_benchmark("mathvista"), _hub_copy(
        tmp_path, "data/testmini-00000-of-00001.parquet", [row, other])).items
    assert first.official["precision"] == 1 and first.policy == "rounded(1)" and first.kind == "number"
    assert (second.gold, second.choices) == ("B", ("near", "far"))
    assert first.pictures[0].read().bytes == png(3)


def test_mmmu_pros_two_settings(tmp_path):
    image = {"bytes": png(4), "path": "p.png"}
    options = "['one', 'two', 'three']"
    _hub_copy(tmp_path, "standard (10 options)/test-0.parquet", [
        {"id": "test_Art_1", "question": "Which <image 1>?", "options": options, "answer": "B", "image_1": image}])
    _hub_copy(tmp_path, "vision/test-0.parquet", [
        {"id": "test_Art_1", "image": image, "options": options, "answer": "B", "subject": "Art"}])
    items = {item.tags["setting"][0]: item for item in load_items(load_benchmark("mmmu_pro"), tmp_path).items}
    assert "(B) two" in items["standard"].question and items["standard"].problem == "Which <image>?"
    assert "two" not in items["vision"].question and items["vision"].choices == ("one", "two", "three")
    assert items["vision"].gold == "B" and items["vision"].official["index2ans"]["C"] == "three"


def test_mathverses_question_in_the_picture(tmp_path):
    row = {"sample_index": "5", "problem_index": "1", "problem_version": "Vision Only", "question": "", "answer": "B",
           "image": {"bytes": png(5), "path": "a.png"}, "question_type": "multi-choice", "query_wo": "See the picture.",
           "question_for_eval": "How long is it?\nChoices:\nA:2\nB:3", "metadata": {"subject": "Plane Geometry"}}
    item = load_items(load_benchmark("mathverse"), _hub_copy(tmp_path, "testmini-0.parquet", [row])).items[0]
    assert (item.gold, item.kind, item.choices) == ("B", "choice", ("2", "3"))
    assert "A:2" not in item.question and item.question == "<image>Answer the question in the picture."


def test_dynamaths_variants_share_their_seed_question(tmp_path):
    for variant in (1, 2):
        _hub_copy(tmp_path, f"data/sample{variant}-00000-of-00001.parquet", [
            {"id": str(q), "question": "What?", "image": "x.png", "decoded_image": {"bytes": png(q), "path": "x.png"},
             "ground_truth": "1.5", "answer_type": "float", "subject": "algebra", "knowledge_level": "high school"}
            for q in (1, 2)])
    items = load_items(load_benchmark("dynamath"), tmp_path).items
    assert [item.cluster for item in items] == ["1", "2", "1", "2"] and len({item.id for item in items}) == 4
    assert items[0].policy == "absolute(1e-3)" and items[0].tags["level"] == ("high school",)


def test_a_hub_geometry_problem_has_no_official_verdict(tmp_path):
    row = {"images": [{"bytes": png(6), "path": None}], "problem": "<image>Find x.", "answer": "3"}
    item = load_items(load_benchmark("geometry3k"), _hub_copy(tmp_path, "data/test-0.parquet", [row])).items[0]
    assert item.official == {} and item.problem == "<image>Find x."


def test_questions_that_are_made_obey_blind_and_have_no_layout():
    nano = load_benchmark("nano")
    blind = load_items(nano, None, limit=5, blind=True).items
    assert len(blind) == 5 and not any(item.pictures for item in blind)
    assert all(item.pictures for item in load_items(nano, None, limit=5).items)
    with pytest.raises(CogitoError, match="has no layout 'xx'"):
        load_items(nano, None, layout="xx")
