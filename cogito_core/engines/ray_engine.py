"""Engine workers as Ray actors: the same requests, spread over a cluster, whatever dies in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from cogito_core.console import CogitoError, UsageError
from cogito_core.engines.base import Engine, Request, Result

_CHUNKS_AHEAD = 2
_MAX_DEATHS = 3
_READY_S = 1800.0


class _Worker:
    """Runs in the actor: one engine, asked chunk by chunk."""

    def __init__(self, open_one: Callable[[], Engine]) -> None:
        self.error: str | None = None
        try:
            self.engine = open_one()
        except CogitoError as error:
            self.error = str(error)

    def hello(self) -> tuple[str | None, str | None]:
        """(name of the engine, None), or (None, why it could not be opened)."""
        return (None, self.error) if self.error else (self.engine.name, None)

    def answer(self, requests: list[Request]) -> list[Result]:
        """All results of a chunk at once: a chunk is answered wholly or not at all."""
        return list(self.engine.generate(requests))


@dataclass(eq=False, slots=True)
class _Chunk:
    requests: list[Request]
    deaths: int = 0


@dataclass(eq=False, slots=True)
class _Seat:
    """One place for a worker; a dead worker is replaced in its place."""

    actor: Any
    hello: Any
    ready: bool = False
    chunks: dict[Any, _Chunk] = field(default_factory=dict)


class RayEngine:
    """Spreads chunks of requests over engine workers in a Ray cluster.

    Each worker reserves its GPUs as Ray resources; nodes that come later are used as Ray starts workers on them. A
    chunk whose worker dies is given to another one. Every worker opens the same engine, so where a chunk is answered
    changes nothing.
    """

    def __init__(
        self,
        open_one: Callable[[], Engine],
        *,
        workers: int,
        resources: dict[str, float],
        chunk_answers: int,
    ) -> None:
        self._open_one = open_one
        self._resources = resources
        self._chunk_answers = chunk_answers
        self.name = ""
        self._seats = [self._sit() for _ in range(workers)]
        try:
            self._await_first()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls, address: str, spec: str, model: str, options: dict[str, Any], open_one: Callable[..., Engine]
    ) -> RayEngine:
        """Connect to a cluster and start workers.

        Args:
            open_one: opens one engine in a worker, called as `open_one(spec, model, **options)`.
            address: `auto` (the cluster this machine belongs to), `local` (a new one here), or `ray://host:port`.
            options: those of the engine itself, and `workers` (default: as many as the cluster's GPUs or, without
                GPUs, its nodes allow), `worker_gpus`, `worker_cpus`, `chunk_answers`.

        Raises:
            CogitoError: there is no such cluster, it has no room, or the workers cannot open the engine.
        """
        if spec.startswith("openai:"):
            raise UsageError("servers need no cluster: give their URLs to --engine and leave --cluster out")
        options = dict(options)
        workers = options.pop("workers", None)
        gpus = options.pop("worker_gpus", None)
        cpus = options.pop("worker_cpus", 1)
        chunk_answers = options.pop("chunk_answers", 2048 if spec == "vllm" else 128)
        if not ray.is_initialized():
            try:
                ray.init(address=None if address == "local" else address, log_to_driver=False, logging_level="error")
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise CogitoError(f"there is no Ray cluster at '{address}' ({str(error).splitlines()[0]})") from error
        total = ray.cluster_resources()
        if gpus is None:
            gpus = options.get("tensor_parallel", 1) if total.get("GPU") else 0
        if workers is None:
            nodes = sum(1 for node in ray.nodes() if node["Alive"])
            workers = int(total.get("GPU", 0) // gpus) if gpus else nodes
        if workers < 1:
            raise CogitoError(f"the cluster has {int(total.get('GPU', 0))} GPUs, one worker needs {gpus}")
        resources = {"num_gpus": gpus, "num_cpus": cpus}
        recipe = partial(open_one, spec, model, **options)
        return cls(recipe, workers=workers, resources=resources, chunk_answers=chunk_answers)

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Answer every request once, chunk by chunk as they are finished.

        Raises:
            CogitoError: a worker cannot open the engine.
        """
        source = self._chunks(iter(requests))
        again: deque[_Chunk] = deque()
        try:
            while self._hand_out(source, again):
                waiting = {ref: seat for seat in self._seats for ref in (seat.chunks if seat.ready else [seat.hello])}
                done, _ = ray.wait(list(waiting), num_returns=1, timeout=_READY_S)
                if not done:
                    raise CogitoError(f"no worker of the cluster has moved for {_READY_S:.0f} s; see `ray status`")
                for result in self._settle(waiting[done[0]], done[0], again):
                    if on_done is not None:
                        on_done(result)
                    yield result
        finally:
            for seat in self._seats:
                seat.chunks.clear()

    def close(self) -> None:
        """Stop the workers; the cluster stays as it was."""
        for seat in self._seats:
            ray.kill(seat.actor)
        self._seats = []

    def _chunks(self, requests: Iterator[Request]) -> Iterator[_Chunk]:
        held: list[Request] = []
        answers = 0
        for request in requests:
            held.append(request)
            answers += len(request.seeds)
            if answers >= self._chunk_answers:
                yield _Chunk(held)
                held, answers = [], 0
        if held:
            yield _Chunk(held)

    def _hand_out(self, source: Iterator[_Chunk], again: deque[_Chunk]) -> bool:
        """Give every ready worker something to do; returns whether anything is still to come."""
        more = True
        for seat in self._seats:
            while more and seat.ready and len(seat.chunks) < _CHUNKS_AHEAD:
                chunk = again.popleft() if again else next(source, None)
                if chunk is None:
                    more = False
                else:
                    seat.chunks[seat.actor.answer.remote(chunk.requests)] = chunk
        return more or any(seat.chunks for seat in self._seats)

    def _settle(self, seat: _Seat, reference: Any, again: deque[_Chunk]) -> list[Result]:
        """Take in what a worker has to say: that it is ready, results, or nothing because it is dead."""
        try:
            said = ray.get(reference)
        except RayActorError:
            return self._replace(seat, again)
        except RayTaskError as error:
            raise CogitoError(f"a worker failed: {error.cause}") from error
        if reference in seat.chunks:
            del seat.chunks[reference]
            return list(said)
        self._greet(seat, *said)
        return []

    def _greet(self, seat: _Seat, name: str | None, error: str | None) -> None:
        if error is not None or name is None:
            raise CogitoError(f"a worker of the cluster cannot open the engine: {error}")
        if self.name and name != self.name:
            raise CogitoError(f"the workers of the cluster hold different models: {self.name} and {name}")
        self.name = name
        seat.ready = True

    def _replace(self, seat: _Seat, again: deque[_Chunk]) -> list[Result]:
        """Put a new worker in a dead one's place and its chunks back; a chunk that keeps killing is given up."""
        given_up: list[Result] = []
        for place, chunk in enumerate(seat.chunks.values()):
            chunk.deaths += place == 0  # a worker answers its chunks in order
            if chunk.deaths < _MAX_DEATHS:
                again.append(chunk)
            else:
                reason = f"{chunk.deaths} workers died while answering this chunk of requests"
                given_up += [Result(request.id, (), reason) for request in chunk.requests]
        fresh = self._sit()
        seat.actor, seat.hello, seat.ready, seat.chunks = fresh.actor, fresh.hello, False, {}
        return given_up

    def _sit(self) -> _Seat:
        actor = ray.remote(_Worker).options(**self._resources).remote(self._open_one)
        return _Seat(actor, actor.hello.remote())

    def _await_first(self) -> None:
        """Wait until one worker is ready, so that the engine has its name."""
        deaths = 0
        while not self.name:
            waiting = {seat.hello: seat for seat in self._seats}
            done, _ = ray.wait(list(waiting), num_returns=1, timeout=_READY_S)
            if not done:
                raise CogitoError(f"the cluster gave no worker its {self._resources} within {_READY_S:.0f} s")
            self._settle(waiting[done[0]], done[0], deque())
            deaths += not waiting[done[0]].ready
            if deaths > _MAX_DEATHS:
                raise CogitoError("the workers of the cluster die while they load the model; see `ray logs`")
