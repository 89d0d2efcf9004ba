"""The build: sources in, training shards out. `build` reads from top to bottom; each step is a module of its own.

    ingest -> prepare (reformulate, fingerprint) -> deduplicate -> decontaminate -> hold out -> difficulty
    -> select -> write shards -> summary, ledger, report

Work that takes long is cut into units (cogito_data.workers), which survive a kill; what lies between them is
cheap, depends on nothing but their outputs, and is done again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cogito_core.console import CogitoError, progress, warn
from cogito_core.runs import Ledger, RunDir
from cogito_core.shards import shard_paths
from cogito_core.units import UnitStore
from cogito_core.verify.verdict import VERSION
from cogito_data import nano_source, prepare, rewrite, trials
from cogito_data.decontaminate import Hit, decontaminate
from cogito_data.dedup import Findings, deduplicate
from cogito_data.drops import Drop, DropLog
from cogito_data.final import write_shard
from cogito_data.funnel import Funnel, summarise
from cogito_data.ingest import ingest
from cogito_data.pool import Pool
from cogito_data.prepare import part_drops
from cogito_data.probes import ProbeItem, read_probes
from cogito_data.recipe import DataRecipe, Rewriting, SourceMix
from cogito_data.selection import cap, draw, drop_by_difficulty, hold_out
from cogito_data.sources.base import SourceManifest, load_source
from cogito_data.trials import Measured
from cogito_data.workers import Crew, Task

SHARD_ROWS = 5000
SHARD_BYTES = 200 * 2**20
"""A shard has at most this many rows and about this many bytes of pictures."""


@dataclass
class Build:
    """A finished build in memory, for the report.

    Attributes:
        absent: the sources that were left out, with the reason.
        origins: where each other source was read: its folder, or its Hub copy at a commit.
    """

    name: str
    recipe: DataRecipe
    pool: Pool
    findings: Findings
    hits: list[Hit]
    probes: list[ProbeItem]
    measured: Measured
    splits: dict[str, np.ndarray]
    funnel: Funnel
    absent: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)


def build(name: str, recipe: DataRecipe, run: RunDir, *, root: Path | None, crew: Crew) -> Build:
    """Run the recipe into an open run directory; whatever units it holds already are not done again.

    Raises:
        CogitoError: a source or a benchmark is missing, the model cannot be asked, a worker keeps dying, or no row is
            left to train on.
    """
    absent = _absent(recipe, root)
    probes = read_probes(recipe.decontaminate, root, kept=run.work / "benchmarks.json")
    drops = DropLog(run.work)
    with _step(run, "ingest"):
        shards, origins = _ingest(recipe, run, root, drops, absent)
    with _step(run, "prepare"):
        pool = _prepare(recipe, run, shards, crew, drops)
        early_drops = Counter(drops.counts)
    with _step(run, "deduplicate"):
        findings = deduplicate(pool, recipe.deduplicate)
    with _step(run, "decontaminate"):
        hits = decontaminate(pool, recipe.decontaminate, recipe.deduplicate, probes)
    early = recipe.hold_out.when == "before_difficulty"
    held = hold_out(pool, recipe) if early else {}
    spared = np.concatenate([np.zeros(0, np.int64), *held.values()])
    draw(pool, recipe, spared)
    if recipe.reformulate is not None:
        with _step(run, "rewrite"):
            pool = _rewrite(recipe, recipe.reformulate, run, pool, crew)
    measured = Measured(len(pool), recipe.difficulty)
    if recipe.difficulty is not None and recipe.difficulty.enabled:
        with _step(run, "difficulty"):
            rows = np.setdiff1d(pool.rows, spared)
            measured = _difficulty(recipe, run, pool, rows, crew)
            drop_by_difficulty(pool, measured, recipe.difficulty)
    with _step(run, "select"):
        cap(pool, recipe, spared)
        held = held if early else hold_out(pool, recipe)
        splits = _splits(pool, held)
    with _step(run, "write"):
        _write(run, pool, measured, splits, crew)
    drops.write(run.path / "ledger.jsonl")
    if "train" not in splits:
        held_out = ", ".join(f"{len(rows)} {name}" for name, rows in splits.items()) or "none"
        reasons = Counter(row["reason"] for row in Ledger(run.path / "ledger.jsonl").rows())
        dropped = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3)) or "none"
        raise CogitoError(
            f"no row is left to train on (held out: {held_out}; dropped: {dropped}); "
            f"{run.path}/ledger.jsonl names each"
        )
    funnel = summarise(recipe, pool, early_drops, splits, measured)
    return Build(name, recipe, pool, findings, hits, probes, measured, splits, funnel, absent, origins)


@contextmanager
def _step(run: RunDir, name: str) -> Iterator[None]:
    started = time.monotonic()
    run.event("start", step=name)
    yield
    run.event("done", step=name, seconds=round(time.monotonic() - started, 3))


def _absent(recipe: DataRecipe, root: Path | None) -> dict[str, str]:
    """Optional sources that are nowhere, with the reason. Before any work: it must not be found out after hours.

    Raises:
        CogitoError: a source that is not optional is nowhere.
    """
    absent: dict[str, str] = {}
    for part in recipe.mix:
        if part.source == nano_source.NAME:
            continue
        try:
            _source_root(root, load_source(part.source).manifest)
        except CogitoError as error:
            if not part.optional:
                raise
            absent[part.name] = str(error)
            warn(f"{part.name} is left out: {error}")
    return absent


def _ingest(
    recipe: DataRecipe, run: RunDir, root: Path | None, drops: DropLog, absent: Container[str]
) -> tuple[list[Path], dict[str, str]]:
    """Every source of the mix: its shards, and where it was read. Notes the rows that were refused."""
    shards: list[Path] = []
    origins: dict[str, str] = {}
    # Several sources may lie in one repository: a build reads it at one commit.
    commits: dict[tuple[str, str], str] = {}
    for part in recipe.mix:
        if part.name in absent:
            continue
        out = run.work / "ingest" / part.name
        if part.source == nano_source.NAME:
            category = ""
            result = nano_source.ingest_nano(out, part.limit or nano_source.DEFAULT_ROWS, recipe.seed)
        else:
            manifest = load_source(part.source).manifest
            category, folder = manifest.category, _source_root(root, manifest)
            if folder is None and root is not None:
                warn(f"{part.name}: there is no such folder below {root}, so its Hub copy is streamed")
            hub = manifest.hub if folder is None else None
            known = commits.get((hub.repo, hub.revision)) if hub is not None else None
            result = ingest(
                part.source,
                root=folder,
                from_hub=folder is None,
                out=out,
                limit=part.limit,
                pictures_only=part.pictures_only,
                revision=known,
            )
            if hub is not None:
                commits[hub.repo, hub.revision] = result.origin.rpartition("@")[2]
        origins[part.name] = result.origin
        shards += shard_paths(out / "data")
        drops.extend(_ingest_drops(out / "ledger.jsonl", part.name, category))
    return shards, origins


def _source_root(root: Path | None, manifest: SourceManifest) -> Path | None:
    """The folder of a source below ROOT; None to stream it from the Hub.

    Raises:
        CogitoError: it is neither below ROOT nor on the Hub.
    """
    if root is not None and (root / manifest.name).is_dir():
        return root / manifest.name
    if manifest.hub is None:
        where = f"--from {root}" if root is not None else "no --from ROOT is given"
        raise CogitoError(f"{where}: there is no folder '{manifest.name}', and {manifest.no_hub}")
    return None


def _ingest_drops(ledger: Path, source: str, category: str) -> Iterator[Drop]:
    if not ledger.exists():
        return
    with ledger.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Drop(row["id"], source, category, row["stage"], row["reason"], row["evidence"])


def _prepare(recipe: DataRecipe, run: RunDir, shards: list[Path], crew: Crew, drops: DropLog) -> Pool:
    """Reformulate and fingerprint every shard."""
    store = UnitStore(run.work / "prepared", ".parquet")
    mix = {part.name: part for part in recipe.mix}
    tasks = []
    for shard in shards:
        part = mix[shard.parent.parent.name]
        allowed = _allowed_splits(recipe, part)
        arguments = (str(shard), part.reformulate, part.entities_visible, allowed, part.pictures_only)
        key = store.key(prepare.CODE_VERSION, VERSION, part.name, shard.name, shard.stat().st_size, *arguments[1:])
        tasks.append(Task(key, prepare.prepare_shard, arguments, f"{part.name}/{shard.name}"))
    with progress(len(tasks), "reformulate and fingerprint", "shards") as advance:
        parts = crew.run(store, tasks, advance)
    for part_path in parts:
        drops.extend(part_drops(part_path))
    return Pool(list(zip(shards, parts, strict=True)), drops)


def _allowed_splits(recipe: DataRecipe, part: SourceMix) -> list[str] | None:
    if recipe.any_split or part.source == nano_source.NAME:
        return None
    return list(load_source(part.source).manifest.training_splits)


def _rewrite(recipe: DataRecipe, settings: Rewriting, run: RunDir, pool: Pool, crew: Crew) -> Pool:
    """A model's rewrites of what the rules left, one unit for each prepared part that has such rows."""
    store = UnitStore(run.work / "rewritten", ".parquet")
    work = run.work / "rewriting"
    work.mkdir(exist_ok=True)
    plain = settings.model_dump(mode="json")
    texts, codes = pool.codes("reformulation")
    open_to_it = np.array([rewrite.may_ask(text) for text in texts], dtype=bool)
    tasks: dict[int, Task] = {}
    for number, part in enumerate(pool.parts):
        rows = pool.rows_of(number)
        rows = rows[open_to_it[codes[rows]]] if texts else rows
        if len(rows):
            parts, local = pool.excerpt(rows)
            key = store.key(rewrite.CODE_VERSION, VERSION, rewrite.PROMPT, json.dumps(plain), recipe.seed,
                            part[1].name, *local.tolist())
            arguments = (parts, local, plain, recipe.seed, str(work), crew.cluster)
            tasks[number] = Task(key, rewrite.rewrite_unit, arguments, f"rewrites of {part[1].name}")
    with progress(len(tasks), f"rewrites by {settings.model}", "units") as advance:
        paths = _own_crew(settings.engine, crew).run(store, list(tasks.values()), advance)
    trials.close_engines()
    return pool.with_parts(dict(zip(tasks, paths, strict=True)))


