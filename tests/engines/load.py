"""Load for a real server: nano questions with pictures, a bare load generator, and a run through faults and kills."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cogito_core.engines import open_engine
from cogito_core.engines.base import Chat, Message, Request, Sampling, seed_of
from cogito_core.engines.openai_engine import OpenAIEngine
from cogito_core.engines.wire import request_body
from cogito_core.sample import Picture

from .vllm_server import VllmServer

IN_FLIGHT = 256


def nano_requests(count: int, *, max_tokens: int = 32) -> Iterator[Request]:
    """`count` different nano questions with a picture each, one answer wanted for each."""
    from cogito_nano.tasks import CATEGORIES, task

    sampling = Sampling(temperature=1.0, max_tokens=max_tokens)
    for i in range(count):
        item = task(CATEGORIES[i % 6], 1 + i % 3, i)
        chat = Chat((Message("user", item.problem),), (Picture(item.png_bytes, f"{i}.png"),))
        yield Request(str(i), chat, (seed_of("load", i),), sampling)


def bodies_of(engine: OpenAIEngine, requests: list[Request]) -> list[bytes]:
    """The very bodies the engine would send, made beforehand, for the bare generator."""
    traits = engine.servers[0].traits
    return [
        request_body(engine.model, engine._writer.messages(r.chat), r.sampling, r.seeds[0], traits) for r in requests
    ]


async def bare_load(port: int, bodies: list[bytes]) -> None:
    """Send bodies over 256 connections as fast as the server takes them; looks at nothing but status and length."""
    source = iter(bodies)

    async def lane() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        for body in source:
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n" % len(body) + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the server said {head[:40]!r}")
            size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(size)
        writer.close()

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))


@dataclass(frozen=True)
class LoadReport:
    """What came of a run through faults and kills."""

    seconds: float
    answered: int
    missing: int
    doubled: int
    errors: tuple[str, ...]
    retries: int
    faults: dict[str, int]
    kills: int
    memory_growth_mb: float


def run_through_faults(
    server: VllmServer, repository: Path, *, count: int, kills: int, share: float = 0.05
) -> LoadReport:
    """Ask `count` questions through the fault proxy while the server is killed and started again `kills` times."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.engines.fault_proxy", "--listen", str(port)]
    command += ["--upstream", str(server.port), "--share", str(share)]
    proxy = subprocess.Popen(command, cwd=repository)
    try:
        _wait_for(port)
        engine = open_engine(f"openai:http://127.0.0.1:{port}", "nano", concurrency=IN_FLIGHT, timeout_s=300.0)
        return _run(engine, server, port, count=count, kills=kills)
    finally:
        proxy.kill()
        proxy.wait()


def _run(engine: OpenAIEngine, server: VllmServer, port: int, *, count: int, kills: int) -> LoadReport:
    done: Counter[str] = Counter()
    errors: list[str] = []
    kill_at = [count * (i + 1) // (kills + 1) for i in range(kills)]
    killed = 0
    memory: dict[int, float] = {}
    restarts: list[threading.Thread] = []
    started = time.monotonic()
    for result in engine.generate(nano_requests(count)):
        done[result.id] += 1
        if result.error is not None:
            errors.append(result.error)
        if len(done) % (count // 10) == 0:
            memory[len(done)] = resident_mb()
        if killed < kills and len(done) >= kill_at[killed]:
            killed += 1
            restarts.append(threading.Thread(target=_kill_and_restart, args=(server,)))
            restarts[-1].start()
    seconds = time.monotonic() - started
    for thread in restarts:
        thread.join()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/faults", timeout=60) as response:
        faults = json.load(response)
    retries = engine.totals.retries
    engine.close()
    early = memory[count // 10 * 2]
    return LoadReport(
        seconds=seconds,
        answered=len(done) - len(errors),
        missing=sum(str(i) not in done for i in range(count)),
        doubled=sum(times > 1 for times in done.values()),
        errors=tuple(errors),
        retries=retries,
        faults=faults,
        kills=killed,
        memory_growth_mb=max(memory.values()) - early,
    )


def resident_mb() -> float:
    """Memory of this process that is in RAM, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _kill_and_restart(server: VllmServer) -> None:
    server.kill()
    server.start()
    server.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the fault proxy does not listen")
