"""Streaming through the real clients from a Hub on localhost: upstream's own files beside their archives, and a
repository with Parquet files for every other source, all at a commit that does not move."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from source_makers import files_of, picture, png, put_parquet
from typer.testing import CliRunner

import cogito_data.ingest as module
from cogito_core.console import CogitoError
from cogito_core.manifest import manifest_path
from cogito_core.sample import Sample
from cogito_core.shards import read_samples
from cogito_data.cli import app
from cogito_data.ingest import ingest
from cogito_data.sources.archives import Joined
from cogito_data.sources.base import load_source, source_names
from tests.publish.conftest import hub, no_waiting  # noqa: F401  (fixtures)
from tests.publish.faults import Planned
from tests.publish.hub_server import HubServer
from tests.publish.hub_store import Repository

CAULDRON = "HuggingFaceM4/the_cauldron"


def put_repository(server: HubServer, name: str, files: dict[str, bytes]) -> str:
    """Put files on `main` of a dataset repository in one commit; returns the commit."""
    repository = server.repositories.setdefault(f"datasets/{name}", Repository(name, "datasets"))
    entries = {}
    for path, data in files.items():
        digest = hashlib.sha256(data).hexdigest()
        repository.large[digest] = data
        entries[path] = repository.large_entry(digest)
    return repository.write("main", entries, (), "files", "test", None).oid


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def arxivqa_row(number: int, image: str) -> dict[str, Any]:
    return {"id": f"physics-{number}", "image": f"images/{image}", "options": ["A) red", "B) blue", "C) green"],
            "question": f"Which colour has curve {number}?", "label": "B", "rationale": "It is blue."}


def streamed(name: str, out: Path) -> dict[str, Sample]:
    # The pinned commits are those of the real Hub.
    result = ingest(name, from_hub=True, out=out, revision="main")
    samples = {sample.upstream_id: sample for sample in read_samples(out / "data")}
    assert result.kept == len(samples)
    return samples


def test_a_zip_is_read_in_place(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    # Much larger than the two pictures that the rows ask for; noise, so that it does not shrink.
    ballast = {f"images/superCLEVR_new_{n:06d}.png": random.Random(n).randbytes(300_000) for n in range(100, 140)}
    wanted = {f"images/superCLEVR_new_{n:06d}.png": png(n) for n in (0, 20_003)}
    archive = zipped({**ballast, **wanted})
    rows = [
        {"image_filename": f"superCLEVR_new_{image:06d}.png", "image_index": image, "question": f"Question {n}?",
         "question_index": n, "answer": answer}
        for n, (image, answer) in enumerate([(0, True), (0, 3), (20_003, "bicycle"), (7, "absent")])
    ]
    questions = json.dumps({"info": {}, "questions": rows}).encode()
    commit = put_repository(hub, "RyanWW/Super-CLEVR",
                            {"images.zip": archive, "superCLEVR_questions_30k.json": questions})
    served = count_bytes(hub, monkeypatch, "/images.zip")
    samples = streamed("super_clevr", tmp_path / "out")
    assert {key: sample.answer for key, sample in samples.items()} == {"30k-0": "yes", "30k-1": "3", "30k-2": "bicycle"}
    assert samples["30k-1"].images[0].bytes == png(0)
    assert samples["30k-2"].split == "val"
    assert {sample.upstream_revision for sample in samples.values()} == {commit}
    refused = [json.loads(line) for line in (tmp_path / "out/ledger.jsonl").read_text().splitlines()]
    assert [(row["id"], row["reason"]) for row in refused] == [("super_clevr/train/30k-3", "picture_missing")]
    assert sum(served) < len(archive) / 2, "only what the rows ask for is fetched"


def count_bytes(server: HubServer, monkeypatch: pytest.MonkeyPatch, ending: str) -> list[int]:
    """Sizes of the answers for a file from now on."""
    sizes: list[int] = []
    answer = server.answer

    def counted(method: str, path: str, *rest: Any) -> Any:
        reply = answer(method, path, *rest)
        if method == "GET" and path.endswith(ending):
            sizes.append(len(reply.body))
        return reply

    monkeypatch.setattr(server, "answer", counted)
    return sizes


def test_an_archive_in_parts_is_one(tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    members = {f"sqa/train/{n}/image.png": png(n) for n in range(6)}
    archive = zipped(members)
    third = len(archive) // 3
    parts = {"image.zip.part-aa": archive[:third], "image.zip.part-ab": archive[third : 2 * third],
             "image.zip.part-ac": archive[2 * third :]}
    rows = [{"id": n, "image": f"sqa/train/{n}/image.png", "conversations": [
        {"from": "human", "value": f"<image>\nHow many in {n}?"},
        {"from": "gpt", "value": f"<SUMMARY>s</SUMMARY><CONCLUSION> {n + 3} </CONCLUSION>"},
    ]} for n in range(6)]
    put_repository(hub, "Xkev/LLaVA-CoT-100k", {**parts, "train.jsonl": lines(rows)})
    samples = streamed("llava_cot", tmp_path / "out")
    assert {key: (s.answer, s.images[0].bytes) for key, s in samples.items()} == {
        f"{n}-0": (str(n + 3), png(n)) for n in range(6)}


def test_a_zip_with_a_folder_around_it(tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    rows = [{"id": f"p{n}", "image": f"RGB_images/{n}.png", "conversations": [
        {"from": "human", "value": f"<image>\nFind x in {n}."}, {"from": "gpt", "value": f"Then x is... Answer: {n}"}]}
        for n in range(3)]
    archive = zipped({f"images/RGB_images/{n}.png": png(n) for n in range(3)})
    put_repository(hub, "pengshuai-rin/multimath-300k", {"data.json": json.dumps(rows).encode(), "images.zip": archive})
    samples = streamed("multimath", tmp_path / "out")
    assert {key: s.images[0].bytes for key, s in samples.items()} == {f"p{n}-0": png(n) for n in range(3)}


def test_a_tar_gives_its_rows_in_its_own_order(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    rows = [arxivqa_row(n, f"{n % 10}.jpg") for n in range(23)] + [arxivqa_row(99, "absent.jpg")]
    members = {f"images/{n}.jpg": png(n) for n in (7, 3, 9, 1, 0, 2, 8, 5, 6, 4)}
    put_repository(hub, "MMInstruction/ArxivQA", {"arxivqa.jsonl": lines(rows), "images.tgz": tarred(members)})
    samples = streamed("arxivqa", tmp_path / "out")
    assert {key: s.images[0].bytes for key, s in samples.items()} == {f"physics-{n}": png(n % 10) for n in range(23)}
    assert {s.answer for s in samples.values()} == {"B"}
    assert "picture_missing" in (tmp_path / "out/ledger.jsonl").read_text()
    # Cut into units and stopped in the middle, it ends the same.
    monkeypatch.setattr(module, "UNIT_ROWS", 4)
    streamed("arxivqa", tmp_path / "whole")
    stop_after(monkeypatch, 11)
    with pytest.raises(KeyboardInterrupt):
        ingest("arxivqa", from_hub=True, out=tmp_path / "cut")
    stop_after(monkeypatch, None)
    ingest("arxivqa", from_hub=True, out=tmp_path / "cut")
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")


REAL = module.to_sample


def stop_after(monkeypatch: pytest.MonkeyPatch, rows: int | None) -> None:
    """Ctrl-C after so many rows; None lets it run."""
    done = [0]

    def stopping(*given: Any, **more: Any) -> Sample:
        if done[0] == rows:
            raise KeyboardInterrupt
        done[0] += 1
        return REAL(*given, **more)

    monkeypatch.setattr(module, "to_sample", stopping)


def test_a_run_that_goes_on_stays_at_its_commit(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def parquet(word: str) -> dict[str, bytes]:
        rows = [{"images": [picture(png(n))], "problem": f"<image>{word} {n}?", "answer": str(n)} for n in range(12)]
        return {"data/train-00000-of-00001.parquet": put_parquet(tmp_path / "rows.parquet", rows).read_bytes()}

    commit = put_repository(hub, "hiyouga/geometry3k", parquet("Old"))
    monkeypatch.setattr(module, "UNIT_ROWS", 4)
    stop_after(monkeypatch, 6)
    with pytest.raises(KeyboardInterrupt):
        ingest("geometry3k", from_hub=True, out=tmp_path / "out", revision="main")
    stop_after(monkeypatch, None)
    newer = put_repository(hub, "hiyouga/geometry3k", parquet("New"))
    samples = streamed("geometry3k", tmp_path / "out")
    assert {(s.upstream_revision, s.original_problem.split()[0]) for s in samples.values()} == {(commit, "Old")}
    later = streamed("geometry3k", tmp_path / "later")
    assert {(s.upstream_revision, s.original_problem.split()[0]) for s in later.values()} == {(newer, "New")}


def test_a_build_reads_a_repository_at_one_commit(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Two sources in one repository, whose branch moves while the build is stopped in the first."""
    card = "---\nconfigs:\n" + "".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}/train-*\n" for name in ("okvqa", "vqav2")
    ) + "---\n"

    def parquet(word: str, first: int) -> bytes:
        rows = [{"images": [picture(png(n))], "texts": [
            {"user": f"What colour is {word} {n}?", "assistant": f"Red {n}.", "source": ""}]} for n in range(first, first + 5)]
        return put_parquet(tmp_path / "rows.parquet", rows).read_bytes()

    def push(word: str) -> str:
        return put_repository(hub, CAULDRON, {"README.md": card.encode(), **{
            f"{name}/train-00000-of-00001.parquet": parquet(f"{word} {name}", first)
            for name, first in (("okvqa", 0), ("vqav2", 5))}})

    for name in ("okvqa", "vqav2"):
        shipped = manifest_path("sources", name).read_text(encoding="utf-8")
        own = re.sub(r"(?m)^  revision: [0-9a-f]{40}$", "  revision: main", shipped)
        (tmp_path / f"{name}.yaml").write_text(own, encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    mix = ", ".join(f"{{source: {tmp_path}/{name}.yaml}}" for name in ("okvqa", "vqav2"))
    recipe.write_text(f"name: two\ndescription: two\ndata: {{mix: [{mix}]}}\n", encoding="utf-8")
    command = ["build", "--recipe", str(recipe), "-o", str(tmp_path / "out")]
    commit = push("old")
    stop_after(monkeypatch, 3)
    assert CliRunner().invoke(app, command).exit_code == 130, "stopped by Ctrl-C"
    stop_after(monkeypatch, None)
    assert push("new") != commit
    assert CliRunner().invoke(app, command).exit_code == 0
    samples = list(read_samples(tmp_path / "out/data"))
    assert {(s.upstream_revision, s.original_problem.split()[3]) for s in samples} == {(commit, "old")}
    assert {s.source for s in samples} == {"okvqa", "vqav2"} and len(samples) == 10
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["origins"] == {name: f"{CAULDRON}/{name}@{commit}" for name in ("okvqa", "vqav2")}
    assert commit in (tmp_path / "out/report.html").read_text()


@pytest.mark.usefixtures("no_waiting")
def test_a_network_that_fails_is_no_fault_of_a_row(tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    rows = [{"image_filename": f"{n}.png", "image_index": n, "question": f"Question {n}?", "question_index": n, "answer": n}
            for n in range(3)]
    files = {"superCLEVR_questions_30k.json": json.dumps({"questions": rows}).encode(),
             "images.zip": zipped({f"images/{n}.png": png(n) + random.Random(n).randbytes(3_000_000) for n in range(3)})}
    put_repository(hub, "RyanWW/Super-CLEVR", files)
    # The index of the zip is read in the first requests, then the archive is out of reach.
    hub.faults.planned.append(fault := Planned(r"GET /.*/images\.zip", "503", times=10_000, skip=2))
    with pytest.raises(CogitoError, match=r"cannot read RyanWW/Super-CLEVR from the Hugging Face Hub") as caught:
        ingest("super_clevr", from_hub=True, out=tmp_path / "out")
    assert "\n" not in str(caught.value)
    hub.faults.planned.clear()
    assert fault.times < 10_000
    assert len(streamed("super_clevr", tmp_path / "out")) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    put_repository(hub, "MMInstruction/ArxivQA", {"arxivqa.jsonl": lines([arxivqa_row(1, "1.jpg")])})
    with pytest.raises(CogitoError, match=r"MMInstruction/ArxivQA@\w{40} holds no file images\.tgz"):
        ingest("arxivqa", from_hub=True, out=tmp_path / "out")


def test_a_field_that_is_missing_is_named(tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    row = arxivqa_row(1, "1.jpg")
    del row["label"]
    put_repository(hub, "MMInstruction/ArxivQA", {"arxivqa.jsonl": lines([row]), "images.tgz": tarred({"images/1.jpg": png(1)})})
    with pytest.raises(CogitoError, match=r"MMInstruction/ArxivQA: field 'label' is missing \(it has: id, image, options"):
        ingest("arxivqa", from_hub=True, out=tmp_path / "out")


def test_joined_parts_read_like_one_file() -> None:
    whole = random.Random(1).randbytes(1000)
    parts = [whole[:1], whole[1:400], whole[400:401], whole[401:]]
    joined = io.BufferedReader(Joined([(io.BytesIO(part), len(part)) for part in parts]), 64)
    plain = io.BytesIO(whole)
    moves = random.Random(2)
    for _ in range(300):
        place, whence, size = moves.randrange(-100, 1100), moves.randrange(3), moves.randrange(500)
        offset = max(0, place) if whence == 0 else -max(0, place) if whence == 2 else 0
        if whence == 2 and -offset > 1000:
            offset = -1000
        assert joined.seek(offset, whence) == plain.seek(offset, whence)
        assert joined.read(size) == plain.read(size)


# A repository with Parquet files for each of the others, in the columns that its page documents.


def turn(user: str, assistant: str) -> dict[str, Any]:
    return {"images": [], "texts": [{"user": user, "assistant": assistant, "source": "x"}]}


LETTERED = "Question: {}\nChoices:\nA. left\nB. right\nAnswer with the letter."
FREE = "{}\nGive a very brief answer."
SHAPES: dict[str, tuple[dict[str, Any], str, str]] = {
    "ai2d": (turn(LETTERED.format("Where is the root?"), "Answer: B"), "Where is the root?", "B"),
    "clevr_math": (turn(FREE.format("Subtract all red cubes. How many objects are left?"), "4."),
                   "Subtract all red cubes. How many objects are left?", "4"),
    "dvqa": (turn(FREE.format("What is the value of the largest bar?"), "7."), "What is the value of the largest bar?", "7"),
    "figureqa": (turn(FREE.format("Is Dark Orange the minimum?"), "Yes."), "Is Dark Orange the minimum?", "yes"),
    "geomverse": (turn("If the side is 4, compute the area.", "The area is 4 * 4 = 16. The final answer is 16."),
                  "If the side is 4, compute the area.", "16"),
    "infographicvqa": (turn(FREE.format("Which share is red?"), "45%."), "Which share is red?", "45"),
    "inter_gps": (turn(LETTERED.format("Find x."), "Answer: A"), "Find x.", "A"),
    "okvqa": (turn(FREE.format("What sport is this?"), "Surfing."), "What sport is this?", "Surfing"),
    "raven": (turn("Which figure should complete the logical sequence?", "D."),
              "Which figure should complete the logical sequence?", "D"),
    "tabmwp": (turn(FREE.format("How many more rings than bracelets?"), "1,204."), "How many more rings than bracelets?", "1204"),
    "tqa": (turn(LETTERED.format("Which layer is outermost?"), "Answer: A"), "Which layer is outermost?", "A"),
    "vqav2": (turn(FREE.format("What colour is the bus?"), "Red."), "What colour is the bus?", "Red"),
    "chartqa": ({"image": None, "query": "How many food items?", "label": ["14"], "human_or_machine": 0},
                "How many food items?", "14"),
    "geometry3k": ({"images": [], "problem": "<image>Find y.", "answer": "9\\sqrt{3}"}, "Find y.", "9\\sqrt{3}"),
    "geoqa_plus": ({"image": None, "problem": "As shown, find the angle.", "solution": "<answer> 140° </answer>"},
                   "As shown, find the angle.", "140"),
    "mm_iq": ({"data_id": 0, "question": "Choose the figure that continues the pattern.", "answer": "B",
               "category": "Logical Operation", "image": []}, "Choose the figure that continues the pattern.", "B"),
    "scienceqa": ({"image": None, "question": "Which is a solid?", "choices": ["rock", "rain"], "answer": 0, "hint": "",
                   "task": "closed choice", "grade": "grade2", "subject": "natural science", "topic": "physics",
                   "category": "Matter", "skill": "s", "lecture": "", "solution": ""}, "Which is a solid?", "A"),
}


def test_no_streamable_source_is_left_out() -> None:
    hubs = {name: load_source(name).manifest.hub for name in source_names()}
    assert set(SHAPES) == {name for name, one in hubs.items() if one is not None and not one.layout}
    assert {name for name, one in hubs.items() if one is None} == {"geos", "easyarc"}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_parquet_copy_streams(name: str, tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    row, question, answer = SHAPES[name]
    place = load_source(name).manifest.hub
    assert place is not None
    column = next(column for column in ("images", "image") if column in row)
    shown = picture(png(17), "17.png")
    whole = {**row, column: shown if row[column] is None else [shown]}
    data = put_parquet(tmp_path / "one.parquet", [whole, whole]).read_bytes()
    folder = place.config or "data"
    files = {f"{folder}/{place.split}-00000-of-00001.parquet": data}
    if place.config:
        card = (f"---\nconfigs:\n- config_name: {place.config}\n  data_files:\n  - split: {place.split}\n"
                f"    path: {place.config}/{place.split}-*\n- config_name: other\n  data_files:\n  - split: train\n    path: other/*\n---\n")
        files["README.md"] = card.encode()
    commit = put_repository(hub, place.repo, files)
    samples = streamed(name, tmp_path / "out")
    assert len(samples) == (1 if name == "mm_iq" else 2), "MM-IQ's two rows bear the same id"
    for sample in samples.values():
        assert (sample.original_problem, sample.answer) == (question, answer)
        assert [one.bytes for one in sample.images] == [png(17)]
        assert sample.upstream_revision == commit


@pytest.mark.realdata
def test_real_records_stream_as_they_read_from_their_folder(tmp_path: Path, hub: HubServer, shared_dir: Path) -> None:  # noqa: F811
    """Super-CLEVR in upstream's own files, ChartQA and TabMWP in the columns of their Hub copies."""
    real = shared_dir / "realdata"
    folder = real / "super_clevr/original_layout"
    questions = (folder / "superCLEVR_questions_5.json").read_bytes()
    put_repository(hub, "RyanWW/Super-CLEVR", {
        "superCLEVR_questions_30k.json": questions,
        "images.zip": zipped({f"images/{path.name}": path.read_bytes() for path in sorted((folder / "images").iterdir())}),
    })
    local = ingest("super_clevr", root=folder, out=tmp_path / "local")
    here = {s.upstream_id.removeprefix("5-"): s for s in read_samples(tmp_path / "local/data") if s.upstream_id.startswith("5-")}
    there = {key.removeprefix("30k-"): s for key, s in streamed("super_clevr", tmp_path / "super").items()}
    assert local.kept > len(there) == len(json.loads(questions)["questions"])
    assert {k: (s.problem, s.answer, s.image_hash) for k, s in there.items()} == {
        k: (s.problem, s.answer, s.image_hash) for k, s in here.items()}

    charts = real / "chartqa/ChartQA Dataset/test"
    rows = [row for row in json.loads((charts / "test_human.json").read_text()) if (charts / "png" / row["imgname"]).exists()][:40]
    columns = [{"image": picture((charts / "png" / row["imgname"]).read_bytes()), "query": row["query"],
                "label": [row["label"]], "human_or_machine": 0} for row in rows]
    put_repository(hub, "HuggingFaceM4/ChartQA",
                   {"data/train-00000-of-00001.parquet": put_parquet(tmp_path / "c.parquet", columns).read_bytes()})
    samples = streamed("chartqa", tmp_path / "chart")
    assert [samples[str(n)].original_answer for n in range(40)] == [row["label"] for row in rows]
    assert [samples[str(n)].images[0].bytes for n in range(40)] == [one["image"]["bytes"] for one in columns]

    tables = next((real / "tabmwp").rglob("tables"))
    problems = json.loads(next((real / "tabmwp").rglob("problems_test1k.json")).read_text())
    named = [(key, row) for key, row in problems.items() if (tables / f"{key}.png").exists() and not row["choices"]][:40]
    turns = [{"images": [picture((tables / f"{key}.png").read_bytes())],
              "texts": [{"user": row["question"], "assistant": f"{row['answer']}.", "source": "tabmwp"}]} for key, row in named]
    card = "---\nconfigs:\n- config_name: tabmwp\n  data_files:\n  - split: train\n    path: tabmwp/train-*\n---\n"
    put_repository(hub, CAULDRON, {
        "README.md": card.encode(),
        "tabmwp/train-00000-of-00001.parquet": put_parquet(tmp_path / "t.parquet", turns).read_bytes(),
    })
    told = streamed("tabmwp", tmp_path / "tab")
    assert len(told) == len(named) > 10
    for number, (_, row) in enumerate(named):
        assert told[f"{number}-0"].answer == row["answer"].replace(",", "")


def test_a_commit_that_is_not_there_is_found_out_at_once(tmp_path: Path, hub: HubServer) -> None:  # noqa: F811
    put_repository(hub, CAULDRON, {"README.md": b"# The Cauldron"})
    with pytest.raises(CogitoError, match=r"cannot read HuggingFaceM4/the_cauldron from the Hugging Face Hub.*--from DIR"):
        ingest("vqav2", from_hub=True, out=tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.arrow")), "no unit was begun"
