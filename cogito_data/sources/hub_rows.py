"""Hub repositories that `datasets` reads: rows streamed from their Parquet files, pictures within them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_data.sources.base import Hub, HubMaker
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.hub import numbered


class HubRows:
    """The rows of one split of a repository at one commit."""

    base = None
    read = None
    """Nothing lies in a folder: the rows hold their pictures."""

    def __init__(self, hub: Hub, revision: str, problem: HubMaker) -> None:
        self.problem = problem
        self._hub = hub
        self._revision = revision

    def rows(self, start: int) -> Iterator[Row]:
        """The rows from a position on.

        Raises:
            CogitoError: a column that the manifest names is not there.
        """
        import datasets

        hub = self._hub
        pinned: dict[str, Any] = {} if Path(hub.repo).is_dir() else {"revision": self._revision}
        stream = datasets.load_dataset(hub.repo, hub.config, split=hub.split, streaming=True, **pinned)
        self._check_columns(stream.column_names)
        # Pictures stay encoded: decoding and encoding again would change their bytes.
        for number, values in enumerate(stream.decode(False).skip(start), start):
            yield numbered(values, hub.split, number, hub.repo)

    def _check_columns(self, found: list[str] | None) -> None:
        missing = [column for column in self._hub.columns if found is not None and column not in found]
        if missing:
            raise CogitoError(
                f"{self._hub.repo}: column '{missing[0]}' is missing (it has: {', '.join(found or [])})"
            )
