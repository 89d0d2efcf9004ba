"""Which rows a stage trains on, and in which order: a pure function of the seed, so a resumed run needs no
state.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cogito_core.console import CogitoError
from cogito_core.engines.base import seed_of
from cogito_core.sample import Sample
from cogito_core.shards import SampleStore, shard_folder, shard_paths
from cogito_train.config import Filter, Stage, TrainRecipe


@dataclass
class TrainingData:
    """The training and the validation rows of a data directory."""

    train: SampleStore
    validation: SampleStore | None

    @classmethod
    def open(cls, directory: str | None) -> TrainingData:
        """`directory` is what `cogito-data build` wrote, or its `data` folder.

        Raises CogitoError if it is missing, holds no training row, or two rows have one id (answers are kept by id).
        """
        if directory is None:
            raise CogitoError("no training data: give --set data=DIR, the output folder of cogito-data build")
        path = Path(directory)
        path = shard_folder(path)
        train = SampleStore(path, "train")
        if len(train) == 0:
            raise CogitoError(f"{path} holds no training row")
        held_out = SampleStore(path, "validation") if shard_paths(path, "validation") else None
        _check_ids(path, [*train.column("id"), *(held_out.column("id") if held_out is not None else ())])
        return cls(train, held_out if held_out is not None and len(held_out) else None)


def _check_ids(path: Path, ids: list[str]) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise CogitoError(f"{path}: two rows of training and validation have the id {id!r}")
        seen.add(id)


def content_hash(data: SampleStore) -> str:
    """Hash of which rows there are, in order: ids, questions, pictures and golds. For the run's provenance."""
    digest = hashlib.sha256()
    for name in ("id", "problem_hash", "image_hash", "answer"):
        for value in data.column(name):
            digest.update(f"{value}\x1f".encode())
    return digest.hexdigest()


def select_rows(data: SampleStore, rule: Filter, without: Collection[int] = ()) -> list[int]:
    """Indices of the rows that a stage's filter lets through, in stored order, except those in `without`.

    Raises CogitoError if a pass rate is asked for that was never measured, or if no row is left.
    """
    kept = np.ones(len(data), dtype=bool)
    kept[list(without)] = False
    for column, allowed in (("category", rule.categories), ("source", rule.sources)):
        if allowed:
            kept &= np.isin(np.array(data.column(column), dtype=object), allowed)
    if rule.min_pass_rate is not None or rule.max_pass_rate is not None:
        rates = data.column("pass_rate")
        unmeasured = sum(rate is None for rate in rates)
        if unmeasured:
            raise CogitoError(
                f"{data.directory}: {unmeasured} rows have no pass_rate, which the stage's filter needs"
            )
        low, high = rule.min_pass_rate, rule.max_pass_rate
        values = np.array(rates, dtype=np.float64)
        kept &= (values >= (0.0 if low is None else low)) & (values <= (1.0 if high is None else high))
    rows = np.flatnonzero(kept)
    if len(rows) == 0:
        raise CogitoError(f"{data.directory}: the stage's filter leaves no row of {len(data)}")
    return [int(row) for row in rows]


def check_filters(data: SampleStore, stages: Sequence[Stage], without: Collection[int]) -> None:
    """Raise CogitoError, naming the stage, if a filter cannot be applied or leaves nothing.

    Else the last stage's would be found out after days of the others.
    """
    for stage in stages:
        try:
            select_rows(data, stage.filter, without)
        except CogitoError as error:
            raise CogitoError(f"stage {stage.name}: {error}") from error


class StageOrder:
    """The order of a stage's rows: endless epochs, each a permutation of its own."""

    def __init__(self, rows: list[int], *, run_seed: int, stage: Stage) -> None:
        self.rows = rows
        self._seed = (run_seed, stage.seed, stage.name)
        self._epoch = -1
        self._permutation: np.ndarray = np.empty(0, dtype=np.int64)

    def slice(self, start: int, count: int) -> list[int]:
        """Rows number `start` to `start + count` of the endless sequence."""
        return [self._at(position) for position in range(start, start + count)]

    def _at(self, position: int) -> int:
        epoch, offset = divmod(position, len(self.rows))
        if epoch != self._epoch:
            generator = np.random.default_rng(seed_of("order", *self._seed, epoch))
            self._permutation, self._epoch = generator.permutation(len(self.rows)), epoch
        return self.rows[int(self._permutation[offset])]


def stage_steps(stage: Stage, rows: int, recipe: TrainRecipe) -> int:
    """Steps of a stage: as stated, or enough for its epochs over `rows`, rounded up."""
    if stage.steps is not None:
        return stage.steps
    assert stage.epochs is not None
    return max(1, math.ceil(stage.epochs * rows / recipe.prompts_per_step))


def validation_samples(data: TrainingData, rows: int | None, without: Collection[int] = ()) -> list[Sample]:
    """The first `rows` held-out samples in an order that mixes the sources, the same at every call; none of those
    in `without`.
    """
    if data.validation is None:
        return []
    order = np.random.default_rng(0).permutation(len(data.validation))
    usable = [int(i) for i in order if int(i) not in without]
    return [data.validation[i] for i in sorted(usable[:rows])]
