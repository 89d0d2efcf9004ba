"""Trials as work units: every answer of the model is stored with its verdict, so regrading needs no model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.engines.base import Engine, Request, Result
from cogito_core.files import write_atomic
from cogito_data.difficulty import Item, StopRule, measure, measured_columns
from cogito_data.pool import Pool
from cogito_data.recipe import Difficulty

CODE_VERSION = "1"

UNIT_ROWS = 256
"""Questions of one unit; what a kill interrupts is asked again from the answer store, not from the model."""

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


def _engine(work: str, engine: str, model: str, cluster: str | None) -> Engine:
    """The engine behind the run's answer store; opened once a process."""
    asked = (work, engine, model, cluster)
    if asked in _opened:
        return _opened[asked]
    from cogito_core.engines import open_engine
    from cogito_core.engines.cache import AnswerStore, CachedEngine

    lazy = EngineOnDemand(Path(work) / "engine.json", lambda: open_engine(engine, model, cluster=cluster))
    _opened[asked] = CachedEngine(lazy, AnswerStore(Path(work) / "answers.sqlite"))
    return _opened[asked]


def close_engines() -> None:
    """Release the engines of this process."""
    while _opened:
        _opened.popitem()[1].close()


def run_unit(
    aside: str, parts: list[tuple[str, str]], rows: list[int], settings: dict[str, Any], seed: int, work: str,
    cluster: str | None,
) -> None:
    """Measure the rows of one unit and write their trials, sorted by place and trial."""
    difficulty = Difficulty(**settings)
    pool = Pool([(Path(shard), Path(part)) for shard, part in parts])
    engine = _engine(work, difficulty.engine, difficulty.model, cluster)
    items = (Item(place, pool.sample(row)) for place, row in enumerate(rows))
    records = []
    for item in measure(items, engine, difficulty, seed):
        for trial in item.trials:
            records.append({
                "place": item.row, "id": item.sample.id, "trial": trial.number, "seed": trial.answer.seed,
                "text": trial.answer.text, "n_tokens": trial.answer.n_tokens, "finish": trial.answer.finish,
                "outcome": trial.outcome, "rule": trial.rule, "extracted": trial.extracted,
            })
    records.sort(key=lambda record: (record["place"], record["trial"]))
    pq.write_table(pa.Table.from_pylist(records, schema=TRIAL_SCHEMA), aside, compression="zstd")


def read_measured(paths: list[Path], rows: list[int], settings: Difficulty) -> dict[int, dict[str, Any]]:
    """Row -> its measured columns; `rows` are those of all units, UNIT_ROWS each, in their order."""
    rule = StopRule(settings.trials, *settings.keep_counts)
    out: dict[int, dict[str, Any]] = {}
    for unit, path in enumerate(paths):
        table = pq.read_table(path, columns=["place", "n_tokens", "outcome"]).to_pydict()
        right: dict[int, list[int]] = {}
        done: dict[int, int] = {}
        for place, tokens, outcome in zip(table["place"], table["n_tokens"], table["outcome"], strict=True):
            row = rows[unit * UNIT_ROWS + place]
            done[row] = done.get(row, 0) + 1
            right.setdefault(row, [])
            if outcome == "right":
                right[row].append(tokens)
        for row, tokens in right.items():
            out[row] = measured_columns(len(tokens), tokens, done[row], rule, settings.description)
    return out
