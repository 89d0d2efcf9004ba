"""Duplicates: the same question on the same picture with the same answer. Everything else stays.

Exact layers first: equal bytes, then equal decoded pixels, always with question and answer. Near copies are only
nominated by a perceptual hash, among rows that ask and answer the same; comparing their pixels decides. The same
picture with another question is no duplicate, nor is the same question on another picture. Same picture and
question with another answer is a contradiction: it is reported, not dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
    hashes, pictures = pool.column("image_hash"), pool.column("pictures")
    questions, answers = pool.column("question_key"), pool.column("answer_key")
    first: dict[bytes, int] = {}
    asked: dict[bytes, int] = {}
    for row in pool.rows:
        seen = b"".join(pictures[row])
        same = first.setdefault(seen + questions[row] + answers[row], row)
        if same != row:
            by_bytes = hashes[same] == hashes[row]
            reason = "duplicate_bytes" if by_bytes else "duplicate_pixels"
            if not seen:
                reason, how = "duplicate_text", "no picture"
            else:
                how = "the same picture bytes" if by_bytes else "the same decoded pixels"
            _drop(pool, findings, same, row, reason, f"same question and answer, {how} as {pool.name(same)}")
        elif seen and asked.setdefault(seen + questions[row], row) != row:
            findings.contradictions.append((asked[seen + questions[row]], row))


def _near(pool: Pool, settings: Deduplicate, findings: Findings) -> None:
    """Equal question and answer, pictures that look the same after a resize or another encoding."""
    dhashes, questions, answers = pool.column("dhashes"), pool.column("question_key"), pool.column("answer_key")
    groups: dict[bytes, list[int]] = {}
    for row in pool.rows:
        if dhashes[row]:
            # Rows with another number of pictures cannot be copies of each other.
            key = questions[row] + answers[row] + len(dhashes[row]).to_bytes(2, "big")
            groups.setdefault(key, []).append(row)
    for rows in groups.values():
        if len(rows) > 1:
            _near_in_group(pool, settings, findings, rows, [dhashes[row] for row in rows])


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
