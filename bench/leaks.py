"""Precision and recall of decontamination on real records: training sources against MathVista testmini.

    python bench/leaks.py ../shared/realdata [--json FILE]

MathVista's records name the dataset they were taken from, which the program under test never reads. A dropped row
is right if the item it met was taken from the row's source and, for TabMWP, whose tables both sides hold as text,
from the same table. Due are the rows of a source whose question and gold are word for word those of an item taken
from it (and whose table is the same). Most pictures are not here: those rows are compared by text alone, as a
training set without its pictures would be. Folders that are themselves cut from MathVista are left out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from cogito_core.console import table
from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards
from cogito_data.decontaminate import Hit, decontaminate, words
from cogito_data.pool import Pool
from cogito_data.prepare import prepare_shard
from cogito_data.probes import read_probes
from cogito_data.recipe import Decontaminate, Deduplicate
from cogito_data.rules.wording import normal
from cogito_data.sources.assemble import problem_text
from cogito_data.sources.base import Problem, load_source, source_names
from cogito_data.sources.origins import local_origin
from cogito_data.sources.rows import BadRow

LABELS = {
    "ai2d": "AI2D",
    "chartqa": "ChartQA",
    "clevr_math": "CLEVR-Math",
    "dvqa": "DVQA",
    "figureqa": "FigureQA",
    "geometry3k": "Geometry3K",
    "geoqa_plus": "GeoQA+",
    "geos": "GEOS",
    "scienceqa": "ScienceQA",
    "super_clevr": "Super-CLEVR",
    "tabmwp": "TabMWP",
    "tqa": "TQA",
    "vqav2": "VQA2.0",
}
"""What MathVista's records call our sources."""

SETTINGS = Decontaminate.model_validate({"against": [{"name": "mathvista", "files": ["data/testmini.json"]}]})


def rows_of(name: str, root: Path) -> list[Sample]:
    """The questions of a source, with those of their pictures that are here."""
    source = load_source(name)
    origin = local_origin(source, root / name)
    found: dict[str, Sample] = {}
    for row in origin.rows(0):
        try:
            made = origin.problem(row)
            for problem in [made] if isinstance(made, Problem) else made:
                if problem.fault is not None:
                    continue
                pictures = [
                    Picture(path.read_bytes(), path.name) if isinstance(path, Path) else path
                    for path in problem.pictures
                    if not isinstance(path, Path) or path.is_file()
                ]
                sample = Sample(
                    id=f"{name}/{problem.split}/{problem.upstream_id}",
                    source=name,
                    category=source.manifest.category,
                    split=problem.split,
                    problem=problem_text(problem.question, len(pictures), problem.choices),
                    images=tuple(pictures),
                    answer=problem.gold.answer,
                    answer_kind=problem.gold.kind,
                    answer_spec=dict(problem.gold.spec),
                    choices=problem.choices,
                    original_problem=problem.question,
                    original_answer=problem.gold.original,
                    meta=dict(problem.meta),
                )
                found.setdefault(sample.id, sample)
        except BadRow:
            continue
    return list(found.values())


def hits_of(name: str, root: Path, work: Path) -> tuple[int, list[Hit], Pool]:
    """(rows, hits, pool) of one source against MathVista."""
    samples = rows_of(name, root)
    shards = write_shards(samples, work / name)
    parts = []
    for shard in shards:
        part = work / name / f"{shard.stem}.part"
        prepare_shard(str(part), str(shard), True, False, None)
        parts.append((shard, part))
    pool = Pool(parts)
    return len(samples), decontaminate(pool, SETTINGS, Deduplicate(), read_probes(SETTINGS, root)), pool


def same_table(text: dict[str, Any], note: dict[str, Any] | None) -> bool:
    """False where row and item both hold their table as text and the tables differ."""
    mine, theirs = json.loads(text["meta"]).get("table"), (note or {}).get("table")
    return mine is None or theirs is None or mine == theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    notes = json.loads((given.root / "mathvista" / "data" / "annot_testmini.json").read_text(encoding="utf-8"))
    items = json.loads((given.root / "mathvista" / "data" / "testmini.json").read_text(encoding="utf-8"))
    lines, totals = [], defaultdict(int)
    with tempfile.TemporaryDirectory() as work:
        for name in source_names():
            label = LABELS.get(name)
            own = {key: item for key, item in items.items() if item["metadata"]["source"] == label}
            if not own or not (given.root / name).is_dir():
                continue
            if local_origin(load_source(name), given.root / name).layout == "mathvista_subset":
                continue
            n_rows, hits, pool = hits_of(name, given.root, Path(work))
            if not n_rows:
                continue
            by_words = defaultdict(set)
            for key, item in own.items():
                by_words[" ".join(words(item["question"])), normal(str(item["answer"]))].add(key)
            due, found = 0, 0
            met = {hit.row for hit in hits if hit.benchmark_id in own}
            for row in range(len(pool)):
                text = pool.text(row)
                keys = by_words.get((" ".join(words(text["original_problem"])), normal(text["gold_text"])), ())
                if any(same_table(text, notes.get(key)) for key in keys):
                    due += 1
                    found += row in met
                    if row not in met:
                        print(f"  not found: {text['id']}: {text['question'][:90]}")
            dropped = [hit for hit in hits if hit.dropped]
            right = [
                hit
                for hit in dropped
                if hit.benchmark_id in own and same_table(pool.text(hit.row), notes.get(hit.benchmark_id))
            ]
            tiers = " ".join(f"{t}:{sum(hit.tier == t for hit in hits)}" for t in ("T1", "T2", "T3"))
            lines.append([name, n_rows, len(own), due, found, len(dropped), len(right), tiers])
            for key, value in (
                ("rows", n_rows),
                ("due", due),
                ("found", found),
                ("dropped", len(dropped)),
                ("dropped_right", len(right)),
            ):
                totals[key] += value
            for hit in dropped:
                if hit not in right:
                    dataset = items[hit.benchmark_id]["metadata"]["source"]
                    print(f"  doubtful: {hit.id}: {hit.evidence} (taken from {dataset})")
    lines.append(
        ["all", totals["rows"], "", totals["due"], totals["found"], totals["dropped"], totals["dropped_right"], ""]
    )
    table(
        "leaks into MathVista testmini",
        ["source", "rows", "its items", "due", "found", "dropped", "of these right", "hits by tier"],
        lines,
    )
    recall, precision = totals["found"] / totals["due"], totals["dropped_right"] / totals["dropped"]
    print(f"recall {recall:.3f} ({totals['found']} of {totals['due']}), precision of dropped rows {precision:.3f}")
    if given.json:
        given.json.write_text(json.dumps({"recall": recall, "precision": precision, **totals}, indent=2) + "\n")


if __name__ == "__main__":
    main()
