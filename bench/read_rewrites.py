"""A page of rewrites to be read by a person: drawn by seed over all sources, each beside what upstream wrote.

    python bench/read_rewrites.py ../shared/realdata --out /tmp/rewrites.html --count 200

Sources whose pictures are not there are drawn from as well: the rules read only words. Beside the page stands a
JSON Lines file with the same rows; give each a "judged" key (right, wrong, doubtful) and run with --judged FILE
to print the error rate by rule with its 95 % interval.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from cogito_core.console import CogitoError, table
from cogito_core.engines.base import seed_of
from cogito_core.html import Card, Page
from cogito_core.sample import Sample
from cogito_data.reformulate import Unverifiable, reformulate
from cogito_data.sources.assemble import problem_text
from cogito_data.sources.base import Found, Problem, Source, find_layouts, load_source, source_names
from cogito_data.sources.rows import BadRow

VISIBLE = {"tabmwp", "dvqa", "figureqa"}
"""Sources whose options can always be seen in the picture, as the shipped recipe has it."""


def texts(name: str, root: Path) -> Iterator[Sample]:
    """The questions of a source in all layouts that are there, each once, without their pictures."""
    source = load_source(name)
    seen: set[tuple[str, ...]] = set()
    for found in find_layouts(source, root / name):
        for sample in _texts_of(source, found):
            key = (sample.original_problem, *sorted(sample.choices))
            if key not in seen:
                seen.add(key)
                yield sample


def _texts_of(source: Source, found: Found) -> Iterator[Sample]:
    name = source.manifest.name
    for row in found.layout.read(found.base):
        try:
            made = found.layout.problem(row, found.base)
            for problem in [made] if isinstance(made, Problem) else made:
                if problem.fault is not None:
                    continue
                yield Sample(
                    id=f"{name}/{problem.split}/{problem.upstream_id}",
                    source=name,
                    category=source.manifest.category,
                    split=problem.split,
                    problem=problem_text(problem.question, 0, problem.choices),
                    answer=problem.gold.answer,
                    answer_kind=problem.gold.kind,
                    answer_spec=dict(problem.gold.spec),
                    answer_aliases=problem.gold.aliases,
                    choices=problem.choices,
                    original_problem=problem.question,
                    original_answer=problem.gold.original,
                    meta=problem.meta,
                )
        except BadRow:
            continue


def rewritten(root: Path) -> dict[tuple[str, str], list[Sample]]:
    """(source, rule) -> its opened rows."""
    found: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for name in source_names():
        if not (root / name).is_dir():
            continue
        try:
            for sample in texts(name, root):
                try:
                    out = reformulate(sample, visible=name in VISIBLE)
                except Unverifiable:
                    continue
                if not out.reformulation.startswith("none"):
                    found[name, out.reformulation].append(out)
        except CogitoError as error:
            print(f"{name}: {error}")
    return found


def draw(found: dict[tuple[str, str], list[Sample]], count: int, seed: int) -> list[Sample]:
    """In turn from every (source, rule), so that rare rules are read too; within one by hash of seed and id."""
    ranked = {key: sorted(rows, key=lambda row: seed_of(seed, row.id)) for key, rows in sorted(found.items())}
    drawn: list[Sample] = []
    turn = 0
    while len(drawn) < count and any(turn < len(rows) for rows in ranked.values()):
        drawn += [rows[turn] for rows in ranked.values() if turn < len(rows)]
        turn += 1
    return drawn[:count]


def wilson(wrong: int, total: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927)."""
    z = 1.959964
    share, centre = wrong / total, (wrong + z * z / 2) / (total + z * z)
    half = z * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5 / (1 + z * z / total)
    return centre - half, centre + half


def report(path: Path) -> None:
    """Error rate by rule of a judged file."""
    judged: dict[str, Counter[str]] = defaultdict(Counter)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        judged[row["rule"]][row["judged"]] += 1
        judged["all"][row["judged"]] += 1
    rows = []
    for rule, counts in judged.items():
        low, high = wilson(counts["wrong"], counts.total())
        rows.append([rule, counts.total(), counts["wrong"], counts["doubtful"], f"{low:.1%} - {high:.1%}"])
    table("rewrites read", ["rule", "read", "wrong", "doubtful", "wrong, 95 %"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=Path("rewrites.html"))
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--judged", type=Path)
    given = parser.parse_args()
    if given.judged:
        report(given.judged)
        return
    found = rewritten(given.root)
    drawn = draw(found, given.count, given.seed)
    page = Page("Rewrites to be read", f"{len(drawn)} drawn with seed {given.seed}")
    cards, lines = [], []
    for sample in drawn:
        options = "".join(f"\n- {choice}" for choice in sample.choices)
        cards.append(
            Card(
                f"{sample.reformulation}: {sample.id}",
                (
                    ("before", sample.original_problem + options),
                    ("gold", sample.original_answer),
                    ("after", sample.problem),
                    ("gold", f"{sample.answer} ({sample.answer_kind})"),
                ),
            )
        )
        lines.append(
            json.dumps(
                {
                    "id": sample.id,
                    "rule": sample.reformulation,
                    "before": sample.original_problem,
                    "options": sample.choices,
                    "gold": sample.original_answer,
                    "after": sample.problem,
                    "answer": sample.answer,
                    "kind": sample.answer_kind,
                    "spec": sample.answer_spec,
                },
                ensure_ascii=False,
            )
        )
    page.gallery(cards)
    given.out.write_text(page.render(), encoding="utf-8")
    given.out.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table("opened", ["source", "rule", "rows"], [[*key, len(rows)] for key, rows in sorted(found.items())])


if __name__ == "__main__":
    main()
