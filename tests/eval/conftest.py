"""A small benchmark on disk, and result rows to score."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest


def png(value: int = 0) -> bytes:
    """A small picture whose bytes depend on `value`."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (28, 28), (value % 256, 40, 200)).save(buffer, format="PNG")
    return buffer.getvalue()


def result_row(id: str, sample: int = 0, outcome: str = "right", **other: Any) -> dict[str, Any]:
    """A judged row with the fields that scoring reads."""
    answer = other.pop("answer", "7" if outcome == "right" else "8")
    return {
        "id": id, "sample": sample, "seed": 1, "part": "", "cluster": id, "tags": {}, "question": f"What is {id}?",
        "pictures": [], "gold": "7", "kind": "number", "choices": [], "aliases": [], "policy": "exact", "spec": {},
        "official_row": {}, "rotation_of": "", "response": f"It is {answer}.", "finish": "stop", "n_tokens": 4,
        "n_prompt_tokens": 9, "error": None, "status": "answered", "official": None,
        "strict": {"outcome": outcome, "rule": "number", "extracted": answer, "gold": "7", "answer": answer,
                   "reason": "test"},
        **other,
    }


@pytest.fixture
def choice_bench(tmp_path: Path) -> tuple[Path, Path]:
    """(manifest, folder) of a multiple choice benchmark of six questions, one of whose pictures is not there."""
    manifest = tmp_path / "shapes.yaml"
    manifest.write_text(
        "name: shapes\n"
        "title: Shapes\n"
        "licence: Apache-2.0\n"
        "items: 6\n"
        "category: general\n"
        "layouts:\n"
        "  - {name: release, files: [questions.jsonl], format: jsonl}\n"
        "columns:\n"
        "  {id: qid, problem: question, pictures: [image], gold: answer, gold_form: letter, choices: options}\n"
        "breakdowns: {colour: colour}\n",
        encoding="utf-8",
    )
    folder = tmp_path / "records" / "shapes"
    folder.mkdir(parents=True)
    rows = []
    for i in range(6):
        if i != 4:
            (folder / f"{i}.png").write_bytes(png(i * 40))
        rows.append({"qid": f"q{i}", "question": f"How many corners has shape {i}?", "image": f"{i}.png",
                     "options": ["3", "4", "5"], "answer": "ABC"[i % 3], "colour": "red" if i < 3 else "blue"})
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest, tmp_path / "records"
