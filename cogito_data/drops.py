"""Rows that left the build: written down one by one, counted in memory."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cogito_core.files import replace_file

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Drop:
    """A row that leaves the pipeline, as it will stand in the ledger."""

    id: str
    source: str
    category: str
    stage: str
    reason: str
    evidence: str = ""


class DropLog:
    """The ledger while it grows. Its lines go to a temporary file, so a million drops take no memory.

    Attributes:
        counts: (source, category, reason) -> rows.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is where the temporary file lies; it has no name and goes with this process."""
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._lines = tempfile.TemporaryFile("w+b", dir=folder)  # noqa: SIM115  (open as long as this is)

    def __len__(self) -> int:
        return self.counts.total()

    def __iter__(self) -> Iterator[Drop]:
        self._lines.seek(0)
        for line in self._lines:
            yield Drop(**{"source": "", "category": "", **json.loads(line)})
        self._lines.seek(0, 2)

    def add(self, drop: Drop) -> None:
        """Note one drop."""
        line = json.dumps({key: value for key, value in asdict(drop).items() if value}, ensure_ascii=False)
        self._lines.write(line.encode("utf-8", "surrogatepass") + b"\n")
        self.counts[drop.source, drop.category, drop.reason] += 1

    def extend(self, drops: Iterable[Drop]) -> None:
        """Note several drops."""
        for drop in drops:
            self.add(drop)

    def write(self, path: Path) -> None:
        """Write all lines to `path`, in the order in which the rows left."""
        self._lines.seek(0)
        with replace_file(path) as aside, aside.open("wb") as out:
            while chunk := self._lines.read(_CHUNK):
                out.write(chunk)
        self._lines.seek(0, 2)
