"""The funnel: where every ingested row went. The counts add up exactly, per source and per category."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cogito_data.pool import Pool
from cogito_data.prepare import Drop
from cogito_data.recipe import DataRecipe

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
    early_drops: list[Drop],
    splits: dict[str, list[int]],
    measured: dict[int, dict[str, Any]],
) -> Funnel:
    """Count every row once: either in a split or under the reason it was dropped for.

    Raises:
        AssertionError: a row was counted twice or not at all, which would be a fault of ours.
    """
    funnel = Funnel(splits={name: len(rows) for name, rows in splits.items()})
    funnel.sources = {part.source: Counter() for part in recipe.mix}
    (sources, source), (categories, category) = pool.codes("source"), pool.codes("category")
    texts, rule = pool.codes("reformulation")
    ingested = Counter(zip(source.tolist(), category.tolist(), rule.tolist(), strict=True))
    for (a, b, c), n in ingested.items():
        opened = not texts[c].startswith("none")
        for what in ("ingested", "rewritten") if opened else ("ingested",):
            _count(funnel, sources[a], categories[b], what, n)
        funnel.rewrites.setdefault(sources[a], Counter())[_short(texts[c])] += n
    for drop in early_drops:
        _count(funnel, drop.source, drop.category, "ingested")
    for drop in [*early_drops, *pool.drops]:
        _count(funnel, drop.source, drop.category, drop.reason)
        funnel.dropped[drop.reason] += 1
    for split, rows in splits.items():
        for (a, b), n in Counter(zip(source[rows].tolist(), category[rows].tolist(), strict=True)).items():
            _count(funnel, sources[a], categories[b], split, n)
            _count(funnel, sources[a], categories[b], "kept", n)
    if funnel.ingested != funnel.kept + funnel.dropped.total():
        raise AssertionError(f"{funnel.ingested} rows in, {funnel.kept} kept, {funnel.dropped.total()} dropped")
    if measured and recipe.difficulty is not None:
        funnel.difficulty = _difficulty(recipe, pool, measured)
    return funnel


def _count(funnel: Funnel, source: str, category: str, what: str, n: int = 1) -> None:
    funnel.sources.setdefault(source, Counter())[what] += n
    funnel.categories.setdefault(category or UNKNOWN_CATEGORY, Counter())[what] += n


def _short(reformulation: str) -> str:
    """The rule that opened a row, or `none: <rule>` where its options stay, without the reason's details."""
    return ": ".join(reformulation.split(": ")[:2])


def _difficulty(recipe: DataRecipe, pool: Pool, measured: dict[int, dict[str, Any]]) -> dict[str, Any]:
    settings = recipe.difficulty
    assert settings is not None
    histogram: Counter[int] = Counter(found["n_correct"] for found in measured.values())
    asked = sum(found["n_trials"] for found in measured.values())
    return {
        "model": settings.description,
        "questions": len(measured),
        "trials_asked": asked,
        "trials_of_all": len(measured) * settings.trials,
        "right_answers": {str(n): histogram[n] for n in sorted(histogram)},
    }
