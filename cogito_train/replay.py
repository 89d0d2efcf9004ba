"""`cogito-train replay`: a recorded step again, from its answers on: verdicts, rewards, weights, advantages, loss.

With the run's own rules it reproduces what was recorded. With other rules (`--set stages.2.rewards.length=none`) or a
newer verifier it shows what they would have done to the same answers, without a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import yaml

from cogito_core.console import CogitoError
from cogito_core.engines.base import Answer
from cogito_core.manifest import apply_overrides, validate
from cogito_train.config import Stage, TrainRecipe
from cogito_train.rollout import RolloutGroup, judge_answer
from cogito_train.scores import StepScores, score_groups
from cogito_train.stages import TrainingData


@dataclass
class Replay:
    """A step as recorded and as computed now; all tables are prompts by answers.

    `loss` is the surrogate at the weights that sampled, where every ratio is 1: minus the mean of the advantages
    over tokens. Added to the KL coefficient times the recorded KL it is the recorded loss of a step with one update.
    """

    stage: Stage
    groups: list[RolloutGroup]
    scores: StepScores
    recorded: dict[str, np.ndarray]
    loss: float

    @property
    def changed_verdicts(self) -> int:
        """Answers that are judged otherwise now."""
        return int((self.scores.correct != self.recorded["correct"]).sum())

    @property
    def changed_rewards(self) -> int:
        """Answers whose total reward differs by more than rounding."""
        return int((np.abs(self.scores.rewards.total - self.recorded["reward"]) > 1e-9).sum())

    @property
    def largest_advantage_change(self) -> float:
        """Largest |difference| of a weighted advantage."""
        return float(np.abs(self.scores.advantages - self.recorded["advantage"]).max())


def replay(run: Path, step: int, *, stage_name: str | None, overrides: list[str]) -> Replay:
    """Recompute step number `step` (from 1) of a stage of the run in folder `run`; the first stage if none is named.

    Raises CogitoError if the run, the stage or the step is not there, or a recorded row is no longer in the data.
    """
    recipe = _recipe(run, overrides)
    names = [stage.name for stage in recipe.stages]
    name = stage_name or names[0]
    if name not in names:
        raise CogitoError(f"{run} has no stage '{name}' (it has {', '.join(names)})")
    path = run / "rollouts" / name / f"{step:05d}.parquet"
    if not path.exists():
        raise CogitoError(f"{run} has no recorded rollouts of step {step} of stage {name}")
    stage = recipe.stages[names.index(name)]
    rows = pq.read_table(path).to_pylist()
    groups = _groups(rows, recipe)
    size = len(groups[0].answers)
    scores = score_groups(groups, stage, recipe.objective, max_response_tokens=recipe.max_response_tokens)
    recorded = {
        "reward": np.array([row["reward"] for row in rows]).reshape(-1, size),
        "advantage": np.array([row["advantage"] for row in rows]).reshape(-1, size),
        "correct": np.array([row["outcome"] == "right" for row in rows]).reshape(-1, size),
    }
    return Replay(stage, groups, scores, recorded, _loss(scores, recipe))


def _recipe(run: Path, overrides: list[str]) -> TrainRecipe:
    path = run / "config.yaml"
    if not path.exists():
        raise CogitoError(f"{run} is no run of cogito-train: it has no config.yaml")
    section = yaml.safe_load(path.read_text(encoding="utf-8")).get("train")
    if section is None:
        raise CogitoError(f"{path} is no configuration of cogito-train")
    settings = [setting.removeprefix("train.") for setting in overrides]
    return validate(apply_overrides(section, settings), TrainRecipe, where=str(path))


def _groups(rows: list[dict[str, Any]], recipe: TrainRecipe) -> list[RolloutGroup]:
    data = TrainingData.open(recipe.data).train
    positions = {sample_id: i for i, sample_id in enumerate(data.column("id"))}
    groups: list[RolloutGroup] = []
    # As recorded, whatever the settings say now: a group cut in half would have another mean.
    starts = [number for number, row in enumerate(rows) if row["sample"] == 0]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        members = rows[start:end]
        sample_id = members[0]["sample_id"]
        if sample_id not in positions:
            raise CogitoError(f"row {sample_id} of the recorded step is no longer in {recipe.data}")
        sample = data[positions[sample_id]]
        answers = tuple(
            Answer(
                text=row["text"],
                token_ids=tuple(row["token_ids"]),
                logprobs=tuple(row["logprobs"]) if row["logprobs"] is not None else None,
                finish=row["finish"],
                n_tokens=len(row["token_ids"]),
                n_prompt_tokens=0,
                seed=row["seed"],
            )
            for row in members
        )
        groups.append(RolloutGroup(sample, answers, tuple(judge_answer(sample, a.text) for a in answers)))
    return groups


def _loss(scores: StepScores, recipe: TrainRecipe) -> float:
    kept = ~scores.truncated if recipe.objective.drop_truncated else np.ones_like(scores.truncated)
    lengths = np.where(kept, scores.lengths, 0)
    if recipe.objective.average == "token":
        weights = lengths / max(lengths.sum(), 1)
    elif recipe.objective.average == "sequence":
        weights = kept / max(kept.sum(), 1)
    else:
        weights = lengths / (max(kept.sum(), 1) * recipe.max_response_tokens)
    return float(-(weights * scores.advantages).sum())
