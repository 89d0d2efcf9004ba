"""Leaks: training rows that are benchmark questions, judged on picture and question jointly, in tiers.

T1 the same picture and a similar question: dropped.
T2 the same picture, another question: dropped or flagged, as the recipe says for that benchmark.
T3 no picture to compare on one of the sides, the same answer, and the words of one question all in the other (a
   release may add a hint or a unit; a name or a number that differs makes it another question): dropped, unless
   the wording is a template that many rows share; then it is flagged.
The same question on pictures that differ is no leak. Every hit goes to `leaks.jsonl` with its evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cogito_core.verify import verify
from cogito_data.likeness import Seen, compare
from cogito_data.pool import Pool
from cogito_data.probes import ProbeItem
from cogito_data.recipe import Decontaminate, Deduplicate
from cogito_data.rules.numeric import read_value
from cogito_data.rules.wording import normal

STAGE = "decontaminate"

GRAM = 13
"""Words of an n-gram, the length that GPT-3's decontamination used (Brown et al. 2020, appendix C)."""

SHORT = 5
"""A question with fewer words says too little to be told from others without its picture."""

TEMPLATE_ROWS = 3
"""A benchmark question that matches more rows than this by text alone is a template."""

NOMINATE_BITS = 6

PICTURES_HELD = 64
"""Decoded benchmark pictures that are kept for the next comparison."""


@dataclass(frozen=True)
class Hit:
    """A row that meets a benchmark item. `row` is its number in the pool."""

    row: int
    id: str
    benchmark: str
    benchmark_id: str
    tier: str
    dropped: bool
    evidence: str
    probe: int


def decontaminate(pool: Pool, settings: Decontaminate, near: Deduplicate, probes: list[ProbeItem]) -> list[Hit]:
    """Drop leaks from the pool; returns every hit, the flagged ones included.

    Args:
        near: the pixel differences up to which two pictures count as the same.
    """
    if not probes:
        return []
    shared: dict[str, str] = {probe.name: probe.shared_pictures for probe in settings.against}
    hits = list(_picture_hits(pool, settings, near, probes, shared))
    met = {hit.row for hit in hits}
    hits += _text_hits(pool, settings, probes, met)
    hits.sort(key=lambda hit: (hit.row, hit.tier, hit.probe))
    for hit in hits:
        if hit.dropped and pool.alive[hit.row]:
            pool.drop(hit.row, STAGE, f"leak_{hit.tier.lower()}", hit.evidence)
    return hits


def _picture_hits(
    pool: Pool, settings: Decontaminate, near: Deduplicate, probes: list[ProbeItem], shared: dict[str, str]
) -> Iterator[Hit]:
    """Tiers 1 and 2: for every row the benchmark item on one of its pictures whose question is nearest."""
    for row, question, found in _same_pictures(pool, near, probes):
        best, how = max(found, key=lambda one: (similarity(question, probes[one[0]].question), -one[0]))
        item = probes[best]
        alike = similarity(question, item.question)
        where = f"{item.benchmark} {item.id}: {how}"
        if alike >= settings.similar_question:
            evidence = f"{where}, questions {alike:.0%} alike"
            yield Hit(row, pool.name(row), item.benchmark, item.id, "T1", True, evidence, best)
        else:
            drop = shared[item.benchmark] == "drop"
            evidence = f"{where}, another question ({alike:.0%} alike)"
            yield Hit(row, pool.name(row), item.benchmark, item.id, "T2", drop, evidence, best)


def _same_pictures(
    pool: Pool, near: Deduplicate, probes: list[ProbeItem]
) -> Iterator[tuple[int, str, list[tuple[int, str]]]]:
    """(row, its question, [(probe, how its picture equals one of the row's)]) where a picture is a benchmark's."""
    by_hash: dict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(probes):
        if item.look is not None:
            by_hash[item.look.dhash].append(number)
    index = _Bands(by_hash, NOMINATE_BITS)

    @lru_cache(maxsize=PICTURES_HELD)
    def decoded(number: int) -> Seen:
        data = probes[number].picture_bytes()
        assert data is not None
        return Seen(data, where=f"{probes[number].benchmark} {probes[number].id}")

    last: tuple[str, list[tuple[int, str]]] = ("", [])
    for row, (image_hash, dhashes, question) in pool.stream("image_hash", "dhashes", "question"):
        # Rows are stored by picture: the questions on one follow each other.
        if image_hash != last[0]:
            nominated = [[number for value in index.near(dhash) for number in by_hash[value]] for dhash in dhashes]
            last = (image_hash, list(_seen_alike(pool, row, nominated, near, decoded)))
        if last[1]:
            yield row, question, last[1]


