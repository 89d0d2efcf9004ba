"""Write docs/protocols.md from the manifests of the benchmarks: how each is asked, judged and reported.

    python scripts/protocols_page.py            writes the page
    python scripts/protocols_page.py --check    exit code 1 if the page is not what the manifests say
"""

from __future__ import annotations

import sys
from pathlib import Path

from cogito_eval.benchmark import Benchmark, benchmark_names, load_benchmark

PAGE = Path(__file__).resolve().parent.parent / "docs" / "protocols.md"

_HEAD = """# Benchmark protocols

How each benchmark is asked, judged and reported. This page is written by `scripts/protocols_page.py` from
`manifests/benchmarks/`; [Evaluation](evaluation.md) explains the protocols, the two scores and the intervals.

Every question is asked in VL-Cogito's plain prompt unless `--protocol` says otherwise; *own prompt* says whether the
benchmark has one of its own (`--protocol own`). *Official* is the released rule, *strict* our verifiers, which judge
every benchmark.

| benchmark | items | licence | official rule | headline | own prompt |
|---|---:|---|---|---|---|
"""


def render() -> str:
    """The page."""
    found = [load_benchmark(name) for name in benchmark_names()]
    return _HEAD + "".join(map(_row, found)) + "".join(map(_section, found))


def _row(bench: Benchmark) -> str:
    rule = f"`{bench.official.rule}`" if bench.official else "none"
    headline = f"mean over {bench.macro_of}" if bench.headline == "macro" else "accuracy"
    own = "yes" if bench.prompt.own or bench.hook("own_prompt") else "no"
    items = "–" if bench.items is None else f"{bench.items:,}"
    return f"| [{bench.title}](#{bench.name}) | {items} | {_cell(bench.licence)} | {rule} | {headline} | {own} |\n"


def _section(bench: Benchmark) -> str:
    lines = [f"\n## {bench.title} {{#{bench.name}}}\n"]
    if bench.description:
        lines.append(f"{bench.description}\n")
    facts = [f"records: {'; '.join(_places(bench))}"]
    if bench.official and bench.official.source:
        facts.append(f"official rule from: {bench.official.source}")
    if bench.policy != "exact":
        facts.append(f"tolerance of the strict verifier: `{bench.policy}`")
    if bench.cluster:
        facts.append(f"questions with the same `{bench.cluster}` are not independent: the interval allows for it")
    if bench.breakdowns:
        facts.append(f"breakdowns: {', '.join(bench.breakdowns)}")
    faults = bench.official.known_faults if bench.official else ()
    facts += [f"known fault of the official rule: {fault}" for fault in faults]
    facts += [f"note: {note}" for note in bench.notes]
    lines += [f"- {fact}" for fact in facts]
    for table in bench.published:
        best = ", ".join(f"{model} {score}" for model, score in list(table.scores.items())[:2])
        lines.append(f"- published: {best} ({table.source})")
    return "\n".join(lines) + "\n"


def _places(bench: Benchmark) -> list[str]:
    places = [f"{layout.upstream or layout.name} (`{', '.join(layout.files)}`)" for layout in bench.layouts]
    if bench.hub:
        places.append(f"Hub `{bench.hub.id}`, split `{bench.hub.split}`")
    return places or ["drawn by the package"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != render())
    PAGE.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
