"""The model card of a trained model: what it was trained from, on what, how, and how it scored."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import yaml

from cogito_core import __version__
from cogito_core.shards import SampleStore
from cogito_train.config import TrainRecipe, batch_arithmetic
from cogito_train.lineage import hub_origin, lineage, upstream


def model_card(recipe: TrainRecipe, summary: dict[str, Any], data: SampleStore, final: Path) -> str:
    """README.md of the final folder, with the front matter that the Hub reads."""
    origin = hub_origin(data.directory)
    front: dict[str, Any] = {
        "base_model": recipe.model,
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["reasoning", "grpo", "pcurl", "cogito"],
        **({"datasets": [origin[0]]} if origin else {}),
    }
    rows = [
        f"| {stage['name']} | {stage['steps']} | {stage['best_step']} | {_percent(stage['validation'])} |"
        for stage in summary["stages"]
    ]
    sources = [
        f"| {_cell(source)} | {count:,} | {_cell(licence)} | {_cell(read)} |"
        for source, count, licence, read in upstream(data)
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
            "| source | rows | licence | read at |",
            "|---|---|---|---|",
            *sources,
            "",
            "## Lineage",
            "",
            "From the checkpoint up: hashes are SHA-256, the recipe's is that of its sorted YAML, the data's that of "
            "the names and hashes of its shards.",
            "",
            "| what | which |",
            "|---|---|",
            *(f"| {what} | {which} |" for what, which in lineage(recipe, data, final)),
            "",
            "## Recipe",
            "",
            "```yaml",
            yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False).strip(),
            "```",
            "",
        ]
    )


def _cell(text: str) -> str:
    """Text of the data inside a table: no markup of it comes alive."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|").replace("[", "\\[")


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"
