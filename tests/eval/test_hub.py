"""Benchmarks from the Hub: the real client against a Hub on localhost, in each shape that the manifests name."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cogito_eval.results import read_rows
from tests.publish.hub_server import HubServer
from tests.publish.hub_store import Repository

from .conftest import png

PICTURE = {"bytes": png(7), "path": "p.png"}
MATHVISTA = {
    "pid": "1", "question": "How many corners?", "image": "images/1.jpg", "decoded_image": PICTURE, "choices": None, "unit": None,
    "precision": None, "answer": "4", "question_type": "free_form", "answer_type": "integer", "query": "Hint: ...",
    "metadata": {"category": "general-vqa", "context": "natural image", "grade": "high school", "img_height": 28,
                 "img_width": 28, "language": "english", "skills": ["numeric commonsense"], "source": "A-OKVQA",
                 "split": "testmini", "task": "visual question answering"},
}
MMMU = {
    "id": "validation_Math_1", "question": "<image 1> Which?", "options": "['one', 'two']", "explanation": "",
    "image_1": PICTURE, "image_2": None, "image_3": None, "image_4": None, "image_5": None, "image_6": None,
    "image_7": None, "img_type": "['Diagrams']", "answer": "B", "topic_difficulty": "Easy",
    "question_type": "multiple-choice", "subfield": "Algebra",
}
HALLUSION = {
    "category": "VS", "subcategory": "chart", "set_id": "0", "figure_id": "1", "question_id": "0", "visual_input": "1",
    "question": "Is it red?", "gt_answer": "1", "gt_answer_details": "", "sample_note": "", "filename": "a.png",
}
GEOMETRY3K = {"images": [PICTURE], "problem": "<image>Find x.", "answer": "4"}


def _parquet(rows: list[dict]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def _visulogic() -> dict[str, bytes]:
    pictures = io.BytesIO()
    with zipfile.ZipFile(pictures, "w") as archive:
        archive.writestr("images/00000.png", png(3))
    row = {"image_path": "images/00000.png", "question": "Which one? A: ... Choose A, B, C or D.", "label": "A", "id": "00000",
           "tag": "Quantitative Reasoning"}
    return {"data.jsonl": json.dumps(row).encode() + b"\n", "images.zip": pictures.getvalue()}


REPOSITORIES = {
    "AI4Math/MathVista": {
        "data/testmini-00000-of-00002.parquet": _parquet([MATHVISTA, {**MATHVISTA, "pid": "2"}]),
        "data/testmini-00001-of-00002.parquet": _parquet([{**MATHVISTA, "pid": "3"}]),
        "data/test-00000-of-00001.parquet": b"not this split",
    },
    "MMMU/MMMU": {
        "Math/validation-00000-of-00001.parquet": _parquet([MMMU]),
        "Art/validation-00000-of-00001.parquet": _parquet([{**MMMU, "id": "validation_Art_1"}]),
        "Art/dev-00000-of-00001.parquet": b"not this split",
    },
    "lmms-lab-encoder/HallusionBench": {
        "data/image-00000-of-00001.parquet": _parquet([{**HALLUSION, "image": PICTURE}]),
        "data/non_image-00000-of-00001.parquet": _parquet(
            [{**HALLUSION, "figure_id": "0", "visual_input": "0", "image": None}]
        ),
    },
    "hiyouga/geometry3k": {"data/test-00000-of-00001.parquet": _parquet([GEOMETRY3K])},
    "VisuLogic/VisuLogic": _visulogic(),
}
ASKED = {"mathvista": 3, "mmmu": 2, "hallusionbench": 2, "geometry3k": 1, "visulogic": 1}


@pytest.fixture(scope="module")
def hub():
    with HubServer() as server:
        for name, files in REPOSITORIES.items():
            repository = Repository(name, "dataset")
            entries = {}
            for path, data in files.items():
                digest = hashlib.sha256(data).hexdigest()
                repository.large[digest] = data
                entries[path] = repository.large_entry(digest)
            repository.write("main", entries, (), "data", "test", None)
            server.repositories[f"datasets/{name}"] = repository
        yield server


def _evaluate(hub: HubServer, home: Path, bench: str, out: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "cogito_eval.cli", "--bench", bench, "--model", "nano", "-o", str(out)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def test_every_shape_is_fetched_and_asked_at_a_recorded_commit(hub, tmp_path):
    done = _evaluate(hub, tmp_path / "home", ",".join(ASKED), tmp_path / "run")
    assert done.returncode == 0, done.stdout + done.stderr
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert {name: score["n"] for name, score in scores.items()} == ASKED
    for name, repository in zip(ASKED, REPOSITORIES, strict=True):
        assert scores[name]["items"]["revision"] == hub.repository(repository).head().oid
        for row in read_rows(tmp_path / "run" / "results" / f"{name}.jsonl"):
            assert row["pictures"] or name == "hallusionbench", row["id"]
    assert "this copy is partial" in done.stdout
    fetched = [one.path for one in hub.log if "/resolve/" in one.path]
    assert not any("/test-" in path for path in fetched if "MathVista" in path)
    assert not any("/dev-" in path for path in fetched)


def test_a_repository_that_is_not_there_is_one_sentence(hub, tmp_path):
    done = _evaluate(hub, tmp_path / "home", "mmstar", tmp_path / "run")
    assert done.returncode == 1
    assert "mmstar cannot be fetched from the Hub (Lin-Chen/MMStar" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
