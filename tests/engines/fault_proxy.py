"""An HTTP proxy that harms a share of the chat calls that go through it; a process of its own.

python -m tests.engines.fault_proxy --listen PORT --upstream PORT --share 0.05 --seed 0

Each harmed call suffers one of: the connection reset before or in the middle of the answer, status 429 with
Retry-After, status 500, the answer dribbled slowly, its JSON cut short. GET /faults tells how often each was done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter

FAULTS = ("reset", "break", "429", "500", "slow", "truncate")


class FaultProxy:
    def __init__(self, upstream: int, share: float, seed: int) -> None:
        self.upstream = upstream
        self.share = share
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay the calls of one connection until either side ends it."""
        upstream: asyncio.StreamWriter | None = None
        try:
            while True:
                head, body = await _read_message(reader)
                if head.startswith(b"GET /faults "):
                    await _send(writer, b"HTTP/1.1 200 OK\r\n", json.dumps(self.done).encode())
                    continue
                harmed = head.startswith(b"POST /v1/chat/completions ") and self.random.random() < self.share
                fault = self.random.choice(FAULTS) if harmed else "none"
                self.done[fault] += 1
                if fault == "reset":
                    return
                if fault == "429":
                    await _send(writer, b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0.05\r\n", b"{}")
                    continue
                if fault == "500":
                    await _send(writer, b"HTTP/1.1 500 Internal Server Error\r\n", b'{"error": {"message": "boom"}}')
                    continue
                if upstream is None or upstream.is_closing():
                    source, upstream = await asyncio.open_connection("127.0.0.1", self.upstream, limit=1 << 24)
                upstream.write(head + body)
                answer_head, answer = await _read_message(source)
                if fault == "break":
                    writer.write(answer_head + answer[: len(answer) // 2])
                    await writer.drain()
                    return
                if fault == "truncate":
                    await _send(writer, b"HTTP/1.1 200 OK\r\n", answer[: len(answer) // 2])
                elif fault == "slow":
                    writer.write(answer_head)
                    for start in range(0, len(answer), 100):
                        await asyncio.sleep(0.1)
                        writer.write(answer[start : start + 100])
                    await writer.drain()
                else:
                    writer.write(answer_head + answer)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side is gone; the other one learns it below
        finally:
            writer.transport.abort()
            if upstream is not None:
                upstream.close()


async def _read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head, await reader.readexactly(size)


async def _send(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
    writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--upstream", type=int, required=True)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    proxy = FaultProxy(options.upstream, options.share, options.seed)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", options.listen, limit=1 << 24, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
