"""One source to samples: rows in, shards out, every refused row in the ledger with its reason.

The work is cut into units of a few hundred upstream rows. A unit's file holds its samples and its refusals;
killed at any instant, the same command again takes up after the last finished unit and gives the same bytes.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from cogito_core.console import CogitoError, progress, warn
from cogito_core.files import replace_file, write_atomic
from cogito_core.manifest import file_hash, manifest_path
from cogito_core.runs import RunDir
from cogito_core.sample import Sample
from cogito_core.units import UnitStore
from cogito_data.sources.assemble import sample_id, to_sample
from cogito_data.sources.base import Problem, Source, adapter_hash, load_source
from cogito_data.sources.origins import Origin, hub_origin, local_origin
from cogito_data.sources.pictures import PictureReader
from cogito_data.sources.report import render
from cogito_data.sources.rows import UNFORESEEN, BadRow, Row, unforeseen
from cogito_data.sources.sorting import write_sorted
from cogito_data.sources.unit_file import Refusal, UnitFile, unstorable, write_unit

CODE_VERSION = "5"
"""Goes into every unit's name: raise it whenever a row may come out differently."""

UNIT_ROWS = 500
"""Upstream rows of one unit: at most this many are read twice after a kill."""

STAGE = "ingest"


@dataclass(frozen=True)
class IngestResult:
    """What one ingest did. `rows_read` counts questions (a row with three turns counts three).

    `kept` + the sum of `dropped` = `rows_read`. Nothing in it depends on time or machine.
    """

    source: str
    layout: str
    origin: str
    rows_read: int
    kept: int
    with_picture: int
    dropped: dict[str, int]
    splits: dict[str, int]
    answer_kinds: dict[str, int]
    shards: list[str] = field(default_factory=list)


def ingest(
    name: str, *, root: Path | None = None, from_hub: bool = False, out: Path, limit: int | None = None,
    pictures_only: bool = False, revision: str | None = None,
) -> IngestResult:
    """Turn a source into shards, with ledger, report, config, provenance and summary in `out`.

    The shards are `out/data/{train,validation,test}-*.parquet`, by upstream's split (see `file_split`).

    Args:
        name: a source that ships, or the path of a manifest.
        root: folder with the source in one of upstream's own layouts, or a folder above it.
        from_hub: stream the manifest's Hub copy instead.
        out: the run directory; a finished one with the same settings is returned as it is.
        limit: stop after this many kept rows.
        pictures_only: questions without a picture are refused, and so do not count for `limit`.
        revision: of the Hub copy, instead of the manifest's; a run that goes on stays at the commit it has.

    Raises:
        CogitoError: no such source or layout, the Hub cannot be reached, another run is in `out`, or not one row
            can be used.
    """
    source = load_source(name)
    manifest = source.manifest
    if (root is None) == (not from_hub):
        raise CogitoError(f"say where {manifest.name} comes from: --from DIR, or --from hub")
    if limit is not None and limit < 1:
        raise CogitoError(f"--limit must be at least 1, not {limit}")
    if root is not None and out.resolve().is_relative_to(root.resolve()):
        raise CogitoError(f"-o {out} lies inside --from {root} and would count as its data; choose a folder outside")
    local = None if root is None else local_origin(source, root)
    config = {
        "source": manifest.name,
        "from": "hub" if root is None else str(root.resolve()),
        "state_of_the_files": None if local is None else local.identity,
        "limit": limit,
        "pictures_only": pictures_only,
        "manifest_sha256": file_hash(manifest_path("sources", name)),
        "adapter_sha256": adapter_hash(name, manifest),
        "code_version": CODE_VERSION,
    }
    with _open(out, config, root) as run:
        if run.is_finished:
            return IngestResult(**json.loads((run.path / "summary.json").read_text(encoding="utf-8")))
        origin = local or hub_origin(_at(source, revision), run.work)
        run.event("start", source=manifest.name, layout=origin.layout, origin=origin.shown)
        result = _run(run, source, origin, limit, pictures_only)
        run.event("done", kept=result.kept, dropped=result.dropped)
        return result


def _at(source: Source, revision: str | None) -> Source:
    hub = source.manifest.hub
    if hub is None or revision is None:
        return source
    pinned = hub.model_copy(update={"revision": revision})
    return replace(source, manifest=source.manifest.model_copy(update={"hub": pinned}))


def _open(out: Path, config: dict[str, Any], root: Path | None) -> RunDir:
    try:
        return RunDir.open(out, config=config, command="cogito-data ingest", inputs={"root": str(root or "hub")})
    except CogitoError as error:
        if "state_of_the_files" not in str(error):
            raise
        raise CogitoError(
            f"{out} holds an ingest of {root} as it was: names, sizes or times of files there have changed since; "
            "choose another -o or remove it"
        ) from error