def _seen_alike(
    pool: Pool,
    row: int,
    nominated: list[list[int]],
    near: Deduplicate,
    decoded: Callable[[int], Seen],
) -> Iterator[tuple[int, str]]:
    """(probe, how) of the nominated probes, given for each picture of the row, whose picture is the same."""
    if not any(nominated):
        return
    for data, numbers in zip(pool.pictures(row), nominated, strict=True):
        mine = Seen(data, where=pool.name(row)) if numbers else None
        for number in numbers:
            assert mine is not None
            theirs = decoded(number)
            if mine.equals(theirs):
                yield number, "the same decoded pixels"
                continue
            apart = compare(mine, theirs)
            if apart is not None and apart.within(near.mean_difference, near.local_difference):
                yield number, f"the same picture ({apart})"


class _Bands:
    """Finds the stored 64-bit values within a few bits of one, by bands of which one must be equal."""

    def __init__(self, values: Iterable[int], bits: int) -> None:
        edges = [round(64 * i / (bits + 1)) for i in range(bits + 2)]
        self._bits = bits
        self._bands = [(low, (1 << (high - low)) - 1) for low, high in pairwise(edges)]
        self._tables: list[dict[int, list[int]]] = [defaultdict(list) for _ in self._bands]
        for value in sorted(values):
            for table, (low, mask) in zip(self._tables, self._bands, strict=True):
                table[(value >> low) & mask].append(value)

    def near(self, value: int) -> list[int]:
        """Stored values that differ in at most `bits` places, ascending."""
        found = set()
        for table, (low, mask) in zip(self._tables, self._bands, strict=True):
            for other in table.get((value >> low) & mask, ()):
                if (value ^ other).bit_count() <= self._bits:
                    found.add(other)
        return sorted(found)


def _text_hits(pool: Pool, settings: Decontaminate, probes: list[ProbeItem], met: set[int]) -> list[Hit]:
    """Tier 3, for pairs of which one side has no picture to look at."""
    grams: dict[int, set[int]] = defaultdict(set)
    exact: dict[str, set[int]] = defaultdict(set)
    for number, item in enumerate(probes):
        said = words(item.question)
        exact[" ".join(said)].add(number)
        for gram in _grams(said):
            grams[gram].add(number)
    matches: list[tuple[int, str, int, float]] = []
    for row, (question, gold, outlines) in pool.stream("question", "gold_text", "outlines"):
        if row in met:
            continue
        said = words(question)
        candidates = set(exact.get(" ".join(said), ()))
        for gram in _grams(said):
            candidates |= grams.get(gram, set())
        for number in sorted(candidates):
            item = probes[number]
            alike = similarity(question, item.question)
            comparable = outlines and item.look is not None
            same = alike >= settings.similar_question and contains(question, item.question)
            if not comparable and same and _same_answer(gold, item.answer):
                matches.append((row, question, number, alike))
    rows_of = Counter(number for *_, number, _ in matches)
    best: dict[int, tuple[str, int, float]] = {}
    for row, question, number, alike in matches:
        if row not in best or alike > best[row][2]:
            best[row] = (question, number, alike)
    return [
        _text_hit(pool, probes, row, question, number, alike, rows_of[number])
        for row, (question, number, alike) in best.items()
    ]


def _text_hit(
    pool: Pool,
    probes: list[ProbeItem],
    row: int,
    question: str,
    number: int,
    alike: float,
    n_rows: int,
) -> Hit:
    item = probes[number]
    n_words = len(words(question))
    is_template = n_rows > TEMPLATE_ROWS or n_words < SHORT
    shared = f"wording shared by {n_rows} rows" if n_rows > TEMPLATE_ROWS else f"a question of {n_words} words"
    why = f"; {shared}, so it is only flagged" if is_template else ""
    evidence = f"{item.benchmark} {item.id}: questions {alike:.0%} alike, the same answer, no picture to compare{why}"
    return Hit(row, pool.name(row), item.benchmark, item.id, "T3", not is_template, evidence, number)


def _same_answer(gold: str, other: str) -> bool:
    if not other:
        return False
    one, two = read_value(gold), read_value(other)
    if one is not None and two is not None and one.text == two.text:
        return True
    return normal(gold) == normal(other) or verify(other, gold).is_right


def words(text: str) -> list[str]:
    """Words of a question for comparison: NFKC, case folded, punctuation apart from signs in numbers removed.

    >>> words("What is AB, if x=3.5?")
    ['what', 'is', 'ab', 'if', 'x', '3.5']
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"\d+(?:\.\d+)?|[\u4e00-\u9fff]|[^\W\d_]+", folded)


def similarity(one: str, other: str) -> float:
    """Share of words in common: 2 |A and B| / (|A| + |B|) on bags of words (Dice's coefficient)."""
    a, b = Counter(words(one)), Counter(words(other))
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def contains(one: str, other: str) -> bool:
    """Whether all words of one question stand in the other.

    >>> contains("How many people ran?", "How many people ran? (Unit: people)")
    True
    >>> contains("What is the mode?", "What is the mean?")
    False
    """
    a, b = Counter(words(one)), Counter(words(other))
    return a <= b or b <= a


def _grams(said: list[str]) -> list[int]:
    return [hash(tuple(said[i : i + GRAM])) for i in range(len(said) - GRAM + 1)]
