"""`cogito-train`: run a recipe's training stages."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cogito_core.completion import names_of
from cogito_core.console import EPILOG, CogitoError, MissingExtra, run_cli, say
from cogito_core.doctor.command import doctor
from cogito_core.version import version_option

if TYPE_CHECKING:
    from cogito_train.config import TrainRecipe
    from cogito_train.parallel import World

app = typer.Typer(no_args_is_help=True, help="Train a vision-language model with PCuRL.", epilog=EPILOG)

app.command()(doctor)

_RECIPE = typer.Option("--recipe", help="a recipe that ships, or a YAML file", autocompletion=names_of("recipes"))
RecipeOption = Annotated[str, _RECIPE]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="key=value in the train section, repeatable")]


@app.callback(invoke_without_command=True)
def train(
    context: typer.Context,
    recipe: Annotated[str | None, _RECIPE] = None,
    settings: SetOption = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="run directory")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="the run must exist already")] = False,
    version: Annotated[bool, version_option("cogito-train")] = False,
) -> None:
    """Run all stages of a recipe. The same command again goes on where a killed run stopped."""
    if context.invoked_subcommand is not None:
        return
    if recipe is None:
        raise typer.BadParameter("give --recipe NAME or FILE")
    prepare_threads()
    from cogito_train.config import load_train_recipe
    from cogito_train.stages import TrainingData

    loaded = load_train_recipe(recipe, settings or [])
    directory = output or Path("runs") / f"train-{Path(recipe).stem}"
    if resume and not (directory / "config.yaml").exists():
        raise CogitoError(f"there is no run to resume in {directory}")
    TrainingData.open(loaded.data)  # a wrong path is said before torch is loaded
    _require_torch()
    _quiet_libraries()
    from cogito_train.parallel import World

    world = World.join()
    try:
        _run(loaded, recipe, directory, world)
    finally:
        world.leave()


@app.command()
def plan(
    recipe: RecipeOption,
    gpus: Annotated[
        int | None, typer.Option("--gpus", min=1, help="number of GPUs; the smallest that fits if absent")
    ] = None,
    gpu_memory: Annotated[str, typer.Option("--gpu-memory", help="memory of one GPU, as 80GB or 80GiB")] = "80GB",
    settings: SetOption = None,
) -> None:
    """Count memory part by part and estimate the step, before any GPU is used."""
    from cogito_core.console import table
    from cogito_train.config import batch_arithmetic, load_train_recipe

    loaded = load_train_recipe(recipe, settings or [])
    _require_torch()
    from cogito_train import plan as planning

    memory = planning.parse_memory(gpu_memory)
    size = planning.model_size(planning.load_config(loaded.model, loaded.revision))
    chosen = planning.make_plan(loaded, size, gpus=gpus, gpu_memory=memory) if gpus else None
    smallest = planning.smallest_set(loaded, size, gpu_memory=memory)
    shown = chosen or smallest or planning.make_plan(loaded, size, gpus=64, gpu_memory=memory)
    say(
        f"{loaded.model}: {size.parameters / 1e9:.3f}B parameters, of them vision {size.vision_parameters / 1e9:.3f}B"
    )
    for line in batch_arithmetic(loaded):
        say(line)
    for title, parts, total in (
        ("updating", shown.update, shown.update_total),
        ("sampling", shown.rollout, shown.rollout_total),
    ):
        rows = [[name, f"{gib:.2f}"] for name, gib in parts.items()]
        table(f"GiB on each of {shown.gpus} GPUs, {title}", ["part", "GiB"], [*rows, ["total", f"{total:.2f}"]])
    if shown.host:
        rows = [[name, f"{gib:.2f}"] for name, gib in shown.host.items()]
        table("GiB of main memory, all machines together", ["part", "GiB"], rows)
    seconds = ", ".join(f"{phase} {value:.0f} s" for phase, value in shown.seconds.items())
    flops = ", ".join(f"{phase} {value / 1e15:.0f}" for phase, value in shown.flops.items())
    say(f"a step on {shown.gpus} H100s, a rough estimate: {seconds} ({flops} PFLOP)")
    say(planning.assumptions())
    fits = "fits" if shown.fits else "does not fit"
    say(f"{shown.gpus} x {memory:.1f} GiB: {fits}")
    if smallest is None:
        say(f"no set of up to 64 GPUs of {memory:.1f} GiB holds this recipe")
    else:
        say(f"smallest set that fits: {smallest.gpus} x {memory:.1f} GiB (of 1, 2, 4, 8, ...)")
    rows = []
    for name, more in planning.VARIANTS.items():
        try:
            other = load_train_recipe(recipe, [*(settings or []), *more])
        except CogitoError:  # LoRA and a reference or an optimiser that is kept
            rows.append([name, "not with this recipe", "-"])
            continue
        found = planning.smallest_set(other, size, gpu_memory=memory)
        host = f"{sum(found.host.values()):.0f}" if found and found.host else "-"
        rows.append([name, str(found.gpus) if found else "none", host])
    table(f"Smallest set of GPUs of {memory:.1f} GiB", ["with", "GPUs", "GiB of main memory"], rows)


@app.command()
def replay(
    run: Annotated[Path, typer.Argument(help="a run directory of cogito-train")],
    step: Annotated[int, typer.Option("--step", min=1, help="which step, from 1")],
    stage: Annotated[str | None, typer.Option("--stage", help="which stage; the first if absent")] = None,
    settings: SetOption = None,
) -> None:
    """Compute a recorded step again, also with other rewards: --set stages.0.rewards.format=0."""
    from cogito_core.console import table
    from cogito_train.replay import replay as replay_step

    done = replay_step(run, step, stage_name=stage, overrides=settings or [])
    scores = done.scores
    rows = [["accuracy", f"{scores.correct.mean():.4f}", f"{done.recorded['correct'].mean():.4f}"]]
    rows += [["reward", f"{scores.rewards.total.mean():.4f}", f"{done.recorded['reward'].mean():.4f}"]]
    rows += [[f"reward, {name}", f"{part.mean():.4f}", ""] for name, part in scores.rewards.parts.items()]
    rows += [["weight", f"{scores.weights.mean():.4f}", ""], ["loss at the sampling weights", f"{done.loss:.6f}", ""]]
    table(f"step {step} of stage {done.stage.name}", ["mean of", "now", "recorded"], rows)
    say(
        f"{done.changed_verdicts} verdicts and {done.changed_rewards} rewards of {scores.correct.size} differ; "
        f"largest change of an advantage {done.largest_advantage_change:.2e}"
    )


def _run(recipe: TrainRecipe, name: str, directory: Path, world: World) -> None:
    from cogito_core.engines.models import model_revision, resolve_model
    from cogito_core.plugins import own_files
    from cogito_core.runs import RunDir
    from cogito_train.config import batch_arithmetic, what_is_kept
    from cogito_train.loop import Trainer
    from cogito_train.stages import TrainingData, content_hash

    if not world.is_main:
        if world.max(0.0) == 0.0:  # the main process says 1 if there is nothing left to do
            with closing(Trainer(recipe, directory, None, world)) as trainer:
                trainer.train()
        return
    config = {"recipe": Path(name).stem, "train": recipe.model_dump(mode="json")}
    own = own_files(reference for stage in recipe.stages for reference in stage.rewards.own)
    if own:
        config["own_files"] = own
    inputs = {
        "data": content_hash(TrainingData.open(recipe.data).train),
        "model": model_revision(resolve_model(recipe.model, recipe.revision)),
    }
    with RunDir.open(directory, config=config, command="cogito-train", inputs=inputs) as run:
        if world.max(float(run.is_finished)) > 0:
            say(f"{directory} is finished already: see summary.json")
            return
        for line in batch_arithmetic(recipe):
            say(line)
        say(what_is_kept(recipe))
        with closing(Trainer(recipe, directory, run, world)) as trainer:
            run.summary(trainer.train())
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
    for name in ("torch.distributed", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)


def main() -> None:
    """Entry point of the console script."""
    run_cli(app)


if __name__ == "__main__":
    main()
