"""Pictures that lie in an archive on the Hub, read in place: of a zip only the members that rows ask for.

A zip has an index, so its members are fetched one by one with byte ranges, and so are those of a zip that was cut
into parts. A tar.gz has none: it is read once from front to back, and the rows come in the order of its pictures.
"""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import zipfile
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import PurePosixPath
from typing import IO, Protocol

from cogito_core.archives import MAX_MEMBER_BYTES, ArchiveError, read_member
from cogito_data.sources.rows import Row

_BYTES = "__picture_bytes__"

PicturesOf = Callable[[Row], Sequence[str]]
"""The names of the pictures that a row needs, as the row writes them."""


class Shelf(Protocol):
    """An archive of pictures."""

    def ordered(self, rows: Iterator[Row], pictures_of: PicturesOf) -> Iterator[Row]:
        """The rows in the order in which their pictures can be read."""

    def read(self, row: Row, name: str) -> bytes:
        """A picture of a row that `ordered` gave last.

        Raises:
            FileNotFoundError: the archive has no such member, or several that fit.
            ArchiveError: the member is damaged or too large.
        """


class ZipShelf:
    """The members of a zip file."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(handle)
        self._members: dict[str, list[str]] = defaultdict(list)
        for info in self._archive.infolist():
            if not info.is_dir():
                self._members[PurePosixPath(info.filename).name].append(info.filename)

    def ordered(self, rows: Iterator[Row], pictures_of: PicturesOf) -> Iterator[Row]:
        return rows

    def read(self, row: Row, name: str) -> bytes:
        members = self._members.get(PurePosixPath(name).name, [])
        # The exact name, else the only member that ends in it or that it ends in: archives are packed with a
        # folder around them, or without the one that rows write.
        fits = [name] if name in members else [member for member in members if _fit(member, name)]
        if len(fits) != 1:
            raise FileNotFoundError(name)
        return read_member(self._archive, fits[0])


def _fit(member: str, name: str) -> bool:
    one, other = (f"/{path.removeprefix('./')}" for path in (member, name))
    return one.endswith(other) or other.endswith(one)


class TarShelf:
    """The members of a tar.gz, which is opened anew for each pass."""

    def __init__(self, opener: Callable[[], IO[bytes]]) -> None:
        self._opener = opener

    def ordered(self, rows: Iterator[Row], pictures_of: PicturesOf) -> Iterator[Row]:
        """The rows of each picture as it comes by, then the rows whose picture never came, in their own order.

        The rows wait in a temporary file. A row with several pictures has the first of them only.
        """
        waiting = sqlite3.connect("", isolation_level=None)
        waiting.execute("BEGIN")
        waiting.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, file TEXT, name TEXT, row TEXT)")
        for number, row in enumerate(rows):
            name = next(iter(pictures_of(row)), "")
            text = json.dumps([row.where, dict(row.values)])
            waiting.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", (number, PurePosixPath(name).name, name, text))
        waiting.execute("CREATE INDEX files ON rows (file)")
        with self._opener() as handle, tarfile.open(fileobj=handle, mode="r|*") as archive:
            for member in archive:
                file = PurePosixPath(member.name).name
                found = waiting.execute("SELECT number, name, row FROM rows WHERE file = ? ORDER BY number", (file,))
                fits = [one for one in found.fetchall() if member.isfile() and _fit(member.name, one[1])]
                if fits:
                    data = _content(archive, member)
                    for number, _, text in fits:
                        waiting.execute("DELETE FROM rows WHERE number = ?", (number,))
                        yield _row(text, data)
        for (text,) in waiting.execute("SELECT row FROM rows ORDER BY number"):
            yield _row(text, None)

    def read(self, row: Row, name: str) -> bytes:
        data = row.get(_BYTES)
        if not isinstance(data, bytes):
            raise FileNotFoundError(name)
        return data


def _row(text: str, data: bytes | None) -> Row:
    where, values = json.loads(text)
    return Row(where, {**values, _BYTES: data})


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_MEMBER_BYTES:
        raise ArchiveError(f"'{member.name}' would unpack to {member.size:,} bytes, more than {MAX_MEMBER_BYTES:,}")
    content = archive.extractfile(member)
    return b"" if content is None else content.read()


class Joined(io.RawIOBase):
    """The parts of a file that was cut up, as one file that can be read from any position."""

    def __init__(self, parts: Sequence[tuple[IO[bytes], int]]) -> None:
        """`parts` are (file, its size in bytes) in order."""
        self._parts = [part for part, _ in parts]
        self._ends = list(accumulate(size for _, size in parts))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ends[-1]}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        number = bisect_right(self._ends, self._at)
        if number == len(self._parts):
            return 0
        start = self._ends[number - 1] if number else 0
        size = min(len(buffer), self._ends[number] - self._at)
        part = self._parts[number]
        part.seek(self._at - start)
        data = part.read(size)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
