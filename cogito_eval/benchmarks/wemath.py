"""We-Math: composite problems with their sub-problems, and the metrics over them.

Source: the released evaluation (github We-Math/We-Math). A composite problem with its sub-problems is one case:
IK insufficient knowledge (a sub-problem wrong, the composite wrong), IG inadequate generalisation (all sub-problems
right, the composite wrong), CM complete mastery (all right), RM rote memorisation (the composite right all the
same). Strictly, one wrong sub-problem makes RM; loosely, all sub-problems must be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from cogito_eval.aggregate import as_dict
from cogito_eval.benchmarks.wemath_domains import DOMAINS
from cogito_eval.intervals import mean_estimate, wilson
from cogito_eval.records import Record


def adapt(record: Record, path: Path) -> Record:
    """The case that a row belongs to: how many steps, and which problem."""
    steps = str(record.get("key", "")).split("_")[0]
    return {**record, "_problem": f"{steps}/{record.get('question number')}"}


def metrics(questions: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """IK, IG, CM, RM as shares of the cases that are complete, strict and loose, the RM rate and the scores.

    Under the released rule where it judged, and under ours (`verifiers`). With several samples the first counts.
    """
    out: dict[str, Any] = {}
    for name, rule in (("official", "official"), ("verifiers", "strict")):
        if any(samples[0][rule] is None for samples in questions.values()):
            continue
        cases = _cases(questions, rule)
        if cases:
            out |= {f"{name} {key}": value for key, value in four_metrics(cases).items()}
        out |= {f"{name} {key}": value for key, value in step_accuracies(questions, rule).items()}
    return out


def step_accuracies(questions: Mapping[str, Sequence[Mapping[str, Any]]], rule: str) -> dict[str, Any]:
    """S1, S2, S3: accuracy on the one-step problems and on the composites of two and of three steps.

    And a figure for each domain: the mean over its concepts of the accuracy on their one-step problems (accuracy.py
    of the release).
    """
    steps: dict[str, list[float]] = {}
    concepts: dict[str, list[float]] = {}
    for samples in questions.values():
        tags, right = samples[0]["tags"], float(samples[0][rule]["outcome"] == "right")
        kind = tags["steps"][0]
        if kind.endswith("_multi"):
            steps.setdefault(f"S{kind[0]}", []).append(right)
        else:
            steps.setdefault("S1", []).append(right)
            concepts.setdefault("".join(tags["concept"]), []).append(right)
    out: dict[str, Any] = {name: as_dict(mean_estimate(values)) for name, values in sorted(steps.items())}
    for domain, names in DOMAINS.items():
        means = [fmean(concepts[name]) for name in names if name in concepts]
        if means:
            out[domain] = fmean(means)
    return out


def four_metrics(cases: Sequence[tuple[tuple[bool, ...], bool]]) -> dict[str, Any]:
    """The metrics of (sub-problems right, composite right) pairs; `score` = (CM + IG / 2) / cases."""
    n = len(cases)
    ik = sum(not all(steps) and not whole for steps, whole in cases)
    ig = sum(all(steps) and not whole for steps, whole in cases)
    mastered = sum(all(steps) and whole for steps, whole in cases)
    # Loosely, knowing one step is enough for a right composite to count as mastered.
    mastered_loose = sum(any(steps) and whole for steps, whole in cases)
    right = sum(whole for _, whole in cases)
    out: dict[str, Any] = {"cases": n, "IK": ik / n, "IG": ig / n}
    for name, cm in (("strict", mastered), ("loose", mastered_loose)):
        rm = right - cm
        out[f"CM {name}"], out[f"RM {name}"] = cm / n, rm / n
        out[f"RM rate {name}"] = rm / right if right else 0.0
        score = (cm + 0.5 * ig) / n
        out[f"score {name}"] = {"accuracy": score, "ci95": list(wilson(score * n, n)), "n": n}
    return out


def _cases(questions: Mapping[str, Sequence[Mapping[str, Any]]], rule: str) -> list[tuple[tuple[bool, ...], bool]]:
    """Complete cases: every sub-problem and the composite are there."""
    found: dict[str, dict[str, bool]] = {}
    for samples in questions.values():
        step = samples[0]["tags"]["steps"][0].split("_")[1]
        found.setdefault(samples[0]["cluster"], {})[step] = samples[0][rule]["outcome"] == "right"
    cases = []
    for problem, steps in found.items():
        wanted = {"multi", *(str(i + 1) for i in range(int(problem[0])))}
        if wanted == steps.keys():
            cases.append((tuple(steps[name] for name in sorted(wanted - {"multi"})), steps["multi"]))
    return cases
