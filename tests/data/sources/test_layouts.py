"""Every source's layouts on small folders made here: golds, splits, pictures, and the traps of the real files."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_makers import jpeg, picture, png, put, put_parquet, run

from cogito_core.console import CogitoError
from cogito_core.images import open_picture
from cogito_core.sample import Sample
from cogito_core.verify import judge
from cogito_data.reformulate import reformulate


def only(name: str, tmp_path: Path) -> Sample:
    """Ingest `tmp_path/up` and return the single sample it gives."""
    _, samples, ledger = run(name, tmp_path / "up", tmp_path / "out")
    assert len(samples) == 1, ledger
    return next(iter(samples.values()))


def refused(name: str, tmp_path: Path, reason: str) -> str:
    """Ingest `tmp_path/up`, which holds one good row and one bad one; returns what the ledger says."""
    result, _, ledger = run(name, tmp_path / "up", tmp_path / "out")
    assert (result.kept, result.dropped) == (1, {reason: 1}), ledger
    return ledger[0]["evidence"]


def test_geometry3k_release(tmp_path: Path) -> None:
    folder = tmp_path / "up/train/13"
    put(
        folder / "data.json",
        {
            "problem_text": "Find y.",
            "choices": ["9", "18", "36", "72"],
            "answer": "A",
            "id": 13,
            "data_type": "train",
            "unit": "",
            "precise_value": [9.0, 18.0, 36.0, 72.0],
        },
    )
    put(folder / "img_diagram.png", png())
    sample = only("geometry3k", tmp_path)
    assert (sample.id, sample.answer, sample.answer_kind) == ("geometry3k/train/13", "A", "choice")
    assert sample.problem == "<image>\nFind y.\n(A) 9\n(B) 18\n(C) 36\n(D) 72"
    assert (sample.choices, sample.original_problem) == (("9", "18", "36", "72"), "Find y.")


def test_geometry3k_reads_all_splits_of_a_release(tmp_path: Path) -> None:
    for split, number in (("train", 2), ("val", 2101), ("test", 2401)):
        row = {"problem_text": "Find x.", "choices": ["1", "2"], "answer": "B", "id": number, "data_type": split}
        put(tmp_path / f"up/{split}/{number}/data.json", row)
        put(tmp_path / f"up/{split}/{number}/img_diagram.png", png(number))
    result, _, _ = run("geometry3k", tmp_path / "up", tmp_path / "out")
    assert result.splits == {"train": 1, "val": 1, "test": 1}


def test_geometry3k_hub_copy_has_values_and_its_own_mark(tmp_path: Path) -> None:
    row = {"images": [picture(png())], "problem": "<image>Find x.", "answer": r"2 \sqrt { 3 }"}
    put_parquet(tmp_path / "up/data/train-00000-of-00001.parquet", [row])
    sample = only("geometry3k", tmp_path)
    assert (sample.id, sample.problem) == ("geometry3k/train/0", "<image>Find x.")
    assert (sample.answer, sample.answer_kind) == (r"2 \sqrt { 3 }", "expression")


def geos_row(answer: str, choices: dict[str, str]) -> dict[str, Any]:
    return {"answer": answer, "text": "What is x?", "key": 1025, "choices": choices}


def test_geos_gold_is_a_key_of_the_options(tmp_path: Path) -> None:
    put(tmp_path / "up/official/003.json", geos_row("3", {"1": "35", "10": "0", "3": "50", "2": "40"}))
    put(tmp_path / "up/official/003.png", png())
    sample = only("geos", tmp_path)
    assert (sample.choices, sample.answer, sample.original_answer) == (("35", "40", "50", "0"), "C", "3")


@pytest.mark.parametrize(("folder", "printed"), [("official", True), ("practice", True), ("aaai", False)])
def test_geos_pages_show_their_options(tmp_path: Path, folder: str, printed: bool) -> None:
    put(tmp_path / f"up/{folder}/003.json", geos_row("1", {"1": "35", "2": "40"}))
    put(tmp_path / f"up/{folder}/003.png", png())
    opened = reformulate(only("geos", tmp_path))
    assert opened.reformulation.startswith("none: printed") is printed
    assert (opened.answer_kind == "choice") is printed


def test_geos_empty_options_mean_free_form(tmp_path: Path) -> None:
    put(tmp_path / "up/aaai/000.json", geos_row("60", {}))
    put(tmp_path / "up/aaai/000.png", png())
    sample = only("geos", tmp_path)
    assert (sample.choices, sample.answer, sample.answer_kind) == ((), "60", "number")


def test_geos_gold_outside_the_options(tmp_path: Path) -> None:
    for number, answer in (("000", "1"), ("001", "7")):
        put(tmp_path / f"up/aaai/{number}.json", geos_row(answer, {"1": "a", "2": "b"}))
        put(tmp_path / f"up/aaai/{number}.png", png())
    assert "none of the option keys 1, 2" in refused("geos", tmp_path, "gold_not_in_choices")


def test_geos_damaged_problem_file_is_one_bad_row(tmp_path: Path) -> None:
    put(tmp_path / "up/aaai/000.json", geos_row("60", {}))
    put(tmp_path / "up/aaai/001.json", '{"answer": ')
    for number in ("000", "001"):
        put(tmp_path / f"up/aaai/{number}.png", png())
    assert "aaai/001.json: is not valid JSON" in refused("geos", tmp_path, "unreadable")


def test_scienceqa_index_hint_and_missing_picture(tmp_path: Path) -> None:
    base = {"choices": ["no", "yes"], "answer": 1, "hint": "", "split": "test", "lecture": "L"}
    put(
        tmp_path / "up/problems.json",
        {
            "5": {**base, "question": "Is it?", "hint": "It is.", "image": "image.png"},
            "6": {**base, "question": "Is it so?", "image": None},
        },
    )
    put(tmp_path / "up/images/test/5/image.png", png())
    put(tmp_path / "up/images/test/5/choice_0.png", png(3))
    _, samples, ledger = run("scienceqa", tmp_path / "up", tmp_path / "out")
    assert not ledger
    assert samples["scienceqa/test/5"].problem == "<image>\nIt is.\nIs it?\n(A) no\n(B) yes"
    assert [p.path for p in samples["scienceqa/test/5"].images] == ["images/test/5/image.png"]
    assert samples["scienceqa/test/6"].problem == "Is it so?\n(A) no\n(B) yes"
    assert samples["scienceqa/test/6"].images == ()
    assert samples["scienceqa/test/5"].answer == "B"


def test_scienceqa_llava_rows(tmp_path: Path) -> None:
    asked = "<image>\nContext: N/A\nWhich?\nA. x\nB. y"
    rows = [
        {
            "id": "9",
            "image": "9/image.png",
            "conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": "B"}],
        }
    ]
    put(tmp_path / "up/llava_test_CQM-A.json", rows)
    put(tmp_path / "up/images/test/9/image.png", png())
    sample = only("scienceqa", tmp_path)
    assert (sample.problem, sample.answer) == ("<image>\nWhich?\n(A) x\n(B) y", "B")


def test_tabmwp_reads_an_id_once_and_prefers_the_whole_split(tmp_path: Path) -> None:
    row = {"question": "q?", "choices": None, "answer": "1,234", "unit": None, "split": "test"}
    put(tmp_path / "up/problems_test.json", {"1": row, "2": row})
    put(tmp_path / "up/problems_test1k.json", {"2": row})
    for pid in (1, 2):
        put(tmp_path / f"up/tables/{pid}.png", png(pid))
    result, samples, ledger = run("tabmwp", tmp_path / "up", tmp_path / "out")
    assert (result.kept, ledger) == (2, [])
    assert samples["tabmwp/test/2"].answer == "1234"


def test_tabmwp_notes_an_id_that_two_files_share(tmp_path: Path) -> None:
    row = {"question": "q?", "choices": None, "answer": "1", "unit": None, "split": "train"}
    put(tmp_path / "up/problems_train.json", {"1": row, "2": row})
    put(tmp_path / "up/problems_more.json", {"2": row, "3": row})
    put(tmp_path / "up/problems_dev.json", {"1": {**row, "split": "dev"}})
    for pid in (1, 2, 3):
        put(tmp_path / f"up/tables/{pid}.png", png(pid))
    result, samples, _ = run("tabmwp", tmp_path / "up", tmp_path / "out")
    assert (result.rows_read, result.kept, result.dropped) == (5, 4, {"duplicate_id": 1})
    assert {"tabmwp/train/1", "tabmwp/dev/1"} <= set(samples)


def test_tabmwp_has_one_kind_of_gold_in_both_layouts(tmp_path: Path) -> None:
    texts = [turn("How many?", gold) for gold in ("7/8", "$5.00.", "1,234")]
    put_parquet(tmp_path / "hub/train-00000-of-00001.parquet", [{"images": [picture(png())], "texts": texts}])
    row = {"question": "How many?", "choices": None, "split": "train"}
    golds = {"1": ("7/8", None), "2": ("5.00", "$"), "3": ("1,234", None)}
    put(tmp_path / "up/problems_train.json",
        {pid: {**row, "answer": answer, "unit": unit} for pid, (answer, unit) in golds.items()})
    for pid in golds:
        put(tmp_path / f"up/tables/{pid}.png", png(int(pid)))
    ours, theirs = (
        sorted((s.answer, s.answer_kind, s.answer_spec.get("unit")) for s in run("tabmwp", root, out)[1].values())
        for root, out in ((tmp_path / "up", tmp_path / "a"), (tmp_path / "hub", tmp_path / "b"))
    )
    assert ours == theirs == [("1234", "number", None), ("5.00", "number", "$"), ("7/8", "expression", None)]


def test_ai2d_test_ids_are_the_test_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (7, 17):
        question = {"abcLabel": False, "answerTexts": ["x", "y"], "correctAnswer": 1, "questionId": f"{number}.png-0"}
        file = {"imageName": f"{number}.png", "questions": {"Which?": question}}
        put(tmp_path / f"up/questions/{number}.png.json", file)
        put(tmp_path / f"up/images/{number}.png", png(number))
    assert run("ai2d", tmp_path / "up", tmp_path / "all")[0].splits == {"train": 2}
    assert "ai2d_test_ids.csv" in capsys.readouterr().err
    put(tmp_path / "up/ai2d_test_ids.csv", "7\n")
    assert run("ai2d", tmp_path / "up", tmp_path / "out")[0].splits == {"test": 1, "train": 1}


def test_chartqa_release(tmp_path: Path) -> None:
    rows = [
        {"imgname": "a.png", "query": "How many?", "label": "0.03"},
        {"imgname": "a.png", "query": "Years?", "label": "[2013, 2016]"},
        {"imgname": "a.png", "query": "Season?", "label": "18/19"},
        {"imgname": "a.png", "query": "More?", "label": "Yes"},
    ]
    put(tmp_path / "up/ChartQA Dataset/train/train_human.json", rows)
    put(tmp_path / "up/ChartQA Dataset/train/train_augmented.json", rows[:1])
    put(tmp_path / "up/ChartQA Dataset/train/png/a.png", png())
    result, samples, _ = run("chartqa", tmp_path / "up", tmp_path / "out")
    assert result.answer_kinds == {"list": 1, "number": 2, "text": 1, "yes_no": 1}
    assert samples["chartqa/train/human-0"].answer_spec == {"policy": "relative(0.05,years)"}
    assert samples["chartqa/train/augmented-0"].answer == "0.03"
    assert samples["chartqa/train/human-3"].answer == "yes"


def test_super_clevr_mixed_json_types(tmp_path: Path) -> None:
    golds: list[Any] = [False, True, 3, "red", 0]
    rows = [
        {"image_index": 20_000, "image_filename": "a.png", "question": "q?", "answer": gold, "question_index": i}
        for i, gold in enumerate(golds)
    ]
    put(tmp_path / "up/superCLEVR_questions_30k.json", {"info": {}, "questions": rows})
    put(tmp_path / "up/images/a.png", png())
    _, samples, _ = run("super_clevr", tmp_path / "up", tmp_path / "out")
    found = [
        (samples[f"super_clevr/val/30k-{i}"].answer, samples[f"super_clevr/val/30k-{i}"].answer_kind)
        for i in range(5)
    ]
    assert found == [("no", "yes_no"), ("yes", "yes_no"), ("3", "number"), ("red", "text"), ("0", "number")]


def test_clevr_math(tmp_path: Path) -> None:
    row = {
        "split": "train",
        "image_filename": "CLEVR_train_000001.png",
        "question": "How many are left?",
        "answer": 0,
        "template_filename": "subtraction.json",
    }
    put(tmp_path / "up/clevr-math-train.json", {"questions": [row, {**row, "answer": 4}]})
    put(tmp_path / "up/CLEVR_v1.0/images/train/CLEVR_train_000001.png", png())
    _, samples, _ = run("clevr_math", tmp_path / "up", tmp_path / "out")
    assert [samples[f"clevr_math/train/{i}"].answer for i in (0, 1)] == ["0", "4"]


def test_ai2d_lettered_diagrams_need_their_own_picture(tmp_path: Path) -> None:
    questions = {
        "What is A?": {
            "abcLabel": True,
            "answerTexts": ["ears", "nose"],
            "correctAnswer": 1,
            "questionId": "0.png-0",
        },
        "Which eats?": {"abcLabel": False, "answerTexts": ["B", "A"], "correctAnswer": 0, "questionId": "0.png-1"},
    }
    put(tmp_path / "up/questions/0.png.json", {"imageName": "0.png", "questions": questions})
    put(tmp_path / "up/images/0.png", png(1))
    assert "abc_images/0.png is not there" in refused("ai2d", tmp_path, "picture_missing")
    put(tmp_path / "up/abc_images/0.png", png(2))
    _, samples, _ = run("ai2d", tmp_path / "up", tmp_path / "out2")
    assert samples["ai2d/train/0.png-0"].images[0].bytes == png(2)
    assert samples["ai2d/train/0.png-1"].answer == "A", "the option reads B, its letter is A"


def tqa_question(letter: str, **more: Any) -> dict[str, Any]:
    options = {key: {"processedText": f"text {key}", "rawText": key} for key in "gabcdef"}
    return {
        "answerChoices": options,
        "beingAsked": {"processedText": "study of earth"},
        "correctAnswer": {"processedText": letter, "rawText": f"1.{letter}"},
        "questionType": "Multiple Choice",
        **more,
    }


def test_tqa_lower_case_letters_up_to_g(tmp_path: Path) -> None:
    lesson = {
        "lessonName": "earth",
        "questions": {
            "nonDiagramQuestions": {"NDQ_1": tqa_question("g")},
            "diagramQuestions": {
                "DQ_1": tqa_question("b", imagePath="question_images/a.png"),
                "DQ_2": tqa_question("h"),
            },
        },
    }
    put(tmp_path / "up/tqa_v1_train.json", [lesson, {"lessonName": "empty"}])
    put(tmp_path / "up/question_images/a.png", png())
    result, samples, _ = run("tqa", tmp_path / "up", tmp_path / "out")
    assert result.dropped == {"gold_not_in_choices": 1, "missing_field": 1}
    assert samples["tqa/train/NDQ_1"].answer == "G"
    assert samples["tqa/train/NDQ_1"].problem.startswith("study of earth\n(A) text a\n")
    assert len(samples["tqa/train/DQ_1"].images) == 1


def test_dvqa_words_are_counts(tmp_path: Path) -> None:
    row = {"image": "bar.png", "question": "How many?", "question_type": "structure", "template_id": "x"}
    put(
        tmp_path / "up/train_qa.json",
        [
            {**row, "answer": "two", "question_id": 1},
            {**row, "answer": "7", "question_id": 2},
            {**row, "answer": "wax", "question_id": 3},
        ],
    )
    put(tmp_path / "up/images/bar.png", png())
    _, samples, _ = run("dvqa", tmp_path / "up", tmp_path / "out")
    counted = samples["dvqa/train/1"]
    assert (counted.answer, counted.answer_kind, counted.answer_aliases) == ("2", "number", ("two",))
    assert (samples["dvqa/train/2"].answer, samples["dvqa/train/3"].answer_kind) == ("7", "text")


def test_figureqa_zero_and_one(tmp_path: Path) -> None:
    row = {"image_index": 4, "question_string": "Is Red the minimum?", "question_id": 0}
    put(
        tmp_path / "up/train1/qa_pairs.json",
        {"qa_pairs": [{**row, "answer": 1}, {**row, "answer": 0}, {**row, "answer": 2}]},
    )
    put(tmp_path / "up/train1/png/4.png", png())
    result, samples, _ = run("figureqa", tmp_path / "up", tmp_path / "out")
    assert [samples[f"figureqa/train1/4-{i}"].answer for i in (0, 1)] == ["yes", "no"]
    assert result.dropped == {"gold_not_in_choices": 1}


def vqa_answers(*answers: str) -> list[dict[str, Any]]:
    return [{"answer": answer, "answer_confidence": "yes", "answer_id": i + 1} for i, answer in enumerate(answers)]


def test_vqa_pairs_of_files(tmp_path: Path) -> None:
    put(
        tmp_path / "up/v2_OpenEnded_mscoco_train2014_questions.json",
        {
            "data_subtype": "train2014",
            "questions": [
                {"image_id": 7, "question": "What?", "question_id": 70},
                {"image_id": 7, "question": "Who?", "question_id": 71},
            ],
        },
    )
    put(
        tmp_path / "up/v2_mscoco_train2014_annotations.json",
        {
            "annotations": [
                {
                    "question_id": 70,
                    "image_id": 7,
                    "multiple_choice_answer": "mesh",
                    "answers": vqa_answers(*["net"] * 4, *["mesh"] * 4, "a", "b"),
                }
            ]
        },
    )
    put(tmp_path / "up/train2014/COCO_train2014_000000000007.jpg", jpeg())
    assert "question 71 has no annotation in v2_mscoco_train2014_annotations.json" in refused(
        "vqav2", tmp_path, "empty_gold"
    )
    sample = run("vqav2", tmp_path / "up", tmp_path / "out2")[1]["vqav2/train2014/70"]
    assert (sample.answer, sample.answer_aliases, sample.answer_kind) == ("mesh", ("net",), "vqa")
    assert sample.meta["answer_counts"] == {"net": 4, "mesh": 4, "a": 1, "b": 1}
    for said, right in (("The net.", True), ("a", False), ("mesh net", False)):
        verdict = judge(said, sample.answer, kind=sample.answer_kind, spec=sample.answer_spec)
        assert (verdict.kind, verdict.is_right) == ("vqa", right), said


def test_okvqa_soft_labels(tmp_path: Path) -> None:
    put(
        tmp_path / "up/testdev.json",
        [
            {
                "sent": "What sport?",
                "question_id": 1,
                "img_id": "COCO_val2014_000000000001",
                "label": {"riding": 0.667, "racing": 1, "moto": 1},
            }
        ],
    )
    put(tmp_path / "up/val2014/COCO_val2014_000000000001.jpg", jpeg())
    sample = only("okvqa", tmp_path)
    assert (sample.answer, sample.answer_aliases) == ("racing", ("moto",))


def test_infographicvqa_permutations_are_aliases(tmp_path: Path) -> None:
    row = {
        "questionId": 5,
        "question": "Which two?",
        "image_local_name": "1.jpeg",
        "answers": ["a, b", "b, a"],
        "answer_type": ["multi-span"],
    }
    put(tmp_path / "up/infographicsVQA_train_v1.0.json", {"dataset_split": "train", "data": [row]})
    put(tmp_path / "up/infographicsvqa_images/1.jpeg", jpeg())
    sample = only("infographicvqa", tmp_path)
    assert (sample.id, sample.answer, sample.answer_aliases) == ("infographicvqa/train/5", "a, b", ("b, a",))


def raven_npz(path: Path, **changes: Any) -> Path:
    rng = np.random.default_rng(3)
    arrays = {"image": rng.integers(0, 256, (16, 160, 160), dtype=np.uint8), "target": np.int64(5), **changes}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_raven_sheet_shows_all_panels_and_no_more(tmp_path: Path) -> None:
    file = raven_npz(tmp_path / "up/center_single/RAVEN_12_train.npz")
    sample = only("raven", tmp_path)
    assert (sample.id, sample.answer, sample.answer_kind) == ("raven/train/center_single-12", "F", "choice")
    sheet = np.asarray(open_picture(sample.images[0].bytes, where="sheet").convert("L"))
    panels = np.load(file)["image"]
    for panel in panels:
        # Each panel stands on the sheet pixel for pixel: its first row is found at exactly one place.
        rows, columns = np.nonzero(sheet == panel[0, 0])
        hits = [
            (r, c)
            for r, c in zip(rows, columns, strict=True)
            if np.array_equal(sheet[r : r + 160, c : c + 160], panel)
        ]
        assert len(hits) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image": None}, "missing_field"),
        ({"target": np.int64(8)}, "gold_not_in_choices"),
        ({"image": np.zeros((15, 160, 160), np.uint8)}, "wrong_type"),
        ({"image": np.zeros((16, 160, 160), np.float32)}, "wrong_type"),
    ],
)
def test_raven_bad_arrays(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    raven_npz(tmp_path / "up/center_single/RAVEN_0_train.npz")
    raven_npz(tmp_path / "up/center_single/RAVEN_1_train.npz", **changes)
    refused("raven", tmp_path, reason)


class Trap:
    """Unpickling it leaves a trace."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.path, "w"))


