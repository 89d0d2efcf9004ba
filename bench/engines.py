"""Engines against their peers, on the same work in one run.

    python bench/engines.py [--json FILE]           what this machine can run; --only sampling, http or server
    python bench/engines.py --load                  10,000 requests through faults and two kills (some five minutes)

Peers: transformers' own `generate` for the embedded engine, httpx2 for our HTTP client, and for the server client a
bare load generator that knows nothing but the byte strings it sends. The last one and --load need the environment
of scripts/setup-vllm-env.sh, whose Python serves; this script itself runs in either environment. Time is CPU time of
this process where only it works, and wall time, both sides in turn, where a server works with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from cogito_core.console import say, table, warn  # noqa: E402
from cogito_core.engines.base import Chat, Message, Request, Sampling, seed_of  # noqa: E402

RUNS = 5
PROMPTS, ANSWERS, TOKENS = 16, 8, 24
CALLS = 512
SERVER_CALLS = 2048
LOAD_CALLS = 10_000

Metric = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the metrics to this file")
    parser.add_argument("--only", choices=("sampling", "http", "server"), help="measure just this one")
    parser.add_argument("--load", action="store_true", help="run the full load test instead")
    options = parser.parse_args()
    metrics = load_test() if options.load else measure(options.only)
    columns = ("metric", "ours", "peer", "ratio", "unit", "peer is")
    fields = ("ours", "peer", "ratio", "unit", "peer_name")
    table("engines", columns, [(name, *(m[field] for field in fields)) for name, m in metrics.items()])
    if options.json:
        options.json.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


def measure(only: str | None) -> dict[str, Metric]:
    """Every metric this machine can measure, or the one asked for."""
    metrics: dict[str, Metric] = {}
    if only in (None, "sampling"):
        metrics["sampling_cpu"] = embedded()
    if only in (None, "http"):
        metrics["http_call_cpu"] = http_client()
    if only in (None, "server"):
        if serving_python() is None:
            warn("no .venv-vllm here (scripts/setup-vllm-env.sh), so the server client is not measured")
        else:
            metrics["server_rate"] = server_client()
    return metrics


def metric(ours: list[float], peer: list[float], peer_name: str, unit: str) -> Metric:
    x, y = statistics.median(ours), statistics.median(peer)
    return {"ours": x, "peer": y, "peer_name": peer_name, "ratio": x / y, "unit": unit}


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def embedded() -> Metric:
    """16 nano prompts, 8 answers of exactly 24 tokens each: our engine and `generate`, one thread."""
    import torch

    from cogito_core.engines.transformers_engine import TransformersEngine
    from tests.engines.conftest import draw_picture

    torch.set_num_threads(1)
    engine = TransformersEngine.load("nano", dtype="float32", device="cpu")
    engine._stops = frozenset()  # both sides write 24 tokens, whatever they are
    sampling = Sampling(temperature=1.0, max_tokens=TOKENS)
    requests = [
        Request(
            str(i),
            Chat((Message("user", "How many red shapes are there?"),), (draw_picture(i),)),
            tuple(seed_of("bench", i, j) for j in range(ANSWERS)),
            sampling,
        )
        for i in range(PROMPTS)
    ]
    inputs = engine._inputs([engine.encoder.encode(request.chat) for request in requests])
    ignored = engine.model.generation_config
    ignored.eos_token_id = None

    def peer() -> None:
        engine.model.generate(
            **inputs, do_sample=True, top_k=0, num_return_sequences=ANSWERS, max_new_tokens=TOKENS,
            suppress_tokens=list(engine.banned),
        )  # fmt: skip

    def ours() -> None:
        assert sum(a.n_tokens for r in engine.generate(requests) for a in r.answers) == PROMPTS * ANSWERS * TOKENS

    for work in (ours, peer):
        work()
    times = [(cpu_seconds(ours), cpu_seconds(peer)) for _ in range(RUNS)]
    unit = f"CPU s for {PROMPTS} x {ANSWERS} answers of {TOKENS} tokens"
    return metric([a for a, _ in times], [b for _, b in times], "transformers generate", unit)


def http_client() -> Metric:
    """512 calls at 256 in flight to a server that answers after 50 ms."""
    import httpx2

    from cogito_core.engines.http1 import HttpClient

    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from tests.engines.fake_server import FakeServer\n"
        "server = FakeServer(latency_s=0.05)\n"
        "print(server.port, flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(REPOSITORY)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
    messages = [{"role": "user", "content": "x" * 8000}]
    bodies = [json.dumps({"model": "m", "messages": messages, "seed": i}).encode() for i in range(CALLS)]

    async def lanes(call: Callable[[bytes], object]) -> None:
        source = iter(bodies)

        async def lane() -> None:
            for body in source:
                await call(body)  # type: ignore[misc]

        await asyncio.gather(*(lane() for _ in range(256)))

    async def ours() -> None:
        client = HttpClient(url, {})

        async def call(body: bytes) -> None:
            response = await client.request("POST", "/v1/chat/completions", body, timeout_s=60)
            assert response.status == 200

        await lanes(call)
        await client.close()

    async def peer() -> None:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx2.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:

            async def call(body: bytes) -> None:
                response = await client.post(f"{url}/v1/chat/completions", content=body)
                assert response.status_code == 200

            await lanes(call)

    try:
        times = [
            (cpu_seconds(lambda: asyncio.run(ours())), cpu_seconds(lambda: asyncio.run(peer()))) for _ in range(RUNS)
        ]
    finally:
        process.kill()
        process.wait()
    scale = 1000 / CALLS
    return metric(
        [a * scale for a, _ in times], [b * scale for _, b in times], "httpx2", "CPU ms a call, 256 in flight"
    )


def serving_python() -> str | None:
    python = REPOSITORY / ".venv-vllm/bin/python"
    return str(python) if python.exists() else None


def server_client() -> Metric:
    """2,048 nano questions with pictures at 256 in flight to a real vLLM server: our engine and bare byte strings."""
    from cogito_core.engines import open_engine
    from tests.engines.load import bare_load, bodies_of, nano_requests
    from tests.engines.vllm_server import VllmServer

    requests = list(nano_requests(SERVER_CALLS))
    with VllmServer("nano", python=serving_python() or sys.executable) as server:
        engine = open_engine(f"openai:{server.url}", "nano", concurrency=256)
        bodies = bodies_of(engine, requests)

        def ours() -> None:
            assert all(result.error is None for result in engine.generate(requests))

        def peer() -> None:
            asyncio.run(bare_load(server.port, bodies))

        rates: tuple[list[float], list[float]] = ([], [])
        for work in (ours, peer):
            work()
        for _ in range(RUNS):
            for side, work in zip(rates, (ours, peer), strict=True):
                started = time.monotonic()
                work()
                side.append(SERVER_CALLS / (time.monotonic() - started))
        engine.close()
    return metric(*rates, "bare load generator", "answers/s from vLLM")


def load_test() -> dict[str, Metric]:
    """10,000 requests at 256 in flight, 5% of them harmed on the way, the server killed and restarted twice."""
    from tests.engines.load import run_through_faults
    from tests.engines.vllm_server import VllmServer

    with VllmServer("nano", python=serving_python() or sys.executable) as server:
        report = run_through_faults(server, REPOSITORY, count=LOAD_CALLS, kills=2)
    say(
        f"{report.answered} answered, {report.missing} lost, {report.doubled} doubled, {len(report.errors)} errors, "
        f"{report.retries} retries, {report.kills} kills, faults {report.faults}; {report.seconds:.0f} s; "
        f"memory grew by {report.memory_growth_mb:.0f} MiB after the first fifth"
    )
    exactly_once = report.answered - report.missing - report.doubled
    wanted = float(LOAD_CALLS)
    return {"exactly_once": metric([float(exactly_once)], [wanted], "requests sent", "answers")}


if __name__ == "__main__":
    main()
