"""One shard of ingested rows to its prepared part: rewritten text and fingerprints, pictures left where they are.

The part is a narrow Parquet file beside the shard. Pictures are decoded once each, here, and moved only once
more, into the final shards.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.images import PictureError
from cogito_core.sample import SCHEMA, Picture, Sample, row_to_sample, samples_to_table
from cogito_data.drops import Drop
from cogito_data.likeness import Look, look
from cogito_data.reformulate import Unverifiable, bare_question, gold_text, reformulate
from cogito_data.rules.wording import normal
from cogito_data.sources.assemble import MARK

CODE_VERSION = "6"
"""Goes into every unit's name: raise it whenever a row may come out differently."""

BATCH_ROWS = 64
_KNOWN_PICTURES = 256

EXTRA = [
    pa.field("shard_row", pa.int32()),
    pa.field("picture_bytes", pa.int64()),
    pa.field("outlines", pa.list_(pa.binary(16))),
    pa.field("dhashes", pa.list_(pa.uint64())),
    pa.field("question", pa.string()),
    pa.field("gold_text", pa.string()),
    pa.field("question_key", pa.binary(16)),
    pa.field("answer_key", pa.binary(16)),
]
"""What a part has beside the columns of a Sample: the row in its shard, what its pictures look like, text, keys."""

PART_SCHEMA = pa.schema([f for f in SCHEMA if f.name != "images"] + EXTRA)


def prepare_shard(
    aside: str,
    shard: str,
    enabled: bool,
    visible: bool,
    splits: list[str] | None,
    pictures_only: bool = False,
) -> None:
    """Write the prepared part of `shard` to `aside`; its drops are in the file's metadata.

    Args:
        enabled: whether multiple choice is opened.
        visible: see cogito_data.rules.ladder.Item.
        splits: upstream splits that may be trained on; None for any.
        pictures_only: whether a question without a picture is dropped.
    """
    looks = _Looks()
    kept: list[tuple[Sample, dict[str, object]]] = []
    drops: list[Drop] = []
    for row, sample in enumerate(shard_samples(Path(shard))):
        try:
            if splits is not None and sample.split not in splits:
                raise _Refused("evaluation_split", f"the split '{sample.split}' is for evaluation")
            if pictures_only and not sample.images:
                raise _Refused("no_picture", "the recipe takes only questions with a picture")
            kept.append(_prepare(row, sample, looks, enabled, visible))
        except _Refused as refusal:
            stage = "reformulate" if refusal.reason == "unverifiable" else "prepare"
            drops.append(Drop(sample.id, sample.source, sample.category, stage, refusal.reason, str(refusal)))
    table = samples_to_table([sample for sample, _ in kept]).drop_columns(["images"])
    for field in EXTRA:
        table = table.append_column(field, pa.array([extra[field.name] for _, extra in kept], type=field.type))
    about = json.dumps([vars(drop) for drop in drops], ensure_ascii=False)
    pq.write_table(
        table.cast(PART_SCHEMA).replace_schema_metadata({"drops": about}),
        aside,
        compression="zstd",
        row_group_size=2000,
    )


def part_drops(part: Path) -> list[Drop]:
    """The rows that were refused while a part was prepared."""
    metadata = pq.read_schema(part).metadata or {}
    return [Drop(**drop) for drop in json.loads(metadata.get(b"drops", b"[]"))]


def shard_samples(shard: Path) -> Iterator[Sample]:
    """The samples of one shard file, in stored order, a small batch in memory at a time."""
    for batch in pq.ParquetFile(shard).iter_batches(BATCH_ROWS, columns=SCHEMA.names):
        yield from map(row_to_sample, batch.to_pylist())


class _Refused(Exception):
    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class _Looks:
    """Fingerprints of the pictures seen last; rows are sorted by picture, so each is decoded once."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Look] = OrderedDict()

    def of(self, picture: Picture, where: str) -> Look:
        known = self._known.get(picture.sha256)
        if known is None:
            known = self._known[picture.sha256] = look(picture.bytes, where=where)
            if len(self._known) > _KNOWN_PICTURES:
                self._known.popitem(last=False)
        return known


def _prepare(
    row: int, sample: Sample, looks: _Looks, enabled: bool, visible: bool
) -> tuple[Sample, dict[str, object]]:
    try:
        seen = [looks.of(p, f"{sample.id}, picture {p.path or n}") for n, p in enumerate(sample.images)]
    except PictureError as error:
        raise _Refused("picture_damaged", str(error)) from error
    try:
        sample = reformulate(sample, enabled=enabled, visible=visible)
    except Unverifiable as error:
        raise _Refused("unverifiable", str(error)) from error
    question = bare_question(sample).replace(MARK, " ").strip()
    gold = gold_text(sample)
    extra: dict[str, object] = {
        "shard_row": row,
        "picture_bytes": sum(len(p.bytes) for p in sample.images),
        "outlines": [one.outline for one in seen],
        "dhashes": [one.dhash for one in seen],
        "question": question,
        "gold_text": gold,
        # A question that stays multiple choice is the same only with the same options.
        "question_key": text_key(question, *sorted(map(normal, sample.answer_spec.get("choices", ())))),
        "answer_key": text_key(gold),
    }
    return replace(sample, images=(), image_hash=sample.image_hash), extra


def text_key(*texts: str) -> bytes:
    """16-byte key of texts with NFKC, case, space and outer punctuation folded."""
    return hashlib.sha256("\x1f".join(normal(text) for text in texts).encode("utf-8", "surrogatepass")).digest()[:16]
