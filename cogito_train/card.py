"""The model card of a trained model: what it was trained from, on what, how, and how it scored."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import yaml

from cogito_core import __version__
from cogito_core.files import write_atomic
from cogito_core.shards import SampleStore
from cogito_train.config import TrainRecipe, batch_arithmetic
from cogito_train.lineage import hub_origin, is_hub_model, lineage, upstream
from cogito_train.report import training_charts

CURVES = ("accuracy", "reward")
"""Pictures beside the card, by the names of their files."""

# A picture of its own has no page around it to take its colours from.
_STYLE = (
    "<style>svg{background:#fff}text{fill:#1d2433;font:12px system-ui,sans-serif}"
    ".axis{stroke:#dfe3ea}.soft{fill:#5d6679}</style>"
)


def write_card(
    final: Path, recipe: TrainRecipe, summary: dict[str, Any], data: SampleStore, metrics: list[dict[str, Any]]
) -> None:
    """Write README.md and its curves into a finished model's folder; `metrics` are the rows of metrics.jsonl."""
    for name, chart in zip(CURVES, training_charts(metrics, summary["stages"]), strict=False):
        head, end, rest = chart.partition(">")
        write_atomic(final / f"{name}.svg", f"{head}{end}{_STYLE}{rest}\n")
    write_atomic(final / "README.md", model_card(recipe, summary, data, final))


def model_card(recipe: TrainRecipe, summary: dict[str, Any], data: SampleStore, final: Path) -> str:
    """README.md of the final folder, with the front matter that the Hub reads."""
    origin = hub_origin(data.directory)
    front: dict[str, Any] = {
        # The Hub takes a name of its own here; nano and local folders stand in the lineage below.
        **({"base_model": recipe.model} if is_hub_model(recipe.model) else {}),
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
            *(f"![{name}]({name}.svg)" for name in CURVES),
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
