"""Scores of one benchmark from its result rows: accuracy, pass@k and their company, each with a 95% interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from cogito_eval.benchmark import Benchmark
from cogito_eval.intervals import Estimate, average_of, mean_estimate
from cogito_eval.results import Row, by_question
from cogito_eval.scoring import STATUSES, points

Questions = dict[str, list[Row]]


def score_rows(rows: Sequence[Row], benchmark: Benchmark) -> dict[str, Any]:
    """Everything `scores.json` says of one benchmark.

    `accuracy`, `ci95` and `n` are the strict score (mean over the samples of each question, then over questions);
    `official` is the released rule's with its range where that rule guesses at random.
    """
    rotated = [row for row in rows if row.get("rotation_of")]
    everything, rows = rows, [row for row in rows if not row.get("rotation_of")]
    questions = by_question(rows)
    strict = _estimate(questions, "strict")
    out: dict[str, Any] = {
        **as_dict(strict),
        "samples": max((len(samples) for samples in questions.values()), default=0),
        "counts": _counts(rows),
        "strict": as_dict(strict) | {"undecidable": _share(rows, "undecidable")},
        "official": _official(questions, rows),
        "by": {name: _by(questions, name) for name in benchmark.breakdowns},
    }
    if any(row["part"] for row in rows):
        out["by"]["part"] = _grouped(questions, lambda row: (row["part"],))
    if rotated:
        out["circular_accuracy"] = as_dict(circular_estimate(everything))
    if out["samples"] > 1:
        out["sampled"] = sampled_scores(questions)
    if benchmark.headline == "macro":
        out["headline"] = {"name": f"mean over {benchmark.macro_of}", **_macro(questions, benchmark.macro_of)}
    hook = benchmark.hook("metrics")
    if hook is not None:
        out["metrics"] = hook(questions)
    out["tokens"] = {"mean": _mean([row["n_tokens"] for row in rows if row.get("n_tokens") is not None])}
    if benchmark.published:
        out["published"] = [table.model_dump() for table in benchmark.published]
    return out


def as_dict(estimate: Estimate) -> dict[str, Any]:
    """An estimate as stored: accuracy in [0, 1], 95% interval, number of questions and of clusters."""
    return {"accuracy": estimate.value, "ci95": list(estimate.ci95), "n": estimate.n, "clusters": estimate.clusters}


def question_scores(questions: Questions, rule: str) -> tuple[list[float], list[str]]:
    """Mean score of each question over its samples, and the cluster it belongs to."""
    values = [math.fsum(points(row[rule]) for row in samples) / len(samples) for samples in questions.values()]
    return values, [samples[0]["cluster"] or id for id, samples in questions.items()]


def pass_at_k(n: int, right: int, k: int) -> float:
    """Unbiased chance that at least one of `k` of `n` answers is right (Chen et al., 2021, arXiv 2107.03374).

    Raises ValueError unless 1 <= k <= n and 0 <= right <= n.
    """
    if not 1 <= k <= n or not 0 <= right <= n:
        raise ValueError(f"pass@{k} of {right} right answers in {n} is not defined")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def majority_score(samples: Sequence[Row], rule: str = "strict") -> float:
    """Score of the most frequent answer; a tie counts as the mean of the tied answers. No answer, no vote."""
    votes: Counter[str] = Counter()
    worth: dict[str, float] = {}
    for row in samples:
        verdict = row[rule]
        if verdict.get("extracted") is None:
            continue
        key = str(verdict.get("answer") or verdict["extracted"]).casefold().strip()
        votes[key] += 1
        worth[key] = max(worth.get(key, 0.0), points(verdict))
    if not votes:
        return 0.0
    most = max(votes.values())
    tied = [worth[key] for key, count in votes.items() if count == most]
    return math.fsum(tied) / len(tied)


def sampled_scores(questions: Questions) -> dict[str, Any]:
    """pass@1, avg@k, maj@k and pass@k (k = 1, 2, 4, ... and all samples) under the strict rule."""
    k = min(len(samples) for samples in questions.values())
    clusters = [samples[0]["cluster"] or id for id, samples in questions.items()]
    right = [sum(row["strict"]["outcome"] == "right" for row in samples[:k]) for samples in questions.values()]
    steps = sorted({1, k, *(2**i for i in range(1, 12) if 2**i < k)})
    out: dict[str, Any] = {"k": k}
    for step in steps:
        out[f"pass@{step}"] = as_dict(mean_estimate([pass_at_k(k, count, step) for count in right], clusters))
    out[f"avg@{k}"] = as_dict(mean_estimate([count / k for count in right], clusters))
    majority = [majority_score(samples[:k]) for samples in questions.values()]
    out[f"maj@{k}"] = as_dict(mean_estimate(majority, clusters))
    return out


def circular_estimate(rows: Sequence[Row]) -> Estimate:
    """Share of questions that are right under every rotation of their options (MMBench, arXiv 2307.06281)."""
    groups: Questions = {}
    for row in rows:
        groups.setdefault(row.get("rotation_of") or row["id"], []).append(row)
    values = [float(all(row["strict"]["outcome"] == "right" for row in turned)) for turned in groups.values()]
    return mean_estimate(values, [turned[0]["cluster"] or id for id, turned in groups.items()])


def summary_of(scores: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Plain and weighted average over several benchmarks, with intervals."""
    estimates = [Estimate(s["accuracy"], tuple(s["ci95"]), s["n"], s["clusters"]) for s in scores.values()]
    return {
        "plain": as_dict(average_of(estimates, weighted=False)),
        "weighted": as_dict(average_of(estimates, weighted=True)),
    }


