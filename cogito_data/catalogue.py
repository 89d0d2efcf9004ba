"""What `cogito-data sources` prints: the sources, their terms and sizes, and what is built on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from cogito_core.console import say, table
from cogito_data.sources.base import load_source, source_names


def show_sources(runs: Path) -> None:
    """A line for each source."""
    built = built_rows(runs)
    rows = []
    for name in source_names():
        manifest = load_source(name).manifest
        paper = f"{manifest.paper.size:,} (-{manifest.paper.filter_rate:.0%})" if manifest.paper else "-"
        copies = ["Hub"] if manifest.hub else []
        rows.append(
            [
                name,
                manifest.category,
                manifest.licence.name,
                paper,
                manifest.citation.partition("{")[2].partition(",")[0],
                ", ".join([*copies, *manifest.layouts]),
                f"{built[name]:,}" if name in built else "-",
            ]
        )
    table(
        f"{len(rows)} sources",
        ["source", "category", "licence", "paper (filtered)", "citation", "read from", "built here"],
        rows,
    )
    say("The paper is arXiv 2507.22607, Table 4. `cogito-data sources NAME` shows terms, layouts and BibTeX of one.")


def show_source(name: str, runs: Path) -> None:
    """Everything its manifest says. Raises CogitoError for an unknown name, with the nearest right one."""
    manifest = load_source(name).manifest
    say(f"{manifest.name}: {manifest.title} ({manifest.category}), {manifest.homepage}")
    terms = "may be redistributed" if manifest.licence.redistribution else "may not be redistributed"
    say(f"licence: {manifest.licence.name} ({terms}), {manifest.licence.link}")
    if manifest.licence.note:
        say(f"  {manifest.licence.note}")
    if manifest.hub:
        hub = manifest.hub
        parts = [hub.repo, hub.config, *hub.files, *hub.archives, hub.split]
        say(f"Hub: {' '.join(part for part in parts if part)} at {hub.revision}")
    else:
        say(f"Hub: none. {manifest.no_hub}")
    for layout, text in manifest.layouts.items():
        say(f"layout {layout}: {text}")
    say(f"training splits: {', '.join(manifest.training_splits)}; answers: {manifest.answer_kind}")
    if manifest.paper:
        say(
            f"in the paper: {manifest.paper.size:,} rows after a filter that removed {manifest.paper.filter_rate:.0%}"
        )
    if manifest.notes:
        say(manifest.notes.strip())
    built = built_rows(runs)
    if name in built:
        say(f"built here: {built[name]:,} rows")
    say(manifest.citation.strip())


def built_rows(runs: Path) -> dict[str, int]:
    """Source -> rows ingested by the runs below `runs`, the largest where there are several."""
    found: dict[str, int] = {}
    for path in [*runs.glob("*/summary.json"), *runs.glob("*/work/ingest/*/summary.json")]:
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            continue
        if isinstance(summary, dict) and "source" in summary and "kept" in summary:
            found[summary["source"]] = max(found.get(summary["source"], 0), int(summary["kept"]))
    return found
