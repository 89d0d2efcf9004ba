"""Small samples and pools for the tests of the data steps."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards
from cogito_data.pool import Pool
from cogito_data.prepare import prepare_shard


def noise_picture(seed: int, size: tuple[int, int] = (64, 48), smooth: int = 8) -> Image.Image:
    """A picture of coloured blocks; different seeds give pictures that are far apart."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (size[1] // smooth, size[0] // smooth, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(blocks, np.ones((smooth, smooth, 1), dtype=np.uint8)))


def encoded(picture: Image.Image, form: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=form, **options)
    return buffer.getvalue()


def sample(name: str, question: str = "How many?", answer: str = "3", *, pictures: Sequence[bytes] = (),
           kind: str = "number", choices: Sequence[str] = (), source: str = "made", category: str = "math") -> Sample:
    """One row; its id is `made/train/<name>`."""
    marks = "<image>" * len(pictures)
    tail = "".join(f"\n({'ABCDEFGH'[i]}) {choice}" for i, choice in enumerate(choices))
    return Sample(
        id=f"{source}/train/{name}", source=source, category=category, split="train",
        problem=f"{marks}\n{question}{tail}" if marks else question + tail,
        images=tuple(Picture(data, f"{name}-{n}.png") for n, data in enumerate(pictures)), answer=answer,
        answer_kind=kind, choices=tuple(choices), original_problem=question, original_answer=answer,
    )


def pool_of(samples: Sequence[Sample], folder: Path, *, enabled: bool = True) -> Pool:
    """Shards and prepared parts of samples, as a build makes them."""
    parts = []
    for number, shard in enumerate(write_shards(samples, folder / "shards")):
        part = folder / f"part-{number}.parquet"
        prepare_shard(str(part), str(shard), enabled, False, None)
        parts.append((shard, part))
    return Pool(parts)


def dropped(pool: Pool) -> dict[str, str]:
    """Short name -> reason of the rows that left."""
    return {drop.id.split("/")[-1]: drop.reason for drop in pool.drops}
