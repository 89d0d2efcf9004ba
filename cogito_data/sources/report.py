"""`report.html` of an ingest: what came, what was refused and why, and a dozen rows with their pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from cogito_core.html import Card, Page
from cogito_core.sample import Sample
from cogito_core.shards import SampleStore, shard_paths
from cogito_data.sources.rows import REASONS

if TYPE_CHECKING:
    from cogito_data.ingest import IngestResult

EXAMPLES = 12
REFUSALS = 3
"""Refused rows shown of each reason."""


def render(result: IngestResult, directory: Path, *, title: str, licence: str, training_splits: Sequence[str]) -> str:
    """The page.

    Args:
        result: what the ingest did.
        directory: the run directory, with its shards and its ledger.
        title, licence: of the source.
        training_splits: upstream splits that may be trained on.
    """
    page = Page(f"Ingest of {result.source}", title)
    page.tiles([(f"{result.rows_read:,}", "rows read"), (f"{result.kept:,}", "rows kept"),
                (f"{result.with_picture:,}", "with a picture"), (f"{sum(result.dropped.values()):,}", "refused")])
    page.paragraph(f"From {result.origin}, {result.layout} layout. Licence: {licence}.")
    page.section("Kept rows")
    page.table(["upstream's split", "rows", "may be trained on"], [
        [split, n, "yes" if split in training_splits else "no"] for split, n in result.splits.items()
    ])
    page.table(["kind of answer", "rows"], [[kind, n] for kind, n in result.answer_kinds.items()])
    if result.dropped:
        page.section("Refused rows")
        page.paragraph("Each stands in ledger.jsonl with its reason.")
        shown = _refusals(directory / "ledger.jsonl")
        page.table(["reason", "meaning", "rows", "for example"], [
            [reason, REASONS.get(reason, ""), n, " / ".join(shown.get(reason, []))]
            for reason, n in result.dropped.items()
        ])
    page.section("Examples that were kept")
    page.gallery([_card(sample) for sample in _examples(directory / "data")])
    return page.render()


def _refusals(ledger: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with ledger.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            sentences = found.setdefault(row["reason"], [])
            if len(sentences) < REFUSALS:
                sentences.append(row["evidence"][:200])
    return found


def _examples(data: Path) -> Iterator[Sample]:
    """Rows drawn by a fixed seed, in stored order of the splits' files."""
    names = dict.fromkeys(path.name.rsplit("-", 1)[0] for path in shard_paths(data))
    stores = [SampleStore(data, name) for name in names]
    total = sum(map(len, stores))
    drawn = Random(0).sample(range(total), min(EXAMPLES, total))
    for store in stores:
        yield from (store[row] for row in sorted(drawn) if 0 <= row < len(store))
        drawn = [row - len(store) for row in drawn]


def _card(sample: Sample) -> Card:
    fields = [("question", sample.problem), ("gold", sample.answer), ("as upstream wrote it", sample.original_answer)]
    spec = ", ".join(f"{key} {value}" for key, value in sample.answer_spec.items())
    fields.append(("judged as", f"{sample.answer_kind}{f' ({spec})' if spec else ''}"))
    return Card(sample.id, fields, [picture.bytes for picture in sample.images[:1]])
