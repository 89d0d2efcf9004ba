"""The source `nano`: procedural questions of cogito_nano as samples, so that a build needs no download."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from cogito_core.files import write_atomic
from cogito_core.runs import RunDir
from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards
from cogito_data.ingest import IngestResult
from cogito_data.sources.report import render

NAME = "nano"
DEFAULT_ROWS = 2400
LICENCE = "Apache-2.0"
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
                license=LICENCE,
                upstream_url="https://pypi.org/project/cogito-vlm/",
                upstream_id=name,
                upstream_revision=f"seed-{seed}",
                meta={"level": item.level},
            )


def ingest_nano(out: Path, limit: int, seed: int) -> IngestResult:
    """Draw the questions and write them as `ingest` writes a source."""
    config = {"source": NAME, "limit": limit, "seed": seed, "code_version": CODE_VERSION}
    with RunDir.open(out, config=config, command="cogito-data ingest") as run:
        if run.is_finished:
            return IngestResult(**json.loads((run.path / "summary.json").read_text(encoding="utf-8")))
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
        write_atomic(run.ledger.path, "")  # Nothing can be refused.
        page = render(
            result, run.path, title="Procedural questions of cogito_nano.tasks", licence=LICENCE,
            training_splits=("train",),
        )
        write_atomic(run.path / "report.html", page)
        run.summary(asdict(result))
        return result
