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
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from cogito_core.console import CogitoError, progress, warn
from cogito_core.files import replace_file
from cogito_core.manifest import file_hash, manifest_path
from cogito_core.runs import RunDir
from cogito_core.sample import Sample
from cogito_core.units import UnitStore
from cogito_data.sources.assemble import sample_id, to_sample
from cogito_data.sources.base import Problem, Source, adapter_hash, load_source
from cogito_data.sources.origins import Origin, hub_origin, local_origin
from cogito_data.sources.pictures import PictureReader
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.sorting import write_sorted
from cogito_data.sources.unit_file import Refusal, UnitFile, unstorable, write_unit

CODE_VERSION = "3"
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
    name: str, *, root: Path | None = None, from_hub: bool = False, out: Path, limit: int | None = None
) -> IngestResult:
    """Turn a source into shards `out/data/train-*.parquet`, with ledger, config, provenance and summary in `out`.

    Args:
        name: a source that ships, or the path of a manifest.
        root: folder with the source in one of upstream's own layouts, or a folder above it.
        from_hub: stream the manifest's Hub copy instead.
        out: the run directory; a finished one with the same settings is returned as it is.
        limit: stop after this many kept rows.

    Raises:
        CogitoError: no such source or layout, the Hub cannot be reached, another run is in `out`, or not one row
            has the fields that the layout promises.
    """
    source = load_source(name)
    manifest = source.manifest
    if (root is None) == (not from_hub):
        raise CogitoError(f"say where {manifest.name} comes from: --from DIR, or --from hub")
    if limit is not None and limit < 1:
        raise CogitoError(f"--limit must be at least 1, not {limit}")
    local = None if root is None else local_origin(source, root)
    config = {
        "source": manifest.name,
        "from": "hub" if root is None else str(root.resolve()),
        "state_of_the_files": None if local is None else local.identity,
        "limit": limit,
        "manifest_sha256": file_hash(manifest_path("sources", name)),
        "adapter_sha256": adapter_hash(name, manifest),
        "code_version": CODE_VERSION,
    }
    with RunDir.open(out, config=config, command="cogito-data ingest", inputs={"root": str(root or "hub")}) as run:
        if run.is_finished:
            return IngestResult(**json.loads((run.path / "summary.json").read_text(encoding="utf-8")))
        origin = local or hub_origin(source, run.work)
        run.event("start", source=manifest.name, layout=origin.layout, origin=origin.shown)
        result = _run(run, source, origin, limit)
        run.event("done", kept=result.kept, dropped=result.dropped)
        return result


def _run(run: RunDir, source: Source, origin: Origin, limit: int | None) -> IngestResult:
    units = UnitStore(run.work / "units", ".arrow")
    seen = _Names()
    counts = _Counts()
    files: list[tuple[Path, np.ndarray]] = []
    # The whole ledger is written anew: a resumed run must not record a row twice.
    with (
        replace_file(run.ledger.path) as aside,
        aside.open("w", encoding="utf-8", errors="backslashreplace") as ledger,
        progress(None, f"ingest {source.manifest.name}") as advance,
    ):
        for path in _unit_files(units, source, origin, limit):
            kept, refused = _screen(path, seen, None if limit is None else limit - counts.kept, counts)
            for refusal in refused:
                ledger.write(_ledger_line(refusal))
            files.append((path, np.array(kept, dtype=np.int32)))
            advance(len(kept) + len(refused))
            if limit is not None and counts.kept >= limit:
                break
    _check_structure(source, origin, counts)
    shards = write_sorted(files, run.path / "data", run.work / "runs")
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
    run.summary(asdict(result))
    # The shards hold it all now; keeping the units would double the disk space.
    shutil.rmtree(run.work / "units", ignore_errors=True)
    if not counts.kept:
        warn(f"{source.manifest.name}: not one of {result.rows_read} rows could be used; first: {counts.first}")
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
        place = name = f"{source.manifest.name}/{row.where}"
        try:
            made = origin.problem(row)
            for problem in [made] if isinstance(made, Problem) else made:
                name = sample_id(source.manifest, problem)
                try:
                    yield to_sample(
                        source.manifest, problem, row, pictures, url=origin.url, revision=origin.revision
                    )
                except BadRow as error:
                    yield Refusal(place if error.reason == "bad_id" else name, error.reason, str(error))
                except UnicodeEncodeError:
                    yield unstorable(name)
        except BadRow as error:
            yield Refusal(name, error.reason, str(error))


def _screen(
    path: Path, seen: _Names, room: int | None, counts: _Counts
) -> tuple[list[int], list[Refusal]]:
    """Which rows of a unit stay (not seen before, within the limit), and its refusals in upstream's order."""
    unit = UnitFile(path)
    columns = unit.rows.select(["id", "split", "answer_kind", "image_hash"]).to_pylist()
    kept: list[int] = []
    out: list[Refusal] = []
    rows = iter(enumerate(columns))
    for position in range(len(columns) + len(unit.refused)):
        if room is not None and len(kept) >= room:
            break
        if position in unit.refused:
            out.append(unit.refused[position])
            continue
        index, row = next(rows)
        if not seen.add(row["id"]):
            out.append(Refusal(row["id"], "duplicate_id", f"another row of this source has the id {row['id']}"))
            continue
        kept.append(index)
        counts.kept += 1
        counts.with_picture += bool(row["image_hash"])
        counts.splits[row["split"]] += 1
        counts.kinds[row["answer_kind"]] += 1
    counts.dropped.update(refusal.reason for refusal in out)
    counts.first = counts.first or (out[0].evidence if out else "")
    return kept, out


_STRUCTURE = frozenset({"missing_field", "wrong_type", "unreadable"})


def _check_structure(source: Source, origin: Origin, counts: _Counts) -> None:
    """A source of which no row has the promised form is not that source: say so instead of writing nothing."""
    if counts.kept:
        return
    if not counts.dropped:
        raise CogitoError(f"{origin.shown} holds no rows of {source.manifest.name} ({origin.layout} layout)")
    if counts.dropped.keys() <= _STRUCTURE:
        raise CogitoError(
            f"no row of {source.manifest.name} in {origin.shown} has the form of the {origin.layout} layout: "
            f"{counts.first}"
        )
