"""A small HTTP/1.1 client for many long calls to few servers, over asyncio streams.

Why not a library: at 256 calls in flight httpx 0.28 spends 7 ms of CPU on a call, more than a fast server on the
answer, and httpx2 1.4 ms; this client spends 0.1 ms (bench/engines.py).
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass

_IDLE_S = 4.0
"""Idle connections are dropped before uvicorn's five seconds, so that a call rarely meets a closing one."""

_CONNECT_S = 10.0
_MAX_BODY = 256 << 20


class ConnectionBroken(Exception):
    """No complete answer came; `connected` says whether the server took the connection at all."""

    def __init__(self, reason: str, *, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """Status, headers (names in lower case) and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """Connections to one server, kept alive and handed out last in first out. Use from one event loop only."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self.prefix = parts.path.rstrip("/")
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._proxy = _proxy_for(parts.scheme, self._host)
        self._context = ssl.create_default_context() if self._tls else None
        default_port = self._port == (443 if self._tls else 80)
        host = f"[{self._host}]" if ":" in self._host else self._host
        fixed = {"host": host if default_port else f"{host}:{self._port}", "accept-encoding": "identity", **headers}
        if parts.username is not None:  # a reverse proxy in front of the server wants to know who asks
            fixed["authorization"] = _basic(parts.username, parts.password)
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in fixed.items()).encode("latin-1")
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(self, method: str, path: str, body: bytes = b"", *, timeout_s: float) -> HttpResponse:
        """Send one request and read the whole answer.

        Raises:
            ConnectionBroken: the connection was refused or broke, or the answer was malformed or late.
        """
        head = f"{method} {path} HTTP/1.1\r\n".encode("latin-1") + self._fixed
        if body:
            head += b"content-type: application/json\r\n"
        head += b"content-length: %d\r\n\r\n" % len(body)
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    reader, writer, reused = await self._connection()
                    try:
                        return await self._exchange(reader, writer, head, body)
                    except _Stale:
                        if not reused:
                            raise ConnectionBroken("the server closed the connection", connected=True) from None
                        # The server closed an idle connection just as we took it: not a failure, ask again.
        except TimeoutError:
            raise ConnectionBroken(f"no answer within {timeout_s:g} s", connected=True) from None

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[2].close()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bool]:
        now = time.monotonic()
        while self._idle:
            since, reader, writer = self._idle.pop()
            if now - since < _IDLE_S and not writer.is_closing() and not reader.at_eof():
                return reader, writer, True
            writer.close()
        try:
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await self._connect()
        except TimeoutError:
            raise ConnectionBroken(f"no connection within {_CONNECT_S:g} s", connected=False) from None
        except ssl.SSLError as error:
            raise ConnectionBroken(f"no secure connection ({error.reason})", connected=False) from error
        except OSError as error:
            raise ConnectionBroken(error.strerror or str(error), connected=False) from error
        return reader, writer, False

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._proxy is None:
            return await asyncio.open_connection(self._host, self._port, ssl=self._context, limit=1 << 20)
        host, port, authorization = self._proxy
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
        target = f"{self._host}:{self._port}"
        writer.write(f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{authorization}\r\n".encode("latin-1"))
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n", 1)[0] + b" ":
            writer.close()
            raise ConnectionBroken(f"the proxy {host} refuses a connection to {self._host}", connected=False)
        if self._context is not None:
            await writer.start_tls(self._context, server_hostname=self._host)
        return reader, writer

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, body: bytes
    ) -> HttpResponse:
        kept = False
        try:
            try:
                writer.write(head + body)
                await writer.drain()
                status, headers = await _read_head(reader)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                started = isinstance(error, asyncio.IncompleteReadError) and bool(error.partial)
                if started:
                    raise ConnectionBroken("the answer broke off in its header", connected=True) from error
                raise _Stale from error
            content, complete = await _read_body(reader, status, headers)
            kept = complete and headers.get("connection", "").lower() != "close"
            if kept:
                self._idle.append((time.monotonic(), reader, writer))
            return HttpResponse(status, headers, content)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ConnectionBroken("the answer broke off", connected=True) from error
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise ConnectionBroken(f"the answer is not HTTP ({error})", connected=True) from error
        finally:
            if not kept:
                writer.close()


class _Stale(Exception):
    """The connection was closed before the first byte of an answer."""


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    while True:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(f"it begins with {lines[0][:40]!r}")
        status = int(rest[:3])
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if status >= 200:
            return status, headers


async def _read_body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
    """The body, and whether the connection can be used again."""
    if status in (204, 304):
        return b"", True
    if "chunked" in headers.get("transfer-encoding", "").lower():
        chunks: list[bytes] = []
        total = 0
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            total += size
            if total > _MAX_BODY:
                raise ValueError("its body is too large")
            chunks.append(await reader.readexactly(size))
            await reader.readexactly(2)
        while (await reader.readuntil(b"\r\n")) != b"\r\n":
            pass  # trailers
        return b"".join(chunks), True
    if "content-length" in headers:
        size = int(headers["content-length"])
        if not 0 <= size <= _MAX_BODY:
            raise ValueError("its body is too large")
        return await reader.readexactly(size), True
    return await reader.read(_MAX_BODY), False


def _proxy_for(scheme: str, host: str) -> tuple[str, int, str] | None:
    """(host, port, authorization header line) of the proxy named by HTTPS_PROXY, HTTP_PROXY and NO_PROXY."""
    name = f"{scheme}_proxy"
    value = os.environ.get(name) or os.environ.get(name.upper())
    if not value or host in ("localhost", "127.0.0.1", "::1") or _bypassed(host):
        return None
    parts = urlsplit(value if "//" in value else f"//{value}")
    authorization = ""
    if parts.username:
        authorization = f"proxy-authorization: {_basic(parts.username, parts.password)}\r\n"
    return parts.hostname or "", parts.port or 3128, authorization


def _basic(user: str, password: str | None) -> str:
    secret = f"{unquote(user)}:{unquote(password or '')}".encode()
    return f"Basic {base64.b64encode(secret).decode()}"


def _bypassed(host: str) -> bool:
    bypass: Any = proxy_bypass
    return bool(bypass(host))
