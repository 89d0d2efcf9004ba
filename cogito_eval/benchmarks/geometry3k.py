"""Geometry3K: the release keeps a folder a problem, its gold is a letter; asked here without the options.

Train, val and test problems lie side by side in copies; `data_type` tells them apart (the manifest's `where`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cogito_eval.item import LETTERS
from cogito_eval.records import Record


def adapt(record: Record, path: Path) -> Record | None:
    """The gold option's text as the gold. Hub copies have the value already."""
    if "problem_text" not in record:
        return record
    choices, letter = record.get("choices"), str(record.get("answer", "")).strip()
    gold = None
    if isinstance(choices, list) and letter in LETTERS[: len(choices)] and letter:
        gold = choices[LETTERS.index(letter)]
    # The picture lies beside data.json: <folder>/<id>/img_diagram.png.
    folder = path.parent.parent.name
    part = record.get("data_type") or folder
    return {**record, "gold_value": gold, "data_type": part, "_folder": f"{folder}/{path.parent.name}"}


def official_row(record: Record, choices: tuple[str, ...]) -> dict[str, Any] | None:
    """The released rule needs the candidates' values, which hub copies do not carry: no official verdict there."""
    return {} if record.get("precise_value") else None
