"""Selection: what is hard enough, the caps, and the splits, in which no picture appears twice.

Every choice among rows is made by a hash of the recipe's seed and the row's id: it does not depend on the order
of the rows, and a row that leaves changes nothing for the others.
"""

from __future__ import annotations

import numpy as np

from cogito_core.engines.base import seed_of
from cogito_data.difficulty import StopRule
from cogito_data.pool import Pool
from cogito_data.recipe import DataRecipe, Difficulty
from cogito_data.trials import Measured


def drop_by_difficulty(pool: Pool, measured: Measured, settings: Difficulty) -> None:
    """Drop what the model solves too often, or, where the recipe has a lower end, too rarely, or cannot be asked."""
    for row, said in measured.unasked.items():
        pool.drop(row, "difficulty", "unasked", f"{settings.model} could not be asked: {said}")
    low, high = settings.keep_counts
    rule = StopRule(settings.trials, low, high)
    for row in map(int, measured.rows[pool.alive[measured.rows]]):
        right, done = measured.counts(row)
        if rule.verdict(right, done):
            continue
        reason = "too_easy" if right > high else "too_hard"
        bound = f"more than {high}" if right > high else f"fewer than {low}"
        pool.drop(
            row,
            "difficulty",
            reason,
            f"{right} of {done} trials of {settings.model} are right, which makes {bound} of {settings.trials}",
        )


def draw(pool: Pool, recipe: DataRecipe, spared: np.ndarray) -> None:
    """Samples by source, before difficulty is measured; `spared` rows (held out already) neither count nor leave."""
    samples = {part.name: part.sample for part in recipe.mix if part.sample is not None}
    _draw(pool, "source", samples, recipe.seed, spared, "not_sampled", "of {size} rows of {name} {most} are drawn")


def cap(pool: Pool, recipe: DataRecipe, spared: np.ndarray) -> None:
    """Caps by source, then by category; `spared` rows (held out already) neither count nor leave."""
    caps = {part.name: part.cap for part in recipe.mix if part.cap is not None}
    said = " {name} has {size} rows, its cap is {most}"
    _draw(pool, "source", caps, recipe.seed, spared, "source_cap", "the source" + said)
    categories = dict(recipe.select.category_caps)
    _draw(pool, "category", categories, recipe.seed, spared, "category_cap", "the category" + said)


def _draw(
    pool: Pool, column: str, caps: dict[str, int], seed: int, spared: np.ndarray, reason: str, evidence: str
) -> None:
    """Keep the rows with the smallest lots where there are more than the cap. One lot a row, whatever the reason:
    what is drawn before difficulty is measured is drawn again after it."""
    if not caps:
        return
    names, codes = pool.codes(column)
    ranks = _ranks(pool, "cap", seed)
    rows = pool.rows
    counted = ~np.isin(rows, spared)
    rows, ranks = rows[counted], ranks[counted]
    for code, name in enumerate(names):
        mine = codes[rows] == code
        size, most = int(mine.sum()), caps.get(name)
        if most is None or size <= most:
            continue
        ranked = rows[mine][np.argsort(ranks[mine], kind="stable")]
        for row in map(int, np.sort(ranked[most:])):
            pool.drop(row, "select", reason, evidence.format(name=name, size=size, most=most))


def _ranks(pool: Pool, *parts: object) -> np.ndarray:
    """A number for each row that is in [m] uint64, from the parts and its id: lots that do not hang on its place."""
    return np.fromiter((seed_of(*parts, name) for name in pool.names()), np.uint64, len(pool.rows))


def picture_groups(pool: Pool) -> np.ndarray:
    """[n] uint64: rows with the same number share a picture, directly or through other rows; zero for dropped rows.

    Pictures with equal pixels have equal outlines and so stay together. A row without a picture stands with the
    rows that ask the same question.
    """
    groups = pool.short_keys("question_key")
    parent: dict[int, int] = {}

    def root(key: int) -> int:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    tied = []
    for row, (pictures,) in pool.stream("outlines"):
        if pictures:
            keys = [int.from_bytes(picture[:8], "little") for picture in pictures]
            groups[row] = keys[0]
            for other in keys[1:]:
                parent[root(other)] = root(keys[0])
            if len(keys) > 1:
                tied.append(row)
    # Only pictures that appear together with another one can have been joined.
    joined = np.isin(groups, np.array(list(parent), dtype=np.uint64)) if tied else np.zeros(len(pool), dtype=bool)
    for row in map(int, np.flatnonzero(joined)):
        groups[row] = root(int(groups[row]))
    return groups


def hold_out(pool: Pool, recipe: DataRecipe) -> dict[str, np.ndarray]:
    """Rows of `validation` and `heldout`, ascending: whole picture groups, the smallest hash of a row's id first.

    A group that would overfill a split is passed over, so the sizes are met exactly where single pictures are left.
    """
    wanted = {"heldout": recipe.hold_out.heldout, "validation": recipe.hold_out.validation}
    splits: dict[str, list[int]] = {name: [] for name in wanted}
    if not any(wanted.values()):
        return _as_arrays(splits)
    rows = pool.rows
    ranks = _ranks(pool, "split", recipe.seed)
    _, group = np.unique(picture_groups(pool)[rows], return_inverse=True)
    best = np.full(int(group.max(initial=-1)) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(best, group, ranks)
    by_group = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group))
    for number in map(int, np.argsort(best, kind="stable")):
        start = int(ends[number - 1]) if number else 0
        members = rows[by_group[start : ends[number]]]
        for name, size in wanted.items():
            if len(splits[name]) + len(members) <= size:
                splits[name] += [int(row) for row in members]
                break
        if all(len(splits[name]) == size for name, size in wanted.items()):
            break
    return _as_arrays(splits)


def _as_arrays(splits: dict[str, list[int]]) -> dict[str, np.ndarray]:
    return {name: np.array(sorted(found), dtype=np.int64) for name, found in splits.items()}
