"""What goes wrong between a client and the Hub, on purpose."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field

STATUSES = {"408": 408, "409": 409, "412": 412, "425": 425, "429": 429, "500": 500, "502": 502, "503": 503}
KINDS = (*STATUSES, "reset", "lost", "slow", "truncated")
"""`reset`: the connection breaks before anything is done. `lost`: it is done and the answer gets lost. `slow`: the
answer comes in pieces. `truncated`: the body is shorter than announced. A number: that status, nothing done."""


@dataclass
class Planned:
    """The next `times` requests that match `pattern` ("METHOD path") fail in the way `kind`."""

    pattern: str
    kind: str
    times: int = 1
    skip: int = 0


@dataclass
class Hold:
    """A request that matches stops, `done` says whether before or after its work; `met` is set and it never ends
    until `release` is."""

    pattern: str
    done: bool
    skip: int = 0
    met: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


class Faults:
    """Decides for every request what goes wrong with it."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []
        self.holds: list[Hold] = []
        self.rate = 0.0
        self.kinds: tuple[str, ...] = KINDS
        self.injected: list[tuple[str, str]] = []
        self._random = random.Random(0)
        self._lock = threading.Lock()

    def at_random(self, rate: float, seed: int, kinds: tuple[str, ...] = KINDS) -> None:
        """From now on a share `rate` of all requests fails."""
        self.rate, self.kinds, self._random = rate, kinds, random.Random(seed)

    def choose(self, request: str) -> str | None:
        """What goes wrong with this request ("METHOD path"), None if nothing does."""
        with self._lock:
            kind = self._planned(request)
            if kind is None and self._random.random() < self.rate:
                kind = self._random.choice(self.kinds)
            if kind is not None:
                self.injected.append((request, kind))
            return kind

    def hold(self, request: str, done: bool) -> None:
        """Stop here if a hold matches."""
        with self._lock:
            found = next((one for one in self.holds if one.done == done and re.search(one.pattern, request)), None)
            if found is not None and found.skip > 0:
                found.skip -= 1
                found = None
            elif found is not None:
                self.holds.remove(found)
        if found is not None:
            found.met.set()
            found.release.wait(30)

    def _planned(self, request: str) -> str | None:
        for one in self.planned:
            if re.search(one.pattern, request):
                if one.skip > 0:
                    one.skip -= 1
                elif one.times > 0:
                    one.times -= 1
                    return one.kind
        return None
