"""Hub repositories that hold upstream's own files: rows in JSON, pictures in an archive that is not unpacked.

The files with the rows are fetched into the run's scratch folder; pictures are read out of the archive on the Hub
as the rows ask for them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import IO

from cogito_core.archives import ArchiveError
from cogito_core.console import CogitoError
from cogito_data.sources.archives import Joined, Shelf, TarShelf, ZipShelf
from cogito_data.sources.base import Hub, Layout, Problem, Source
from cogito_data.sources.rows import UNFORESEEN, BadRow, Row

BLOCK_BYTES = 2**20
"""Bytes of one request for a part of an archive: neighbours in it are often asked for next."""


def unreachable(hub: Hub, error: Exception) -> CogitoError:
    """The sentence for whatever a client of the Hub raises."""
    text = " ".join(str(error).split())
    return CogitoError(
        f"cannot read {hub.repo} from the Hugging Face Hub ({type(error).__name__}: {text[:160]}); "
        "check the network, or give a local copy with --from DIR"
    )


class HubFiles:
    """The rows of a source in one repository at one commit, and their pictures."""

    def __init__(self, source: Source, hub: Hub, revision: str, scratch: Path) -> None:
        """Fetches nothing yet. `scratch` is the folder for the files with the rows."""
        self.base = scratch
        self._hub = hub
        self._revision = revision
        self._layout: Layout = next(one for one in source.adapter.layouts if one.name == hub.layout)
        self._shelf: Shelf | None = None

    def rows(self, start: int) -> Iterator[Row]:
        """The rows from a position on, in the order in which their pictures can be read."""
        shelf = self._open()
        return islice(shelf.ordered(self._checked(), self._names), start, None)

    def problem(self, row: Row) -> Problem | Iterable[Problem]:
        """As the layout makes it; its pictures are paths below `base`, which `read` knows."""
        return self._layout.problem(row, self.base)

    def read(self, row: Row, path: Path) -> bytes:
        """A picture out of the archive.

        Raises:
            FileNotFoundError: the archive has no such member.
            ArchiveError: the member is damaged or too large.
            CogitoError: the Hub cannot be reached, which is no fault of the row.
        """
        shelf = self._open()
        try:
            return shelf.read(row, path.relative_to(self.base).as_posix())
        except ArchiveError as error:
            if isinstance(error.__cause__, OSError):
                raise unreachable(self._hub, error.__cause__) from error
            raise
        except (CogitoError, FileNotFoundError):
            raise
        except Exception as error:  # The client raises network and HTTP errors of unrelated families.
            raise unreachable(self._hub, error) from error

    def _checked(self) -> Iterator[Row]:
        for number, row in enumerate(self._layout.read(self.base)):
            missing = [column for column in self._hub.columns if column not in row.values]
            if not number and missing:
                raise CogitoError(
                    f"{self._hub.repo}: field '{missing[0]}' is missing (it has: {', '.join(map(str, row.values))})"
                )
            yield row

    def _names(self, row: Row) -> list[str]:
        try:
            made = self.problem(row)
            problems = [made] if isinstance(made, Problem) else list(made)
        except (BadRow, *UNFORESEEN):
            return []  # Why the row cannot be used is said where it is read.
        paths = (picture for problem in problems for picture in problem.pictures if isinstance(picture, Path))
        return [path.relative_to(self.base).as_posix() for path in paths]

    def _open(self) -> Shelf:
        if self._shelf is None:
            there = self._fetch_rows()
            self._shelf = self._open_archive(self._matching(there, self._hub.archives))
        return self._shelf

    def _fetch_rows(self) -> list[str]:
        from huggingface_hub import HfApi, hf_hub_download

        hub = self._hub
        there = sorted(HfApi().list_repo_files(hub.repo, revision=self._revision, repo_type="dataset"))
        for name in self._matching(there, hub.files):
            hf_hub_download(hub.repo, name, revision=self._revision, repo_type="dataset", local_dir=self.base)
        return there

    def _matching(self, there: list[str], patterns: tuple[str, ...]) -> list[str]:
        found = []
        for pattern in patterns:
            names = [name for name in there if fnmatch(name, pattern)]
            if not names:
                raise CogitoError(f"{self._hub.repo}@{self._revision} holds no file {pattern}")
            found += names
        return found

    def _open_archive(self, names: list[str]) -> Shelf:
        from huggingface_hub import HfFileSystem, constants

        files = HfFileSystem(endpoint=constants.ENDPOINT, skip_instance_cache=True)
        paths = [f"datasets/{self._hub.repo}@{self._revision}/{name}" for name in names]

        def opened(path: str) -> IO[bytes]:
            handle: IO[bytes] = files.open(path, "rb", block_size=BLOCK_BYTES)
            return handle

        if names[0].endswith((".tgz", ".tar.gz", ".tar")):
            return TarShelf(lambda: opened(paths[0]))
        if len(paths) == 1:
            return ZipShelf(opened(paths[0]))
        joined = Joined([(opened(path), int(files.info(path)["size"])) for path in paths])
        return ZipShelf(io.BufferedReader(joined, BLOCK_BYTES))
