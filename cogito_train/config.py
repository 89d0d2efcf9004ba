"""The `train` section of a recipe, validated: what is trained on what, in which stages.

Three words count batches: `prompts_per_step` prompts are answered at each step, `samples_per_prompt` times
each, and every `prompts_per_update` of them make one optimiser update. Micro-batches are counted in tokens.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from cogito_core.console import CogitoError
from cogito_core.manifest import Manifest, apply_overrides, load_recipe
from cogito_core.manifest import validate as validate_manifest
from cogito_core.plugins import load_object
from cogito_core.prompts import PROMPTS
from cogito_train.curriculum import weight_curve
from cogito_train.rewards import RewardRule


class _Section(Manifest):
    """A part of the recipe. Infinity and NaN pass every comparison or none, so no number may be one of them."""

    model_config = ConfigDict(allow_inf_nan=False)


class Filter(_Section):
    """Which rows a stage trains on; empty lists and nulls let everything through."""

    categories: list[str] = Field(default_factory=list)
    sources: list[str] = Field(default_factory=list)
    min_pass_rate: float | None = Field(default=None, ge=0, le=1)
    max_pass_rate: float | None = Field(default=None, ge=0, le=1)


class Weighting(_Section):
    """ODSW: the curve, and the weight of unsolved prompts if it is not the curve's own."""

    curve: str = "uniform"
    unsolved: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _known_curve(self) -> Weighting:
        weight_curve(self.curve)
        return self


class Rewards(_Section):
    """The parts of the reward; see `RewardRule`. The default is that of the paper's stages one and two.

    `own` maps functions of the user's own, `FILE.py:NAME` or `package.module:NAME`, to their factors.
    """

    accuracy: float = 1.0
    format: float = 0.5
    length: Literal["none", "dynamic", "dynamic_paper", "fixed"] = "none"
    length_factor: float = 1.0
    max_target: float = Field(default=750.0, gt=0)
    repetition: float = Field(default=0.0, ge=0)
    repetition_ngram: int = Field(default=20, ge=1)
    overlong_buffer: float = Field(default=0.0, ge=0)
    own: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _own_can_be_loaded(self) -> Rewards:
        for reference in self.own:
            load_object(reference)
        return self

    def rule(self, max_response_tokens: int) -> RewardRule:
        """The rule of a run whose answers are cut at `max_response_tokens`."""
        return RewardRule(**self.model_dump(), limit=float(max_response_tokens))


class Validation(_Section):
    """How often and how held-out accuracy is measured; the best step of a stage is handed on."""

    every: int = Field(default=5, ge=1)
    rows: int | None = Field(default=None, ge=1)
    samples: int = Field(default=1, ge=1)
    temperature: float = Field(default=0.5, ge=0)
    at_start: bool = True


class Stage(_Section):
    """One stage of the curriculum; `steps` or `epochs` says how long."""

    name: str
    steps: int | None = Field(default=None, ge=1)
    epochs: float | None = Field(default=None, gt=0)
    seed: int = 0
    learning_rate: float | None = Field(default=None, gt=0)
    filter: Filter = Filter()
    weighting: Weighting = Weighting()
    rewards: Rewards = Rewards()

    @model_validator(mode="after")
    def _one_length(self) -> Stage:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError(f"stage '{self.name}' needs either steps or epochs")
        return self


class Objective(_Section):
    """How answer tokens become one number; see `policy_loss` and `group_advantages`.

    `average` is how tokens are weighed: "token" = mean over all tokens of the update (DAPO), "sequence" = mean over
    answers of each answer's token mean (GRPO's equation), "constant" = sum over (answers * max tokens) (Dr. GRPO).
    `engine_cap` caps the importance ratio between trainer and engine (truncated importance sampling); 0 is off, as is
    a `dual_clip` of 0. `drop_truncated` leaves cut answers out of the loss.
    """

    clip_low: float = Field(default=0.2, gt=0, le=1)
    clip_high: float = Field(default=0.2, gt=0)
    dual_clip: float = Field(default=0.0, ge=0)
    kl: float = Field(default=1e-3, ge=0)
    average: Literal["token", "sequence", "constant"] = "token"
    engine_cap: float = Field(default=0.0, ge=0)
    advantage_scale: Literal["group", "batch", "none"] = "group"
    drop_truncated: bool = False

    @model_validator(mode="after")
    def _dual_clip_above_one(self) -> Objective:
        if 0 < self.dual_clip <= 1:
            raise ValueError(f"dual_clip ({self.dual_clip}) must be 0 (off) or above 1: at 1 it would undo the loss")
        return self


class Optimizer(_Section):
    """AdamW; the defaults are those of the official scripts. The rate is constant after `warmup_steps`.

    `bits` 8 keeps the two moments in 8 bits each, by bitsandbytes (arXiv 2110.02861).
    """

    learning_rate: float = Field(default=1e-6, gt=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0, allow_inf_nan=True)  # .inf does not clip
    warmup_steps: int = Field(default=0, ge=0)
    bits: Literal[32, 8] = 32


class Lora(_Section):
    """Trained factors of `rank` beside frozen weights, added as (alpha / rank) B A; rank 0 trains all weights."""

    rank: int = Field(default=0, ge=0)
    alpha: float = Field(default=32.0, gt=0)


