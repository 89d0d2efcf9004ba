"""Scores of several runs as one table, in Markdown or LaTeX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, UsageError


def render_table(directories: Sequence[Path], form: str = "markdown") -> str:
    """A row for each run, a column for each benchmark: strict accuracy with its 95% interval, in percent.

    The last column is the plain mean of a run that has every benchmark. The best of a column is bold.

    Raises:
        UsageError: `form` is neither markdown nor latex.
        CogitoError: a directory holds no scores.
    """
    if form not in ("markdown", "latex"):
        raise UsageError(f"--format is markdown or latex, not '{form}'")
    runs = {directory.name: _scores(directory) for directory in directories}
    names = list(dict.fromkeys(name for scores in runs.values() for name in scores))
    best = {name: max(s[name]["accuracy"] for s in runs.values() if name in s) for name in names}
    header = ["run", *names, *(["mean"] if len(names) > 1 else [])]
    rows = []
    for run, scores in runs.items():
        cells = [_cell(scores.get(name), best[name], form, len(runs) > 1) for name in names]
        if len(names) > 1:
            whole = len(scores) == len(names)
            mean = sum(scores[name]["accuracy"] for name in names) / len(names) if whole else None
            cells.append("–" if mean is None else f"{100 * mean:.1f}")
        rows.append([_escaped(run) if form == "latex" else run, *cells])
    return _latex(header, rows) if form == "latex" else _markdown(header, rows)


def _scores(directory: Path) -> dict[str, Any]:
    path = directory / "scores.json"
    if not path.is_file():
        raise CogitoError(f"{directory} holds no scores.json: is it a finished cogito-eval run?")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _cell(score: dict[str, Any] | None, best: float, form: str, compared: bool) -> str:
    if score is None:
        return "–"
    low, high = (f"{100 * bound:.1f}" for bound in score["ci95"])
    value = f"{100 * score['accuracy']:.1f}"
    bold = compared and score["accuracy"] == best
    if form == "latex":
        number = rf"\mathbf{{{value}}}" if bold else value
        return rf"${number}\;{{\scriptstyle[{low},\,{high}]}}$"
    return f"**{value}** [{low}, {high}]" if bold else f"{value} [{low}, {high}]"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _latex(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = " & ".join(_escaped(name) for name in header)
    body = "\n".join(f"{' & '.join(row)} \\\\" for row in rows)
    columns = "l" + "r" * (len(header) - 1)
    lines = [f"\\begin{{tabular}}{{{columns}}}", r"\toprule", rf"{head} \\", r"\midrule", body, r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}"])


def _escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "_%&#$" else sign for sign in text)
