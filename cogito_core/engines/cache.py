"""Answers that exist already: nothing is ever generated twice."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import random
import sqlite3
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.engines.base import Answer, Engine, Request, Result
from cogito_core.files import replace_file

_TABLES = """
CREATE TABLE IF NOT EXISTS prompts (
    prompt TEXT PRIMARY KEY, model TEXT NOT NULL, messages TEXT NOT NULL, pictures TEXT NOT NULL,
    temperature REAL NOT NULL, top_p REAL NOT NULL, max_tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    prompt TEXT NOT NULL, seed INTEGER NOT NULL, text TEXT NOT NULL, token_ids BLOB NOT NULL, logprobs BLOB,
    finish TEXT NOT NULL, n_tokens INTEGER NOT NULL, n_prompt_tokens INTEGER NOT NULL,
    PRIMARY KEY (prompt, seed)
) WITHOUT ROWID;
"""

_PARQUET_ROWS = 10_000
_PATIENCE_S = 120.0


class AnswerStore:
    """Answers named by content: model, messages, picture hashes, sampling and seed.

    One SQLite file in write-ahead mode: every stored answer survives a kill, and processes of one machine may share
    it. It must lie on a local disk, as write-ahead mode needs shared memory; a cluster keeps it on the driver's.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._owner = 0
        self._connection: sqlite3.Connection | None = None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connect()

    @staticmethod
    def key(model: str, request: Request) -> str:
        """Name of a prompt under a model and its sampling settings, without the seed."""
        return hashlib.blake2b(_canonical(model, request).encode(), digest_size=16).hexdigest()

    def get(self, key: str, seeds: Sequence[int], *, with_logprobs: bool = False) -> dict[int, Answer]:
        """The stored answers among `seeds`; if log-probabilities are wanted, only those that have them."""
        found: dict[int, Answer] = {}
        for start in range(0, len(seeds), 500):  # SQLite's default limit on variables is 999 in old builds
            some = seeds[start : start + 500]
            marks = ",".join("?" * len(some))
            query = (
                "SELECT seed, text, token_ids, logprobs, finish, n_tokens, n_prompt_tokens FROM answers "
                f"WHERE prompt = ? AND seed IN ({marks})"
            )
            for row in self._execute(query, (key, *some)):
                if row[3] is not None or not with_logprobs:
                    found[row[0]] = _answer_of(row, with_logprobs)
        return found

    def put(self, model: str, request: Request, answers: Sequence[Answer]) -> None:
        """Store answers in one transaction. What is stored already stays, unless it lacks log-probabilities.

        Raises OSError if the disk is full, CogitoError if the file is damaged.
        """
        key = self.key(model, request)
        sampling = request.sampling
        prompt = json.loads(_canonical(model, request))
        prompt_row = (
            key,
            model,
            json.dumps(prompt["messages"]),
            json.dumps(prompt["pictures"]),
            sampling.temperature,
            sampling.top_p,
            sampling.max_tokens,
        )
        with self._lock, self._explained(), self._connect() as connection:
            connection.execute("INSERT OR IGNORE INTO prompts VALUES (?, ?, ?, ?, ?, ?, ?)", prompt_row)
            connection.executemany(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (prompt, seed) DO UPDATE SET "
                "text = excluded.text, token_ids = excluded.token_ids, logprobs = excluded.logprobs, "
                "finish = excluded.finish, n_tokens = excluded.n_tokens, n_prompt_tokens = excluded.n_prompt_tokens "
                "WHERE answers.logprobs IS NULL AND excluded.logprobs IS NOT NULL",
                [_row_of(key, answer) for answer in answers],
            )

    def __len__(self) -> int:
        """Number of stored answers."""
        return int(self._execute("SELECT COUNT(*) FROM answers", ())[0][0])

    def export_parquet(self, path: Path | str) -> int:
        """Write every answer with its prompt to one Parquet file, sorted by prompt and seed; returns their number."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema(
            [
                ("model", pa.string()),
                ("messages", pa.string()),
                ("pictures", pa.list_(pa.string())),
                ("temperature", pa.float64()),
                ("top_p", pa.float64()),
                ("max_tokens", pa.int64()),
                ("seed", pa.int64()),
                ("text", pa.string()),
                ("token_ids", pa.list_(pa.int32())),
                ("logprobs", pa.list_(pa.float64())),
                ("finish", pa.string()),
                ("n_tokens", pa.int64()),
                ("n_prompt_tokens", pa.int64()),
            ]
        )
        query = (
            "SELECT model, messages, pictures, temperature, top_p, max_tokens, seed, text, token_ids, logprobs, "
            "finish, n_tokens, n_prompt_tokens FROM answers JOIN prompts USING (prompt) ORDER BY prompt, seed"
        )
        written = 0
        with replace_file(path) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
            cursor = self._connect().execute(query)
            while rows := cursor.fetchmany(_PARQUET_ROWS):
                columns = list(zip(*(_export_row(row) for row in rows), strict=True))
                arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                written += len(rows)
        return written

    def close(self) -> None:
        """Close the file; the store can be used again and then reopens it."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _execute(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock, self._explained():
            return self._connect().execute(query, values).fetchall()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "full" in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path)) from error
            raise CogitoError(f"the answer store {self.path} cannot be used ({error})") from error

    def _connect(self) -> sqlite3.Connection:
        # An SQLite connection must not cross a fork.
        if self._connection is None or self._owner != os.getpid():
            with self._explained():
                self._connection, self._owner = _opened(self.path), os.getpid()
        return self._connection


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, check_same_thread=False)
    give_up = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_TABLES)
            return connection
        except sqlite3.OperationalError as error:
            # Of processes that make a new file at once all but one are turned away: SQLite's own time-out does not
            # cover the change to write-ahead mode.
            if "locked" not in str(error) or time.monotonic() > give_up:
                connection.close()
                raise
            time.sleep(random.uniform(0.005, 0.05))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a caller waits for, without the pictures, so that a long queue of it stays small."""

    id: str
    key: str
    seeds: tuple[int, ...]
    with_logprobs: bool


@dataclass(slots=True)
class _Open:
    """What the engine was asked, and everybody who waits for it."""

    asked: Request
    waiting: list[_Wanted]


class CachedEngine:
    """An engine that looks into a store first and keeps what is new.

    Two requests for the same answer cost one generation, also while the first is still under way. Errors are not
    kept, nor answers that the engine's context cut short of `max_tokens`: both may be gone at the next run.
    """

    def __init__(self, engine: Engine, store: AnswerStore) -> None:
        self.engine = engine
        self.store = store
        self.name = engine.name
        self.hits = 0
        self.misses = 0

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Answer every request once; what is in the store comes first and costs nothing.

        The log-probabilities of a stored answer are those of the engine that gave it.
        """
        for result in self._run(iter(requests)):
            if on_done is not None:
                on_done(result)
            yield result

    def close(self) -> None:
        """Close the engine and the store."""
        self.engine.close()
        self.store.close()

    def _run(self, requests: Iterator[Request]) -> Iterator[Result]:
        by_id: dict[str, _Open] = {}
        by_key: dict[str, _Open] = {}
        ready: deque[_Wanted] = deque()

        def missing() -> Iterator[Request | None]:
            """What the engine has to be asked; None where the store or an open question covers a request."""
            for number, request in enumerate(requests):
                key = self.store.key(self.name, request)
                wanted = _Wanted(request.id, key, request.seeds, request.sampling.logprobs)
                seeds = self._not_stored(wanted)
                if not seeds:
                    ready.append(wanted)
                    yield None
                    continue
                # Own ids: the caller's need not be unique.
                asked = replace(request, id=f"{number}\x1f{request.id}", seeds=seeds)
                leader = by_key.get(key)
                if leader is not None and _covers(leader.asked, asked):
                    leader.waiting.append(wanted)
                    yield None
                    continue
                by_id[asked.id] = by_key[key] = _Open(asked, [wanted])
                self.misses += len(seeds)
                yield asked

        feed = missing()
        first = None
        for first in feed:
            if first is not None:
                break
            yield from self._drain(ready)
        if first is None:  # nothing is missing: the engine is not even asked
            return
        rest = (request for request in feed if request is not None)
        for result in self.engine.generate(itertools.chain([first], rest)):
            entry = by_id.pop(result.id)
            key = entry.waiting[0].key
            if by_key.get(key) is entry:
                del by_key[key]
            kept = [answer for answer in result.answers if not _cut_by_context(answer, entry.asked)]
            if kept:
                self.store.put(self.name, entry.asked, kept)
            for wanted in entry.waiting:
                yield self._stored(wanted, result.answers) if result.error is None else Result(
                    wanted.id, (), result.error
                )
            yield from self._drain(ready)
        yield from self._drain(ready)

    def _drain(self, ready: deque[_Wanted]) -> Iterator[Result]:
        while ready:
            yield self._stored(ready.popleft())

    def _not_stored(self, wanted: _Wanted) -> tuple[int, ...]:
        stored = self.store.get(wanted.key, wanted.seeds, with_logprobs=wanted.with_logprobs)
        self.hits += len(stored)
        return tuple(dict.fromkeys(seed for seed in wanted.seeds if seed not in stored))

    def _stored(self, wanted: _Wanted, fresh: Sequence[Answer] = ()) -> Result:
        answers = {
            answer.seed: answer if wanted.with_logprobs else replace(answer, logprobs=None) for answer in fresh
        }
        answers |= self.store.get(wanted.key, wanted.seeds, with_logprobs=wanted.with_logprobs)
        return Result(wanted.id, tuple(answers[seed] for seed in wanted.seeds))