def _run(
    run: RunDir, source: Source, origin: Origin, limit: int | None, pictures_only: bool
) -> IngestResult:
    units = UnitStore(run.work / "units", ".arrow")
    counts = _Counts()
    screen = _Screen(_Names(), counts, source.manifest.training_splits, pictures_only)
    files: dict[str, list[tuple[Path, np.ndarray]]] = {}
    # The whole ledger is written anew: a resumed run must not record a row twice.
    with (
        replace_file(run.ledger.path) as aside,
        aside.open("w", encoding="utf-8", errors="backslashreplace") as ledger,
        progress(None, f"ingest {source.manifest.name}") as advance,
    ):
        for path in _unit_files(units, source, origin, limit):
            kept, refused = screen.unit(path, None if limit is None else limit - counts.kept)
            for refusal in refused:
                ledger.write(_ledger_line(refusal))
            for name, rows in kept.items():
                files.setdefault(name, []).append((path, np.array(rows, dtype=np.int32)))
            advance(sum(map(len, kept.values())) + len(refused))
            if limit is not None and counts.kept >= limit:
                break
    _check_usable(run, source, origin, counts)
    shards = [
        path
        for name, units_of_it in sorted(files.items())
        for path in write_sorted(units_of_it, run.path / "data", run.work / "runs", split=name)
    ]
    result = IngestResult(
        source=source.manifest.name,
        layout=origin.layout,
        origin=origin.shown,
        rows_read=counts.kept + counts.dropped.total(),
        kept=counts.kept,
        with_picture=counts.with_picture,
        dropped=dict(sorted(counts.dropped.items())),
        splits=dict(sorted(counts.splits.items())),
        answer_kinds=dict(sorted(counts.kinds.items())),
        shards=[path.relative_to(run.path).as_posix() for path in shards],
    )
    about = source.manifest
    page = render(
        result, run.path, title=about.title, licence=about.licence.name, training_splits=about.training_splits
    )
    write_atomic(run.path / "report.html", page)
    run.summary(asdict(result))
    # The shards hold it all now; keeping the units would double the disk space.
    shutil.rmtree(run.work / "units", ignore_errors=True)
    if archives := counts.dropped["picture_missing"] and packed(origin.base):
        warn(f"{source.manifest.name}: {counts.dropped['picture_missing']} pictures are not there; {archives}")
    return result


def _ledger_line(refusal: Refusal) -> str:
    row = {"id": refusal.id, "stage": STAGE, "reason": refusal.reason, "evidence": refusal.evidence}
    line = json.dumps(row, ensure_ascii=False)
    # JSON allows these as they are; `splitlines` breaks the line at them.
    return line.translate(_LINE_BREAKS) + "\n"


_LINE_BREAKS = {ord(char): f"\\u{ord(char):04x}" for char in "\x7f\x85\u2028\u2029"}


class _Counts:
    def __init__(self) -> None:
        self.kept = 0
        self.with_picture = 0
        self.dropped: Counter[str] = Counter()
        self.first = ""
        self.splits: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    def keep(self, row: dict[str, Any]) -> None:
        self.kept += 1
        self.with_picture += bool(row["image_hash"])
        self.splits[row["split"]] += 1
        self.kinds[row["answer_kind"]] += 1

    def drop(self, refused: list[Refusal]) -> None:
        self.dropped.update(refusal.reason for refusal in refused)
        self.first = self.first or (refused[0].evidence if refused else "")


