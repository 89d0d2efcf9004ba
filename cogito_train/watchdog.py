"""What a process was doing when it hangs: a phase that takes too long says where every thread stands."""

from __future__ import annotations

import faulthandler
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stacks_when_late(phase: str, *, rank: int, seconds: float) -> Iterator[None]:
    """After `seconds` in this block write the phase and the stack of every thread to standard error, once.

    Nothing is stopped: a long phase may be right. Every process does it for itself, so that one sees which of them
    waits in a collective call and which one does not come.
    """
    timer = threading.Timer(seconds, _dump, (phase, rank, seconds))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _dump(phase: str, rank: int, seconds: float) -> None:
    print(f"process {rank}: {phase} has taken {seconds:g} s; its threads stand here:", file=sys.stderr, flush=True)
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
