"""One or many OpenAI-compatible servers as an engine: vLLM, SGLang, hosted APIs. Needs no torch."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.engines.base import Request, Result
from cogito_core.engines.dispatch import Dispatcher, Job, Outcome, Totals
from cogito_core.engines.encode import PixelLimits, RequestError
from cogito_core.engines.http1 import ConnectionBroken, HttpClient
from cogito_core.engines.models import NANO, resolve_model
from cogito_core.engines.servers import Server, base_url, describe
from cogito_core.engines.wire import MessageWriter
from cogito_core.masking import mask

_KEY_VARIABLES = ("COGITO_API_KEY", "OPENAI_API_KEY")


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens; a cached prompt token costs what `cached` says."""

    prompt: float = 0.0
    cached: float = 0.0
    completion: float = 0.0


class OpenAIEngine:
    """Sends every answer as one call with its own seed and spreads the calls over the servers.

    An event loop in a thread of its own keeps all servers busy while the caller judges what has come. Pictures are
    brought to their final size here, so a server's own pixel limits should be at least as wide as `limits`.
    """

    def __init__(
        self,
        model: str,
        urls: tuple[str, ...],
        *,
        limits: PixelLimits,
        concurrency: int,
        timeout_s: float,
        patience_s: float,
        prices: Prices,
    ) -> None:
        self.model = model
        self.limits = limits
        self.prices = prices
        self._writer = MessageWriter(limits)
        key = next((os.environ[name] for name in _KEY_VARIABLES if os.environ.get(name)), "")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        bases = dict.fromkeys(base_url(url) for url in urls)
        # Masked: this URL is the one that error sentences show, and a password may stand in it.
        self.servers = [Server(mask(url), HttpClient(url, headers), concurrency) for url in bases]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openai-engine", daemon=True)
        self._thread.start()
        self._dispatcher = Dispatcher(self.servers, model, key=key, timeout_s=timeout_s, patience_s=patience_s)
        try:
            self._wait(self._describe(bool(key)))
        except BaseException:
            self.close()
            raise
        root = next((server.traits.root for server in self.servers if server.traits.root), "")
        served = f"{model}@{root}" if root and root != model else model
        self.name = f"served/{served}/{limits.min_pixels}-{limits.max_pixels}px"

    @classmethod
    def open(
        cls,
        model: str,
        *,
        urls: tuple[str, ...],
        concurrency: int = 256,
        timeout_s: float = 900.0,
        patience_s: float = 300.0,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        price_prompt: float = 0.0,
        price_cached: float | None = None,
        price_completion: float = 0.0,
    ) -> OpenAIEngine:
        """Connect to servers that serve `model` under this name.

        Args:
            urls: base URLs, `/v1` added where there is no path.
            concurrency: most calls in flight at one server; fewer where the server complains.
            timeout_s: longest wait for one answer, in seconds.
            patience_s: how long all servers may be gone or busy before we give up, in seconds.
            min_pixels: fewest pixels of a picture; the model's own limit where `model` is nano or a local folder,
                else that of Qwen2.5-VL.
            max_pixels: most pixels of a picture, likewise.
            price_prompt: US dollars for a million prompt tokens.
            price_cached: the same for those that the server had in its cache; as `price_prompt` if absent.
            price_completion: US dollars for a million tokens written.

        The key comes from COGITO_API_KEY or OPENAI_API_KEY and is written nowhere.

        Raises:
            CogitoError: no server answers, or one refuses the key or does not serve the model.
        """
        limits = _limits_of(model).override(min_pixels, max_pixels)
        prices = Prices(price_prompt, price_prompt if price_cached is None else price_cached, price_completion)
        return cls(
            model,
            urls,
            limits=limits,
            concurrency=concurrency,
            timeout_s=timeout_s,
            patience_s=patience_s,
            prices=prices,
        )

    @property
    def context_tokens(self) -> int | None:
        """Most tokens of prompt and answer together at the smallest server, where the servers say so."""
        return min((s.traits.max_model_len for s in self.servers if s.traits.max_model_len), default=None)

    @property
    def totals(self) -> Totals:
        """Calls, retries and tokens since the engine was opened."""
        return self._dispatcher.totals

    @property
    def cost(self) -> float:
        """US dollars spent since the engine was opened, by the prices given to it."""
        totals, prices = self.totals, self.prices
        fresh = totals.prompt_tokens - totals.cached_tokens
        parts = fresh * prices.prompt + totals.cached_tokens * prices.cached
        return (parts + totals.completion_tokens * prices.completion) / 1e6

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Answer every request once, in the order in which the servers finish.

        A request that a server will never answer gives a Result with `error`.

        Raises:
            CogitoError: nothing will ever be answered (bad key, unknown model, all servers gone for `patience_s`).
        """
        outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        source = iter(requests)
        # Enough to keep every server busy while the caller is; the rest of the requests is not even read yet.
        window = 2 * sum(server.max_limit for server in self.servers)
        jobs: dict[Job, None] = {}
        open_calls = 0
        exhausted = False
        try:
            while True:
                while not exhausted and open_calls < window:
                    request = next(source, None)
                    if request is None:
                        exhausted = True
                        break
                    try:
                        job = self._job(request, outcomes)
                    except RequestError as error:
                        yield from self._tell(Result(request.id, (), str(error)), on_done)
                        continue
                    jobs[job] = None
                    open_calls += len(request.seeds)
                    self._loop.call_soon_threadsafe(self._dispatcher.submit, job)
                    if not outcomes.empty():
                        break
                if not jobs:
                    return
                outcome = outcomes.get()
                if isinstance(outcome, CogitoError):
                    raise outcome
                job, result = outcome
                del jobs[job]
                open_calls -= len(job.request.seeds)
                yield from self._tell(result, on_done)
        finally:
            if jobs and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._dispatcher.abandon, list(jobs))

    def close(self) -> None:
        """Abandon what is in flight and close all connections."""
        if self._loop.is_closed():
            return
        self._wait(self._dispatcher.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _tell(self, result: Result, on_done: Callable[[Result], None] | None) -> Iterator[Result]:
        if on_done is not None:
            on_done(result)
        yield result

    def _job(self, request: Request, outcomes: queue.SimpleQueue[Outcome]) -> Job:
        if not request.seeds:
            raise RequestError("the request asks for no answer: it has no seeds")
        images = request.chat.images
        route = images[0].sha256 if images else "".join(message.text for message in request.chat.messages)
        return Job(request, self._writer.messages(request.chat), route, outcomes)

    def _wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _describe(self, has_key: bool) -> None:
        found = await asyncio.gather(
            *(describe(server, self.model, has_key) for server in self.servers), return_exceptions=True
        )
        silent = []
        for server, outcome in zip(self.servers, found, strict=True):
            if isinstance(outcome, ConnectionBroken):
                server.last_trouble = str(outcome)
                silent.append(server)
            elif isinstance(outcome, BaseException):
                raise outcome
        if len(silent) == len(self.servers):
            said = "; ".join(f"{server.url} ({server.last_trouble})" for server in silent)
            raise CogitoError(f"no server answers at {said}")
        for server in silent:
            self._dispatcher.doubt(server)


def _limits_of(model: str) -> PixelLimits:
    if model == NANO or Path(model).is_dir():
        return PixelLimits.of_folder(resolve_model(model))
    return PixelLimits()
