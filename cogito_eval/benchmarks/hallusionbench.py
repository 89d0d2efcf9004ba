"""HallusionBench: accuracy per question (aAcc), per figure (fAcc) and per question group (qAcc).

Source: the released evaluation (utils.py of github tianyi-lab/HallusionBench). A figure counts if all its questions
are right: 346 figures, as "figure 0" of the category VS is a question without any. A question group counts if the
question is right on every variant of the figure, the missing one among them: 455 groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cogito_eval.aggregate import as_dict
from cogito_eval.intervals import mean_estimate
from cogito_eval.records import Record


def adapt(record: Record, path: Path) -> Record:
    """An item without a figure has no picture to look for."""
    return {**record, "filename": record.get("filename") or None}


def metrics(questions: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """aAcc, fAcc and qAcc under both rules, and the share of "yes" among the answers less that among the golds."""
    out: dict[str, Any] = {}
    for name, rule in (("official", "official"), ("verifiers", "strict")):
        if all(samples[0][rule] is not None for samples in questions.values()):
            right = {id: samples[0][rule]["outcome"] == "right" for id, samples in questions.items()}
            out |= {f"{name} {key}": value for key, value in three_accuracies(right).items()}
    said = [str(samples[0]["strict"].get("answer") or "").casefold() for samples in questions.values()]
    golds = [samples[0]["gold"] for samples in questions.values()]
    out["yes bias"] = (said.count("yes") - golds.count("yes")) / len(golds)
    return out


def three_accuracies(right: Mapping[str, bool]) -> dict[str, Any]:
    """The accuracies of question id (`category_subcategory_set_figure_question`) -> right."""
    figures: dict[tuple[str, ...], list[bool]] = {}
    groups: dict[tuple[str, ...], list[bool]] = {}
    for id, value in right.items():
        head, set_id, figure, question = id.rsplit("_", 3)
        if not (head.startswith("VS_") and figure == "0"):
            figures.setdefault((head, set_id, figure), []).append(value)
        groups.setdefault((head, set_id, question), []).append(value)
    single = {(id,): [value] for id, value in right.items()}
    # Of the questions without a picture alone no figure is left.
    return {name: as_dict(mean_estimate([float(all(values)) for values in parts.values()]))
            for name, parts in (("aAcc", single), ("fAcc", figures), ("qAcc", groups)) if parts}
