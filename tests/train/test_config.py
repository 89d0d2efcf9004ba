"""Recipes: what ships is valid and means what the paper says; a wrong key or value is named."""

import pytest

from cogito_core.console import CogitoError
from cogito_train.config import batch_arithmetic, load_train_recipe, what_is_kept


def test_the_paper_recipe_has_the_official_figures():
    recipe = load_train_recipe("vl-cogito", [])
    assert (recipe.prompts_per_step, recipe.samples_per_prompt, recipe.prompts_per_update) == (512, 16, 128)
    assert (recipe.max_prompt_tokens, recipe.max_response_tokens, recipe.temperature) == (2048, 4096, 1.0)
    assert (recipe.min_pixels, recipe.max_pixels) == (84**2, 1024**2)
    assert (recipe.objective.clip_low, recipe.objective.clip_high, recipe.objective.kl) == (0.2, 0.2, 1e-3)
    optimizer = recipe.optimizer
    assert (optimizer.learning_rate, optimizer.weight_decay, optimizer.max_grad_norm) == (1e-6, 0.01, 1.0)
    assert (optimizer.beta1, optimizer.beta2, optimizer.warmup_steps) == (0.9, 0.999, 0)
    assert [stage.weighting.curve for stage in recipe.stages] == ["easy", "medium", "hard"]
    assert [stage.seed for stage in recipe.stages] == [1, 11, 111]
    assert [(stage.steps, stage.epochs) for stage in recipe.stages] == [(100, None), (100, None), (None, 1.0)]
    assert [stage.rewards.length for stage in recipe.stages] == ["none", "none", "dynamic"]
    assert recipe.stages[2].rewards.max_target == 750 and recipe.stages[2].rewards.repetition == 0.5
    assert (recipe.validation.every, recipe.validation.rows, recipe.validation.temperature) == (5, 1000, 0.5)
    hand_over = recipe.hand_over
    assert (hand_over.weights, hand_over.optimizer, hand_over.reference) == ("best", "reset", "move")


def test_the_batch_arithmetic_is_said_in_words():
    lines = batch_arithmetic(load_train_recipe("vl-cogito", []))
    assert lines[0] == "each step: 512 prompts x 16 answers = 8,192 answers"
    assert lines[1] == "each step: 4 optimiser updates of 128 prompts = 2,048 answers"


def test_what_is_kept_is_said_before_the_start():
    recipe = load_train_recipe("vl-cogito", [])
    assert what_is_kept(recipe).endswith("hands on its best validated weights (validated every 5 steps)")
    assert f"every {recipe.checkpoint_every} steps" in what_is_kept(recipe)
    assert "its last weights" in what_is_kept(load_train_recipe("vl-cogito", ["hand_over.weights=last"]))


@pytest.mark.parametrize("name", ["nano", "vl-cogito"])
def test_shipped_recipes_share_their_data_between_stages(name):
    """Disjoint stages forget: every stage trains on everything, as in the paper."""
    recipe = load_train_recipe(name, [])
    assert len({stage.filter.model_dump_json() for stage in recipe.stages}) == 1


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("optimiser.learning_rate=1", "unknown key 'optimiser'.*did you mean 'optimizer'"),
        ("stages.0.step=3", "stages.0.step.*did you mean 'steps'"),
        ("stages.0.weighting.curve=esy", "no weight curve 'esy'.*did you mean 'easy'"),
        ("prompts_per_update=7", "multiple of prompts_per_update"),
        ("samples_per_prompt=1", "samples_per_prompt"),
        ("temperature=0", "temperature"),
        ("stages.0.epochs=2", "either steps or epochs"),
        ("stages.1.name=easy", "name of its own"),
        ("stages.1.name=../x", "names a folder"),
        ("stages.0.rewards.length=dynamc", "length"),
        ("engine=openai", "engine openai needs engine_options"),
        ("attention=flash", "attention"),
        ("optimizer.bits=4", "bits"),
        ("top_p=0.9", "unknown key 'top_p'"),  # only the full distribution can be trained on
        ("prompts_per_step=many", "'prompts_per_step': input should be a valid integer"),
        ("prompts_per_step=0", "prompts_per_step"),
        ("temperature=.nan", "temperature"),
        ("temperature=.inf", "temperature"),
        ("optimizer.learning_rate=.inf", "learning_rate"),
        ("stages.0.rewards.format=.nan", "format"),
        ("stages.0.filter.min_pass_rate=5", "min_pass_rate"),
        ("stages.0.filter.max_pass_rate=.nan", "max_pass_rate"),
        ("stages.2.rewards.overlong_buffer=100000", "stage 'hard': overlong_buffer .* more than max_response_tokens"),
        ("objective.clip_low=2", "clip_low"),
        ("objective.dual_clip=0.5", "dual_clip .* above 1"),
        ("max_pixels=0", "max_pixels"),
        ("prompt=foo", "no prompt 'foo' .there are train"),
        ("stages=[]", "at least one stage"),
        ("stages.7.steps=1", "no position in a list of 3"),
    ],
)
def test_a_wrong_setting_is_named(setting, words):
    with pytest.raises(CogitoError, match=words):
        load_train_recipe("nano", [setting])


def test_settings_may_name_the_section():
    assert load_train_recipe("nano", ["train.seed=7"]).seed == load_train_recipe("nano", ["seed=7"]).seed == 7
