"""The model card of a trained model: what it was trained from, on what, how, and how it scored."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from cogito_core import __version__
from cogito_core.shards import SampleStore
from cogito_train.config import TrainRecipe, batch_arithmetic


def model_card(recipe: TrainRecipe, summary: dict[str, Any], data: SampleStore) -> str:
    """README.md of the final folder, with the front matter that the Hub reads."""
    licences = Counter(zip(data.column("source"), data.column("license"), strict=True))
    front = {
        "base_model": recipe.model,
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["reasoning", "grpo", "pcurl", "cogito"],
    }
    rows = [
        f"| {stage['name']} | {stage['steps']} | {stage['best_step']} | {_percent(stage['validation'])} |"
        for stage in summary["stages"]
    ]
    sources = [
        f"| {source} | {count:,} | {licence or 'not stated'} |"
        for (source, licence), count in sorted(licences.items())
    ]
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, sort_keys=False).strip(),
            "---",
            "",
            f"# {recipe.model} trained with PCuRL",
            "",
            f"Trained by cogito-train {__version__}: curriculum GRPO with online difficulty soft weighting and a "
            "dynamic length reward (VL-Cogito, arXiv 2507.22607).",
            "",
            *(f"- {line}" for line in batch_arithmetic(recipe)),
            "",
            "## Stages",
            "",
            "Held-out accuracy is that of the run's own validation rows, which is no benchmark.",
            "",
            "| stage | steps | weights of step | held-out accuracy |",
            "|---|---|---|---|",
            *rows,
            "",
            "## Training data",
            "",
            "| source | rows | licence |",
            "|---|---|---|",
            *sources,
            "",
            "## Recipe",
            "",
            "```yaml",
            yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False).strip(),
            "```",
            "",
        ]
    )


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"
