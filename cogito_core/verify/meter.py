"""One budget of work for a whole comparison, counted in steps of about a microsecond, never in time.

A list of sixty members or an interval union asks for thousands of comparisons; each is small, together they are not.
The count is kept for each thread and begins anew with each pair, so that a verdict is the same wherever it is given.
Outside a comparison only the limits of the single operations hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

MAX_STEPS = 20_000
EXTRACTION_STEPS = 5_000
"""Extraction only asks which option a stated value is."""

P = ParamSpec("P")
T = TypeVar("T")


class _Meter(threading.local):
    left: int | None = None


_METER = _Meter()


def budgeted(steps: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function under one budget: a new one of so many steps, or the rest of the caller's."""

    def wrap(work: Callable[P, T]) -> Callable[P, T]:
        @wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            if _METER.left is not None:
                return work(*args, **kwargs)
            _METER.left = steps
            try:
                return work(*args, **kwargs)
            finally:
                _METER.left = None

        return run

    return wrap


def allowance(most: int, cost: int) -> int:
    """How many operations of `cost` steps may be done now, `most` at the most."""
    left = _METER.left
    return most if left is None else max(0, min(most, left // cost))


def charge(operations: int, cost: int) -> None:
    """Take the steps of that many operations off the budget."""
    if _METER.left is not None:
        _METER.left -= operations * cost


def exhausted() -> bool:
    """Whether nothing is left."""
    return _METER.left is not None and _METER.left <= 0
