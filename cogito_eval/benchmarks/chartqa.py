"""ChartQA: its two halves, and golds that the Hub wraps into a list of one."""

from __future__ import annotations

from pathlib import Path

from cogito_eval.records import Record


def adapt(record: Record, path: Path) -> Record:
    """Which half a record belongs to: by file in the release, by column on the Hub."""
    kind = record.get("type") or record.get("human_or_machine")
    half = "human" if "human" in str(path.stem if kind is None else kind) or kind == 0 else "augmented"
    return {**record, "_half": half}
