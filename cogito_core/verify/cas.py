"""The last step of the ladder, off by default: Math-Verify in a worker process that is killed at its deadline.

For evaluation only. A reward should be proved by this package's own steps; `spec={"cas": seconds}` asks for a second
opinion where those leave a pair undecided.
"""

from __future__ import annotations

import atexit
import importlib.util
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock

MAX_CHARS = 2_000
START_SECONDS = 60.0


def available() -> bool:
    """Whether Math-Verify is installed."""
    return importlib.util.find_spec("math_verify") is not None


def _serve(pipe: Connection) -> None:
    """The worker: answers (gold, answer) with True, False or None. Its own time limits are off; the parent's
    kill is the limit."""
    import logging

    logging.disable(logging.CRITICAL)
    from math_verify import parse
    from math_verify import verify as equal

    pipe.send("ready")
    while True:
        try:
            gold, answer = pipe.recv()
        except EOFError:
            return
        try:
            one, other = (parse(f"${text}$", parsing_timeout=None) for text in (gold, answer))
            pipe.send(bool(equal(one, other, timeout_seconds=None)) if one and other else None)
        except Exception:  # the worker's job is to survive what the library does
            pipe.send(None)


class MathVerify:
    """One worker process, started when first asked, killed at a deadline and started again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def ask(self, gold: str, answer: str, seconds: float) -> bool | None:
        """Math-Verify's opinion, or None where it has none, is not installed, or took longer than `seconds`."""
        if not available() or len(gold) > MAX_CHARS or len(answer) > MAX_CHARS:
            return None
        with self._lock:
            try:
                pipe = self._started()
                if pipe is None:
                    return None
                pipe.send((gold, answer))
                if not pipe.poll(seconds):
                    self._kill()
                    return None
                said = pipe.recv()
            except (EOFError, OSError):
                self._kill()
                return None
        return said if isinstance(said, bool) else None

    def _started(self) -> Connection | None:
        if self._process is None or not self._process.is_alive():
            self._kill()
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
            if not self._pipe.poll(START_SECONDS) or self._pipe.recv() != "ready":
                self._kill()
        return self._pipe

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._kill()


WORKER = MathVerify()
atexit.register(WORKER.close)
