"""Judge the stored answers of a run again with the rules of today: no model, and every changed verdict is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.files import write_atomic
from cogito_core.manifest import read_yaml
from cogito_eval.aggregate import score_rows, summary_of
from cogito_eval.benchmark import Benchmark, load_benchmark
from cogito_eval.exports import write_results_parquet
from cogito_eval.report import write_report
from cogito_eval.results import Row, read_rows, result_files, without_verdicts, write_rows
from cogito_eval.scoring import judge_row, official_rule

_KEPT = ("items", "protocol", "prompt", "model", "sampling", "circular", "guess")


def rescore(directory: Path) -> dict[str, Any]:
    """Rewrite results, scores and report of a finished run. Returns what `rescore.json` holds.

    For each benchmark: accuracy before and after, and every question whose strict or official outcome changed.

    Raises:
        CogitoError: the directory holds no scores, or a result file is damaged.
    """
    stored = directory / "scores.json"
    if not directory.is_dir():
        raise CogitoError(f"there is no run directory {directory}")
    if not stored.is_file():
        raise CogitoError(f"{directory} holds no scores.json: finish the run first")
    before: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
    scores, out = {}, {}
    manifests = _own_manifests(directory)
    for name, path in result_files(directory).items():
        benchmark = _benchmark(name, manifests, directory)
        rule = official_rule(benchmark)
        old = list(read_rows(path))
        paper = before.get(name, {}).get("protocol") == "paper"
        guess = before.get(name, {}).get("guess")
        new = [_again(row, rule, paper, guess) for row in old]
        write_rows(path, new)
        kept = {key: value for key, value in before.get(name, {}).items() if key in _KEPT}
        scores[name] = score_rows(new, benchmark) | kept
        out[name] = {
            "before": before.get(name, {}).get("accuracy"), "after": scores[name]["accuracy"],
            "strict_changed": _changed(old, new, "strict"), "official_changed": _changed(old, new, "official"),
        }
    write_atomic(stored, json.dumps(scores, indent=2, ensure_ascii=False) + "\n")
    write_results_parquet(directory)
    write_report(directory)
    summary = directory / "summary.json"
    if summary.is_file():
        old_summary = json.loads(summary.read_text(encoding="utf-8"))
        figures = {name: {key: s[key] for key in ("accuracy", "ci95", "n")} for name, s in scores.items()}
        write_atomic(summary, json.dumps(old_summary | {"average": summary_of(scores), "scores": figures},
                                         indent=2, ensure_ascii=False) + "\n")
    write_atomic(directory / "rescore.json", json.dumps(out, indent=2, ensure_ascii=False) + "\n")
    return out


def _benchmark(name: str, manifests: dict[str, str], directory: Path) -> Benchmark:
    try:
        return load_benchmark(manifests.get(name, name))
    except CogitoError as error:
        config = directory / "config.yaml"
        hint = f"if '{name}' is a manifest of yours, write `manifests: {{{name}: PATH}}` into {config}"
        raise CogitoError(f"{error}; {hint}") from error


def _own_manifests(directory: Path) -> dict[str, str]:
    """Benchmark name -> path, for those that did not ship with the package."""
    path = directory / "config.yaml"
    manifests = read_yaml(path).get("manifests") if path.is_file() else None
    return dict(manifests or {})


def _again(row: Row, rule: Any, paper: bool, guess: int | None) -> Row:
    # A judge model's verdict is an answer of a model, not a rule: it stays.
    if row["strict"]["rule"].startswith("judge:"):
        return row
    return judge_row(without_verdicts(row), rule if row["official_row"] else None, paper=paper, guess=guess)


def _changed(old: list[Row], new: list[Row], rule: str) -> list[dict[str, Any]]:
    return [
        {"id": a["id"], "sample": a["sample"], "before": a[rule]["outcome"], "after": b[rule]["outcome"],
         "rule": b[rule]["rule"], "reason": b[rule]["reason"]}
        for a, b in zip(old, new, strict=True)
        if a[rule] is not None and b[rule] is not None and a[rule]["outcome"] != b[rule]["outcome"]
    ]
