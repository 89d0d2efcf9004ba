"""Duplicates: the same question on the same picture with the same answer. Everything else stays.

Exact layers first: equal bytes, then equal decoded pixels, always with question and answer. Near copies are only
nominated by a perceptual hash, among rows that ask and answer the same; comparing their pixels decides. The same
picture with another question is no duplicate, nor is the same question on another picture. Same picture and
question with another answer is a contradiction: it is reported, not dropped.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from cogito_data.likeness import Likeness, Seen, compare, near_pairs
from cogito_data.pool import Pool
from cogito_data.recipe import Deduplicate

STAGE = "deduplicate"


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
    first: dict[bytes, int] = {}
    other_answers: dict[int, list[int]] = {}
    for row, (image_hash, pictures, question, answer) in pool.stream(
        "image_hash", "pictures", "question_key", "answer_key"
    ):
        head = first.setdefault(hashlib.sha256(b"".join(pictures) + question).digest()[:16], row)
        if head == row:
            continue
        askers = [head, *other_answers.get(head, ())]
        same = next((one for one in askers if pool.value("answer_key", one) == answer), None)
        if same is None:
            other_answers.setdefault(head, []).append(row)
            if pictures:
                findings.contradictions.append((head, row))
            continue
        by_bytes = pool.value("image_hash", same) == image_hash
        reason = "duplicate_bytes" if by_bytes else "duplicate_pixels"
        how = "the same picture bytes" if by_bytes else "the same decoded pixels"
        if not pictures:
            reason, how = "duplicate_text", "no picture"
        _drop(pool, findings, same, row, reason, f"same question and answer, {how} as {pool.name(same)}")


def _near(pool: Pool, settings: Deduplicate, findings: Findings) -> None:
    """Equal question and answer, pictures that look the same after a resize or another encoding."""
    hashes = pool.short_keys("question_key", "answer_key")
    values, counts = np.unique(hashes[pool.alive], return_counts=True)
    repeated = np.isin(hashes, values[counts > 1])
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
    decoded: dict[int, list[Seen]] = {}

    def seen(row: int) -> list[Seen]:
        if row not in decoded:
            decoded[row] = [Seen(data, where=pool.name(row)) for data in pool.pictures(row)]
        return decoded[row]

    for i, j in near_pairs([one[0] for one in hashes], settings.nominate_bits):
        one, other = rows[i], rows[j]
        if not (pool.alive[one] and pool.alive[other]):
            continue
        apart = [compare(a, b) for a, b in zip(seen(one), seen(other), strict=True)]
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
