"""DynaMath: variants of seed questions, its JSON prompt, and worst-case accuracy.

Source: the released evaluation (github DynaMath/DynaMath). Average accuracy is over all variants; worst-case
accuracy is the share of seed questions all of whose variants are right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cogito_eval.aggregate import as_dict
from cogito_eval.intervals import mean_estimate
from cogito_eval.item import Item
from cogito_eval.records import KEY, Record

_FORMS = {
    "multiple choice": "the short answer is the letter of the option, for example A",
    "float": "the short answer is a number with three decimals, for example 0.123",
}


def adapt(record: Record, path: Path) -> Record:
    """The seed question that a variant belongs to: the record's id on the Hub, its key in the release."""
    seed = str(record.get("id") or record[KEY])
    level = record.get("level") or record.get("knowledge_level")
    return {**record, "_seed_question": seed, "_level": level}


def own_prompt(item: Item) -> str:
    """The question with the release's demand for a JSON answer, in our words."""
    form = _FORMS.get(str(item.record.get("answer_type")), "the short answer is a word or a phrase")
    keys = 'the keys "solution" (the reasoning, step by step) and "short answer"'
    return f"{item.problem}\nAnswer with a JSON object that has {keys}; {form}."


def metrics(questions: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Worst-case accuracy with its interval under both rules, and how many variants each seed question has."""
    seeds: dict[str, list[Sequence[Mapping[str, Any]]]] = {}
    for samples in questions.values():
        seeds.setdefault(samples[0]["cluster"], []).append(samples)
    variants = sorted({len(group) for group in seeds.values()})
    out: dict[str, Any] = {"variants of a seed question": f"{variants[0]} to {variants[-1]}"}
    for name, rule in (("worst case, official", "official"), ("worst case, verifiers", "strict")):
        if any(samples[0][rule] is None for group in seeds.values() for samples in group):
            continue
        worst = [float(all(samples[0][rule]["outcome"] == "right" for samples in group)) for group in seeds.values()]
        out[name] = as_dict(mean_estimate(worst))
    return out
