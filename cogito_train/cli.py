"""`cogito-train`: run a recipe's training stages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cogito_core.console import CogitoError, MissingExtra, run_cli, say

if TYPE_CHECKING:
    from cogito_train.config import TrainRecipe
    from cogito_train.parallel import World

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Train a vision-language model with PCuRL.")

RecipeOption = Annotated[str, typer.Option("--recipe", help="a recipe that ships, or a YAML file")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="key=value in the train section, repeatable")]


@app.callback(invoke_without_command=True)
def train(
    context: typer.Context,
    recipe: Annotated[str | None, typer.Option("--recipe", help="a recipe that ships, or a YAML file")] = None,
    settings: SetOption = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="run directory")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="the run must exist already")] = False,
) -> None:
    """Run all stages of a recipe. The same command again goes on where a killed run stopped."""
    if context.invoked_subcommand is not None:
        return
    if recipe is None:
        raise typer.BadParameter("give --recipe NAME or FILE")
    prepare_threads()
    from cogito_train.config import load_train_recipe

    loaded = load_train_recipe(recipe, settings or [])
    directory = output or Path("runs") / f"train-{Path(recipe).stem}"
    if resume and not (directory / "config.yaml").exists():
        raise CogitoError(f"there is no run to resume in {directory}")
    _require_torch()
    _quiet_libraries()
    from cogito_train.parallel import World

    world = World.join()
    try:
        _run(loaded, recipe, directory, world)
    finally:
        world.leave()


def _run(recipe: TrainRecipe, name: str, directory: Path, world: World) -> None:
    from cogito_core.runs import RunDir
    from cogito_train.config import batch_arithmetic
    from cogito_train.loop import Trainer

    if not world.is_main:
        if world.max(0.0) == 0.0:  # the main process says 1 if there is nothing left to do
            Trainer(recipe, directory, None, world).train()
        return
    config = {"recipe": Path(name).stem, "train": recipe.model_dump(mode="json")}
    with RunDir.open(directory, config=config, command="cogito-train") as run:
        if world.max(float(run.is_finished)) > 0:
            say(f"{directory} is finished already: see summary.json")
            return
        for line in batch_arithmetic(recipe):
            say(line)
        summary = Trainer(recipe, directory, run, world).train()
        run.summary(summary)
        say(f"done: {directory / 'final'} holds the trained model")


def prepare_threads() -> None:
    """On a CPU, idle OpenMP threads must sleep and not spin: spinning ones made a shared machine 20 times
    slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if "OMP_NUM_THREADS" not in os.environ:
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        os.environ["OMP_NUM_THREADS"] = str(max(1, len(os.sched_getaffinity(0)) // processes))


def _require_torch() -> None:
    import importlib.util

    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra("local", "training")


def _quiet_libraries() -> None:
    """Loading bars and advice of transformers and of the checkpoint library would bury the lines of the
    run.
    """
    import logging
    import warnings

    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message="torch.distributed is disabled")
    logging.getLogger("torch.distributed").setLevel(logging.ERROR)


def main() -> None:
    """Entry point of the console script."""
    run_cli(app)


if __name__ == "__main__":
    main()
