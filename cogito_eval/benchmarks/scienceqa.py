"""ScienceQA: the test questions with a picture, from the official layout or LLaVA's."""

from __future__ import annotations

from pathlib import Path

from cogito_eval.records import KEY, Record

_PICTURE_FOLDERS = ("images/test", "original_layout/images/test", "data/scienceqa/images/test")


def adapt(record: Record, path: Path) -> Record | None:
    """The record if it is a test question with a picture, with the place of its picture."""
    if "conversations" in record:
        return _from_llava(record, path)
    if "image_path" in record:
        return {**record, "_context": None, "_picture": record["image_path"].removeprefix("data/scienceqa/")}
    if record.get("split", "test") != "test" or not record.get("image"):
        return None
    context = "text" if record.get("hint") else "no text"
    if isinstance(record["image"], str):
        root = path.parent if path.parent.name != "original_layout" else path.parent.parent
        picture = _first_there(root, f"{record[KEY]}/{record['image']}")
        return {**record, "_picture": picture, "_context": context}
    return {**record, "_context": context}


def _from_llava(record: Record, path: Path) -> Record | None:
    if not record.get("image"):
        return None
    turns = record["conversations"]
    if not isinstance(turns, list) or len(turns) < 2:
        raise ValueError("a LLaVA record needs a question and an answer turn")
    return {**record, "problem": turns[0]["value"], "gold": turns[1]["value"], "_context": None,
            "image": _first_there(path.parent.parent, record["image"])}


def _first_there(root: Path, name: str) -> str:
    places = [f"{folder}/{name}" for folder in _PICTURE_FOLDERS]
    return next((place for place in places if (root / place).is_file()), places[0])
