"""A real HTTP server on a real socket that speaks the chat protocol and misbehaves on request.

`behave(number, body)` is called for every chat call with its running number and its decoded body and returns what to
do: "answer", an (status, error message[, headers]) tuple, or one of "reset", "close", "truncate", "garbage", "slow",
"hang", "chunked", "no usage".
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

Behaviour = Callable[[int, dict[str, Any]], Any]


class FakeServer:
    def __init__(
        self,
        behave: Behaviour = lambda number, body: "answer",
        *,
        model: str = "m",
        latency_s: float = 0.0,
        port: int = 0,
        owned_by: str = "vllm",
        key: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.behave = behave
        self.model = model
        self.latency_s = latency_s
        self.owned_by = owned_by
        self.key = key
        self.tls = tls
        self.calls: list[dict[str, Any]] = []
        self.asked: Counter[tuple[str, int]] = Counter()
        self.in_flight = self.most_in_flight = 0
        self.pictures: set[str] = set()
        self.port = port
        self.start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        ready = threading.Event()

        async def begin() -> None:
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=1 << 24, ssl=self.tls
            )
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.create_task(begin())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(60)

    def kill(self) -> None:
        """Drop every connection at once, as a killed process does."""

        def stop() -> None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_soon(self._loop.stop)

        self._loop.call_soon_threadsafe(stop)
        self._thread.join(60)
        self._loop.close()
        self.in_flight = 0

    def heard(self, authorization: str | None) -> None:
        """Called with what every request carries."""

    def tokenize(self, text: str) -> Any:
        return {"tokens": [sum(map(ord, text))]}

    def models(self) -> Any:
        return {"id": self.model, "owned_by": self.owned_by, "root": f"/weights/{self.model}", "max_model_len": 4096}

    def reply(self, body: dict[str, Any], text: str, *, usage: bool) -> dict[str, Any]:
        return reply(body, text, usage=usage)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = head.split("\r\n")
                method, path, _ = lines[0].split(" ")
                pairs = (line.split(": ", 1) for line in lines[1:-2])
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.heard(headers.get("authorization"))
                if self.key and headers.get("authorization") != f"Bearer {self.key}":
                    await self._send(writer, 401, {"error": {"message": f"wrong key {headers.get('authorization')}"}})
                elif method == "GET" and path == "/v1/models":
                    listed = self.models()
                    await self._send(writer, 200, listed if isinstance(listed, bytes) else {"data": [listed]})
                elif method == "GET" and path == "/health":
                    await self._send(writer, 200, {})
                elif path == "/tokenize":
                    await self._send(writer, 200, self.tokenize(json.loads(body)["prompt"]))
                elif path == "/v1/chat/completions":
                    if not await self._chat(writer, json.loads(body)):
                        return
                else:
                    await self._send(writer, 404, {"detail": "Not Found"})
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _chat(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        number = len(self.calls)
        text, pictures = read_chat(body)
        self.pictures.update(pictures)
        self.calls.append(body)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            return await self._act(writer, self.behave(number, body), body, text)
        finally:
            self.in_flight -= 1

    async def _act(self, writer: asyncio.StreamWriter, action: Any, body: dict[str, Any], text: str) -> bool:
        if isinstance(action, tuple):
            status, message, *headers = action
            said = message if isinstance(message, dict) else {"error": {"message": message}}
            await self._send(writer, status, said, headers[0] if headers else {})
            return True
        if action in ("reset", "close"):
            if action == "reset":
                writer.transport.abort()
            return False
        if action == "hang":
            await asyncio.sleep(3600)
        answer = json.dumps(self.reply(body, text, usage=action != "no usage")).encode()
        if action == "garbage":
            await self._send(writer, 200, b'{"choices": [{"message": {"content": "half')
            return True
        if action == "chunked":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(answer), 37):
                piece = answer[start : start + 37]
                writer.write(b"%x;x=y\r\n" % len(piece) + piece + b"\r\n")
            writer.write(b"0\r\ntrailer: 1\r\n\r\n")
            await writer.drain()
            return True
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer)
        if action == "truncate":
            writer.write(head + answer[: len(answer) // 2])
            await writer.drain()
            return False
        if action == "slow":
            for byte in head + answer:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)
            return True
        self.asked[text, body["seed"]] += action == "answer"
        writer.write(head + answer)
        await writer.drain()
        return True

    async def _send(
        self, writer: asyncio.StreamWriter, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n{extra}\r\n".encode() + data)
        await writer.drain()


def read_chat(body: dict[str, Any]) -> tuple[str, list[str]]:
    """The text of the last message, and the data URLs of its pictures."""
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content, []
    text = "".join(part["text"] for part in content if part["type"] == "text")
    return text, [part["image_url"]["url"] for part in content if part["type"] == "image_url"]


def reply(body: dict[str, Any], text: str, *, usage: bool = True) -> dict[str, Any]:
    seed = body["seed"]
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": f"{text}/{seed}"},
        "finish_reason": "stop",
    }
    if body.get("return_token_ids"):
        choice["token_ids"] = [7, seed % 1000]
    if body.get("logprobs"):
        choice["logprobs"] = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -0.25}]}
    out: dict[str, Any] = {"choices": [choice]}
    if usage:
        out["usage"] = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}}
    return out
