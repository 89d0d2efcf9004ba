"""Calls on their way: which server takes the next one, what is asked again, and when we give up."""

from __future__ import annotations

import asyncio
import queue
import random
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.engines.base import Answer, Request, Result
from cogito_core.engines.http1 import ConnectionBroken
from cogito_core.engines.servers import Server, describe, home, is_well
from cogito_core.engines.wire import Fatal, Refused, Retry, Usage, read_answer, read_error, request_body, unwrapped

_MAX_TRIES = 10
_FIRST_BACKOFF_S = 0.2
_LAST_BACKOFF_S = 30.0
_PROBE_EVERY_S = 1.0


@dataclass(slots=True)
class Totals:
    """What the engine has done so far; tokens as the servers count them."""

    calls: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """One request on its way; its result goes to `outcomes` exactly once."""

    request: Request
    messages: bytes
    route: str
    outcomes: queue.SimpleQueue[Outcome]
    answers: dict[int, Answer] = field(default_factory=dict)
    done: bool = False


Outcome = tuple[Job, Result] | CogitoError


@dataclass(slots=True, eq=False)
class _Call:
    job: Job
    index: int
    tries: int = 0
    since: float = field(default_factory=time.monotonic)


class Dispatcher:
    """Keeps the servers busy. Every method runs in the event loop's thread.

    A call waits in the queue of the server its picture belongs to. A server with room and an empty queue takes calls
    from the longest queue of a server without room, so pictures stay where they are cached and nobody is idle.
    """

    def __init__(self, servers: list[Server], model: str, *, key: str, timeout_s: float, patience_s: float) -> None:
        self.totals = Totals()
        self._servers = servers
        self._model = model
        self._key = key
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._waiting: dict[Server, deque[_Call]] = {server: deque() for server in servers}
        self._open: set[Job] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._all_gone_since = 0.0

    def submit(self, job: Job) -> None:
        """Queue one call for each seed of the job."""
        self._open.add(job)
        queued = self._waiting[home(self._servers, job.route)]
        queued.extend(_Call(job, index) for index in range(len(job.request.seeds)))
        self._dispatch()

    def abandon(self, jobs: list[Job]) -> None:
        """Forget jobs nobody waits for; calls in flight run out and are thrown away."""
        for job in jobs:
            job.done = True
            self._open.discard(job)
        for server, queued in self._waiting.items():
            self._waiting[server] = deque(call for call in queued if not call.job.done)

    def doubt(self, server: Server) -> None:
        """Send a server nothing until a probe succeeds."""
        if server.up:
            server.went_down()
            orphans, self._waiting[server] = self._waiting[server], deque()
            for call in orphans:
                self._waiting[home(self._servers, call.job.route)].append(call)
            if not any(other.up for other in self._servers):
                self._all_gone_since = time.monotonic()
            self._spawn(self._probe(server))

    async def close(self) -> None:
        """Stop everything."""
        for queued in self._waiting.values():
            queued.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.client.close()

    def _dispatch(self) -> None:
        now = time.monotonic()
        for server in self._servers:
            while server.has_room(now) and (call := self._next_for(server, now)) is not None:
                server.in_flight += 1
                self._spawn(self._attempt(call, server))

    def _next_for(self, server: Server, now: float) -> _Call | None:
        donors = [other for other in self._servers if self._waiting[other] and not other.has_room(now)]
        longest = sorted(donors, key=lambda other: -len(self._waiting[other]))
        for queued in [self._waiting[server], *(self._waiting[other] for other in longest)]:
            while queued:
                call = queued.popleft()
                if not call.job.done:
                    return call
        return None

    async def _attempt(self, call: _Call, server: Server) -> None:
        request = call.job.request
        body = request_body(
            self._model, call.job.messages, request.sampling, request.seeds[call.index], server.traits
        )
        path = f"{server.client.prefix}/chat/completions"
        connected = True
        outcome: tuple[Answer, Usage] | Retry | Refused | Fatal
        try:
            self.totals.calls += 1
            response = unwrapped(await server.client.request("POST", path, body, timeout_s=self._timeout_s))
            if response.status == 200:
                outcome = read_answer(response, request.seeds[call.index], request.sampling.logprobs)
            else:
                outcome = read_error(response, server.url, self._model, bool(self._key))
        except ConnectionBroken as error:
            connected = error.connected
            outcome = Retry(str(error))
        finally:
            server.in_flight -= 1
        if isinstance(outcome, tuple):
            self._answered(call, server, *outcome)
        elif isinstance(outcome, Retry):
            self._again(call, server, outcome, connected)
        elif isinstance(outcome, Refused):
            self._finish(call.job, self._clean(outcome.reason))
        else:
            self._stop(outcome.reason)
        self._dispatch()

    def _answered(self, call: _Call, server: Server, answer: Answer, usage: Usage) -> None:
        server.succeeded()
        self.totals.prompt_tokens += usage.prompt_tokens
        self.totals.cached_tokens += usage.cached_tokens
        self.totals.completion_tokens += usage.completion_tokens
        job = call.job
        job.answers[call.index] = answer
        if len(job.answers) == len(job.request.seeds):
            self._finish(job, None)

    def _again(self, call: _Call, server: Server, retry: Retry, connected: bool) -> None:
        self.totals.retries += 1
        delay = min(_LAST_BACKOFF_S, _FIRST_BACKOFF_S * 2**call.tries) * random.uniform(0.5, 1.0)
        if retry.overloaded:
            server.overloaded(retry.after_s)
            if retry.after_s:
                asyncio.get_running_loop().call_later(retry.after_s, self._dispatch)
            waited = time.monotonic() - max(server.last_success, call.since)
            if waited > self._patience_s:
                self._finish(call.job, f"{server.url} was overloaded for {waited:.0f} s: {self._clean(retry.reason)}")
                return
            call.tries = min(call.tries + 1, _MAX_TRIES - 2)
        elif not connected:
            # The server is gone, which is no fault of this call; the probe decides when it is back.
            server.last_trouble = retry.reason
            self.doubt(server)
            delay = 0.0
        else:
            call.tries += 1
            if server.failed(retry.reason):
                self.doubt(server)
            if call.tries >= _MAX_TRIES:
                self._finish(call.job, f"{server.url} failed {call.tries} times, last: {self._clean(retry.reason)}")
                return
        asyncio.get_running_loop().call_later(delay, self._requeue, call)

    def _requeue(self, call: _Call) -> None:
        # In front: a call that has waited longest keeps its request from being finished.
        self._waiting[home(self._servers, call.job.route)].appendleft(call)
        self._dispatch()

    async def _probe(self, server: Server) -> None:
        while True:
            trouble = await is_well(server)
            if trouble is None:
                try:
                    # It may have come back as something else.
                    await describe(server, self._model, bool(self._key))
                    break
                except ConnectionBroken as error:
                    trouble = str(error)
                except CogitoError as error:
                    trouble = str(error)
                    self._stop(trouble)
            server.last_trouble = trouble
            if not any(other.up for other in self._servers):
                gone = time.monotonic() - self._all_gone_since
                if gone > self._patience_s:
                    self._stop(f"no server has answered for {gone:.0f} s: {server.url} ({trouble})")
            await asyncio.sleep(_PROBE_EVERY_S)
        server.up = True
        self._dispatch()

    def _finish(self, job: Job, error: str | None) -> None:
        if job.done:
            return
        job.done = True
        self._open.discard(job)
        answers = () if error else tuple(job.answers[i] for i in range(len(job.answers)))
        job.outcomes.put((job, Result(job.request.id, answers, error)))

    def _stop(self, reason: str) -> None:
        """Nothing will be answered any more: tell everybody who waits."""
        queues = {id(job.outcomes): job.outcomes for job in self._open}
        self.abandon(list(self._open))
        for outcomes in queues.values():
            outcomes.put(CogitoError(self._clean(reason)))

    def _clean(self, text: str) -> str:
        # Some servers echo the key in their complaint.
        return text.replace(self._key, "***") if self._key else text

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A fault of ours; without this the caller would wait for ever.
            self._stop(f"the engine failed unexpectedly ({type(error).__name__}: {error})")
