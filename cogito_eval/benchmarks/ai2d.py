"""AI2D: diagrams with or without letters over their labels."""

from __future__ import annotations

from pathlib import Path

from cogito_eval.records import Record

_SUFFIX = "\nAnswer with the option's letter from the given choices directly."


def adapt(record: Record, path: Path) -> Record:
    """The question without the converted layout's suffix, and whether the labels are masked by letters."""
    image = record.get("image")
    masked = "masked" if isinstance(image, str) and image.startswith("abc_") else "plain"
    text = record.get("question")
    if isinstance(text, str):
        text = text.removesuffix(_SUFFIX)
    return {**record, "question": text, "_labels": masked if isinstance(image, str) else ""}
