"""The source `nano`: procedural questions of cogito_nano as samples, so that a build needs no download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_core.runs import RunDir
from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards
from cogito_data.ingest import IngestResult

NAME = "nano"
DEFAULT_ROWS = 2400
CODE_VERSION = "1"


def nano_samples(limit: int, seed: int) -> Iterator[Sample]:
    """`limit` questions of the split that the model's warm-up never saw, the six categories in equal parts."""
    from cogito_nano.tasks import CATEGORIES
    from cogito_nano.tasks.splits import generate

    share, rest = divmod(limit, len(CATEGORIES))
    for place, category in enumerate(CATEGORIES):
        for item in generate("train", category, share + (place < rest), seed):
            name = f"{category}-{item.level}-{item.seed}"
            yield Sample(
                id=f"{NAME}/train/{name}",
                source=NAME,
                category=category,
                split="train",
                problem=item.problem,
                images=(Picture(item.png_bytes, f"{name}.png"),),
                answer=item.answer,
                answer_kind=item.answer_kind,
                choices=item.choices,
                answer_spec={"choices": list(item.choices)} if item.choices else {},
                original_problem=item.question.replace("<image>", "").strip(),
                original_answer=item.value,
                license="Apache-2.0",
                upstream_url="https://pypi.org/project/cogito-vlm/",
                upstream_id=name,
                upstream_revision=f"seed-{seed}",
                meta={"level": item.level},
            )


def ingest_nano(out: Path, limit: int, seed: int) -> IngestResult:
    """Draw the questions and write them as `ingest` writes a source."""
    config = {"source": NAME, "limit": limit, "seed": seed, "code_version": CODE_VERSION}
    with RunDir.open(out, config=config, command="cogito-data ingest") as run:
        samples = list(nano_samples(limit, seed))
        shards = write_shards(samples, run.path / "data")
        kinds: dict[str, int] = {}
        for sample in samples:
            kinds[sample.answer_kind] = kinds.get(sample.answer_kind, 0) + 1
        result = IngestResult(
            source=NAME,
            layout="procedural",
            origin="cogito_nano.tasks",
            rows_read=len(samples),
            kept=len(samples),
            with_picture=len(samples),
            dropped={},
            splits={"train": len(samples)},
            answer_kinds=dict(sorted(kinds.items())),
            shards=[path.relative_to(run.path).as_posix() for path in shards],
        )
        run.summary(vars(result))
        return result
