"""The answer store: nothing is generated twice, whatever dies in between."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.engines.base import Chat, Message, Request, Sampling, seed_of
from cogito_core.engines.cache import AnswerStore, CachedEngine

from .conftest import draw_picture
from .fake_engine import EchoEngine


def ask(text, seeds=(1, 2), id=None, images=(), **sampling):
    return Request(id or text, Chat((Message("user", text),), images), tuple(seeds), Sampling(**sampling))


def run(engine, requests):
    results = list(engine.generate(requests))
    assert sorted(r.id for r in results) == sorted(r.id for r in requests)
    return {r.id: r for r in results}


@pytest.fixture
def store(tmp_path):
    return AnswerStore(tmp_path / "answers.sqlite")


@pytest.mark.parametrize("ahead", [1, 4, 100])
def test_a_second_run_costs_nothing_and_gives_the_same(store, ahead):
    requests = [ask(f"q{i}", [seed_of(i, j) for j in range(8)], logprobs=i % 2 == 0) for i in range(30)]
    engine = EchoEngine(ahead=ahead)
    first = run(CachedEngine(engine, store), requests)
    assert len(engine.generated) == 240 == len(store)
    again = CachedEngine(engine, AnswerStore(store.path))
    assert run(again, random.Random(1).sample(requests, 30)) == first
    assert len(engine.generated) == 240 and (again.hits, again.misses) == (240, 0)
    plain = run(EchoEngine(), requests)
    assert plain == first


@pytest.mark.parametrize("ahead", [1, 3, 50])
def test_only_missing_seeds_are_generated_and_never_twice_at_once(store, ahead):
    engine = EchoEngine(ahead=ahead)
    cached = CachedEngine(engine, store)
    run(cached, [ask("a", [1, 2])])
    requests = [
        ask("a", [3, 2, 1], id="1"),
        ask("a", [1, 2], id="2"),
        ask("a", [3], id="3"),
        ask("b", [1, 1, 2], id="4"),
        ask("a", [9, 3], id="5"),
        ask("b", [2, 1], id="6"),
    ]
    out = run(cached, requests)
    for request in requests:
        text = request.chat.messages[0].text
        assert [a.text for a in out[request.id].answers] == [f"{text}/{s}" for s in request.seeds]
        assert [a.seed for a in out[request.id].answers] == list(request.seeds)
    counted = [pair for pair in engine.generated if pair != ("a", 3)]
    assert sorted(counted) == [("a", 1), ("a", 2), ("a", 9), ("b", 1), ("b", 2)]


def test_whatever_changes_an_answer_changes_the_key(store):
    base = ask("q", images=(draw_picture(1),))
    variants = [
        base,
        ask("q2", images=(draw_picture(1),)),
        ask("q", images=(draw_picture(2),)),
        ask("q", images=(draw_picture(1), draw_picture(1))),
        ask("q", images=(draw_picture(1),), temperature=0.5),
        ask("q", images=(draw_picture(1),), top_p=0.9),
        ask("q", images=(draw_picture(1),), max_tokens=7),
        replace(base, chat=Chat((Message("system", ""), *base.chat.messages), base.chat.images)),
    ]
    keys = {store.key("m@1", request) for request in variants} | {store.key("m@2", base)}
    assert len(keys) == len(variants) + 1
    same = [
        replace(base, id="other"),
        replace(base, seeds=(5,)),
        replace(base, chat=Chat((Message("user", "<image>q"),), base.chat.images)),
        replace(base, sampling=replace(base.sampling, logprobs=True)),
        ask("q", images=(replace(draw_picture(1), path="renamed.png"),), temperature=1),
    ]
    assert {store.key("m@1", request) for request in same} == {store.key("m@1", base)}


def test_log_probabilities_are_added_when_first_wanted(store):
    engine = EchoEngine()
    cached = CachedEngine(engine, store)
    assert run(cached, [ask("q")])["q"].answers[0].logprobs is None
    assert run(cached, [ask("q", logprobs=True)])["q"].answers[0].logprobs == (-0.5, -0.25)
    assert run(cached, [ask("q")])["q"].answers[0].logprobs is None
    assert run(cached, [ask("q", logprobs=True)])["q"].answers[1].logprobs == (-0.5, -0.25)
    assert len(engine.generated) == 4


def test_an_error_is_passed_on_and_not_kept(store):
    engine = EchoEngine(ahead=3)
    cached = CachedEngine(engine, store)
    out = run(cached, [ask("refuse"), ask("refuse", id="again"), ask("q")])
    assert out["refuse"].error == out["again"].error == "refused" and out["q"].error is None
    assert len(store) == 2


def test_an_answer_cut_by_the_context_is_passed_on_and_not_kept(store):
    """A server started again with a larger context would go on writing; the key cannot know."""

    class Narrow(EchoEngine):
        def _result(self, request):
            result = super()._result(request)
            cut = [replace(a, finish="length") if a.seed == 2 else a for a in result.answers]
            return replace(result, answers=tuple(cut))

    engine = Narrow(ahead=2)
    cached = CachedEngine(engine, store)
    for _ in range(2):
        out = run(cached, [ask("q", logprobs=True), ask("q", id="same"), ask("other", max_tokens=2)])
        assert [a.finish for a in out["q"].answers] == ["stop", "length"] == [a.finish for a in out["same"].answers]
        assert out["q"].answers[1].logprobs and out["same"].answers[1].logprobs is None
    # Only the cut answer is asked again; an answer of max_tokens tokens was cut by what the key names.
    assert sorted(engine.generated) == [("other", 1), ("other", 2), ("q", 1), ("q", 2), ("q", 2)]


def test_strange_text_survives(store):
    lone_surrogate = Message("system", "\ud83d")
    request = replace(ask("x"), chat=Chat((lone_surrogate, Message("user", "é \x00 😀 \r\n"))))
    assert run(CachedEngine(EchoEngine(), store), [request])["x"].answers[0].text == "é \x00 😀 \r\n/1"


_WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {repository!r})
from tests.engines.fake_engine import EchoEngine
from tests.engines.test_cache import ask
from cogito_core.engines.cache import AnswerStore, CachedEngine
cached = CachedEngine(EchoEngine(delay_s={delay}), AnswerStore({path!r}))
for result in cached.generate(ask(f"q{{i}}", range({seeds})) for i in range({count})):
    print(result.id, flush=True)
"""


