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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, progress, warn
from cogito_core.files import write_atomic
from cogito_core.runs import RunDir
from cogito_core.shards import shard_paths
from cogito_core.units import UnitStore
from cogito_core.verify.verdict import VERSION
from cogito_data import nano_source, prepare, trials
from cogito_data.decontaminate import Hit, decontaminate
from cogito_data.dedup import Findings, deduplicate
from cogito_data.final import write_shard
from cogito_data.funnel import Funnel, summarise
from cogito_data.ingest import ingest
from cogito_data.pool import Pool
from cogito_data.prepare import Drop, part_drops
from cogito_data.probes import ProbeItem, read_probes
from cogito_data.recipe import DataRecipe, SourceMix
from cogito_data.selection import cap, drop_by_difficulty, hold_out
from cogito_data.sources.base import SourceManifest, load_source
from cogito_data.workers import Crew, Task

SHARD_ROWS = 5000
SHARD_BYTES = 200 * 2**20
"""A shard has at most this many rows and about this many bytes of pictures."""


@dataclass
class Build:
    """A finished build in memory, for the report."""

    name: str
    recipe: DataRecipe
    pool: Pool
    findings: Findings
    hits: list[Hit]
    probes: list[ProbeItem]
    measured: dict[int, dict[str, Any]]
    splits: dict[str, list[int]]
    funnel: Funnel


def build(name: str, recipe: DataRecipe, run: RunDir, *, root: Path | None, crew: Crew) -> Build:
    """Run the recipe into an open run directory; whatever units it holds already are not done again.

    Raises:
        CogitoError: a source or a benchmark is missing, the model cannot be asked, or a worker keeps dying.
    """
    probes = read_probes(recipe.decontaminate, root)
    with _step(run, "ingest"):
        shards, drops = _ingest(recipe, run, root)
    with _step(run, "prepare"):
        pool, refused = _prepare(recipe, run, shards, crew)
        drops += refused
    with _step(run, "deduplicate"):
        findings = deduplicate(pool, recipe.deduplicate)
    with _step(run, "decontaminate"):
        hits = decontaminate(pool, recipe.decontaminate, recipe.deduplicate, probes)
    early = recipe.hold_out.when == "before_difficulty"
    held = hold_out(pool, recipe) if early else {}
    spared = {row for rows in held.values() for row in rows}
    measured: dict[int, dict[str, Any]] = {}
    if recipe.difficulty is not None and recipe.difficulty.enabled:
        with _step(run, "difficulty"):
            rows = [row for row in pool.rows if row not in spared]
            measured = _difficulty(recipe, run, pool, rows, crew)
            drop_by_difficulty(pool, measured, recipe.difficulty)
    with _step(run, "select"):
        cap(pool, recipe, spared)
        held = held if early else hold_out(pool, recipe)
        splits = _splits(pool, held)
    with _step(run, "write"):
        _write(run, pool, measured, splits, crew)
    _ledger(run, drops + pool.drops)
    funnel = summarise(recipe, pool, drops, splits, measured)
    return Build(name, recipe, pool, findings, hits, probes, measured, splits, funnel)


@contextmanager
def _step(run: RunDir, name: str) -> Iterator[None]:
    started = time.monotonic()
    run.event("start", step=name)
    yield
    run.event("done", step=name, seconds=round(time.monotonic() - started, 3))


def _ingest(recipe: DataRecipe, run: RunDir, root: Path | None) -> tuple[list[Path], list[Drop]]:
    """Every source of the mix; returns its shards and the rows that were refused."""
    shards: list[Path] = []
    drops: list[Drop] = []
    # Before any work: a source that is nowhere must not be found out after hours of others.
    real = [part.source for part in recipe.mix if part.source != nano_source.NAME]
    manifests = {name: load_source(name).manifest for name in real}
    folders = {name: _source_root(root, manifest) for name, manifest in manifests.items()}
    for part in recipe.mix:
        out = run.work / "ingest" / part.source
        if part.source == nano_source.NAME:
            category = ""
            nano_source.ingest_nano(out, part.limit or nano_source.DEFAULT_ROWS, recipe.seed)
        else:
            category, folder = manifests[part.source].category, folders[part.source]
            if folder is None and root is not None:
                warn(f"{part.source}: there is no such folder below {root}, so its Hub copy is streamed")
            ingest(part.source, root=folder, from_hub=folder is None, out=out, limit=part.limit)
        shards += shard_paths(out / "data")
        drops += _ingest_drops(out / "ledger.jsonl", part.source, category)
    return shards, drops


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