def test_raven_never_unpickles(tmp_path: Path) -> None:
    raven_npz(tmp_path / "up/center_single/RAVEN_0_train.npz")
    trap = np.empty(1, dtype=object)
    trap[0] = Trap(str(tmp_path / "sprung"))
    raven_npz(tmp_path / "up/center_single/RAVEN_1_train.npz", target=trap)
    assert "holds Python objects" in refused("raven", tmp_path, "unreadable")
    assert not (tmp_path / "sprung").exists()


def test_raven_torn_npz(tmp_path: Path) -> None:
    raven_npz(tmp_path / "up/center_single/RAVEN_0_train.npz")
    torn = raven_npz(tmp_path / "up/center_single/RAVEN_1_train.npz")
    torn.write_bytes(torn.read_bytes()[:5000])
    refused("raven", tmp_path, "unreadable")


def test_geoqa_pickles_are_refused_unopened(tmp_path: Path) -> None:
    put(tmp_path / "up/train.pk", pickle.dumps([Trap(str(tmp_path / "sprung"))]))
    with pytest.raises(CogitoError, match=r"train\.pk is a Python pickle.*never opened"):
        run("geoqa_plus", tmp_path / "up", tmp_path / "out")
    assert not (tmp_path / "sprung").exists()


def test_geoqa_units_and_radicals(tmp_path: Path) -> None:
    rows = [
        {"image_path": f"./Geo170K/images/test/{i}.png", "question": "how long ()", "ground_truth": gold}
        for i, gold in enumerate(["140°", "2√{15}米", "9πcm^{2}", r"\frac{√{3}}{2}"])
    ]
    put(tmp_path / "up/r1v_geoqa_test_prompts.jsonl", rows)
    for i in range(4):
        put(tmp_path / f"up/images/test/{i}.png", png(i))
    _, samples, _ = run("geoqa_plus", tmp_path / "up", tmp_path / "out")
    found = [
        (s.answer, s.answer_kind, s.answer_spec.get("unit"))
        for s in (samples[f"geoqa_plus/test/r1v-{i}"] for i in range(4))
    ]
    assert found == [
        ("140", "number", "°"),
        (r"2\sqrt{15}", "expression", "米"),
        (r"9\pi", "expression", "cm^{2}"),
        (r"\frac{\sqrt{3}}{2}", "expression", None),
    ]


