"""The last step of the ladder, off by default: Math-Verify in a worker process that is killed at its deadline.

For evaluation only. A reward should be proved by this package's own steps; `spec={"cas": seconds}` asks for a second
opinion where those leave a pair undecided.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import select
import subprocess
import sys
from threading import Lock

MAX_CHARS = 2_000
START_SECONDS = 60.0


def available() -> bool:
    """Whether Math-Verify is installed."""
    return importlib.util.find_spec("math_verify") is not None


_WORKER = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from math_verify import parse, verify
print("ready", flush=True)
for line in sys.stdin:
    gold, answer = json.loads(line)
    try:
        one, other = (parse(f"${text}$", parsing_timeout=None) for text in (gold, answer))
        said = bool(verify(one, other, timeout_seconds=None)) if one and other else None
    except Exception:
        said = None
    print(json.dumps(said), flush=True)
"""
"""The worker's program. Its own time limits are off: the parent's kill is the limit."""


class MathVerify:
    """One worker process, started when first asked, killed at a deadline and started again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, gold: str, answer: str, seconds: float) -> bool | None:
        """Math-Verify's opinion, or None where it has none, is not installed, or took longer than `seconds`."""
        if not available() or len(gold) > MAX_CHARS or len(answer) > MAX_CHARS:
            return None
        with self._lock:
            try:
                process = self._started()
                if process is None or process.stdin is None:
                    return None
                process.stdin.write(json.dumps([gold, answer], ensure_ascii=True) + "\n")
                process.stdin.flush()
                line = self._line(process, seconds)
            except OSError:
                line = None
            if line is None:
                self._kill()
                return None
        said = json.loads(line)
        return said if isinstance(said, bool) else None

    def _line(self, process: subprocess.Popen[str], seconds: float) -> str | None:
        """The next line within the time, or None."""
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], seconds)
        line = process.stdout.readline() if ready else ""
        return line or None

    def _started(self) -> subprocess.Popen[str] | None:
        if self._process is None or self._process.poll() is not None:
            self._kill()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            if self._line(self._process, START_SECONDS) is None:
                self._kill()
        return self._process

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._kill()


WORKER = MathVerify()
atexit.register(WORKER.close)
