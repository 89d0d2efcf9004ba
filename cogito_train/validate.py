"""Held-out accuracy of the current weights: what chooses the checkpoint that a stage hands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cogito_core.engines.base import Engine, Sampling
from cogito_core.sample import Sample
from cogito_train.config import TrainRecipe
from cogito_train.parallel import World
from cogito_train.rollout import roll_out


def validate(engine: Engine, samples: Sequence[Sample], recipe: TrainRecipe, world: World) -> dict[str, Any]:
    """Accuracy over all samples and by category, mean answer length in tokens, share cut off.

    The seeds are the same at every call, so two checkpoints are compared on the same random numbers.
    Accuracy only: format does not count. A row that cannot be asked counts as wrong.
    """
    rule = recipe.validation
    share, _ = roll_out(
        engine,
        world.mine(samples),
        prompt=recipe.prompt,
        num_samples=rule.samples,
        sampling=Sampling(temperature=rule.temperature, max_tokens=recipe.max_response_tokens),
        seed_parts=("validation", recipe.seed),
    )
    sums = {f"right/{sample.category}": 0.0 for sample in samples}
    sums |= {"tokens": 0.0, "cut": 0.0, "answers": 0.0}
    for group in share:
        sums[f"right/{group.sample.category}"] += float(group.correct.sum())
        sums["tokens"] += float(group.lengths.sum())
        sums["cut"] += float(group.truncated.sum())
        sums["answers"] += len(group.answers)
    sums = world.sum(sums)
    asked: dict[str, int] = {}
    for sample in samples:
        asked[sample.category] = asked.get(sample.category, 0) + rule.samples
    right = {category: sums[f"right/{category}"] for category in sorted(asked)}
    return {
        "accuracy": sum(right.values()) / sum(asked.values()),
        "by_category": {category: right[category] / asked[category] for category in right},
        "mean_tokens": sums["tokens"] / max(sums["answers"], 1.0),
        "truncated": sums["cut"] / max(sums["answers"], 1.0),
        "answers": int(sums["answers"]),
    }