class HandOver(_Section):
    """What the next stage starts from. The official scripts restart from the best checkpoint's folder: so
    the best weights, a fresh optimiser, and a KL reference that moves to those weights.
    """

    weights: Literal["best", "last"] = "best"
    optimizer: Literal["reset", "keep"] = "reset"
    reference: Literal["move", "keep"] = "move"


class TrainRecipe(_Section):
    """The whole `train` section."""

    model: str
    revision: str | None = None
    data: str | None = None
    prompt: str = "train"
    seed: int = 0
    prompts_per_step: int = Field(default=512, ge=1)
    samples_per_prompt: int = Field(default=16, ge=2)
    prompts_per_update: int = Field(default=128, ge=1)
    micro_batch_tokens: int = Field(default=16384, ge=1)
    max_prompt_tokens: int = Field(default=2048, ge=1)
    max_response_tokens: int = Field(default=4096, ge=1)
    min_pixels: int | None = Field(default=None, ge=1)
    max_pixels: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    dynamic_sampling: int = Field(default=0, ge=0)
    max_engine_gap: float = Field(default=0.1, gt=0)
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    save_dtype: Literal["float32", "bfloat16"] = "bfloat16"
    gradient_checkpointing: bool = True
    attention: Literal["auto", "blocks", "flex", "mask"] = "auto"
    train_vision: bool = True
    cpu_offload: bool = False
    lora: Lora = Lora()
    engine: Literal["transformers", "vllm", "openai"] = "transformers"
    engine_options: dict[str, Any] = Field(default_factory=dict)
    checkpoint_every: int = Field(default=10, ge=1)
    stacks_after_s: float = Field(default=900.0, gt=0)
    record_rollouts: bool = True
    check_first_rollouts: bool = True
    objective: Objective = Objective()
    optimizer: Optimizer = Optimizer()
    validation: Validation = Validation()
    hand_over: HandOver = HandOver()
    stages: list[Stage]

    @model_validator(mode="after")
    def _fits_together(self) -> TrainRecipe:
        if self.prompts_per_step % self.prompts_per_update:
            raise ValueError(
                f"prompts_per_step ({self.prompts_per_step}) must be a multiple of prompts_per_update "
                f"({self.prompts_per_update})"
            )
        if self.prompt not in PROMPTS:
            raise ValueError(f"no prompt '{self.prompt}' (there are {', '.join(PROMPTS)})")
        for stage in self.stages:
            if stage.rewards.overlong_buffer > self.max_response_tokens:
                raise ValueError(
                    f"stage '{stage.name}': overlong_buffer ({stage.rewards.overlong_buffer:g}) is more than "
                    f"max_response_tokens ({self.max_response_tokens})"
                )
        urls = self.engine_options.get("urls")
        if self.engine == "openai" and not (isinstance(urls, list) and urls):
            raise ValueError("engine openai needs engine_options: {urls: [http://host:8000, ...]}, vLLM servers")
        if self.lora.rank and self.hand_over != HandOver(weights=self.hand_over.weights):
            raise ValueError(
                "with LoRA every stage starts new adapters on the weights handed over: hand_over.optimizer must be "
                "reset and hand_over.reference move"
            )
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) != len(names):
            raise ValueError("a recipe needs at least one stage, and every stage a name of its own")
        for name in names:
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"the stage name '{name}' may only hold letters, digits, - and _: it names a folder")
        return self


def load_train_recipe(name: str, overrides: list[str]) -> TrainRecipe:
    """The `train` section of the recipe `name` (one that ships, or a file) with `key=value` settings applied.

    Raises CogitoError for a recipe without that section, an unknown key or a wrong value.
    """
    section = load_recipe(name).train
    if not section:
        raise CogitoError(f"recipe '{name}' has no train section")
    settings = [setting.removeprefix("train.") for setting in overrides]
    return validate_manifest(apply_overrides(section, settings), TrainRecipe, where=f"recipe '{name}', train")


def batch_arithmetic(recipe: TrainRecipe) -> list[str]:
    """The recipe's batch sizes in words, one sentence each."""
    answers = recipe.prompts_per_step * recipe.samples_per_prompt
    updates = recipe.prompts_per_step // recipe.prompts_per_update
    per_update = recipe.prompts_per_update * recipe.samples_per_prompt
    lengths = [f"{stage.name} {_length(stage)}" for stage in recipe.stages]
    return [
        f"each step: {recipe.prompts_per_step} prompts x {recipe.samples_per_prompt} answers = {answers:,} answers",
        f"each step: {updates} optimiser update{'s' if updates > 1 else ''} of {recipe.prompts_per_update} "
        f"prompts = {per_update:,} answers",
        f"stages: {', '.join(lengths)}",
    ]


def what_is_kept(recipe: TrainRecipe) -> str:
    """What a stopped run goes on from and what a stage hands on, in a sentence."""
    chosen = "best validated" if recipe.hand_over.weights == "best" else "last"
    return (
        f"a checkpoint every {recipe.checkpoint_every} steps, from which the same command goes on; each stage hands "
        f"on its {chosen} weights (validated every {recipe.validation.every} steps)"
    )


def _length(stage: Stage) -> str:
    return f"{stage.steps} steps" if stage.steps is not None else f"{stage.epochs:g} epochs"
