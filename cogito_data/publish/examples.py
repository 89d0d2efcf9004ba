"""Rows that the card shows: drawn by hash, so that the same build always shows the same ones."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from cogito_core.console import CogitoError
from cogito_core.images import open_picture
from cogito_core.sample import Sample, row_to_sample
from cogito_data.publish.facts import Facts

BATCH_ROWS = 16
LARGEST_SIDE = 448
"""Pixels: larger pictures are shown smaller; the rows keep theirs."""


@dataclass(frozen=True)
class Example:
    """A row with its first picture as a file for `assets/`, where it has one."""

    sample: Sample
    asset: str
    picture: bytes


def kept_examples(facts: Facts) -> list[Example]:
    """One training row of each category."""
    return [_example(facts, facts.kept[name].rows[0]) for name in sorted(facts.kept)]


def rewritten_examples(facts: Facts) -> dict[str, list[Sample]]:
    """Rule -> three rows that it opened."""
    return {
        rule: [_sample(facts, shard, row) for _, shard, row in facts.rewritten[rule].rows]
        for rule in sorted(facts.rewritten)
    }


def _example(facts: Facts, drawn: tuple[int, str, int]) -> Example:
    sample = _sample(facts, drawn[1], drawn[2])
    if not sample.images:
        return Example(sample, "", b"")
    data, suffix = _small(sample.images[0].bytes, sample.id)
    return Example(sample, f"assets/{sample.category}.{suffix}", data)


def _sample(facts: Facts, shard: str, row: int) -> Sample:
    with pq.ParquetFile(facts.shards[shard], memory_map=True) as opened:
        start = 0
        for group in range(opened.num_row_groups):
            size = opened.metadata.row_group(group).num_rows
            if row < start + size:
                return row_to_sample(_row(opened, group, row - start))
            start += size
    raise CogitoError(f"{facts.shards[shard]} has no row {row}")


def _row(opened: pq.ParquetFile, group: int, place: int) -> dict[str, Any]:
    for batch in opened.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
        if place < batch.num_rows:
            return dict(batch.slice(place, 1).to_pylist()[0])
        place -= batch.num_rows
    raise CogitoError(f"row group {group} has no row {place}")


def _small(data: bytes, where: str) -> tuple[bytes, str]:
    """The picture as it is if it is small and of a kind that browsers show, else a smaller PNG."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) < 100_000:
        return data, "png"
    if data[:3] == b"\xff\xd8\xff" and len(data) < 100_000:
        return data, "jpg"
    picture = open_picture(data, where=where)
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue(), "png"
