"""TabMWP: the picture of the table lies beside the problems; units of the gold are part of the question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cogito_eval.records import Record

_FOLDERS = ("tables", "original_layout/tables", "data/tabmwp/tables")


def adapt(record: Record, path: Path) -> Record:
    """The folder that holds the pictures of the tables. Raises ValueError for a choice without options."""
    if record.get("ques_type") == "multi_choice" and not record.get("choices"):
        raise ValueError("ques_type is multi_choice, but there are no choices")
    root = path.parent.parent if path.parent.name == "original_layout" else path.parent
    there = next((folder for folder in _FOLDERS if (root / folder).is_dir()), _FOLDERS[0])
    return {**record, "_tables": there}


def spec(record: Record) -> dict[str, Any]:
    """The unit that the question states."""
    return {"unit": record["unit"]} if record.get("unit") else {}
