"""What is to be on the Hub: files with their hashes, the shards from disk and the texts from memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cogito_data.publish.hub import Remote


@dataclass(frozen=True)
class LocalFile:
    """A file to publish: `content` is where its bytes are, or the bytes themselves."""

    path: str
    content: Path | bytes

    @cached_property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the bytes: what the Hub calls large files by."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    @cached_property
    def blob(self) -> str:
        """What git calls the bytes: SHA-1 over `blob <size>\\0` and the content."""
        digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        digest.update(self.content if isinstance(self.content, bytes) else self.content.read_bytes())
        return digest.hexdigest()

    def equals(self, remote: Remote | None) -> bool:
        """Whether the Hub has exactly these bytes."""
        if remote is None or remote.size != self.size:
            return False
        return remote.sha256 == self.sha256 if remote.sha256 is not None else remote.blob == self.blob

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as handle:
            handle.seek(start)
            return handle.read(-1 if end is None else end - start)


@dataclass(frozen=True)
class Bundle:
    """Everything of one version of a dataset.

    Attributes:
        files: path in the repository -> file.
        rows: path of a shard -> number of its rows.
    """

    files: Mapping[str, LocalFile]
    rows: Mapping[str, int]

    @property
    def splits(self) -> dict[str, int]:
        """Split -> rows."""
        found: dict[str, int] = {}
        for path, n in self.rows.items():
            found[split_of(path)] = found.get(split_of(path), 0) + n
        return found

    @cached_property
    def name(self) -> str:
        """Twelve hex digits that change with any byte of any file."""
        text = "\n".join(f"{path} {one.sha256}" for path, one in sorted(self.files.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def split_of(path: str) -> str:
    """`train` of `data/train-00003.parquet`."""
    return path.rpartition("/")[2].rpartition("-")[0]
