"""Two runs, paired by question: difference, 95% interval, p-value, and the questions that flipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_eval.aggregate import Questions, as_dict, question_scores
from cogito_eval.intervals import Difference, average_difference, mean_estimate, paired_difference
from cogito_eval.pictures import read_pictures
from cogito_eval.results import by_question, read_rows, result_files
from cogito_eval.settings import differing_settings


@dataclass(frozen=True)
class Pair:
    """The questions of one benchmark that both runs answered, in the order of run A."""

    name: str
    a: Questions
    b: Questions
    only_a: int
    only_b: int
    changed: int


def compare_runs(directory_a: Path, directory_b: Path) -> dict[str, Any]:
    """What `compare.json` holds: B minus A for every benchmark both runs have, and the averages.

    `settings_differ` lists what a benchmark was asked under otherwise in B than in A.

    Raises CogitoError where a directory holds no results or the runs share no question.
    """
    pairs = load_pairs(directory_a, directory_b)
    differences = {pair.name: difference(pair, "strict") for pair in pairs}
    out: dict[str, Any] = {
        "a": str(directory_a), "b": str(directory_b),
        "benchmarks": {
            pair.name: compare_pair(pair, differences[pair.name])
            | {"settings_differ": differing_settings(directory_a, directory_b, pair.name)}
            for pair in pairs
        },
    }
    if len(pairs) > 1:
        parts = list(differences.values())
        out["average"] = {
            "plain": difference_dict(average_difference(parts, weighted=False)),
            "weighted": difference_dict(average_difference(parts, weighted=True)),
        }
    return out


def load_pairs(directory_a: Path, directory_b: Path) -> list[Pair]:
    """The benchmarks that both directories hold, their questions matched by id.

    A question whose gold differs between the runs is not the same question: it is counted as changed, left out.
    Raises CogitoError where nothing can be paired.
    """
    files_a, files_b = result_files(directory_a), result_files(directory_b)
    shared = [name for name in files_a if name in files_b]
    if not shared:
        raise CogitoError(
            f"{directory_a} ({', '.join(files_a)}) and {directory_b} ({', '.join(files_b)}) share no benchmark"
        )
    pairs = []
    for name in shared:
        a, b = by_question(read_rows(files_a[name])), by_question(read_rows(files_b[name]))
        both = [id for id in a if id in b]
        same = [id for id in both if a[id][0]["gold"] == b[id][0]["gold"] and not a[id][0].get("rotation_of")]
        if not same:
            raise CogitoError(f"{name}: the two runs share no question")
        pairs.append(Pair(name, {id: a[id] for id in same}, {id: b[id] for id in same},
                          len(a) - len(both), len(b) - len(both), len(both) - len(same)))
    return pairs


def difference(pair: Pair, rule: str) -> Difference:
    """B minus A under one rule, question by question."""
    before, clusters = question_scores(pair.a, rule)
    after, _ = question_scores(pair.b, rule)
    return paired_difference(before, after, clusters)


def difference_dict(found: Difference) -> dict[str, Any]:
    """A difference as stored: value, 95% interval, p-value, questions, test."""
    return {"value": found.value, "ci95": list(found.ci95), "p_value": found.p_value, "n": found.n,
            "clusters": found.clusters, "test": found.test}


def compare_pair(pair: Pair, strict: Difference) -> dict[str, Any]:
    """The comparison of one benchmark."""
    before, clusters = question_scores(pair.a, "strict")
    after, _ = question_scores(pair.b, "strict")
    gained = [id for id, x, y in zip(pair.a, before, after, strict=True) if y > x]
    lost = [id for id, x, y in zip(pair.a, before, after, strict=True) if y < x]
    scored = all(row["official"] is not None for side in (pair.a, pair.b) for s in side.values() for row in s)
    return {
        "a": as_dict(mean_estimate(before, clusters)),
        "b": as_dict(mean_estimate(after, clusters)),
        "difference": difference_dict(strict),
        "official_difference": difference_dict(difference(pair, "official")) if scored else None,
        "by": _by(pair),
        "gained": gained,
        "lost": lost,
        "only_a": pair.only_a,
        "only_b": pair.only_b,
        "changed": pair.changed,
    }


def _by(pair: Pair) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, list[str]]] = {}
    for id, samples in pair.a.items():
        for name, values in samples[0]["tags"].items():
            for value in values:
                groups.setdefault(name, {}).setdefault(value, []).append(id)
    out: dict[str, dict[str, Any]] = {}
    for name, values in groups.items():
        out[name] = {}
        for value, ids in sorted(values.items()):
            a, clusters = question_scores({id: pair.a[id] for id in ids}, "strict")
            b, _ = question_scores({id: pair.b[id] for id in ids}, "strict")
            out[name][value] = {"a": mean_estimate(a, clusters).value, "b": mean_estimate(b, clusters).value,
                                **difference_dict(paired_difference(a, b, clusters))}
    return out


def examples(directory_a: Path, directory_b: Path, bench: str, count: int = 12) -> list[dict[str, Any]]:
    """Questions with the first answer of both runs, for a report: gained ones first, then lost, then the rest.

    Each has id, question, pictures (encoded, small), gold, category, before, after, before_right, after_right.
    Spread over categories: one of each in turn.
    """
    pair = next((pair for pair in load_pairs(directory_a, directory_b) if pair.name == bench), None)
    if pair is None:
        raise CogitoError(f"the two runs share no benchmark '{bench}'")

    def right(side: Questions, id: str) -> bool:
        return bool(side[id][0]["strict"]["outcome"] == "right")

    def rank(id: str) -> int:
        order = {(False, True): 0, (True, False): 1, (False, False): 2, (True, True): 3}
        return order[right(pair.a, id), right(pair.b, id)]

    by_category: dict[str, list[str]] = {}
    for id, samples in pair.a.items():
        by_category.setdefault("".join(samples[0]["tags"].get("category", [""])[:1]), []).append(id)
    queues = [sorted(ids, key=rank) for _, ids in sorted(by_category.items())]
    order = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)][:count]
    keys = [key for id in order for key in pair.a[id][0]["pictures"]]
    pictures = read_pictures(directory_a / "pictures" / f"{bench}.parquet", keys)
    return [
        {
            "id": id, "question": pair.a[id][0]["question"], "gold": pair.a[id][0]["gold"],
            "category": "".join(pair.a[id][0]["tags"].get("category", [""])[:1]),
            "pictures": [pictures[key] for key in pair.a[id][0]["pictures"] if key in pictures],
            "before": pair.a[id][0]["response"], "after": pair.b[id][0]["response"],
            "before_right": right(pair.a, id), "after_right": right(pair.b, id),
        }
        for id in order
    ]