def writer(repository: Path, path: Path, *, count: int, seeds: int = 4, delay: float = 0.0) -> subprocess.Popen:
    code = _WRITER.format(repository=str(repository), path=str(path), count=count, seeds=seeds, delay=delay)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_kill_9_loses_nothing_that_was_reported(repository, tmp_path):
    path = tmp_path / "answers.sqlite"
    reported: set[str] = set()
    for _ in range(3):
        process = writer(repository, path, count=100_000, delay=0.001)
        fresh = 0
        while fresh < 40:
            line = process.stdout.readline().strip()
            assert line, "the writer ended by itself"
            fresh += line not in reported
            reported.add(line)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert len(reported) >= 120
    engine = EchoEngine()
    out = run(CachedEngine(engine, AnswerStore(path)), [ask(name, range(4)) for name in sorted(reported)])
    assert engine.generated == []
    assert all(r.answers[3].text == f"{name}/3" for name, r in out.items())


def test_a_store_that_another_process_is_just_making_is_waited_for(tmp_path):
    """SQLite's time-out does not cover the change to write-ahead mode: it fails at once while another one writes."""
    path = tmp_path / "answers.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(path, timeout=120).execute("PRAGMA journal_mode = WAL")
    threading.Timer(0.3, other.commit).start()
    assert len(AnswerStore(path)) == 0


def test_four_processes_share_one_store(repository, tmp_path):
    path = tmp_path / "answers.sqlite"
    processes = [writer(repository, path, count=150) for _ in range(4)]
    for process in processes:
        lines = process.stdout.read().split()
        assert process.wait() == 0 and len(lines) == 150
    assert len(AnswerStore(path)) == 600


def test_export_holds_every_answer_with_its_prompt(store, tmp_path):
    import pyarrow.parquet as pq

    cached = CachedEngine(EchoEngine(), store)
    run(cached, [ask("a", images=(draw_picture(4),), logprobs=True), ask("b", [5], temperature=0.5, max_tokens=9)])
    assert store.export_parquet(tmp_path / "answers.parquet") == 3
    rows = sorted(pq.read_table(tmp_path / "answers.parquet").to_pylist(), key=lambda row: row["text"])
    assert [row["text"] for row in rows] == ["a/1", "a/2", "b/5"]
    assert rows[0]["pictures"] == [draw_picture(4).sha256] and rows[0]["messages"] == '[["user", "<image>a"]]'
    assert rows[0]["logprobs"] == [-0.5, -0.25] and rows[2]["logprobs"] is None
    assert rows[0]["token_ids"] == [7, 1] and rows[0]["model"] == "echo@1"
    assert (rows[2]["temperature"], rows[2]["max_tokens"], rows[2]["seed"]) == (0.5, 9, 5)


def test_a_full_disk_is_the_systems_error_and_loses_nothing(store):
    cached = CachedEngine(EchoEngine(), store)
    run(cached, [ask("before")])
    store._connect().execute("PRAGMA max_page_count = 20")  # SQLite says then what it says when the disk is full
    with pytest.raises(OSError) as caught:
        run(cached, [ask("x" * 200_000)])
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(store.path)
    store.close()
    assert len(AnswerStore(store.path)) == 2


def test_a_store_damaged_while_it_is_used_is_named(store):
    cached = CachedEngine(EchoEngine(), store)
    run(cached, [ask(f"q{i}", range(8)) for i in range(40)])
    store.close()
    data = bytearray(store.path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    store.path.write_bytes(data)
    with pytest.raises(CogitoError, match=r"answers\.sqlite cannot be used \(.*malformed"):
        run(CachedEngine(EchoEngine(), AnswerStore(store.path)), [ask("q1", range(8))])


def test_a_file_that_is_no_store_is_named(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(CogitoError, match="answers.sqlite cannot be used"):
        AnswerStore(path)