def test_geoqa_geo170k_takes_the_question_out_of_the_prompt(tmp_path: Path) -> None:
    text = "\nFirst perform reasoning.\nQuestion:how large is it ()\nChoices:\nA:50°\nB:60°"
    put(tmp_path / "up/test_questions.jsonl", [{"question_id": 1, "image": "test/1.png", "text": text}])
    put(tmp_path / "up/test_answers.jsonl", [{"question_id": 1, "text": "B"}])
    put(tmp_path / "up/images/test/1.png", png())
    sample = only("geoqa_plus", tmp_path)
    assert (sample.original_problem, sample.choices, sample.answer) == ("how large is it ()", ("50°", "60°"), "B")


def test_formalgeo_takes_chinese_where_english_has_placeholders(tmp_path: Path) -> None:
    row = {
        "problem_id": 1,
        "source": "GeoQA-0",
        "problem_text_cn": "求∠A=80°",
        "problem_text_en": "find ∠A = N_0",
        "problem_img": "1.png",
        "problem_answer": "45/4",
    }
    put(tmp_path / "up/problems/1.json", row)
    put(tmp_path / "up/images/1.png", png())
    sample = only("geoqa_plus", tmp_path)
    assert (sample.original_problem, sample.language, sample.answer_kind) == ("求∠A=80°", "zh", "expression")


