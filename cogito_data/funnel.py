"""The funnel: where every ingested row went. The counts add up exactly, per source and per category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cogito_data.pool import Pool
from cogito_data.recipe import DataRecipe, Difficulty
from cogito_data.trials import Measured

UNKNOWN_CATEGORY = "unknown"


@dataclass
class Funnel:
    """Counts of a build.

    Attributes:
        sources, categories: name -> {"ingested", "kept", "rewritten", <split>, <drop reason>: n}.
        rewrites: source -> {rule, or none: rule: n} over the rows that reached the pool.
    """

    sources: dict[str, Counter[str]] = field(default_factory=dict)
    categories: dict[str, Counter[str]] = field(default_factory=dict)
    rewrites: dict[str, Counter[str]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    splits: dict[str, int] = field(default_factory=dict)
    difficulty: dict[str, Any] = field(default_factory=dict)

    @property
    def ingested(self) -> int:
        return sum(counts["ingested"] for counts in self.sources.values())

    @property
    def kept(self) -> int:
        return sum(self.splits.values())

    def as_summary(self) -> dict[str, Any]:
        """What `summary.json` holds; nothing in it depends on time or machine."""
        return {
            "ingested": self.ingested,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "splits": self.splits,
            "sources": {name: dict(sorted(counts.items())) for name, counts in self.sources.items()},
            "categories": {name: dict(sorted(counts.items())) for name, counts in sorted(self.categories.items())},
            "rewrites": {name: dict(sorted(counts.items())) for name, counts in self.rewrites.items()},
            "difficulty": self.difficulty,
        }


def summarise(
    recipe: DataRecipe,
    pool: Pool,
    early: Counter[tuple[str, str, str]],
    splits: dict[str, np.ndarray],
    measured: Measured,
) -> Funnel:
    """Count every row once: either in a split or under the reason it was dropped for.

    `early` counts the drops of `pool.drops` that never came into the pool, by (source, category, reason).

    Raises:
        AssertionError: a row was counted twice or not at all, which would be a fault of ours.
    """
    funnel = Funnel(splits={name: len(rows) for name, rows in splits.items()})
    funnel.sources = {part.name: Counter() for part in recipe.mix}
    texts, rules = pool.codes("reformulation")
    for (source, category, rule), n in _tally(pool, np.arange(len(pool)), rules):
        text = texts[rule]
        for what in ("ingested",) if text.startswith("none") else ("ingested", "rewritten"):
            _count(funnel, source, category, what, n)
        funnel.rewrites.setdefault(source, Counter())[_short(text)] += n
    for (source, category, _), n in early.items():
        _count(funnel, source, category, "ingested", n)
    for (source, category, reason), n in pool.drops.counts.items():
        _count(funnel, source, category, reason, n)
        funnel.dropped[reason] += n
    for split, rows in splits.items():
        for (source, category, _), n in _tally(pool, rows, np.zeros(len(pool), np.int32)):
            _count(funnel, source, category, split, n)
            _count(funnel, source, category, "kept", n)
    if funnel.ingested != funnel.kept + funnel.dropped.total():
        raise AssertionError(f"{funnel.ingested} rows in, {funnel.kept} kept, {funnel.dropped.total()} dropped")
    if len(measured) and recipe.difficulty is not None:
        funnel.difficulty = _difficulty(recipe.difficulty, measured)
    return funnel


def _tally(pool: Pool, rows: np.ndarray, third: np.ndarray) -> Iterator[tuple[tuple[str, str, int], int]]:
    """((source, category, value of `third` [n]), how many of `rows` have it), in the order of first appearance."""
    (sources, source), (categories, category) = pool.codes("source"), pool.codes("category")
    triples = np.stack([source[rows], category[rows], third[rows]], axis=1)
    found, first, counts = np.unique(triples, axis=0, return_index=True, return_counts=True)
    for place in np.argsort(first).tolist():
        a, b, c = found[place].tolist()
        yield (sources[a], categories[b], c), int(counts[place])


def _count(funnel: Funnel, source: str, category: str, what: str, n: int = 1) -> None:
    funnel.sources.setdefault(source, Counter())[what] += n
    funnel.categories.setdefault(category or UNKNOWN_CATEGORY, Counter())[what] += n


def _short(reformulation: str) -> str:
    """The rule that opened a row, or `none: <rule>` where its options stay, without the reason's details."""
    return ": ".join(reformulation.split(": ")[:2])


def _difficulty(settings: Difficulty, measured: Measured) -> dict[str, Any]:
    numbers, counts = np.unique(measured.right, return_counts=True)
    return {
        "model": settings.description,
        "questions": len(measured),
        "trials_asked": measured.asked,
        "trials_of_all": len(measured) * settings.trials,
        "right_answers": {str(n): count for n, count in zip(numbers.tolist(), counts.tolist(), strict=True)},
    }
