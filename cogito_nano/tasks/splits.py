"""Splits that cannot share a picture: a picture's content decides which split may use it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cogito_core.console import CogitoError
from cogito_nano.tasks import LEVELS, NanoItem, _finish, sketch

_BUCKETS = 16
_SPLITS: dict[str, range] = {
    "warmup": range(0, 6),
    "train": range(6, 11),
    "validation": range(11, 13),
    "heldout": range(13, 16),
}
"""Each split owns some of 16 buckets; a picture falls into the bucket its content hashes to."""
SPLITS = tuple(_SPLITS)

_SEED_SPACE = 1 << 32


def generate(split: str, category: str, n: int, seed: int, levels: tuple[int, ...] = LEVELS) -> Iterator[NanoItem]:
    """``n`` questions of one category, the levels in turn, no two with the same question and picture.

    A picture belongs to exactly one split whatever ``seed`` is, so no picture of ``heldout`` can appear in
    ``train`` or ``warmup``. Seeds of different ``(split, seed)`` pairs never meet either.

    Raises CogitoError for an unknown split or category.
    """
    if split not in _SPLITS:
        raise CogitoError(f"There is no nano split {split!r}; the splits are {', '.join(SPLITS)}.")
    own = _SPLITS[split]
    base = (seed * len(SPLITS) + SPLITS.index(split)) * _SEED_SPACE
    seen: set[bytes] = set()
    found = trial = 0
    while found < n:
        level = levels[found % len(levels)]
        draft, rng = sketch(category, level, base + trial)
        key = draft.canvas.key().encode()
        trial += 1
        if hashlib.blake2b(key, digest_size=8).digest()[0] % _BUCKETS not in own:
            continue
        content = hashlib.blake2b(draft.question.encode() + b"\0" + key, digest_size=16).digest()
        if content in seen:
            continue
        seen.add(content)
        found += 1
        yield _finish(draft, rng, category, level, base + trial - 1)
