"""From a build to the bundle that goes to the Hub: shards, card, Croissant file, recipe, evidence, manifest."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import yaml

from cogito_core.sample import SCHEMA_VERSION
from cogito_data.publish.bundle import Bundle, LocalFile
from cogito_data.publish.card import dataset_card
from cogito_data.publish.croissant import croissant
from cogito_data.publish.facts import Facts
from cogito_data.publish.plan import FORMAT, MANIFEST

REGULAR_BYTES = 10 * 2**20
"""The Hub keeps larger files apart from commits, whatever .gitattributes says."""

ANY_SERVER = "openai:http://localhost:8000/v1"
"""Stands in a published recipe for whatever server the builder used."""


def make_bundle(facts: Facts, repo: str) -> Bundle:
    """Everything to publish. The same build gives the same bytes, so an unchanged one is recognised as such."""
    files = {name: LocalFile(name, path) for name, path in facts.shards.items()}
    card, assets = dataset_card(facts, repo)
    texts: dict[str, bytes] = {
        "README.md": card.encode("utf-8", errors="replace"),
        "recipe.yaml": published_recipe(facts).encode(),
        **assets,
    }
    for name in ("ledger.jsonl", "leaks.jsonl"):
        path = facts.run / name
        if path.exists() and path.stat().st_size:
            texts[f"evidence/{name}.gz"] = gzip.compress(_without_root(facts, path.read_bytes()), mtime=0)
    files |= {name: LocalFile(name, data) for name, data in texts.items()}
    version = _content_name(files)
    files["croissant.json"] = LocalFile("croissant.json", _json(croissant(facts, repo, f"0.0.0+{version}")))
    files[MANIFEST] = LocalFile(MANIFEST, _json(manifest(facts, files, version)))
    return Bundle(files, dict(facts.rows))


def manifest(facts: Facts, files: dict[str, LocalFile], version: str) -> dict[str, Any]:
    """Every file but the manifest itself with size and hash, rows, and what the build depended on."""
    return {
        "format": FORMAT,
        "name": facts.name,
        "content": version,
        "schema_version": SCHEMA_VERSION,
        "splits": facts.splits,
        "files": [_entry(facts, one) for _, one in sorted(files.items())],
        "sources": {name: _source(facts, name) for name in sorted(facts.sources)},
        "provenance": provenance(facts),
    }


def _entry(facts: Facts, file: LocalFile) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": file.path, "size": file.size, "sha256": file.sha256}
    if file.path in facts.rows:
        entry["rows"] = facts.rows[file.path]
    if file.size <= REGULAR_BYTES:
        # The Hub may keep it inside the commit, where only git's name of it shows.
        entry["blob"] = file.blob
    return entry


def _source(facts: Facts, name: str) -> dict[str, Any]:
    one = facts.sources[name]
    return {
        "rows": dict(sorted(one.rows.items())),
        "licence": one.terms.licence,
        "redistribution": one.terms.allowed,
        "published_on_own_word": one.terms.said,
        "read_at": [
            {"url": url, "revision": revision, "rows": n} for (url, revision), n in sorted(one.revisions.items())[:20]
        ],
    }


def provenance(facts: Facts) -> dict[str, Any]:
    """What the bytes depend on. Command line, folders and server addresses of the builder stay at home."""
    kept = ("cogito", "git", "python", "packages", "manifests")
    return {
        **{key: facts.provenance[key] for key in kept if key in facts.provenance},
        "recipe": facts.name,
        "model_revision": facts.config.get("model_revision"),
    }


def published_recipe(facts: Facts) -> str:
    """The resolved recipe as a file that `cogito-data build --recipe` takes, without the builder's addresses."""
    data = json.loads(json.dumps(facts.config["data"]))
    if data.get("difficulty") and str(data["difficulty"].get("engine", "")).startswith("openai:"):
        data["difficulty"]["engine"] = ANY_SERVER
    recipe = {"name": facts.name, "description": "The resolved recipe of a published dataset.", "data": data}
    return yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)


def _without_root(facts: Facts, text: bytes) -> bytes:
    """Evidence names files below the builder's own folder, which others know as ROOT."""
    root = facts.config.get("from")
    return text.replace(str(root).encode(), b"ROOT") if root else text


def _content_name(files: dict[str, LocalFile]) -> str:
    text = "\n".join(f"{path} {one.sha256}" for path, one in sorted(files.items()) if path.startswith("data/"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n").encode("utf-8", errors="replace")
