"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "note", "missing", "broken"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        state: `ok`; `note` for what only should be known; `missing` for something optional that is not there;
            `broken` for what does not work.
        said: one sentence on what was found.
        fix: the command or the change that helps; empty where nothing needs help.
        base: whether Cogito cannot work at all without it: a broken one makes the exit code 1.
    """

    name: str
    state: State
    said: str
    fix: str = ""
    base: bool = False

    def as_dict(self) -> dict[str, str | bool]:
        """The finding as plain values."""
        return asdict(self)