def test_mm_iq_options_in_the_picture(tmp_path: Path) -> None:
    row = {
        "data_id": 4,
        "question": "Choose the figure.",
        "answer": "B",
        "category": "Mathematical",
        "image": [picture(jpeg())],
    }
    put_parquet(tmp_path / "up/data/test-00000-of-00001.parquet", [row])
    sample = only("mm_iq", tmp_path)
    assert (sample.id, sample.answer, sample.answer_kind, sample.choices) == ("mm_iq/test/4", "B", "choice", ())


def test_easyarc_grids(tmp_path: Path) -> None:
    rows = [
        {
            "id": "a",
            "images": ["1.png", "2.png"],
            "question": "Predict.",
            "answer": [[1, 2], [3, 4]],
            "difficulty": "easy",
        },
        {"id": "b", "images": ["1.png", "2.png"], "question": "Predict.", "answer": "```\n1  2\n3 4\n```"},
        {"id": "c", "images": ["1.png", "2.png"], "question": "Predict.", "answer": 5},
        {"id": "d", "images": ["1.png", "2.png"], "question": "Predict.", "answer": "[[1,2],[3,4]]"},
        {"id": "e", "images": [], "question": "Predict.", "answer": "1"},
        {"id": "f", "images": ["1.png"], "question": "Predict.", "answer": None},
    ]
    put(tmp_path / "up/train.jsonl", rows)
    for name in ("1.png", "2.png"):
        put(tmp_path / f"up/images/{name}", png(len(name)))
    result, samples, _ = run("easyarc", tmp_path / "up", tmp_path / "out")
    assert result.dropped == {"wrong_type": 1, "no_picture": 1, "empty_gold": 1}
    assert {sample.answer for sample in samples.values()} == {"[[1, 2], [3, 4]]"}
    assert {sample.answer_kind for sample in samples.values()} == {"list"}
    assert samples["easyarc/train/a"].problem == "<image><image>\nPredict."


