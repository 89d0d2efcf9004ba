"""`cogito-train plan`: what fits where, counted on the meta device before any GPU is used.

Parameters are counted exactly from the model's config. Memory is summed part by part; activations and times are
estimates and say so. Times assume a share of the GPU's peak that `EFFICIENCY` states.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_train.config import TrainRecipe

GIB = 2**30

# Shares of peak arithmetic that this kind of work reaches: assumptions, to be replaced by a run's own figures.
EFFICIENCY = {"update": 0.35, "decode": 0.05}
H100_FLOPS = 989e12
# Left to CUDA, NCCL and fragmentation on every GPU.
OVERHEAD_GIB = 4.0
MEAN_RESPONSE_TOKENS = 300
MEAN_PROMPT_TOKENS = 1400


@dataclass(frozen=True)
class ModelSize:
    """Exact counts of a model: parameters, of them vision, key-value bytes of one token in bfloat16."""

    parameters: int
    vision_parameters: int
    kv_bytes_per_token: int
    hidden: int
    layers: int
    vocabulary: int


@dataclass(frozen=True)
class Plan:
    """Memory of one GPU in GiB, part by part while updating and while sampling, and the step's seconds."""

    gpus: int
    gpu_memory: float
    update: dict[str, float]
    rollout: dict[str, float]
    seconds: dict[str, float]

    @property
    def update_total(self) -> float:
        """GiB at the peak of the update."""
        return sum(self.update.values())

    @property
    def rollout_total(self) -> float:
        """GiB at the peak of the rollout."""
        return sum(self.rollout.values())

    @property
    def fits(self) -> bool:
        """Whether both phases fit on every GPU."""
        return max(self.update_total, self.rollout_total) <= self.gpu_memory


def model_size(config: Any) -> ModelSize:
    """Count a Qwen2.5-VL from its config; no weight is allocated. A tied head counts once."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration(config)
    text = config.get_text_config()
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return ModelSize(
        parameters=sum(p.numel() for p in model.parameters()),
        vision_parameters=sum(p.numel() for p in model.model.visual.parameters()),
        kv_bytes_per_token=2 * text.num_hidden_layers * text.num_key_value_heads * head * 2,
        hidden=text.hidden_size,
        layers=text.num_hidden_layers,
        vocabulary=text.vocab_size,
    )


def make_plan(recipe: TrainRecipe, size: ModelSize, *, gpus: int, gpu_memory: float) -> Plan:
    """The plan for `gpus` GPUs of `gpu_memory` GiB.

    Update: float32 weights, gradients and two Adam moments, sharded; the reference's weights, sharded, while there is
    a KL term; one layer gathered in bfloat16; activations of one micro-batch: with gradient checkpointing the inputs
    of each layer and one layer's insides (about 34 hidden-sized values a token, Korthikanti et al. 2022), else all
    layers' insides; logits in chunks. Rollout: the sharded training state stays; the engine holds a bfloat16 copy and
    needs room for at least the keys and values of one prompt's answers at full length.
    """
    shard = size.parameters / gpus
    trained = shard if recipe.train_vision else (size.parameters - size.vision_parameters) / gpus
    tokens = recipe.micro_batch_tokens
    layer_inputs = tokens * size.hidden * 2 * size.layers
    layer_insides = tokens * size.hidden * 34
    activations = layer_inputs + layer_insides if recipe.gradient_checkpointing else layer_insides * size.layers
    state = {"weights, float32": shard * 4, "Adam moments": trained * 8}
    update = {
        **state,
        "gradients": trained * 4,
        "reference": shard * 4 if recipe.objective.kl > 0 else 0.0,
        "gathered layers": 2 * 2 * size.parameters / max(size.layers, 1),
        "activations (estimate)": activations,
        "logits in chunks": 3 * 256 * 2**20,
    }
    answer = recipe.max_prompt_tokens + recipe.samples_per_prompt * recipe.max_response_tokens
    rollout = {
        **state,
        "engine, bfloat16": size.parameters * 2.0,
        "keys and values, one prompt": float(size.kv_bytes_per_token * answer),
    }
    overhead = {"CUDA and NCCL": OVERHEAD_GIB * GIB}
    return Plan(
        gpus=gpus,
        gpu_memory=gpu_memory,
        update={name: value / GIB for name, value in {**update, **overhead}.items()},
        rollout={name: value / GIB for name, value in {**rollout, **overhead}.items()},
        seconds=_step_seconds(recipe, size, gpus),
    )


def smallest_set(recipe: TrainRecipe, size: ModelSize, *, gpu_memory: float, at_most: int = 64) -> Plan | None:
    """The plan with the fewest GPUs (1, 2, 4, ...) that fits, None if none does."""
    gpus = 1
    while gpus <= at_most:
        plan = make_plan(recipe, size, gpus=gpus, gpu_memory=gpu_memory)
        if plan.fits:
            return plan
        gpus *= 2
    return None


def _step_seconds(recipe: TrainRecipe, size: ModelSize, gpus: int) -> dict[str, float]:
    """Seconds of a step's phases: 2 operations per weight and token forward, 4 backward, 2 more to recompute."""
    prompts, answers = recipe.prompts_per_step, recipe.prompts_per_step * recipe.samples_per_prompt
    prompt_tokens = min(MEAN_PROMPT_TOKENS, recipe.max_prompt_tokens)
    response_tokens = min(MEAN_RESPONSE_TOKENS, recipe.max_response_tokens)
    # Group-shared: a prompt is read once, whatever the number of its answers.
    tokens = prompts * prompt_tokens + answers * response_tokens
    passes = 6 + (2 if recipe.gradient_checkpointing else 0) + (2 if recipe.objective.kl > 0 else 0)
    passes += 2 if recipe.prompts_per_update < recipe.prompts_per_step else 0
    update = passes * size.parameters * tokens / (gpus * H100_FLOPS * EFFICIENCY["update"])
    prefill = 2 * size.parameters * prompts * prompt_tokens / (gpus * H100_FLOPS * EFFICIENCY["update"])
    decode = 2 * size.parameters * answers * response_tokens / (gpus * H100_FLOPS * EFFICIENCY["decode"])
    return {"rollout": prefill + decode, "update": update}


def load_config(model: str, revision: str | None) -> Any:
    """The config of a model: of a known Qwen2.5-VL without a network, of others config.json is fetched.

    Raises CogitoError if it cannot be had.
    """
    from transformers import AutoConfig

    from cogito_core.engines.models import NANO, resolve_model
    from cogito_train.shapes import published_config

    known = published_config(model) if revision is None and not Path(model).is_dir() else None
    if known is not None:
        return known

    source = str(resolve_model(model)) if model == NANO or Path(model).is_dir() else model
    try:
        return AutoConfig.from_pretrained(source, revision=revision)
    except (OSError, ValueError) as error:
        raise CogitoError(f"the config of '{model}' cannot be had ({str(error).splitlines()[0]})") from error


def parse_memory(text: str) -> float:
    """GiB from `80GB`, `80GiB` or `80`. GPU makers count in GB of 10^9 bytes; 80GB is 74.5 GiB."""
    number = text.strip().lower()
    try:
        if number.endswith("gib"):
            return float(number[:-3])
        if number.endswith("gb"):
            return float(number[:-2]) * 1e9 / GIB
        return float(number)
    except ValueError as error:
        raise CogitoError(f"'{text}' is no amount of memory; write 80GB or 80GiB") from error
