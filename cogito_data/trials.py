"""Trials as work units: every answer of the model is stored with its verdict, so regrading needs no model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from cogito_core.console import CogitoError
from cogito_core.engines.base import Engine, Request, Result
from cogito_core.files import write_atomic
from cogito_data.difficulty import Item, StopRule, measure, measured_columns
from cogito_data.pool import Pool
from cogito_data.recipe import Difficulty, Rewriting

CODE_VERSION = "1"

UNIT_ROWS = 256
"""Questions of one unit; what a kill interrupts is asked again from the answer store, not from the model."""

UNASKED = "unasked"
"""Outcome of the record of a question that the model could not be asked; its text says why."""

SUSPICIOUS = 16
"""Where this many questions and all of a unit cannot be asked, the model is at fault and not the questions."""

TRIAL_SCHEMA = pa.schema([
    ("place", pa.int32()), ("id", pa.string()), ("trial", pa.int32()), ("seed", pa.int64()), ("text", pa.string()),
    ("n_tokens", pa.int32()), ("finish", pa.string()), ("outcome", pa.string()), ("rule", pa.string()),
    ("extracted", pa.string()),
])


class EngineOnDemand:
    """An engine that is opened when something is asked that no store holds; its name is remembered on disk."""

    def __init__(self, remembered: Path, opener: Callable[[], Engine]) -> None:
        self._remembered = remembered
        self._opener = opener
        self._engine: Engine | None = None

    @property
    def name(self) -> str:
        if self._engine is None and self._remembered.exists():
            return str(json.loads(self._remembered.read_text(encoding="utf-8"))["engine"])
        return self._opened().name

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        yield from self._opened().generate(requests, on_done)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = self._opener()
            write_atomic(self._remembered, json.dumps({"engine": self._engine.name}))
        return self._engine


_opened: dict[tuple[str, str, str, str | None], Engine] = {}
"""Engines of this process: a worker measures many units with one."""


def engine_of(work: str, settings: Difficulty | Rewriting, cluster: str | None, *, pictures: bool) -> Engine:
    """The engine behind the run's answer store; opened once a process, and checked if the questions have pictures.

    A server that drops pictures would make every question look hard.
    """
    asked = (work, settings.engine, settings.model, cluster)
    if asked in _opened:
        return _opened[asked]
    from cogito_core.engines import open_engine
    from cogito_core.engines.cache import AnswerStore, CachedEngine
    from cogito_core.engines.check import CheckedEngine

    def open_checked() -> Engine:
        engine = open_engine(settings.engine, settings.model, cluster=cluster)
        return CheckedEngine(engine, max_tokens=settings.max_tokens) if pictures else engine

    lazy = EngineOnDemand(Path(work) / "engine.json", open_checked)
    _opened[asked] = CachedEngine(lazy, AnswerStore(Path(work) / "answers.sqlite"))
    return _opened[asked]


def close_engines() -> None:
    """Release the engines of this process."""
    while _opened:
        _opened.popitem()[1].close()


def run_unit(
    aside: str, parts: list[tuple[str, str]], rows: np.ndarray, settings: dict[str, Any], seed: int, work: str,
    cluster: str | None,
) -> None:
    """Measure the rows of one unit and write their trials, sorted by place and trial.

    Raises:
        CogitoError: the engine fails, or refuses every question of a unit of SUSPICIOUS or more.
    """
    difficulty = Difficulty(**settings)
    pool = Pool([(Path(shard), Path(part)) for shard, part in parts])
    engine = engine_of(work, difficulty, cluster, pictures=bool(pool.picture_bytes.any()))
    items = (Item(place, pool.sample(row)) for place, row in enumerate(rows.tolist()))
    records = []
    refused: list[str] = []
    for item in measure(items, engine, difficulty, seed):
        if item.error:
            refused.append(f"{item.sample.id}: {item.error}")
            records.append({
                "place": item.row, "id": item.sample.id, "trial": len(item.trials), "seed": None, "text": item.error,
                "n_tokens": 0, "finish": "", "outcome": UNASKED, "rule": "", "extracted": None,
            })
        for trial in item.trials:
            records.append({
                "place": item.row, "id": item.sample.id, "trial": trial.number, "seed": trial.answer.seed,
                "text": trial.answer.text, "n_tokens": trial.answer.n_tokens, "finish": trial.answer.finish,
                "outcome": trial.outcome, "rule": trial.rule, "extracted": trial.extracted,
            })
    if len(refused) == len(rows) >= SUSPICIOUS:
        raise CogitoError(f"the model could be asked none of {len(rows)} questions; the first: {refused[0]}")
    records.sort(key=lambda record: (record["place"], record["trial"]))
    pq.write_table(pa.Table.from_pylist(records, schema=TRIAL_SCHEMA), aside, compression="zstd")


class Measured:
    """What the trials showed, row by row, in a few bytes each; `unasked` are the rows that no trial could be made of,
    with the engine's sentence."""

    def __init__(self, n_rows: int, settings: Difficulty | None) -> None:
        """`n_rows` is the size of the pool; `settings` are None where nothing is measured."""
        self._settings = settings
        self._right = np.zeros(n_rows, dtype=np.int32)
        self._done = np.zeros(n_rows, dtype=np.int32)
        self._tokens = np.zeros(n_rows, dtype=np.int64)
        self.unasked: dict[int, str] = {}

    def __len__(self) -> int:
        return int(np.count_nonzero(self._done))

    def __contains__(self, row: int) -> bool:
        return bool(self._done[row])

    @property
    def rows(self) -> np.ndarray:
        """The measured rows, ascending [m] int64."""
        return np.flatnonzero(self._done)

    @property
    def right(self) -> np.ndarray:
        """Right answers of the measured rows [m] int32."""
        return self._right[self.rows]

    @property
    def most(self) -> np.ndarray:
        """Right answers that all trials of the measured rows could have shown at most [m] int32.

        Above `right` where asking stopped because the verdict was certain.
        """
        trials = 0 if self._settings is None else self._settings.trials
        return np.asarray(self.right + trials - self._done[self.rows])

    @property
    def asked(self) -> int:
        """Trials of all rows together."""
        return int(self._done.sum())

    def add(self, rows: ArrayLike, right: ArrayLike, done: ArrayLike, tokens: ArrayLike) -> None:
        """Note rows [m]: their right answers, their trials, and the tokens of their right answers together."""
        rows = np.asarray(rows)
        self._right[rows], self._done[rows], self._tokens[rows] = right, done, tokens

    def counts(self, row: int) -> tuple[int, int]:
        """(right answers, trials) of a row."""
        return int(self._right[row]), int(self._done[row])

    def take(self, rows: np.ndarray) -> Measured:
        """The same for some rows, numbered anew in their order."""
        part = Measured(0, self._settings)
        part._right, part._done, part._tokens = self._right[rows], self._done[rows], self._tokens[rows]
        return part

    @property
    def digest(self) -> str:
        """Hash of all that is noted here."""
        settings = "" if self._settings is None else self._settings.model_dump_json()
        noted = (array.tobytes() for array in (self._right, self._done, self._tokens))
        return hashlib.sha256(b"".join([settings.encode(), *noted])).hexdigest()

    def columns(self, row: int) -> dict[str, Any] | None:
        """The columns of a measured row, with what belongs into its `meta`; None where it was not measured."""
        if self._settings is None or not self._done[row]:
            return None
        rule = StopRule(self._settings.trials, *self._settings.keep_counts)
        right, done = self.counts(row)
        return measured_columns(right, int(self._tokens[row]), done, rule, self._settings.description)


def read_measured(paths: list[Path], rows: np.ndarray, n_rows: int, settings: Difficulty) -> Measured:
    """What all units measured: `rows` of a pool of `n_rows`, UNIT_ROWS of them a unit, in their order."""
    out = Measured(n_rows, settings)
    for unit, path in enumerate(paths):
        table = pq.read_table(path, columns=["place", "n_tokens", "outcome"])
        here = rows[unit * UNIT_ROWS : (unit + 1) * UNIT_ROWS]
        refused = pc.equal(table.column("outcome"), UNASKED)
        if pc.any(refused).as_py():
            said = pq.read_table(path, columns=["place", "text"]).filter(refused)
            out.unasked |= {int(here[row["place"]]): row["text"] for row in said.to_pylist()}
            # A question may be refused after some trials (a server gone): half a measurement is none.
            table = table.filter(pc.invert(pc.is_in(table.column("place"), said.column("place").combine_chunks())))
        place = np.asarray(table.column("place"))
        right = np.asarray(pc.equal(table.column("outcome"), "right")).astype(np.int64)
        tokens = np.asarray(table.column("n_tokens")) * right
        out.add(here, *(np.bincount(place, values, len(here)) for values in (right, np.ones_like(right), tokens)))
    return out
