"""We-Math: composite problems with their sub-problems, and the four metrics over them.

Source: the released evaluation (github We-Math/We-Math). A composite problem with its sub-problems is one case:
IK insufficient knowledge (a sub-problem wrong, the composite wrong), IG inadequate generalisation (all sub-problems
right, the composite wrong), CM complete mastery (all right), RM rote memorisation (the composite right all the
same). Strictly, one wrong sub-problem makes RM; loosely, all sub-problems must be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cogito_eval.intervals import wilson
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
        cases = _cases(questions, rule)
        if cases:
            out |= {f"{name} {key}": value for key, value in four_metrics(cases).items()}
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
        verdict = samples[0][rule]
        if verdict is None:
            return []
        step = samples[0]["tags"]["steps"][0].split("_")[1]
        found.setdefault(samples[0]["cluster"], {})[step] = verdict["outcome"] == "right"
    cases = []
    for problem, steps in found.items():
        wanted = {"multi", *(str(i + 1) for i in range(int(problem[0])))}
        if wanted == steps.keys():
            cases.append((tuple(steps[name] for name in sorted(wanted - {"multi"})), steps["multi"]))
    return cases
