"""Engine workers in a local Ray cluster, one of which is killed in the middle.

Run in the environment that scripts/setup-vllm-env.sh makes: .venv-vllm/bin/python -m pytest -m vllm tests/engines
"""

from __future__ import annotations

import os
import signal
from collections import deque

import pytest

ray = pytest.importorskip("ray", reason="needs .venv-vllm: scripts/setup-vllm-env.sh")

from cogito_core.console import CogitoError, UsageError  # noqa: E402
from cogito_core.engines import open_engine  # noqa: E402
from cogito_core.engines.base import Chat, Message, Request, Sampling  # noqa: E402
from cogito_core.engines.ray_engine import _Chunk  # noqa: E402

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module", autouse=True)
def cluster(repository):
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = str(repository)
    ray.init(num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield
    ray.shutdown()


def pid_of(seat) -> int:
    return ray.get(seat.actor.__ray_call__.remote(lambda self: os.getpid()))


def answers(results):
    return {r.id: [(a.seed, a.token_ids, a.text) for a in r.answers] for r in results}


def test_a_killed_worker_changes_nothing(tiny_folder, make_requests):
    requests = make_requests(60, samples=4)
    bad = Request("bad", Chat((Message("user", "x" * 5000),)), (1,), Sampling(max_tokens=4))
    expected = answers(open_engine("transformers", str(tiny_folder)).generate([*requests, bad]))
    engine = open_engine("transformers", str(tiny_folder), cluster="auto", workers=2, chunk_answers=16)
    stream = engine.generate(iter([*requests, bad]))
    results = [next(stream)]
    victim = next(seat for seat in engine._seats if seat.ready)
    lost = pid_of(victim)
    os.kill(lost, signal.SIGKILL)
    results += stream
    assert len(results) == 61
    assert answers(results) == expected
    assert next(r for r in results if r.id == "bad").error is not None
    assert pid_of(victim) != lost
    again = answers(engine.generate(requests[:5]))
    assert again == {name: expected[name] for name in again} and len(again) == 5
    engine.close()


def test_a_chunk_that_keeps_killing_workers_is_given_up(tiny_folder, make_requests):
    engine = open_engine("transformers", str(tiny_folder), cluster="auto", workers=1)
    seat, requests = engine._seats[0], make_requests(3)
    seat.chunks = {"running": _Chunk(requests[:2], deaths=2), "next": _Chunk(requests[2:], deaths=2)}
    os.kill(pid_of(seat), signal.SIGKILL)
    again = deque()
    given_up = engine._replace(seat, again)
    assert [r.id for r in given_up] == ["q0", "q1"] and "3 workers died" in given_up[0].error
    # A worker answers in order, so the chunk behind the deadly one is not to blame.
    assert [chunk.requests for chunk in again] == [requests[2:]] and again[0].deaths == 2
    assert len(list(engine.generate(requests))) == 3
    engine.close()


def test_what_cannot_work_is_said(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(CogitoError, match="cannot open the engine: .* holds a llama"):
        open_engine("transformers", str(tmp_path), cluster="auto", workers=1)
    with pytest.raises(CogitoError, match="the cluster has 0 GPUs, one worker needs 1"):
        open_engine("transformers", str(tmp_path), cluster="auto", worker_gpus=1)
    with pytest.raises(UsageError, match="servers need no cluster"):
        open_engine("openai:http://127.0.0.1:9", "m", cluster="auto")
