"""Duplicates: the same question on the same picture with the same answer. Everything else stays.

Exact layers first: equal bytes, then equal decoded pixels, always with question and answer. Copies in other bytes
are only nominated, by an outline or a perceptual hash; comparing their pixels decides. The same
picture with another question is no duplicate, nor is the same question on another picture. Same picture and
question with another answer is a contradiction: it is reported, not dropped.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from cogito_data.likeness import Likeness, Seen, compare, near_pairs
from cogito_data.pool import Pool
from cogito_data.recipe import Deduplicate

STAGE = "deduplicate"

PICTURES_HELD = 64
"""Rows whose decoded pictures are kept for the next comparison."""


@dataclass
class Findings:
    """What was found. `pairs` are (kept row, dropped row, reason, evidence); the other two are for the report."""

    pairs: list[tuple[int, int, str, str]] = field(default_factory=list)
    contradictions: list[tuple[int, int]] = field(default_factory=list)
    refused: list[tuple[int, int, str]] = field(default_factory=list)
    """Nominated by the hash, refused by the pixels."""


def deduplicate(pool: Pool, settings: Deduplicate) -> Findings:
    """Drop all but the first of every set of duplicates, in the order of the pool."""
    findings = Findings()
    if settings.enabled:
        _exact(pool, findings)
        _near(pool, settings, findings)
    return findings


def _exact(pool: Pool, findings: Findings) -> None:
    """Equal pictures by bytes or pixels, equal question, equal answer."""
    repeated = _repeated(pool.short_keys("outlines", "question_key"), pool.alive)
    # Question with outlines -> answer -> (row, hash of its picture bytes) of the rows that stay.
    asked: dict[bytes, dict[bytes, list[tuple[int, str]]]] = {}
    pixels = _Pixels(pool)
    columns = "image_hash", "outlines", "question_key", "answer_key"
    for row, (image_hash, outlines, question, answer) in pool.stream(*columns):
        if not repeated[row]:
            continue
        answers = asked.setdefault(b"".join([question, *outlines]), {})
        mine = answers.setdefault(answer, [])
        same = next((one for one in mine if pixels.same(one, (row, image_hash))), None)
        if same is not None:
            reason, how = "duplicate_pixels", "the same decoded pixels"
            if not outlines:
                reason, how = "duplicate_text", "no picture"
            elif same[1] == image_hash:
                reason, how = "duplicate_bytes", "the same picture bytes"
            _drop(pool, findings, same[0], row, reason, f"same question and answer, {how} as {pool.name(same[0])}")
            continue
        others = (one for other, rows in answers.items() if other != answer and outlines for one in rows)
        other = next((one for one in others if pixels.same(one, (row, image_hash))), None)
        if other is not None:
            findings.contradictions.append((other[0], row))
        mine.append((row, image_hash))


def _repeated(keys: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """[n] bool: rows that are in and share their key with another one that is."""
    values, counts = np.unique(keys[alive], return_counts=True)
    return np.asarray(np.isin(keys, values[counts > 1]) & alive)


class _Pixels:
    """Decoded pictures of the rows that were compared last."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._held: OrderedDict[int, list[Seen]] = OrderedDict()

    def of(self, row: int) -> list[Seen]:
        if row not in self._held:
            self._held[row] = [Seen(data, where=self._pool.name(row)) for data in self._pool.pictures(row)]
            if len(self._held) > PICTURES_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(row)
        return self._held[row]

    def same(self, one: tuple[int, str], other: tuple[int, str]) -> bool:
        """Whether two (row, hash of its picture bytes) with equal outlines show the same pictures."""
        return one[1] == other[1] or all(
            a.equals(b) for a, b in zip(self.of(one[0]), self.of(other[0]), strict=True)
        )


def _near(pool: Pool, settings: Deduplicate, findings: Findings) -> None:
    """Equal question and answer, pictures that look the same after a resize or another encoding."""
    repeated = _repeated(pool.short_keys("question_key", "answer_key"), pool.alive)
    groups: dict[bytes, list[tuple[int, list[int]]]] = {}
    for row, (dhashes, question, answer) in pool.stream("dhashes", "question_key", "answer_key"):
        if repeated[row] and dhashes:
            # Rows with another number of pictures cannot be copies of each other.
            key = question + answer + len(dhashes).to_bytes(2, "big")
            groups.setdefault(key, []).append((row, dhashes))
    for members in groups.values():
        if len(members) > 1:
            _near_in_group(pool, settings, findings, [row for row, _ in members], [one for _, one in members])


def _near_in_group(
    pool: Pool, settings: Deduplicate, findings: Findings, rows: list[int], hashes: list[list[int]]
) -> None:
    pixels = _Pixels(pool)
    for i, j in near_pairs([one[0] for one in hashes], settings.nominate_bits):
        one, other = rows[i], rows[j]
        if not (pool.alive[one] and pool.alive[other]):
            continue
        apart = [compare(a, b) for a, b in zip(pixels.of(one), pixels.of(other), strict=True)]
        same = all(x is not None and x.within(settings.mean_difference, settings.local_difference) for x in apart)
        said = _said(apart)
        if same:
            _drop(pool, findings, one, other, "duplicate_near",
                  f"same question and answer, picture looks like that of {pool.name(one)}: {said}")
        else:
            findings.refused.append((one, other, said))


def _said(apart: list[Likeness | None]) -> str:
    worst = max((x for x in apart if x is not None), key=lambda x: x.local, default=None)
    if worst is None or None in apart:
        return "the shapes differ"
    return str(worst)


def _drop(pool: Pool, findings: Findings, kept: int, dropped: int, reason: str, evidence: str) -> None:
    pool.drop(dropped, STAGE, reason, evidence)
    findings.pairs.append((kept, dropped, reason, evidence))