def _ingest_drops(ledger: Path, source: str, category: str) -> list[Drop]:
    if not ledger.exists():
        return []
    rows = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    return [Drop(row["id"], source, category, row["stage"], row["reason"], row["evidence"]) for row in rows]


def _prepare(recipe: DataRecipe, run: RunDir, shards: list[Path], crew: Crew) -> tuple[Pool, list[Drop]]:
    """Reformulate and fingerprint every shard."""
    store = UnitStore(run.work / "prepared", ".parquet")
    mix = {part.source: part for part in recipe.mix}
    tasks = []
    for shard in shards:
        part = mix[shard.parent.parent.name]
        allowed = _allowed_splits(recipe, part)
        arguments = (str(shard), part.reformulate, part.entities_visible, allowed, part.pictures_only)
        key = store.key(prepare.CODE_VERSION, VERSION, part.source, shard.name, shard.stat().st_size, *arguments[1:])
        tasks.append(Task(key, prepare.prepare_shard, arguments, f"{part.source}/{shard.name}"))
    with progress(len(tasks), "reformulate and fingerprint", "shards") as advance:
        parts = crew.run(store, tasks, advance)
    return Pool(list(zip(shards, parts, strict=True))), [drop for part in parts for drop in part_drops(part)]


def _allowed_splits(recipe: DataRecipe, part: SourceMix) -> list[str] | None:
    if recipe.any_split or part.source == nano_source.NAME:
        return None
    return list(load_source(part.source).manifest.training_splits)


def _difficulty(
    recipe: DataRecipe, run: RunDir, pool: Pool, rows: list[int], crew: Crew
) -> dict[int, dict[str, Any]]:
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
        key = store.key(trials.CODE_VERSION, VERSION, json.dumps(plain), recipe.seed, *names, *local)
        arguments = (parts, local, plain, recipe.seed, str(run.work), crew.cluster)
        tasks.append(Task(key, trials.run_unit, arguments, f"trials of rows {chunk[0]}-{chunk[-1]}"))
    # A cluster serves the engine itself; only the in-process engine gains from more processes here.
    own = Crew(crew.workers if settings.engine == "transformers" and crew.cluster is None else 1)
    with progress(len(tasks), f"{settings.trials} trials of {settings.model}", "units") as advance:
        paths = own.run(store, tasks, advance)
    trials.close_engines()
    return trials.read_measured(paths, rows, settings)


def _splits(pool: Pool, held: dict[str, list[int]]) -> dict[str, list[int]]:
    """Rows of every split in the order in which they are stored.

    That is the order of the pool: by source as in the recipe, then as ingest sorted them, by picture and id. So
    questions on one picture are neighbours, and a final shard needs one or two of the ingested ones.
    """
    out = {row for rows in held.values() for row in rows}
    splits = {"train": [row for row in pool.rows if row not in out], **held}
    return {name: sorted(rows) for name, rows in splits.items() if rows}


def _write(
    run: RunDir, pool: Pool, measured: dict[int, dict[str, Any]], splits: dict[str, list[int]], crew: Crew
) -> None:
    """The final shards, of nearly equal size, into `data/`."""
    store = UnitStore(run.work / "shards", ".parquet")
    weight = pool.numbers("picture_bytes")
    tasks: list[Task] = []
    names: list[str] = []
    for split, rows in splits.items():
        n_bytes = int(weight[rows].sum())
        count = max(1, -(-len(rows) // SHARD_ROWS), -(-n_bytes // SHARD_BYTES))
        for number in range(count):
            chunk = rows[len(rows) * number // count : len(rows) * (number + 1) // count]
            parts, local = pool.excerpt(chunk)
            values = {place: measured[row] for place, row in zip(local, chunk, strict=True) if row in measured}
            key = store.key("1", *(Path(part).name for _, part in parts), json.dumps(values), *local)
            tasks.append(Task(key, write_shard, (parts, local, values), f"{split} shard {number}"))
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


def _ledger(run: RunDir, drops: list[Drop]) -> None:
    lines = (
        json.dumps({key: value for key, value in asdict(drop).items() if value}, ensure_ascii=False) for drop in drops
    )
    write_atomic(run.path / "ledger.jsonl", "".join(f"{line}\n" for line in lines))
