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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    texts = dict(_texts(pool))
    hits = list(_picture_hits(pool, settings, near, probes, shared, texts))
    met = {hit.row for hit in hits}
    hits += _text_hits(pool, settings, probes, texts, met)
    hits.sort(key=lambda hit: (hit.row, hit.tier, hit.probe))
    for hit in hits:
        if hit.dropped and pool.alive[hit.row]:
            pool.drop(hit.row, STAGE, f"leak_{hit.tier.lower()}", hit.evidence)
    return hits


def _texts(pool: Pool) -> Iterator[tuple[int, tuple[str, str]]]:
    for row in pool.rows:
        text = pool.text(row)
        yield row, (text["question"], text["gold_text"])


def _picture_hits(
    pool: Pool,
    settings: Decontaminate,
    near: Deduplicate,
    probes: list[ProbeItem],
    shared: dict[str, str],
    texts: dict[int, tuple[str, str]],
) -> Iterator[Hit]:
    """Tiers 1 and 2: for every row the benchmark item on one of its pictures whose question is nearest."""
    for row, found in _same_pictures(pool, near, probes):
        question = texts[row][0]
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
) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """(row, [(probe, how its picture equals one of the row's)]) for rows that share a picture with a benchmark."""
    by_pixels: dict[bytes, list[int]] = defaultdict(list)
    for number, item in enumerate(probes):
        if item.look is not None:
            by_pixels[item.look.pixels].append(number)
    index = _Bands({item.look.dhash for item in probes if item.look is not None}, NOMINATE_BITS)
    by_hash: dict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(probes):
        if item.look is not None:
            by_hash[item.look.dhash].append(number)
    pictures, dhashes = pool.column("pictures"), pool.column("dhashes")
    decoded: dict[int, Seen] = {}
    known: dict[bytes, list[tuple[int, str]]] = {}
    for row in pool.rows:
        found: list[tuple[int, str]] = []
        for place, (pixels, dhash) in enumerate(zip(pictures[row], dhashes[row], strict=True)):
            if pixels not in known:
                exact = [(number, "the same decoded pixels") for number in by_pixels.get(pixels, ())]
                nominated = [number for value in index.near(dhash) for number in by_hash[value]]
                known[pixels] = exact or list(_seen_alike(pool, row, place, nominated, probes, near, decoded))
            found += known[pixels]
        if found:
            yield row, found


def _seen_alike(
    pool: Pool,
    row: int,
    place: int,
    nominated: list[int],
    probes: list[ProbeItem],
    near: Deduplicate,
    decoded: dict[int, Seen],
) -> Iterator[tuple[int, str]]:
    if not nominated:
        return
    mine = Seen(pool.pictures(row)[place], where=pool.name(row))
    for number in nominated:
        if number not in decoded:
            data = probes[number].picture_bytes()
            assert data is not None
            decoded[number] = Seen(data, where=f"{probes[number].benchmark} {probes[number].id}")
        apart = compare(mine, decoded[number])
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


def _text_hits(
    pool: Pool, settings: Decontaminate, probes: list[ProbeItem], texts: dict[int, tuple[str, str]], met: set[int]
) -> list[Hit]:
    """Tier 3, for pairs of which one side has no picture to look at."""
    grams: dict[int, set[int]] = defaultdict(set)
    exact: dict[str, set[int]] = defaultdict(set)
    for number, item in enumerate(probes):
        said = words(item.question)
        exact[" ".join(said)].add(number)
        for gram in _grams(said):
            grams[gram].add(number)
    has_picture = [bool(pictures) for pictures in pool.column("pictures")]
    matches: list[tuple[int, int, float]] = []
    for row, (question, gold) in texts.items():
        if row in met:
            continue
        said = words(question)
        candidates = set(exact.get(" ".join(said), ()))
        for gram in _grams(said):
            candidates |= grams.get(gram, set())
        for number in sorted(candidates):
            item = probes[number]
            alike = similarity(question, item.question)
            comparable = has_picture[row] and item.look is not None
            same = alike >= settings.similar_question and contains(question, item.question)
            if not comparable and same and _same_answer(gold, item.answer):
                matches.append((row, number, alike))
    rows_of = Counter(number for _, number, _ in matches)
    best: dict[int, tuple[int, float]] = {}
    for row, number, alike in matches:
        if row not in best or alike > best[row][1]:
            best[row] = (number, alike)
    return [
        _text_hit(pool, probes, texts, row, number, alike, rows_of[number]) for row, (number, alike) in best.items()
    ]


def _text_hit(
    pool: Pool,
    probes: list[ProbeItem],
    texts: dict[int, tuple[str, str]],
    row: int,
    number: int,
    alike: float,
    n_rows: int,
) -> Hit:
    item = probes[number]
    is_template = n_rows > TEMPLATE_ROWS or len(words(texts[row][0])) < SHORT
    why = f"; wording shared by {n_rows} rows, so it is only flagged" if is_template else ""
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