def _own_crew(engine: str, crew: Crew) -> Crew:
    """A cluster serves the engine itself; only the in-process engine gains from more processes here."""
    return Crew(crew.workers if engine == "transformers" and crew.cluster is None else 1)


def _difficulty(
    recipe: DataRecipe, run: RunDir, pool: Pool, rows: np.ndarray, crew: Crew
) -> Measured:
    """Trials of every row that is still in and not held out."""
    settings = recipe.difficulty
    assert settings is not None
    store = UnitStore(run.work / "trials", ".parquet")
    plain = settings.model_dump(mode="json")
    tasks = []
    for start in range(0, len(rows), trials.UNIT_ROWS):
        chunk = rows[start : start + trials.UNIT_ROWS]
        parts, local = pool.excerpt(chunk)
        names = [Path(part).name for _, part in parts]
        key = store.key(trials.CODE_VERSION, VERSION, json.dumps(plain), recipe.seed, *names, *local.tolist())
        arguments = (parts, local, plain, recipe.seed, str(run.work), crew.cluster)
        tasks.append(Task(key, trials.run_unit, arguments, f"trials of rows {chunk[0]}-{chunk[-1]}"))
    with progress(len(tasks), f"{settings.trials} trials of {settings.model}", "units") as advance:
        paths = _own_crew(settings.engine, crew).run(store, tasks, advance)
    trials.close_engines()
    return trials.read_measured(paths, rows, len(pool), settings)


