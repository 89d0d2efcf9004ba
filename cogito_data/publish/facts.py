"""What a finished build says about itself: counted from its shards, read from its files, nothing invented."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from cogito_core.chat_column import PROMPT, prompt_column
from cogito_core.console import CogitoError
from cogito_core.engines.base import seed_of
from cogito_core.manifest import load_manifest, validate
from cogito_core.shards import shard_paths
from cogito_data import nano_source
from cogito_data.publish.bundle import split_of
from cogito_data.publish.licences import Terms, terms_of
from cogito_data.recipe import DataRecipe
from cogito_data.sources.base import SourceManifest

COMMAND = "cogito-data build"

BATCH_ROWS = 64
"""Rows in memory at once, pictures included."""

DRAWN = 3
"""Rows kept in mind of every category and rule."""


@dataclass
class SourceFacts:
    """One source of the published rows."""

    name: str
    terms: Terms
    manifest: SourceManifest | None
    rows: Counter[str] = field(default_factory=Counter)
    """Split -> rows."""
    revisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(address, revision) as the rows themselves state them -> rows."""

    @property
    def title(self) -> str:
        return self.manifest.title if self.manifest else self.name


class Draw:
    """The few rows of many with the smallest hash of their id: the same whatever the order, in bounded memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, int]] = []
        """(hash, shard, row), smallest hash first."""

    def offer(self, id_: str, shard: str, row: int) -> None:
        number = seed_of("card", id_)
        if len(self.rows) < DRAWN or number < self.rows[-1][0]:
            self.rows = sorted([*self.rows, (number, shard, row)])[:DRAWN]


@dataclass
class Facts:
    """One build.

    Attributes:
        shards: path in the repository -> file here; `rows` and `plain_bytes` (pictures repeated as readers see
            them) likewise.
        rates: pass rate, rounded to hundredths -> published training rows.
        kept, rewritten: category, or rule -> the few rows that the card may show, see Draw.
    """

    run: Path
    name: str
    recipe: DataRecipe
    config: dict[str, Any]
    provenance: dict[str, Any]
    summary: dict[str, Any]
    shards: dict[str, Path] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    plain_bytes: dict[str, int] = field(default_factory=dict)
    sources: dict[str, SourceFacts] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    rates: Counter[float] = field(default_factory=Counter)
    kept: dict[str, Draw] = field(default_factory=dict)
    rewritten: dict[str, Draw] = field(default_factory=dict)

    @property
    def splits(self) -> dict[str, int]:
        """Split -> rows, train first."""
        found: Counter[str] = Counter()
        for path, n in self.rows.items():
            found[split_of(path)] += n
        return {name: found[name] for name in sorted(found, key=lambda name: (name != "train", name))}

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def built_on(self) -> str:
        """The day on which the shards were written, ISO 8601: the same whenever the build is published."""
        done = [event["time"] for event in _lines(self.run / "events.jsonl") if event.get("step") == "write"]
        stamp = done[-1] if done else (self.run / "summary.json").stat().st_mtime
        return datetime.fromtimestamp(stamp, UTC).date().isoformat()

    def ledger(self) -> Iterator[dict[str, str]]:
        """Every dropped row with stage, reason and evidence."""
        return _lines(self.run / "ledger.jsonl")

    def leaks(self) -> Iterator[dict[str, Any]]:
        """Every row that met a benchmark item."""
        return _lines(self.run / "leaks.jsonl")


def read_facts(run: Path) -> Facts:
    """Read a run directory.

    Raises:
        CogitoError: it is no finished build, its shards are not what its summary counted, or their column `prompt`
            is not what their other columns give.
    """
    config, summary = _finished(run)
    facts = Facts(
        run=run,
        name=str(config["recipe"]),
        recipe=validate(config["data"], DataRecipe, where=f"{run / 'config.yaml'}, data"),
        config=config,
        provenance=_json(run / "provenance.json"),
        summary=summary,
    )
    manifests = {name: one for name in _mixed(facts.recipe) if (one := _manifest(name)) is not None}
    by_name = {one.name: one for one in manifests.values()}
    for path in shard_paths(run / "data"):
        _count(facts, path, by_name)
    if not facts.total:
        raise CogitoError(f"the build in {run} kept no row, so there is nothing to publish")
    if facts.splits != summary.get("splits"):
        raise CogitoError(
            f"{run / 'data'} holds {facts.splits}, but summary.json counted {summary.get('splits')}: "
            "the shards were changed after the build; build again"
        )
    return facts


def _finished(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CogitoError(f"{run} is no run directory of `{COMMAND}`: it has no config.yaml") from None
    except yaml.YAMLError as error:
        raise CogitoError(f"{run / 'config.yaml'} is not valid YAML") from error
    if not isinstance(config, dict) or config.get("command") != COMMAND:
        raise CogitoError(f"{run} is no run directory of `{COMMAND}`, so there is nothing to publish in it")
    if not (run / "summary.json").exists():
        raise CogitoError(f"the build in {run} is not finished: run the same `{COMMAND}` again, then publish")
    return config, _json(run / "summary.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CogitoError(f"{path} cannot be read: {error}") from error


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8") as handle:
            for line in handle:
                yield json.loads(line)


def _mixed(recipe: DataRecipe) -> list[str]:
    return [part.source for part in recipe.mix]


def _manifest(source: str) -> SourceManifest | None:
    return None if source == nano_source.NAME else load_manifest(source, "sources", SourceManifest)


_COUNTED = ["id", "source", "category", "language", "answer_kind", "reformulation", "pass_rate",
            "upstream_url", "upstream_revision"]  # fmt: skip


def _count(facts: Facts, path: Path, manifests: dict[str, SourceManifest]) -> None:
    name = f"data/{path.name}"
    split = split_of(name)
    facts.shards[name] = path
    plain = 0
    place = 0
    with pq.ParquetFile(path, memory_map=True) as shard:
        for batch in shard.iter_batches(batch_size=BATCH_ROWS):
            _check_prompt(batch, path, place)
            plain += batch.nbytes
            columns = batch.select(_COUNTED).to_pydict()
            for values in zip(*(columns[column] for column in _COUNTED), strict=True):
                id_, source, category, language, kind, reformulation, rate, url, revision = values
                found = facts.sources.get(source)
                if found is None:
                    manifest = manifests.get(source)
                    found = facts.sources[source] = SourceFacts(source, terms_of(source), manifest)
                found.rows[split] += 1
                found.revisions[(url or "", revision or "")] += 1
                facts.kinds[kind] += 1
                facts.categories[category] += 1
                facts.languages[language] += 1
                if rate is not None and split == "train":
                    facts.rates[round(rate, 2)] += 1
                rule = (reformulation or "none").partition(":")[0]
                if rule != "none":
                    facts.rewritten.setdefault(rule, Draw()).offer(id_, name, place)
                if split == "train":
                    facts.kept.setdefault(category, Draw()).offer(id_, name, place)
                place += 1
    facts.rows[name] = place
    facts.plain_bytes[name] = plain


def _check_prompt(batch: pa.RecordBatch, path: Path, place: int) -> None:
    if PROMPT.name not in batch.schema.names:
        raise CogitoError(
            f"{path} lacks the column 'prompt': it was built before schema version 2; remove "
            f"{path.parent.parent / 'summary.json'} and run the same `{COMMAND}` again: it only writes the shards"
        )
    stored, made = batch.column(PROMPT.name), prompt_column(batch)
    if not stored.equals(made):
        row = next(row for row in range(len(made)) if stored[row] != made[row])
        raise CogitoError(
            f"{path}, row {place + row}: the column 'prompt' is not what 'problem' and 'images' give; the shard was "
            "changed after the build, so build again"
        )
