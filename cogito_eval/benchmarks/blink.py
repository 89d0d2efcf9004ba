"""BLINK: fourteen tasks, each a configuration on the Hub; the file of answers alone names the task in its keys."""

from __future__ import annotations

from pathlib import Path

from cogito_eval.item import Item
from cogito_eval.records import KEY, Record


def adapt(record: Record, path: Path) -> Record:
    """The task of a record, from its column or from the key `val_<Task>_<n>`."""
    name = str(record.get("idx") or record[KEY])
    return {**record, "sub_task": record.get("sub_task") or "_".join(name.split("_")[1:-1])}


def own_prompt(item: Item) -> str:
    """The prompt that each record ships."""
    return str(item.record.get("prompt") or item.question)
