"""Training rows that are benchmark questions are found, with the evidence; others are not."""

from __future__ import annotations

import json

import pytest

from cogito_core.console import CogitoError
from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards
from cogito_eval.leaks import find_leaks


def _picture(seed: int) -> bytes:
    import io

    import numpy as np
    from PIL import Image

    pixels = np.kron(np.random.default_rng(seed).integers(0, 256, (6, 6, 3)), np.ones((20, 20, 1))).astype("uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _sample(id: str, problem: str, answer: str, picture: bytes | None) -> Sample:
    return Sample(id=id, source="s", category="math", split="train", problem=problem, answer=answer,
                  answer_kind="number", images=(Picture(picture),) if picture else ())


@pytest.fixture
def bench(tmp_path):
    manifest = tmp_path / "angles.yaml"
    manifest.write_text(
        "name: angles\ntitle: Angles\nlicence: none\ncategory: math\n"
        "layouts:\n  - {name: release, files: [q.jsonl], format: jsonl}\n"
        "columns: {id: id, pictures: [image]}\n"
    )
    folder = tmp_path / "records"
    folder.mkdir()
    rows = []
    for i in range(4):
        (folder / f"{i}.png").write_bytes(_picture(i))
        rows.append({"id": f"a{i}", "question": f"What is the size of angle number {i} in the drawing?",
                     "answer": str(10 * i), "image": f"{i}.png"})
    (folder / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest, folder


def test_leaks_are_found_on_picture_and_question_jointly(bench, tmp_path):
    manifest, folder = bench
    question = "What is the size of angle number 1 in the drawing?"
    write_shards([
        _sample("leak", question, "10", _picture(1)),
        _sample("same-picture", "How many lines are drawn here, all in all, without the frame?", "7", _picture(2)),
        _sample("other-picture", question, "10", _picture(77)),
        _sample("unrelated", "What is two and two and two and two?", "8", _picture(78)),
    ], tmp_path / "data", split="train")
    out = tmp_path / "leaks.jsonl"
    found = find_leaks(tmp_path, str(manifest), folder, out)
    lines = {line["row"]: line for line in map(json.loads, out.read_text().splitlines())}
    assert set(lines) == {"leak", "same-picture"}
    assert lines["leak"]["tier"] == "T1" and lines["leak"]["item"] == "a1"
    assert lines["same-picture"]["tier"] == "T2" and "pixels" in lines["same-picture"]["evidence"]
    assert found == {"angles": {"items": 2, "rows": 2}}


def test_a_clean_set_has_no_leak(bench, tmp_path):
    manifest, folder = bench
    write_shards([_sample("x", "What is two and two and two and two?", "8", _picture(78))], tmp_path / "data")
    assert find_leaks(tmp_path, str(manifest), folder, tmp_path / "o.jsonl") == {"angles": {"items": 0, "rows": 0}}
    assert (tmp_path / "o.jsonl").read_text() == ""


def test_what_cannot_be_compared_is_said(bench, tmp_path):
    manifest, folder = bench
    with pytest.raises(CogitoError, match="no data directory"):
        find_leaks(tmp_path / "none", str(manifest), folder, tmp_path / "o.jsonl")
    write_shards([_sample("x", "What is two and two?", "4", None)], tmp_path / "data")
    with pytest.raises(CogitoError, match="no records of"):
        find_leaks(tmp_path, str(manifest), tmp_path / "data", tmp_path / "o.jsonl")
