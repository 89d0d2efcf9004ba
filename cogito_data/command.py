"""What `cogito-data build` does around the pipeline: settings, run directory, summary, table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogito_core.console import UsageError, say, table
from cogito_core.files import write_atomic
from cogito_core.plugins import own_files
from cogito_core.runs import RunDir
from cogito_data.funnel import Funnel
from cogito_data.recipe import DataRecipe, load_data_recipe
from cogito_data.workers import Crew

if TYPE_CHECKING:
    from cogito_data.pipeline import Build


def run_build(
    recipe_name: str,
    *,
    root: Path | None,
    out: Path | None,
    engine: str | None,
    model: str | None,
    seed: int | None,
    exact_rate: bool,
    workers: int,
    cluster: str | None,
    settings: Sequence[str] = (),
) -> None:
    """Build a recipe into a run directory, or say that it is built already.

    Raises:
        CogitoError: whatever is wrong with the recipe, the input or the engine, in one sentence.
    """
    overrides: dict[str, Any] = {}
    if engine is not None:
        overrides["engine"] = engine
    if model is not None:
        overrides["model"] = model
    if exact_rate:
        overrides["exact_rate"] = True
    name, recipe = load_data_recipe(recipe_name, overrides, seed, settings)
    if overrides and recipe.difficulty is None:
        raise UsageError(
            f"the recipe '{name}' measures no difficulty, so --engine, --model and --exact-rate mean nothing"
        )
    directory = out or Path("runs") / f"{name}-data"
    config = _config(name, recipe, root)
    with RunDir.open(directory, config=config, command="cogito-data build", inputs=_inputs(recipe, root)) as run:
        if run.is_finished:
            say(f"{directory} is finished already; see {directory / 'report.html'}")
            return
        from cogito_data.pipeline import build
        from cogito_data.report import render

        done = build(name, recipe, run, root=root, crew=Crew(workers, cluster))
        _leak_table(run, done)
        write_atomic(run.path / "report.html", render(done))
        kept = run.work / "benchmarks.json"
        benchmarks = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        run.summary({**done.funnel.as_summary(), "origins": done.origins, "benchmarks": benchmarks})
    _show(name, done.funnel, directory)


def _config(name: str, recipe: DataRecipe, root: Path | None) -> dict[str, Any]:
    """What the outputs depend on. Workers and cluster are left out: they change nothing."""
    config: dict[str, Any] = {
        "recipe": name,
        "from": str(root.resolve()) if root is not None else None,
        "data": recipe.model_dump(mode="json"),
    }
    if recipe.difficulty is not None and recipe.difficulty.enabled and recipe.difficulty.engine == "transformers":
        from cogito_core.engines.models import model_revision, resolve_model

        config["model_revision"] = model_revision(resolve_model(recipe.difficulty.model))
    if recipe.difficulty is not None and recipe.difficulty.engine.startswith("python:"):
        config["own_files"] = own_files([recipe.difficulty.engine.removeprefix("python:")])
    return config


def _inputs(recipe: DataRecipe, root: Path | None) -> dict[str, str]:
    return {part.name: str(root / part.name) if root is not None else "hub" for part in recipe.mix}


def _show(name: str, funnel: Funnel, directory: Path) -> None:
    rows = []
    for source, counts in funnel.sources.items():
        out = sum(counts[reason] for reason in funnel.dropped)
        rows.append([source, counts["ingested"], counts["rewritten"], out, counts["kept"]])
    rewritten = sum(counts["rewritten"] for counts in funnel.sources.values())
    rows.append(["all", funnel.ingested, rewritten, funnel.dropped.total(), funnel.kept])
    table(
        f"{name}: {funnel.kept} of {funnel.ingested} rows kept",
        ["source", "in", "rewritten", "dropped", "kept"],
        rows,
    )
    reasons = ", ".join(f"{n} {reason}" for reason, n in funnel.dropped.most_common())
    say(f"dropped: {reasons or 'none'}; splits: {', '.join(f'{n} {split}' for split, n in funnel.splits.items())}")
    say(f"{directory / 'report.html'}")


def _leak_table(run: RunDir, done: Build) -> None:
    """The published evidence: every training row that meets a benchmark, dropped or only flagged."""
    if done.recipe.decontaminate.against:
        lines = [
            json.dumps(
                {key: value for key, value in asdict(hit).items() if key not in ("row", "probe")}, ensure_ascii=False
            )
            for hit in done.hits
        ]
        write_atomic(run.path / "leaks.jsonl", "".join(f"{line}\n" for line in lines))
