"""The servers behind one engine: how much each can take, which one a picture goes to, and whether it lives."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cogito_core.console import CogitoError, UsageError
from cogito_core.engines.encode import VISION_TOKENS
from cogito_core.engines.http1 import ConnectionBroken, HttpClient
from cogito_core.engines.wire import Fatal, ServerKind, ServerTraits, read_error
from cogito_core.masking import mask

_FIRST_LIMIT = 32.0
_PROBE_S = 15.0
_CUT = 0.7
_TOLERATED = 0.1
_FAILURES_TO_DOUBT = 8


def base_url(text: str) -> str:
    """A server's base URL: `http://` if no scheme is given, `/v1` if no path is given.

    Raises:
        UsageError: it is no http or https URL, or holds what would not be sent.
    """
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    shown = mask(text)
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:  # a broken IPv6 address, an empty label between two dots
        raise UsageError(f"'{shown}' is not a server URL like http://host:8000/v1") from None
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise UsageError(f"'{shown}' is not a server URL: its port is not a number from 1 to 65535")
    if parts.scheme not in ("http", "https") or not host or " " in host:
        raise UsageError(f"'{shown}' is not a server URL like http://host:8000/v1")
    if parts.query or parts.fragment:
        raise UsageError(f"'{shown}' is no base URL: it has a query; a key belongs into COGITO_API_KEY")
    return url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")


@dataclass(eq=False)
class Server:
    """One server: its connections, its load, and a limit that follows what it bears.

    The limit doubles with every round of successes until the server first complains, then grows by one a round; when
    more than a tenth of a second's answers are complaints it shrinks by 0.7 (additive increase, multiplicative
    decrease, as TCP does).
    """

    url: str
    client: HttpClient
    max_limit: int
    traits: ServerTraits = field(default_factory=lambda: ServerTraits("other"))
    in_flight: int = 0
    limit: float = 0.0
    up: bool = True
    last_success: float = 0.0
    paused_until: float = 0.0
    last_trouble: str = ""
    _slow_start: bool = True
    _failures: int = 0
    _complaints: int = 0
    _answers: int = 0
    _window_start: float = 0.0

    def __post_init__(self) -> None:
        self.limit = min(_FIRST_LIMIT, float(self.max_limit))
        self.last_success = self._window_start = time.monotonic()

    def has_room(self, now: float) -> bool:
        """Whether another call may be sent."""
        return self.up and now >= self.paused_until and self.in_flight < int(self.limit)

    def succeeded(self) -> None:
        """A call was answered: grow, if the limit was what held us back."""
        self.last_success = time.monotonic()
        self._failures = 0
        self._count(complaint=False)
        if self.in_flight + 1 >= 0.8 * int(self.limit):
            self.limit = min(float(self.max_limit), self.limit + (1.0 if self._slow_start else 1.0 / self.limit))

    def overloaded(self, after_s: float | None) -> None:
        """A call was turned away: shrink, and pause if the server says for how long."""
        self._count(complaint=True)
        if after_s:
            self.paused_until = max(self.paused_until, time.monotonic() + after_s)
        if self._complaints > max(1.0, _TOLERATED * (self._answers + self._complaints)):
            self.limit = max(1.0, self.limit * _CUT)
            self._slow_start = False
            self._new_window()

    def failed(self, reason: str) -> bool:
        """A call broke; returns whether the server should be doubted and probed."""
        self.last_trouble = reason
        self._failures += 1
        return self._failures >= _FAILURES_TO_DOUBT

    def went_down(self) -> None:
        """Take no calls until a probe succeeds; then begin carefully again."""
        self.up = False
        self._failures = 0
        self.limit = min(_FIRST_LIMIT, float(self.max_limit))
        self._slow_start = True

    def _count(self, *, complaint: bool) -> None:
        if time.monotonic() - self._window_start > 1.0:
            self._new_window()
        if complaint:
            self._complaints += 1
        else:
            self._answers += 1

    def _new_window(self) -> None:
        self._window_start = time.monotonic()
        self._complaints = self._answers = 0


def home(servers: list[Server], route: str) -> Server:
    """The server a picture belongs to, among those that are up (among all if none is).

    Rendezvous hashing (Thaler and Ravishankar 1998): a server that comes or goes moves only its own pictures, so the
    picture and prefix caches of all others stay warm.
    """
    return max(
        [server for server in servers if server.up] or servers,
        key=lambda s: hashlib.blake2b(f"{route}|{s.url}".encode(), digest_size=8).digest(),
    )


async def describe(server: Server, model: str, has_key: bool) -> None:
    """Ask a server what it is and whether it serves the model; fills in `server.traits`.

    Raises:
        ConnectionBroken: it does not answer.
        CogitoError: it answers, but will never serve this model to us.
    """
    client = server.client
    response = await client.request("GET", f"{client.prefix}/models", timeout_s=_PROBE_S)
    if response.status >= 500 or response.status in (408, 429):
        raise ConnectionBroken(f"status {response.status}", connected=True)
    if response.status in (404, 405):
        return  # some hosted servers list no models; the first call will tell
    if response.status != 200:
        verdict = read_error(response, server.url, model, has_key)
        if isinstance(verdict, Fatal):
            raise CogitoError(verdict.reason)
        raise CogitoError(f"the server {server.url} does not list its models (status {response.status})")
    try:
        cards = {str(card["id"]): dict(card) for card in json.loads(response.body)["data"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CogitoError(f"{server.url} is not the base URL of an OpenAI-compatible server") from error
    if model not in cards:
        served = ", ".join(sorted(cards)[:5]) or "nothing"
        raise CogitoError(f"the server {server.url} does not serve '{model}'; it serves: {served}")
    card = cards[model]
    if card.get("owned_by") == "vllm":
        server.traits = ServerTraits(
            "vllm", _context_of(card), str(card.get("root") or ""), await _banned(client, model)
        )
    elif (urlsplit(server.url).hostname or "").endswith("openai.com"):
        server.traits = ServerTraits("openai")
    else:
        kind: ServerKind = "sglang" if card.get("owned_by") == "sglang" else "other"
        server.traits = ServerTraits(kind, _context_of(card), str(card.get("root") or ""))


def _context_of(card: dict[str, Any]) -> int | None:
    """Tokens of prompt and answer together that a model's card states, where it states any."""
    stated = card.get("max_model_len")
    return stated if isinstance(stated, int) and stated > 1 else None


async def is_well(server: Server) -> str | None:
    """None if the server answers, else what is wrong with it."""
    root = server.client.prefix.removesuffix("/v1")
    try:
        for path in ([f"{root}/health"] if server.traits.kind == "vllm" else []) + [f"{server.client.prefix}/models"]:
            response = await server.client.request("GET", path, timeout_s=_PROBE_S)
            if response.status >= 500:
                return f"status {response.status}"
    except ConnectionBroken as error:
        return str(error)
    return None


async def _banned(client: HttpClient, model: str) -> tuple[int, ...]:
    """The ids of the vision tokens, as vLLM's own tokenizer counts them; text that is no single token is left out."""
    found = []
    for token in VISION_TOKENS:
        body = json.dumps({"model": model, "prompt": token, "add_special_tokens": False}).encode()
        response = await client.request(
            "POST", f"{client.prefix.removesuffix('/v1')}/tokenize", body, timeout_s=_PROBE_S
        )
        if response.status != 200:
            return ()
        try:
            ids = [int(token) for token in json.loads(response.body)["tokens"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return ()
        if len(ids) == 1:
            found.append(ids[0])
    # A tokenizer without these tokens maps them all to its unknown token.
    return tuple(sorted(found)) if len(set(found)) == len(found) else ()