def test_geomverse_release(tmp_path: Path) -> None:
    put(
        tmp_path / "up/TRAIN/D1/data.jsonl",
        [
            {"question": "Area?", "cot": "c", "label": 12.5, "image_path": "images/1.png"},
            {"question": "Angle?", "cot": "c", "label": 30, "image_path": "images/1.png"},
            {"question": "Side?", "cot": "c", "label": None, "image_path": "images/1.png"},
            *({"question": "Side?", "label": label, "image_path": "images/1.png"}
              for label in (float("nan"), float("inf"), True, "long")),
            {"question": "Side?", "label": "12.34 cm", "image_path": "images/1.png"},
        ],
    )
    put(tmp_path / "up/TRAIN/D1/images/1.png", png())
    result, samples, ledger = run("geomverse", tmp_path / "up", tmp_path / "out")
    assert {name: sample.answer for name, sample in samples.items()} == {
        "geomverse/train/D1-data-0": "12.5",
        "geomverse/train/D1-data-1": "30",
        "geomverse/train/D1-data-7": "12.34",
    }, "two questions on one picture are two rows"
    assert samples["geomverse/train/D1-data-0"].answer_spec == {"policy": "relative(0.03)"}
    assert (result.dropped, ledger[0]["id"]) == (
        {"empty_gold": 1, "wrong_type": 4}, "geomverse/TRAIN/D1/data.jsonl, row 2",
    )


