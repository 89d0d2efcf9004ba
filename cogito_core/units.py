"""Work units: what a worker does, named by the hash of its inputs, its code version and its settings.

A unit's output is written aside, fsynced, renamed, and its manifest line comes last. One process, many
processes or a cluster run the same units and give the same bytes; a kill loses at most the units in hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from cogito_core.files import append_line, mend_tail, replace_file


class UnitStore:
    """The finished units of one stage, as files in a directory."""

    def __init__(self, directory: Path | str, suffix: str = "") -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.suffix = suffix
        self._manifest = self.directory / "units.jsonl"
        mend_tail(self._manifest)
        for stale in self.directory.glob(".*.aside"):
            stale.unlink()
        self._done = self._read()

    @staticmethod
    def key(*parts: object) -> str:
        """Name of a unit: the hash of everything its output depends on."""
        text = json.dumps([str(part) for part in parts], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:24]

    def path(self, key: str) -> Path:
        """Where the output of a unit is, or will be."""
        return self.directory / f"{key}{self.suffix}"

    def has(self, key: str) -> bool:
        """Whether the unit is finished: its manifest line is there, and so is its file."""
        return key in self._done and self.path(key).exists()

    def run(self, key: str, work: Callable[[Path], None]) -> Path:
        """Do the unit once: `work` writes to the path it is given. Returns where the output is."""
        path = self.path(key)
        if self.has(key):
            return path
        with replace_file(path) as aside:
            work(aside)
        append_line(self._manifest, json.dumps({"unit": key, "bytes": path.stat().st_size}))
        self._done.add(key)
        return path

    def _read(self) -> set[str]:
        if not self._manifest.exists():
            return set()
        lines = self._manifest.read_text(encoding="utf-8").splitlines()
        return {json.loads(line)["unit"] for line in lines if line}
