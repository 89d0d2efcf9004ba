"""The science part of MMMU: biology, chemistry, geography, mathematics, physics."""

from __future__ import annotations

from pathlib import Path

from cogito_eval.benchmarks import mmmu
from cogito_eval.benchmarks.mmmu import official_row, own_prompt
from cogito_eval.records import Record

__all__ = ["adapt", "official_row", "own_prompt"]


def adapt(record: Record, path: Path) -> Record | None:
    """The record of a science subject; others are left out."""
    whole = mmmu.adapt(record, path)
    return whole if whole["_discipline"] == "Science" else None