def turn(user: str, assistant: str) -> dict[str, str]:
    return {"user": user, "assistant": assistant, "source": "x"}


def test_cauldron_rows_of_many_sources(tmp_path: Path) -> None:
    cases = {
        "inter_gps": (
            turn("Question: Find x.\nChoices:\nA. 1\nB. 2\nAnswer with the letter.", "Answer: B"),
            "B",
            "choice",
        ),
        "geomverse": (
            turn("What is the area?", "To compute it, 3 * 4. Therefore the final answer is 12.34."),
            "12.34",
            "number",
        ),
        "raven": (turn("Which figure completes the sequence?", "Answer: G."), "G", "choice"),
        "tabmwp": (turn("How many?", "1,234"), "1234", "number"),
        "vqav2": (turn("What colour is it?\nShort answer required.", "Light blue."), "Light blue", "text"),
        "figureqa": (turn("Is Red the minimum?", "Yes."), "yes", "yes_no"),
    }
    for name, (said, answer, kind) in cases.items():
        root = tmp_path / name
        put_parquet(root / "train-00000-of-00001.parquet", [{"images": [picture(png())], "texts": [said, said]}])
        _, samples, ledger = run(name, root, tmp_path / f"out_{name}")
        assert not ledger
        assert [(s.id, s.answer, s.answer_kind) for s in samples.values()] == [
            (f"{name}/train/0-{i}", answer, kind) for i in (0, 1)
        ]