class _Names:
    """A set of ids. SQLite moves it to a temporary file when it grows: a million rows take no more memory."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None)
        for command in ("PRAGMA journal_mode=OFF", "PRAGMA cache_size=-32000", "BEGIN"):
            self._store.execute(command)
        self._store.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, name: str) -> bool:
        """Whether the name is new."""
        return self._store.execute("INSERT OR IGNORE INTO names VALUES (?)", (name,)).rowcount == 1


def _unit_files(units: UnitStore, source: Source, origin: Origin, limit: int | None) -> Iterator[Path]:
    """The files of all units in order, each done now or in an earlier run."""
    size = UNIT_ROWS if limit is None else min(UNIT_ROWS, limit + 16)
    pictures = PictureReader(origin.base, read=origin.read)
    rows: Iterator[Row] | None = None
    number = 0
    while True:
        key = units.key(CODE_VERSION, source.manifest.name, origin.layout, origin.identity, size, number)
        if not units.has(key):
            # Opened at the first unit still to do: rows of finished units are passed over once.
            rows = origin.rows(number * size) if rows is None else rows
            chunk = list(islice(rows, size))
            found = list(_problems(chunk, source, origin, pictures))
            units.run(key, lambda path, n=len(chunk), found=found: write_unit(path, n, found))  # type: ignore[misc]
        elif rows is not None:
            rows = origin.rows((number + 1) * size)
        yield units.path(key)
        if UnitFile(units.path(key)).n_rows < size:
            return
        number += 1


def _problems(
    rows: Iterable[Row], source: Source, origin: Origin, pictures: PictureReader
) -> Iterator[Sample | Refusal]:
    for row in rows:
        place = f"{source.manifest.name}/{row.where}"
        n_made = 0
        try:
            made = origin.problem(row)
            for problem in [made] if isinstance(made, Problem) else made:
                n_made += 1
                name = sample_id(source.manifest, problem)
                try:
                    yield to_sample(
                        source.manifest, problem, row, pictures, url=origin.url, revision=origin.revision
                    )
                except BadRow as error:
                    yield _refusal(place if error.reason == "bad_id" else name, error.reason, str(error))
                except UnicodeEncodeError:
                    yield unstorable(name)
            if not n_made:
                raise row.fail("empty_question", "the row holds no question")
        except BadRow as error:
            yield _refusal(place, error.reason, str(error))
        except UNFORESEEN as error:
            fault = unforeseen(row.where, error)
            yield _refusal(place, fault.reason, str(fault))


def _refusal(name: str, reason: str, sentence: str) -> Refusal:
    """A refusal that can be stored: it may quote half a surrogate pair."""
    name, sentence = (text.encode("utf-8", "backslashreplace").decode() for text in (name, sentence))
    return Refusal(name, reason, sentence)


@dataclass(frozen=True)
class _Screen:
    """Which rows of a unit stay: not seen before, within the limit, with a picture where one is asked for."""

    seen: _Names
    counts: _Counts
    training: tuple[str, ...]
    pictures_only: bool

    def unit(self, path: Path, room: int | None) -> tuple[dict[str, list[int]], list[Refusal]]:
        """The rows that stay by the file they go to, and the refusals in upstream's order, up to `room` kept rows."""
        unit = UnitFile(path)
        columns = unit.rows.select(["id", "split", "answer_kind", "image_hash"]).to_pylist()
        kept: dict[str, list[int]] = {}
        out: list[Refusal] = []
        rows = iter(enumerate(columns))
        n_kept = 0
        for position in range(len(columns) + len(unit.refused)):
            if room is not None and n_kept >= room:
                break
            if position in unit.refused:
                out.append(unit.refused[position])
                continue
            index, row = next(rows)
            if (refusal := self._refusal(row)) is not None:
                out.append(refusal)
                continue
            kept.setdefault(file_split(row["split"], self.training), []).append(index)
            n_kept += 1
            self.counts.keep(row)
        self.counts.drop(out)
        return kept, out

    def _refusal(self, row: dict[str, Any]) -> Refusal | None:
        name = row["id"]
        if self.pictures_only and not row["image_hash"]:
            return Refusal(name, "no_picture", f"{name}: only questions with a picture are taken")
        if not self.seen.add(name):
            return Refusal(name, "duplicate_id", f"another row of this source has the id {name}")
        return None


def file_split(split: str, training: tuple[str, ...]) -> str:
    """`train`, `validation` or `test`: the files that rows of an upstream split go to.

    The names are those by which `datasets` and others part a folder of Parquet files. Where upstream's name says
    none of the three (`practice`, `all`), it is `train` for the splits that may be trained on, else `test`.
    """
    lower = split.lower()
    for start, name in (("train", "train"), ("val", "validation"), ("dev", "validation"), ("test", "test")):
        if lower.startswith(start):
            return name
    return "train" if split in training else "test"


_STRUCTURE = frozenset({"missing_field", "wrong_type", "unreadable"})


def _check_usable(run: RunDir, source: Source, origin: Origin, counts: _Counts) -> None:
    """Nothing to write is an error, whatever the reason: the ledger says of each row why."""
    if counts.kept:
        return
    # The folder takes the same command again once the files are mended: nothing in it is finished.
    (run.path / "config.yaml").unlink()
    name = source.manifest.name
    if not counts.dropped:
        raise CogitoError(f"{origin.shown} holds no rows of {name} ({origin.layout} layout)")
    if counts.dropped.keys() <= _STRUCTURE:
        raise CogitoError(
            f"no row of {name} in {origin.shown} has the form of the {origin.layout} layout: {counts.first}"
        )
    archives = packed(origin.base) if counts.dropped["picture_missing"] else ""
    raise CogitoError(
        f"{name}: not one of {counts.dropped.total()} rows could be used; first: {counts.first}"
        + (f"; {archives}" if archives else "")
    )


_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".7z", ".rar")


def packed(base: Path | None) -> str:
    """A sentence that names the archives which lie in a folder or one above it, unpacked by nobody; "" if none."""
    if base is None or not base.is_dir():
        return ""
    for folder in (base, base.parent):
        found = sorted(path.name for path in folder.iterdir() if path.name.lower().endswith(_ARCHIVES))
        if found:
            shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
            return f"{shown} in {folder} may hold them: unpack it there first"
    return ""
