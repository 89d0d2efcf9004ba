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
    source, category = pool.column("source"), pool.column("category")
    for row in range(len(pool)):
        _count(funnel, source[row], category[row], "ingested")
    for drop in early_drops:
        _count(funnel, drop.source, drop.category, "ingested")
    for drop in [*early_drops, *pool.drops]:
        _count(funnel, drop.source, drop.category, drop.reason)
        funnel.dropped[drop.reason] += 1
    for split, rows in splits.items():
        for row in rows:
            _count(funnel, source[row], category[row], split)
            _count(funnel, source[row], category[row], "kept")
    for rule, row in zip(_rules(pool), range(len(pool)), strict=True):
        funnel.rewrites.setdefault(source[row], Counter())[rule] += 1
        if not rule.startswith("none"):
            _count(funnel, source[row], category[row], "rewritten")
    if funnel.ingested != funnel.kept + funnel.dropped.total():
        raise AssertionError(f"{funnel.ingested} rows in, {funnel.kept} kept, {funnel.dropped.total()} dropped")
    if measured and recipe.difficulty is not None:
        funnel.difficulty = _difficulty(recipe, pool, measured)
    return funnel


def _count(funnel: Funnel, source: str, category: str, what: str) -> None:
    funnel.sources.setdefault(source, Counter())[what] += 1
    funnel.categories.setdefault(category or UNKNOWN_CATEGORY, Counter())[what] += 1


def _rules(pool: Pool) -> list[str]:
    """The rule that opened every row, or `none: <rule>` where its options stay, without the reason's details."""
    return [": ".join(str(text).split(": ")[:2]) for text in pool.column("reformulation")]


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
