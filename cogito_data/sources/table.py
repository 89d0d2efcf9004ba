"""What `cogito-data sources` shows: every source, its terms, the paper's sizes and what is built here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cogito_data.sources.base import SourceManifest, load_source, source_names


@dataclass(frozen=True, slots=True)
class Built:
    """A finished ingest found on this machine."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of the table. Sizes are None for sources the paper did not use."""

    name: str
    title: str
    category: str
    licence: str
    redistribution: bool
    hub: str
    paper_size: int | None
    filter_rate: float | None
    built: tuple[Built, ...]

    @property
    def rows_built(self) -> int:
        """Rows of the largest ingest found, 0 if there is none."""
        return max((found.rows for found in self.built), default=0)


COLUMNS = ("source", "category", "licence", "publish", "paper rows", "filtered", "Hub", "built here")


def source_table(runs: Path = Path("runs")) -> list[SourceLine]:
    """All sources by name, with the ingests found in `runs` and up to two folders below it."""
    built = find_built(runs)
    return [_line(load_source(name).manifest, tuple(built.get(name, ()))) for name in source_names()]


def table_rows(lines: list[SourceLine]) -> list[tuple[str, ...]]:
    """The cells of COLUMNS, as text."""
    return [
        (
            line.name,
            line.category,
            line.licence,
            "yes" if line.redistribution else "no",
            "" if line.paper_size is None else f"{line.paper_size:,}",
            "" if line.filter_rate is None else f"{line.filter_rate:.0%}",
            line.hub,
            f"{line.rows_built:,}" if line.built else "",
        )
        for line in lines
    ]


def describe_source(name: str, runs: Path = Path("runs")) -> list[tuple[str, str]]:
    """(field, value) pairs of one source for people. Raises CogitoError where there is no such source."""
    manifest = load_source(name).manifest
    licence, hub, paper = manifest.licence, manifest.hub, manifest.paper
    out = [
        ("title", manifest.title),
        ("category", manifest.category),
        ("licence", f"{licence.name} ({licence.link})"),
        ("may be published", "yes" if licence.redistribution else "no"),
        ("terms read upstream", "yes" if licence.confirmed else "no: check before publishing"),
        ("homepage", manifest.homepage),
        ("Hub", _hub_text(manifest)),
        ("usual gold", manifest.answer_kind),
        ("training splits", ", ".join(manifest.training_splits)),
    ]
    if licence.note:
        out.insert(4, ("licence note", licence.note))
    if hub is not None:
        out.append(("Hub columns", ", ".join(hub.columns)))
    if paper is not None:
        out.append(("paper", f"{paper.size:,} rows, {paper.filter_rate:.0%} removed by the difficulty filter"))
    out += [(f"layout {layout}", text) for layout, text in manifest.layouts.items()]
    out += [("built here", f"{found.rows:,} rows in {found.path}") for found in find_built(runs).get(name, ())]
    if manifest.notes:
        out.append(("notes", manifest.notes))
    out.append(("citation", manifest.citation.strip()))
    return out


def find_built(runs: Path) -> dict[str, list[Built]]:
    """Finished ingests by source: folders with a `summary.json` of this command, at most three levels deep."""
    found: dict[str, list[Built]] = {}
    for pattern in ("summary.json", "*/summary.json", "*/*/summary.json", "*/*/*/summary.json"):
        for path in sorted(runs.glob(pattern)):
            try:
                summary = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(summary, dict) and {"source", "kept", "shards"} <= summary.keys():
                found.setdefault(str(summary["source"]), []).append(Built(path.parent, int(summary["kept"])))
    return found


def _line(manifest: SourceManifest, built: tuple[Built, ...]) -> SourceLine:
    paper = manifest.paper
    return SourceLine(
        name=manifest.name,
        title=manifest.title,
        category=manifest.category,
        licence=manifest.licence.name,
        redistribution=manifest.licence.redistribution,
        hub="none" if manifest.hub is None else manifest.hub.repo,
        paper_size=paper.size if paper else None,
        filter_rate=paper.filter_rate if paper else None,
        built=built,
    )


def _hub_text(manifest: SourceManifest) -> str:
    if manifest.hub is None:
        return f"none: {manifest.no_hub}"
    config = f" {manifest.hub.config}" if manifest.hub.config else ""
    return f"{manifest.hub.repo}{config} ({manifest.hub.split})"