def _cut_by_context(answer: Answer, asked: Request) -> bool:
    """Whether the engine ran out of room before the answer's own limit. Such an answer belongs to the context that a
    server was started with, which no key names: with a larger one it would go on, so it is not kept.
    """
    return answer.finish == "length" and answer.n_tokens < asked.sampling.max_tokens


def _covers(under_way: Request, wanted: Request) -> bool:
    enough = under_way.sampling.logprobs or not wanted.sampling.logprobs
    return enough and set(wanted.seeds) <= set(under_way.seeds)


def _canonical(model: str, request: Request) -> str:
    try:
        messages = request.chat.with_marks()
    except ValueError:
        messages = request.chat.messages  # the engine will say what is wrong with it
    sampling = request.sampling
    return json.dumps(
        {
            "model": model,
            "messages": [[message.role, message.text] for message in messages],
            "pictures": [picture.sha256 for picture in request.chat.images],
            "sampling": [float(sampling.temperature), float(sampling.top_p), sampling.max_tokens],
        },
        sort_keys=True,
    )


def _row_of(key: str, answer: Answer) -> tuple[Any, ...]:
    logprobs = None if answer.logprobs is None else array("d", answer.logprobs).tobytes()
    return (
        key,
        answer.seed,
        answer.text,
        array("i", answer.token_ids).tobytes(),
        logprobs,
        answer.finish,
        answer.n_tokens,
        answer.n_prompt_tokens,
    )


def _answer_of(row: tuple[Any, ...], with_logprobs: bool) -> Answer:
    seed, text, token_ids, logprobs, finish, n_tokens, n_prompt_tokens = row
    return Answer(
        text=text,
        token_ids=tuple(array("i", token_ids)),
        logprobs=tuple(array("d", logprobs)) if with_logprobs else None,
        finish=finish,
        n_tokens=n_tokens,
        n_prompt_tokens=n_prompt_tokens,
        seed=seed,
    )


def _export_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    out = list(row)
    out[2] = json.loads(row[2])
    out[8] = array("i", row[8]).tolist()
    out[9] = None if row[9] is None else array("d", row[9]).tolist()
    return tuple(out)
