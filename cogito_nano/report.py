"""Accuracy of a nano model by category and level, judged by the project's own verifiers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from cogito_core.engines.base import Engine, Request, Sampling, seed_of
from cogito_core.prompts import build_chat
from cogito_core.sample import Picture
from cogito_core.verify import judge
from cogito_nano.tasks import CATEGORIES, NanoItem
from cogito_nano.tasks.splits import generate

MAX_TOKENS = 48
"""Longest answer in tokens; careful answers have at most 36."""

_FORM = re.compile(r"<think>.+</think><answer>\\boxed\{[^{}]+\}</answer>", re.DOTALL)


def accuracy_report(
    engine: Engine, *, per_category: int, seed: int, split: str = "validation"
) -> dict[str, dict[str, float]]:
    """Greedy and sampled (temperature 1) accuracy on ``per_category`` questions of each category."""
    items = [item for category in CATEGORIES for item in generate(split, category, per_category, seed)]
    return {
        "greedy": score(items, answers_to(engine, items, temperature=0.0, seed=seed)),
        "sampled": score(items, answers_to(engine, items, temperature=1.0, seed=seed)),
    }


def answers_to(engine: Engine, items: Sequence[NanoItem], *, temperature: float, seed: int) -> list[str]:
    """One answer for each item, in their order."""
    sampling = Sampling(temperature=temperature, max_tokens=MAX_TOKENS)
    requests = [
        Request(
            str(number),
            build_chat("nano", item.problem, (Picture(item.png_bytes),)),
            (seed_of("nano-report", seed, number),),
            sampling,
        )
        for number, item in enumerate(items)
    ]
    answers = {result.id: result.answers[0].text for result in engine.generate(requests)}
    return [answers[request.id] for request in requests]


def is_right(item: NanoItem, response: str) -> bool:
    """Whether the verifiers accept this response to this item."""
    return judge(response, item.answer, kind=item.answer_kind, choices=item.choices).is_right


def score(items: Sequence[NanoItem], responses: Sequence[str]) -> dict[str, float]:
    """Shares of right and of well-formed responses: overall, by category, by level, by both."""
    right: dict[str, list[bool]] = defaultdict(list)
    for item, response in zip(items, responses, strict=True):
        verdict = is_right(item, response)
        for key in ("all", item.category, f"level {item.level}", f"{item.category} {item.level}"):
            right[key].append(verdict)
    table = {key: round(sum(values) / len(values), 3) for key, values in right.items()}
    table["well-formed"] = round(sum(bool(_FORM.fullmatch(text)) for text in responses) / len(responses), 3)
    return table
