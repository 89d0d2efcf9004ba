"""Where a checkpoint comes from: weights, recipe, base model, training shards, the build that made them, upstream."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from cogito_core.manifest import file_hash
from cogito_core.shards import SampleStore, shard_paths
from cogito_train.config import TrainRecipe

SHOWN_REVISIONS = 5

_SNAPSHOT = re.compile(r"datasets--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<commit>[0-9a-f]{40})")


def hub_origin(data: Path) -> tuple[str, str] | None:
    """(dataset, commit) if the shards lie in the Hub's local cache, None if they were built or copied here."""
    found = _SNAPSHOT.search(str(data.absolute()))
    return (f"{found['owner']}/{found['name']}", found["commit"]) if found else None


def is_hub_model(name: str) -> bool:
    """Whether a base model is a repository of the Hub, not the shipped nano or a folder here."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None and not Path(name).expanduser().is_dir()


def lineage(recipe: TrainRecipe, data: SampleStore, final: Path) -> list[tuple[str, str]]:
    """(what, Markdown) from the checkpoint up to its sources; hashes are SHA-256.

    `final` is the folder of the exported weights inside the run directory, whose provenance.json is read.
    """
    run = _json(final.parent / "provenance.json")
    inputs = run.get("inputs") or {}
    rows = [("weights", f"`{path.name}` {file_hash(path)}") for path in sorted(final.glob("*.safetensors"))]
    rows.append(("recipe", _text_hash(yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=True))))
    rows.append(("code", _code(run)))
    revision = inputs.get("model") or recipe.revision
    rows.append(("base model", f"{recipe.model}" + (f" at {revision}" if revision else "")))
    rows += _data_rows(data)
    return rows


def _data_rows(data: SampleStore) -> list[tuple[str, str]]:
    shards = shard_paths(data.directory, "train")
    name = _text_hash("\n".join(f"{path.name} {file_hash(path)}" for path in shards))
    rows = [("training data", f"{len(data):,} rows in {len(shards)} shards, {name}")]
    origin = hub_origin(data.directory)
    if origin is not None:
        repo, commit = origin
        card = f"https://huggingface.co/datasets/{repo}/blob/{commit}/README.md"
        rows.append(("its card", f"[{repo} at {commit[:12]}]({card})"))
    published = _json(data.directory.parent / "manifest.json").get("provenance")
    built = published if published is not None else _json(data.directory.parent / "provenance.json")
    if built:
        rows.append(("its build", _code(built)))
    return rows


def upstream(data: SampleStore) -> list[tuple[str, int, str, str]]:
    """(source, rows, licence, revisions) of the training rows, as the rows state them."""
    columns = [data.column(name) for name in ("source", "license", "upstream_url", "upstream_revision")]
    rows: Counter[tuple[str, str]] = Counter(zip(columns[0], columns[1], strict=True))
    read: dict[tuple[str, str], set[str]] = {}
    for source, licence, url, revision in zip(*columns, strict=True):
        read.setdefault((source, licence), set()).add(f"{url or ''} {revision or ''}".strip())
    found = []
    for (source, licence), n in sorted(rows.items()):
        places = sorted(filter(None, read[source, licence]))
        more = f" and {len(places) - SHOWN_REVISIONS:,} more" if len(places) > SHOWN_REVISIONS else ""
        found.append((source, n, licence or "not stated", ", ".join(places[:SHOWN_REVISIONS]) + more))
    return found


def _code(provenance: dict[str, Any]) -> str:
    git = provenance.get("git") or {}
    commit = f", commit {git['commit'][:12]}" if git.get("commit") else ""
    dirty = " with local changes" if git.get("dirty") else ""
    return f"cogito-vlm {provenance['cogito']}{commit}{dirty}" if "cogito" in provenance else "not recorded"


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(path: Path) -> dict[str, Any]:
    """A JSON file that may be absent: data that was copied without its run directory has no provenance."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
