"""Accuracy of a nano model by category and level, judged by the project's own verifiers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cogito_core.verify import judge
from cogito_nano.sampling import sample_answers
from cogito_nano.tasks import CATEGORIES, NanoItem
from cogito_nano.tasks.splits import generate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration

_FORM = re.compile(r"<think>.+</think><answer>\\boxed\{[^{}]+\}</answer>", re.DOTALL)


def accuracy_report(
    model: Qwen2_5_VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    *,
    per_category: int,
    seed: int,
    split: str = "validation",
) -> dict[str, Any]:
    """Greedy and sampled (temperature 1) accuracy on ``per_category`` questions of each category."""
    items = [item for category in CATEGORIES for item in generate(split, category, per_category, seed)]
    return {
        "greedy": score(items, answers_to(model, tokenizer, items, temperature=0.0, seed=seed)),
        "sampled": score(items, answers_to(model, tokenizer, items, temperature=1.0, seed=seed)),
    }


def answers_to(
    model: Qwen2_5_VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    items: Sequence[NanoItem],
    *,
    temperature: float,
    seed: int,
    rows: int = 96,
) -> list[str]:
    """One answer for each item, ``rows`` at a time."""
    return [
        answer
        for start in range(0, len(items), rows)
        for answer in sample_answers(
            model, tokenizer, items[start : start + rows], temperature=temperature, seed=seed + start
        )
    ]


def is_right(item: NanoItem, response: str) -> bool:
    """Whether the verifiers accept this response to this item."""
    kind = item.answer_kind
    return judge(response, item.answer, kind=kind, choices=item.choices).is_right


def score(items: Sequence[NanoItem], responses: Sequence[str]) -> dict[str, Any]:
    """Shares of right and of well-formed responses, overall, by category and by level."""
    right: dict[str, list[bool]] = defaultdict(list)
    for item, response in zip(items, responses, strict=True):
        verdict = is_right(item, response)
        for key in ("all", item.category, f"level {item.level}", f"{item.category} {item.level}"):
            right[key].append(verdict)
    table = {key: round(sum(values) / len(values), 3) for key, values in right.items()}
    table["well-formed"] = round(sum(bool(_FORM.fullmatch(text)) for text in responses) / len(responses), 3)
    return table
