"""Generations saved by stopping early, on the pass rates of a model that were really measured, verdicts compared.

    python bench/early_stop.py RUN [--json FILE]

RUN is a finished build whose recipe has `exact_rate: true` (nano's has), so that all trials of every question
are stored. Each schedule is replayed on the stored trials in their own order: the first ones together, the rest
in batches; a batch that was launched is paid for. The peer is what everybody else does: all trials for each.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from cogito_core.console import CogitoError, table
from cogito_core.manifest import read_yaml
from cogito_data.difficulty import StopRule
from cogito_data.recipe import Difficulty

Outcomes = tuple[bool, ...]


def stored_trials(run: Path) -> tuple[StopRule, list[Outcomes]]:
    """The stop rule of a build and the outcomes of every question, in the order of its trials.

    Raises:
        CogitoError: the build stopped early itself, so not all trials are there.
    """
    settings = Difficulty.model_validate(read_yaml(run / "config.yaml")["data"]["difficulty"])
    rule = StopRule(settings.trials, *settings.keep_counts)
    found: dict[str, list[bool]] = {}
    for path in sorted((run / "work" / "trials").glob("*.parquet")):
        rows = pq.read_table(path, columns=["id", "trial", "outcome"]).to_pylist()
        for row in sorted(rows, key=lambda row: row["trial"]):
            found.setdefault(row["id"], []).append(row["outcome"] == "right")
    if not found or any(len(outcomes) != rule.trials for outcomes in found.values()):
        raise CogitoError(
            f"{run} does not hold all {rule.trials} trials of every question: build it with --exact-rate"
        )
    return rule, [tuple(outcomes) for outcomes in found.values()]


def replay(rule: StopRule, outcomes: Outcomes, first: int, then: int) -> tuple[int, bool]:
    """(generations paid for, kept) of one question: `first` trials at once, then `then` at a time."""
    done = first
    while (verdict := rule.verdict(sum(outcomes[:done]), done)) is None:
        done = min(rule.trials, done + then)
    return done, verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rule, questions = stored_trials(given.run)
    truth = [rule.low <= sum(outcomes) <= rule.high for outcomes in questions]
    schedules = {
        f"all {rule.trials} (everybody else)": (rule.trials, 1),
        "one by one": (1, 1),
        f"{rule.first}, then one at a time (ours)": (rule.first, 1),
        f"{rule.first}, then two at a time": (rule.first, 2),
        f"{rule.first}, then the rest": (rule.first, rule.trials),
    }
    rows, spent = [], {}
    for name, (first, then) in schedules.items():
        replayed = [replay(rule, outcomes, first, then) for outcomes in questions]
        spent[name] = sum(done for done, _ in replayed)
        wrong = sum(kept != should for (_, kept), should in zip(replayed, truth, strict=True))
        saved = 1 - spent[name] / (rule.trials * len(questions))
        rows.append([name, spent[name], f"{spent[name] / len(questions):.2f}", f"{saved:.1%}", wrong])
    counts = Counter(sum(outcomes) for outcomes in questions)
    print(
        f"{len(questions)} questions; right answers of {rule.trials}: {[counts[n] for n in range(rule.trials + 1)]}"
    )
    table("early stop", ["schedule", "generations", "a question", "saved", "verdicts that differ"], rows)
    if given.json:
        ours, peer = spent[f"{rule.first}, then one at a time (ours)"], spent[f"all {rule.trials} (everybody else)"]
        metric = {
            "ours": ours,
            "peer": peer,
            "peer_name": f"all {rule.trials} trials",
            "ratio": ours / peer,
            "unit": "generations",
        }
        given.json.write_text(json.dumps({"generations": metric}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