def test_multimath_chat_rows(tmp_path: Path) -> None:
    said = [{"from": "human", "value": "<image>\n求x"}, {"from": "gpt", "value": r"解: $x=3$, 故 \boxed{3cm}"}]
    vague = [
        {"from": "human", "value": "<image>\nwhy?"},
        {"from": "gpt", "value": "Because the sum of the angles is what it always is here."},
    ]
    put(
        tmp_path / "up/data.json",
        [
            {"id": "a", "image": "RGB_images/1.png", "conversations": said},
            {"id": "b", "image": "RGB_images/1.png", "conversations": vague},
        ],
    )
    put(tmp_path / "up/RGB_images/1.png", png())
    result, samples, _ = run("multimath", tmp_path / "up", tmp_path / "out")
    sample = samples["multimath/train/a-0"]
    assert (sample.answer, sample.answer_spec, sample.language) == ("3", {"unit": "cm"}, "zh")
    assert result.dropped == {"unclear_gold": 1}


def test_multimath_video_r1_selection(tmp_path: Path) -> None:
    row = {
        "problem_id": 8,
        "problem": "Which?",
        "options": ["A. 1", "B. 2"],
        "solution": "<answer>B</answer>",
        "path": "./Math/Multimath-300k/1.png",
        "data_source": "Multimath-300k",
    }
    put(tmp_path / "up/Video-R1-260k.json", [row, {**row, "data_source": "GEOS"}])
    put(tmp_path / "up/Math/Multimath-300k/1.png", png())
    sample = only("multimath", tmp_path)
    assert (sample.choices, sample.answer) == (("1", "2"), "B")


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("B", "B"),
        ("b", "B"),
        ("B) 0.2", "B"),
        ("(B)", "B"),
        ("0.2", "B"),
        ("B.", "B"),
        ("Answer: B", None),
        ("Blue line", None),
        ("E", None),
        ("", None),
    ],
)
def test_arxivqa_messy_labels(tmp_path: Path, label: str, answer: str | None) -> None:
    row = {"image": "images/1.jpg", "options": ["A) 0.1", "B) 0.2", "C) 0.3"], "question": "Which?"}
    put(tmp_path / "up/arxivqa.jsonl", [{**row, "id": "good", "label": "A"}, {**row, "id": "x", "label": label}])
    put(tmp_path / "up/images/1.jpg", jpeg())
    _, samples, _ = run("arxivqa", tmp_path / "up", tmp_path / "out")
    assert samples["arxivqa/train/good"].choices == ("0.1", "0.2", "0.3")
    assert (samples["arxivqa/train/x"].answer if "arxivqa/train/x" in samples else None) == answer


@pytest.mark.parametrize(("change", "reason"), [
    ({"id": ""}, "bad_id"), ({"id": "a\nb"}, "bad_id"), ({"id": "a\u2028b"}, "bad_id"), ({"label": None}, "empty_gold"),
    ({"label": "A, B"}, "gold_not_in_choices"), ({"options": ["B) 1", "A) 2"]}, "bad_choices"),
    ({"options": ["A) 1", "B) 2", "3"]}, "bad_choices"),
])
def test_arxivqa_rows_that_cannot_be_read_with_certainty(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    row = {"id": "x", "image": "1.jpg", "options": ["A) 0.1", "B) 0.2"], "question": "Which?", "label": "A"}
    put(tmp_path / "up/arxivqa.jsonl", [{**row, "id": "good"}, {**row, **change}])
    put(tmp_path / "up/1.jpg", jpeg())
    result, samples, _ = run("arxivqa", tmp_path / "up", tmp_path / "out")
    assert (list(samples), result.dropped) == (["arxivqa/train/good"], {reason: 1})


def test_llava_cot_conclusions(tmp_path: Path) -> None:
    reply = "<SUMMARY>s</SUMMARY> <CAPTION>c</CAPTION> <REASONING>r</REASONING> <CONCLUSION> {} </CONCLUSION>"
    said = [
        {"from": "human", "value": "<image>\nWhich?\nA. x\nB. y"},
        {"from": "gpt", "value": reply.format("The answer is B.")},
        {"from": "human", "value": "How many?"},
        {"from": "gpt", "value": reply.format("3")},
    ]
    cut = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "<SUMMARY>s</SUMMARY>"}]
    put(
        tmp_path / "up/train.jsonl",
        [
            {"id": "r", "image": "sqa/1.png", "conversations": said},
            {"id": "s", "image": "sqa/1.png", "conversations": cut},
        ],
    )
    put(tmp_path / "up/image/sqa/1.png", png())
    result, samples, _ = run("llava_cot", tmp_path / "up", tmp_path / "out")
    assert samples["llava_cot/train/r-0"].answer == "B"
    assert (samples["llava_cot/train/r-1"].answer, samples["llava_cot/train/r-1"].problem) == (
        "3",
        "<image>\nHow many?",
    )
    assert result.dropped == {"empty_gold": 1}