def _estimate(questions: Questions, rule: str) -> Estimate:
    return mean_estimate(*question_scores(questions, rule))


def _official(questions: Questions, rows: Sequence[Row]) -> dict[str, Any] | None:
    if not rows or any(row["official"] is None for row in rows):
        return None
    # A decided verdict with an expectation has part credit (VQA's consensus): that is no luck.
    guessed = [row["official"] for row in rows
               if row["official"].get("expectation") is not None and row["official"]["outcome"] == "undecidable"]
    out = as_dict(_estimate(questions, "official"))
    if guessed:
        sure = math.fsum(points(row["official"]) for row in rows) - math.fsum(points(v) for v in guessed)
        out["guessed"] = len(guessed)
        out["range"] = [sure / len(rows), (sure + len(guessed)) / len(rows)]
    return out


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    found = Counter(row["status"] for row in rows)
    rescued = sum(row["strict"]["rule"].startswith(("nearest option", "judge")) for row in rows)
    out = {status: found.get(status, 0) for status in STATUSES}
    return out | ({"rescued": rescued} if rescued else {})


def _share(rows: Sequence[Row], outcome: str) -> float:
    return sum(row["strict"]["outcome"] == outcome for row in rows) / len(rows) if rows else math.nan


def _by(questions: Questions, name: str) -> dict[str, dict[str, Any]]:
    return _grouped(questions, lambda row: row["tags"].get(name, ()))


def _grouped(questions: Questions, values_of: Callable[[Row], Sequence[str]]) -> dict[str, dict[str, Any]]:
    groups: dict[str, Questions] = {}
    for id, samples in questions.items():
        for value in values_of(samples[0]):
            groups.setdefault(value, {})[id] = samples
    out = {}
    for value, part in sorted(groups.items()):
        out[value] = as_dict(_estimate(part, "strict"))
        if all(row["official"] is not None for samples in part.values() for row in samples):
            out[value]["official"] = _estimate(part, "official").value
    return out


def _macro(questions: Questions, name: str) -> dict[str, Any]:
    """Unweighted mean over the values of a breakdown, strict and official."""
    groups: dict[str, Questions] = {}
    for id, samples in questions.items():
        for value in samples[0]["tags"].get(name, ()):
            groups.setdefault(value, {})[id] = samples
    out = as_dict(average_of([_estimate(part, "strict") for part in groups.values()], weighted=False))
    if all(row["official"] is not None for samples in questions.values() for row in samples):
        out["official"] = average_of([_estimate(part, "official") for part in groups.values()], weighted=False).value
    return out


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
