"""Trying again: what may succeed on a second try, how long to wait, and how to say it when it does not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from cogito_core.console import CogitoError, warn
from cogito_data.publish.masking import masked

T = TypeVar("T")

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
CONFLICTS = frozenset({409, 412})
"""Someone else commits at the same time (409), or committed since we looked (412). The Hub's own client gives up."""

_TRANSPORT = frozenset(
    {"TransportError", "ConnectionError", "Timeout", "TimeoutError", "ClientPayloadError", "ChunkedEncodingError"}
)
"""Base classes by name: the client has changed its HTTP library twice (requests, httpx, httpx2)."""

ATTEMPTS = 6
LONGEST_WAIT_S = 60.0
SHOWN_CHARACTERS = 200


class Conflict(CogitoError):
    """The branch is not what it was when the commit was put together: look again, then decide."""


class HubFailure(CogitoError):
    """The Hub said no, or could not be reached. `status` is its answer, None without one."""

    def __init__(self, sentence: str, status: int | None) -> None:
        super().__init__(sentence)
        self.status = status


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error of the Hub's client, however deep it is wrapped."""
    for one in _chain(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return None


def is_transport(error: BaseException) -> bool:
    """Whether the connection failed: refused, reset, timed out, or cut off in the middle of an answer."""
    return any(_TRANSPORT & {base.__name__ for base in type(one).__mro__} for one in _chain(error))


def is_retried(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    if type(error).__name__ == "OfflineModeIsEnabled":
        # A connection error by its base class, but a setting of the user's.
        return False
    status = status_of(error)
    return status in RETRIED if status is not None else is_transport(error)


def call(
    what: str,
    work: Callable[[], T],
    *,
    say_no: Callable[[BaseException, str], CogitoError],
    conflicts: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Do `work` until it succeeds, at most ATTEMPTS times.

    Args:
        what: the deed, for the sentence: "read the file list of org/name".
        say_no: makes the sentence of an error that stays.
        conflicts: raise Conflict on 409 and 412 instead of trying the same again.

    Raises:
        Conflict: as said. CogitoError: whatever `say_no` makes of the last error.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except CogitoError:
            raise
        except Exception as error:
            status = status_of(error)
            if status in CONFLICTS and conflicts:
                # Not chained, here and below: the client's message may hold a signed address.
                raise Conflict(f"{what}: someone else changed the branch") from None
            if attempt == ATTEMPTS or not (is_retried(error) or status in CONFLICTS):
                raise say_no(error, what) from None
            wait = wait_before(attempt, error)
            warn(f"{what}: {reason_of(error)}; trying again in {wait:.0f} s ({attempt} of {ATTEMPTS - 1})")
        sleep(wait)
    raise AssertionError("unreachable")


def wait_before(attempt: int, error: BaseException | None = None) -> float:
    """Seconds to wait: what the Hub asks for, else 1, 2, 4 ... with jitter, at most a minute."""
    for one in _chain(error):
        asked = getattr(getattr(one, "response", None), "headers", {}).get("Retry-After")
        if asked and asked.strip().isdigit():
            return float(asked)
    return min(LONGEST_WAIT_S, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def reason_of(error: BaseException) -> str:
    """What happened, in a few words."""
    status = status_of(error)
    if status is not None:
        said = next((getattr(one, "server_message", None) for one in _chain(error)), None)
        words = masked(" ".join(str(said).split()))[:SHOWN_CHARACTERS] if said else ""
        return f"the Hub answers {status}{f' ({words})' if words else ''}"
    first = masked(" ".join(str(error).split()))
    return f"no answer from the Hub ({first[:SHOWN_CHARACTERS] or type(error).__name__})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