def _splits(pool: Pool, held: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows of every split in the order in which they are stored.

    That is the order of the pool: by source as in the recipe, then as ingest sorted them, by picture and id. So
    questions on one picture are neighbours, and a final shard needs one or two of the ingested ones.
    """
    out = np.concatenate([np.zeros(0, np.int64), *held.values()])
    splits = {"train": np.setdiff1d(pool.rows, out), **held}
    return {name: rows for name, rows in splits.items() if len(rows)}


def _write(run: RunDir, pool: Pool, measured: Measured, splits: dict[str, np.ndarray], crew: Crew) -> None:
    """The final shards, of nearly equal size, into `data/`."""
    store = UnitStore(run.work / "shards", ".parquet")
    tasks: list[Task] = []
    names: list[str] = []
    for split, rows in splits.items():
        n_bytes = int(pool.picture_bytes[rows].sum())
        count = max(1, -(-len(rows) // SHARD_ROWS), -(-n_bytes // SHARD_BYTES))
        for number in range(count):
            chunk = rows[len(rows) * number // count : len(rows) * (number + 1) // count]
            parts, local = pool.excerpt(chunk)
            found = measured.take(chunk)
            key = store.key("3", *(Path(part).name for _, part in parts), found.digest, *local.tolist())
            tasks.append(Task(key, write_shard, (parts, local, found), f"{split} shard {number}"))
            names.append(f"{split}-{number:05d}.parquet")
    with progress(len(tasks), "write", "shards") as advance:
        paths = crew.run(store, tasks, advance)
    data = run.path / "data"
    data.mkdir(exist_ok=True)
    for path, name in zip(paths, names, strict=True):
        _publish(path, data / name)
    for stale in {*data.glob("*.parquet"), *data.glob(".*.aside")} - {data / name for name in names}:
        stale.unlink()


def _publish(unit: Path, place: Path) -> None:
    """Put a finished unit into `data/` in one step, without a second copy where the file system can link."""
    beside = place.with_name(f".{place.name}.aside")
    beside.unlink(missing_ok=True)
    try:
        os.link(unit, beside)
    except OSError:
        shutil.copyfile(unit, beside)
    os.replace(beside, place)
    # Two names of one file: renaming one onto the other does nothing and leaves both (rename(2)).
    beside.unlink(missing_ok=True)
