"""Where the rows of one ingest come from: a local folder in one of upstream's layouts, or the Hub."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cogito_core.console import CogitoError, warn
from cogito_core.files import write_atomic
from cogito_core.sample import Picture
from cogito_data.sources.base import Found, Hub, Problem, Source, find_layouts
from cogito_data.sources.hub_files import HubFiles, unreachable
from cogito_data.sources.hub_rows import HubRows
from cogito_data.sources.rows import UNFORESEEN, BadRow, Row


@dataclass(frozen=True, slots=True)
class Origin:
    """Rows in a fixed order and how they become problems.

    Attributes:
        layout: its name, or `hub`.
        shown: for people.
        base: folder that picture paths are relative to; None for the Hub.
        identity: hash of what the rows depend on.
        url, revision: provenance of each row.
        rows: the raw rows from a position on.
        problem: pure: a row -> its problem, or several. Raises BadRow.
        read: (row, path below `base`) -> bytes of that picture, where it is no file; None to read files.
    """

    layout: str
    shown: str
    base: Path | None
    identity: str
    url: str
    revision: str
    rows: Callable[[int], Iterator[Row]]
    problem: Callable[[Row], Problem | Iterable[Problem]]
    read: Callable[[Row, Path], bytes] | None = None


PROBED_ROWS = 5000
"""Rows of a layout that are looked at for one with all its pictures."""


def local_origin(source: Source, root: Path) -> Origin:
    """The layout that lies at `root` or below.

    Where several do, the first in the adapter's order of which a row can be used, pictures included; where none
    has such a row, the first. The others are named on standard error: they are the same problems in another form,
    so they are not added.

    Raises:
        CogitoError: no layout is there.
    """
    candidates = find_layouts(source, root.absolute())
    found = candidates[0]
    if len(candidates) > 1:
        found = next((one for one in candidates if _has_usable_row(one)), found)
        others = ", ".join(f"{one.layout.name} in {one.base}" for one in candidates if one != found)
        warn(f"{source.manifest.name}: reading the {found.layout.name} layout in {found.base}; also there: {others}")
    base, layout = found.base, found.layout
    return Origin(
        layout=layout.name,
        shown=str(base),
        base=base,
        identity=folder_state(base),
        url=source.manifest.homepage,
        revision=f"local:{layout.name}",
        rows=lambda start: islice(layout.read(base), start, None),
        problem=lambda row: layout.problem(row, base),
    )


def _has_usable_row(found: Found) -> bool:
    try:
        for row in islice(found.layout.read(found.base), PROBED_ROWS):
            try:
                made = found.layout.problem(row, found.base)
                for problem in [made] if isinstance(made, Problem) else made:
                    there = all(isinstance(picture, Picture) or picture.is_file() for picture in problem.pictures)
                    if there and problem.fault is None:
                        return True
            except (BadRow, *UNFORESEEN):
                continue
    except CogitoError:
        return False
    return False


def folder_state(base: Path) -> str:
    """Hash of the names, sizes and times of all files below a folder: changes when any file changes."""
    digest = hashlib.sha256()
    top = str(base)
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            try:
                stat = os.stat(path)
            except OSError:
                continue  # A dangling link: the row that names it goes to the ledger.
            line = f"{path[len(top):]}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:24]


def hub_origin(source: Source, scratch: Path) -> Origin:
    """The manifest's Hub copy, streamed at one commit.

    A branch is resolved once; `scratch` keeps the commit, so that a resumed run reads the same rows.

    Raises:
        CogitoError: the source has no Hub copy, the Hub cannot be reached, or the copy lacks a column.
    """
    manifest = source.manifest
    hub, hub_row = manifest.hub, source.adapter.hub_row
    if hub is None or (hub_row is None and not hub.layout):
        reason = manifest.no_hub or "its manifest names no Hub copy"
        raise CogitoError(f"{manifest.name} cannot be streamed from the Hub: {reason}; use --from DIR")
    revision = _resolve(hub, scratch / "hub.json")
    shown = f"{hub.repo}{f'/{hub.config}' if hub.config else ''}@{revision}"
    copy: HubFiles | HubRows
    if hub.layout:
        copy = HubFiles(source, hub, revision, scratch / "hub")
    else:
        assert hub_row is not None
        copy = HubRows(hub, revision, hub_row)
    return Origin(
        layout="hub",
        shown=shown,
        base=copy.base,
        identity=f"{shown}:{hub.split}",
        url=f"https://huggingface.co/datasets/{hub.repo}",
        revision=revision,
        rows=lambda start: _reachable(hub, lambda: copy.rows(start)),
        problem=copy.problem,
        read=copy.read,
    )


def _reachable(hub: Hub, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """The rows; whatever the clients raise on the way becomes one sentence."""
    try:
        yield from rows()
    except CogitoError:
        raise
    except Exception as error:  # The clients raise network, HTTP and validation errors of unrelated families.
        raise unreachable(hub, error) from error


def _resolve(hub: Hub, kept: Path) -> str:
    """The commit a branch points at, asked once a run; a local folder stands for itself.

    The Hub is asked about a commit too: that it is there, and that the network is, before anything is tried for long.
    """
    if kept.exists():
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["repo"] == hub.repo:
            return str(stored["commit"])
    if Path(hub.repo).is_dir():
        return hub.revision
    from huggingface_hub import HfApi, constants

    if _is_commit(hub.revision) and constants.HF_HUB_OFFLINE:
        return hub.revision  # What the cache holds may be enough.
    try:
        commit = HfApi().dataset_info(hub.repo, revision=hub.revision).sha
    except Exception as error:  # The client raises network, HTTP and validation errors of unrelated families.
        raise unreachable(hub, error) from error
    if not commit:
        raise CogitoError(f"the Hub names no commit for {hub.repo}@{hub.revision}")
    write_atomic(kept, json.dumps({"repo": hub.repo, "commit": commit}) + "\n")
    return commit


def _is_commit(revision: str) -> bool:
    return len(revision) == 40 and all(c in "0123456789abcdef" for c in revision)
