"""The nano world's held-out questions: from a `cogito-data` run that kept them, or drawn on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cogito_core.console import CogitoError
from cogito_core.sample import Picture, Sample, image_hash
from cogito_core.shards import read_samples
from cogito_eval.item import Item, PictureRef

if TYPE_CHECKING:
    from cogito_eval.benchmark import Benchmark
    from cogito_eval.loading import ItemSet

SPLIT = "heldout"
PER_CATEGORY = 100


def load(benchmark: Benchmark, root: Path | None) -> ItemSet:
    """Items from the shards `heldout-*.parquet` of a data run, or 100 fresh ones of each category without `root`.

    Raises CogitoError where `root` holds no held-out shard.
    """
    from cogito_eval.loading import ItemSet

    if root is None:
        return ItemSet(benchmark, "generated", items=_drawn(), expected=6 * PER_CATEGORY, found=6 * PER_CATEGORY)
    for folder in (root / "data", root):
        if folder.is_dir() and any(folder.glob(f"{SPLIT}-*.parquet")):
            items = [_from_sample(sample) for sample in read_samples(folder, SPLIT)]
            return ItemSet(benchmark, "shards", items=items, found=len(items))
    raise CogitoError(f"--from {root} holds no {SPLIT}-*.parquet; give a cogito-data run that holds questions out")


def _from_sample(sample: Sample) -> Item:
    tags = {"category": (sample.category,)}
    if "level" in sample.meta:
        tags["level"] = (str(sample.meta["level"]),)
    return Item(
        id=sample.id, problem=sample.problem, gold=sample.answer, kind=sample.answer_kind, choices=sample.choices,
        shown_choices=True, aliases=sample.answer_aliases, spec=_spec(sample),
        policy=str(sample.answer_spec.get("policy", "exact")), tags=tags, cluster=sample.image_hash,
        pictures=tuple(PictureRef(Path(picture.path or sample.id), picture.bytes) for picture in sample.images),
    )


def _spec(sample: Sample) -> dict[str, object]:
    return {key: value for key, value in sample.answer_spec.items() if key != "policy"}


def _drawn() -> list[Item]:
    """The categories in turn, so that the first questions are of all six."""
    from cogito_nano.tasks import CATEGORIES
    from cogito_nano.tasks.splits import generate

    rounds = zip(*(generate(SPLIT, category, PER_CATEGORY, seed=0) for category in CATEGORIES), strict=True)
    return [
        Item(id=f"nano/{SPLIT}/{drawn.category}-{drawn.level}-{drawn.seed}", problem=drawn.problem, gold=drawn.answer,
             kind=drawn.answer_kind, choices=drawn.choices, shown_choices=True,
             tags={"category": (drawn.category,), "level": (str(drawn.level),)},
             cluster=image_hash((Picture(drawn.png_bytes),)),
             pictures=(PictureRef(Path(f"{drawn.category}-{drawn.seed}.png"), drawn.png_bytes),))
        for one_of_each in rounds
        for drawn in one_of_each
    ]
