"""One small finished run of nano that several files look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .tiny import nano_data

if TYPE_CHECKING:
    from cogito_train.config import TrainRecipe

RUN_SETTINGS = [
    "prompts_per_step=4",
    "prompts_per_update=2",
    "samples_per_prompt=4",
    "max_response_tokens=24",
    "checkpoint_every=2",
    "validation.every=2",
    "validation.rows=6",
    "validation.samples=2",
    "optimizer.learning_rate=1e-4",
    "check_first_rollouts=false",
    "stages.0.steps=3",
    "stages.1.steps=2",
    "stages.2.steps=3",
]


def small_recipe(data: Path, *more: str) -> TrainRecipe:
    """The nano recipe with few steps of few answers."""
    from cogito_train.config import load_train_recipe

    return load_train_recipe("nano", [f"data={data}", *RUN_SETTINGS, *more])


def train(recipe: TrainRecipe, directory: Path) -> dict[str, Any]:
    """What the command does, in this process."""
    from cogito_core.runs import RunDir
    from cogito_train.loop import Trainer
    from cogito_train.parallel import World

    config = {"recipe": "nano", "train": recipe.model_dump(mode="json")}
    with RunDir.open(directory, config=config, command="cogito-train") as run:
        summary = Trainer(recipe, directory, run, World.join()).train()
        run.summary(summary)
    return summary


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory: 36 nano questions to train on, 12 held out."""
    return nano_data(tmp_path_factory.mktemp("data"), train=6, validation=2)


@pytest.fixture(scope="session")
def straight(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an undisturbed run."""
    directory = tmp_path_factory.mktemp("runs") / "straight"
    train(small_recipe(data), directory)
    return directory
