"""A recorded step computed again: the same figures with the same rules, others with other rules."""

import json
from pathlib import Path

import numpy as np
import pytest

from cogito_core.console import CogitoError
from cogito_core.runs import RunDir
from cogito_train.config import load_train_recipe
from cogito_train.loop import Trainer
from cogito_train.parallel import World
from cogito_train.replay import replay

from .tiny import nano_data

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("replay")
    settings = [
        f"data={nano_data(root / 'in', train=3, validation=1)}",
        "prompts_per_step=6", "prompts_per_update=6", "samples_per_prompt=4", "max_response_tokens=16",
        "validation.rows=2", "check_first_rollouts=false", "objective.kl=0.5",
        "stages.0.steps=1", "stages.1.steps=1", "stages.2.steps=2",
    ]  # fmt: skip
    recipe = load_train_recipe("nano", settings)
    config = {"recipe": "nano", "train": recipe.model_dump(mode="json")}
    with RunDir.open(root / "run", config=config, command="cogito-train") as opened:
        Trainer(recipe, root / "run", opened, World.join()).train()
    return root / "run"


@pytest.mark.parametrize(("stage", "step"), [("easy", 1), ("medium", 1), ("hard", 1), ("hard", 2)])
def test_the_runs_own_rules_give_what_was_recorded(run, stage, step):
    done = replay(run, step, stage_name=stage, overrides=[])
    assert done.changed_verdicts == 0 and done.changed_rewards == 0
    assert done.largest_advantage_change == 0.0
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    row = next(row for row in rows if (row["stage"], row["step"]) == (stage, step))
    assert done.loss + 0.5 * row["kl"] == pytest.approx(row["loss"], abs=1e-6)


def test_groups_stay_as_they_were_recorded(run):
    """Another samples_per_prompt must not cut them in half in silence."""
    done = replay(run, 1, stage_name=None, overrides=["samples_per_prompt=2"])
    assert done.changed_rewards == done.changed_verdicts == 0 and done.largest_advantage_change == 0.0


def test_other_rewards_change_rewards_and_not_verdicts(run):
    plain = replay(run, 1, stage_name="hard", overrides=[])
    other = replay(run, 1, stage_name="hard", overrides=["stages.2.rewards.format=0", "stages.2.rewards.length=none"])
    assert other.changed_verdicts == 0 and "length" not in other.scores.rewards.parts
    np.testing.assert_array_equal(other.scores.correct, plain.scores.correct)
    assert other.changed_rewards > 0


@pytest.mark.parametrize(
    ("step", "stage", "words"), [(9, "easy", "no recorded rollouts of step 9"), (1, "esy", "no stage 'esy'")]
)
def test_what_is_not_there_is_named(run, step, stage, words):
    with pytest.raises(CogitoError, match=words):
        replay(run, step, stage_name=stage, overrides=[])


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(CogitoError, match="no run of cogito-train"):
        replay(tmp_path, 1, stage_name=None, overrides=[])