@pytest.mark.parametrize("asked", [
    "<image>\nFind x?\nChoices:\n(A) 1\n(B) 2",
    "<image>\nHint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\n"
    "Question: Find x?\nChoices:\n(A) 1\n(B) 2",
    "Context: N/A\n<image>\nFind x?\nA. 1\nB. 2\nAnswer with the option's letter from the given choices directly.",
    "Context: N/A\nFind x?\nOptions: A. 1 B. 2\n<image>",
])
def test_llava_cot_questions_without_the_requests_around_them(tmp_path: Path, asked: str) -> None:
    said = [{"from": "human", "value": asked}, {"from": "gpt", "value": "<CONCLUSION> B </CONCLUSION>"}]
    put(tmp_path / "up/train.jsonl", [{"id": "r", "image": "1.png", "conversations": said}])
    put(tmp_path / "up/1.png", png())
    sample = only("llava_cot", tmp_path)
    assert (sample.original_problem, sample.choices, sample.answer) == ("Find x?", ("1", "2"), "B")


def test_a_picture_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    row = {"image": "images/1.jpg", "options": ["A) 1", "B) 2"], "question": "Which?", "label": "A"}
    put(
        tmp_path / "up/arxivqa.jsonl",
        [
            {**row, "id": "a"},
            {**row, "id": "b", "image": "../secret.jpg"},
            {**row, "id": "c", "image": "/etc/hostname"},
        ],
    )
    put(tmp_path / "up/images/1.jpg", jpeg())
    put(tmp_path / "secret.jpg", jpeg())
    result, _, _ = run("arxivqa", tmp_path / "up", tmp_path / "out")
    assert (result.kept, result.dropped) == (1, {"unsafe_path": 2})


def test_a_torn_json_line_is_one_bad_row(tmp_path: Path) -> None:
    row = json.dumps({"id": "a", "image": "1.jpg", "options": ["A) 1", "B) 2"], "question": "Which?", "label": "A"})
    put(tmp_path / "up/arxivqa.jsonl", f"{row}\n{row[:30]}\n[1, 2]\n")
    put(tmp_path / "up/1.jpg", jpeg())
    result, _, ledger = run("arxivqa", tmp_path / "up", tmp_path / "out")
    assert (result.kept, result.dropped) == (1, {"unreadable": 2})
    assert "arxivqa.jsonl, row 1: the line is not JSON" in ledger[0]["evidence"]


def test_of_two_layouts_the_one_with_pictures_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "up/a/test_questions.jsonl", [{"question_id": 1, "image": "test/1.png", "text": "Q\nA:1\nB:2"}])
    put(tmp_path / "up/a/test_answers.jsonl", [{"question_id": 1, "text": "B"}])
    row = {
        "problem_id": 1,
        "source": "GeoQA-0",
        "problem_text_cn": "求x",
        "problem_text_en": "find x",
        "problem_img": "1.png",
        "problem_answer": "3",
    }
    put(tmp_path / "up/b/problems/1.json", row)
    put(tmp_path / "up/b/images/1.png", png())
    assert only("geoqa_plus", tmp_path).id == "geoqa_plus/formalgeo7k/1"
    assert "also there: geo170k in" in capsys.readouterr().err


def test_mathvista_records_of_another_source_are_not_taken(tmp_path: Path) -> None:
    record = {
        "question": "x?",
        "image": "images/1.jpg",
        "choices": None,
        "answer": "3",
        "metadata": {"source": "GEOS", "language": "english"},
    }
    put(tmp_path / "up/testmini_subset.json", {"1": record})
    put(tmp_path / "up/images/1.jpg", jpeg())
    with pytest.raises(CogitoError, match="holds no rows of chartqa"):
        run("chartqa", tmp_path / "up", tmp_path / "out")
    assert run("geos", tmp_path / "up", tmp_path / "out2")[0].splits == {"testmini": 1}
