"""`cogito-train plan`: what fits where, counted on the meta device before any GPU is used.

Parameters are counted exactly from the model's config. Memory is summed part by part; activations and times are
estimates and say so. Times assume a share of the GPU's peak that `EFFICIENCY` states.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_train.config import TrainRecipe
from cogito_train.lora import adapted_names
from cogito_train.scoring import MAX_LOGIT_BYTES

GIB = 2**30

# Shares of peak arithmetic that this kind of work reaches: assumptions, to be replaced by a run's own figures.
EFFICIENCY = {"update": 0.35, "decode": 0.05}
H100_FLOPS = 989e12
# Bytes a second between main memory and one GPU, PCIe 5, half of its peak.
PCIE_BYTES = 32e9
# Left on every GPU to these and to fragmentation.
OVERHEAD = "CUDA and NCCL"
OVERHEAD_GIB = 4.0
MEAN_RESPONSE_TOKENS = 300
MEAN_PROMPT_TOKENS = 1400

VARIANTS: dict[str, list[str]] = {
    "as in the recipe": [],
    "8-bit Adam": ["optimizer.bits=8"],
    "CPU offload": ["cpu_offload=true"],
    "LoRA of rank 64": ["lora.rank=64"],
    "LoRA of rank 64, CPU offload": ["lora.rank=64", "cpu_offload=true"],
}
"""Ways to need less memory, as settings; the plan names the smallest set for each."""


@dataclass(frozen=True)
class ModelSize:
    """Exact counts of a model: parameters, of them vision, key-value bytes of one token in bfloat16.

    `root_parameters` are those that FSDP2 gathers for the whole pass: embedding, head, final norm, merger. `adapter`
    and `vision_adapter` are the parameters of LoRA for each unit of rank, in the decoder and in the vision blocks.
    """

    parameters: int
    vision_parameters: int
    root_parameters: int
    adapter: int
    vision_adapter: int
    kv_bytes_per_token: int
    hidden: int
    layers: int
    vocabulary: int


@dataclass(frozen=True)
class Plan:
    """Memory of one GPU in GiB, part by part while updating and while sampling, and the step's seconds.

    `host` is what lies in the main memory of all machines together; `flops` are the model's operations of a step.
    """

    gpus: int
    gpu_memory: float
    update: dict[str, float]
    rollout: dict[str, float]
    host: dict[str, float]
    seconds: dict[str, float]
    flops: dict[str, float]

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
    blocks = [*model.model.visual.blocks, *model.model.language_model.layers]
    in_blocks = sum(p.numel() for block in blocks for p in block.parameters())
    parameters = sum(p.numel() for p in model.parameters())
    return ModelSize(
        parameters=parameters,
        vision_parameters=sum(p.numel() for p in model.model.visual.parameters()),
        root_parameters=parameters - in_blocks,
        adapter=_adapter_width(model, vision=False),
        vision_adapter=_adapter_width(model, vision=True) - _adapter_width(model, vision=False),
        kv_bytes_per_token=2 * text.num_hidden_layers * text.num_key_value_heads * head * 2,
        hidden=text.hidden_size,
        layers=text.num_hidden_layers,
        vocabulary=text.vocab_size,
    )


def _adapter_width(model: Any, *, vision: bool) -> int:
    names = re.compile(adapted_names(vision=vision))
    return sum(
        layer.in_features + layer.out_features
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and names.fullmatch(name)
    )


def trained_parameters(recipe: TrainRecipe, size: ModelSize) -> int:
    """How many parameters the optimiser moves."""
    if recipe.lora.rank:
        return recipe.lora.rank * (size.adapter + (size.vision_adapter if recipe.train_vision else 0))
    return size.parameters if recipe.train_vision else size.parameters - size.vision_parameters


def make_plan(recipe: TrainRecipe, size: ModelSize, *, gpus: int, gpu_memory: float) -> Plan:
    """The plan for `gpus` GPUs of `gpu_memory` GiB.

    Update: float32 weights, gradients and two Adam moments (8 bytes a parameter, about 2 with 8 bits), sharded; the
    reference's weights, sharded, while there is a KL term and no LoRA; two layers gathered in bfloat16, the root's
    parameters gathered for the whole pass (also the reference's) and their gradient reduced in float32; activations
    of one micro-batch: with gradient checkpointing the inputs of each layer and one layer's insides (about 34
    hidden-sized values a token, Korthikanti et al. 2022), else all layers' insides; logits in chunks. Rollout: the
    sharded training state but for the gradients stays; an engine on the same GPUs holds a copy (vLLM in bfloat16, the
    embedded one in float32 unless it is alone) and needs room for at least the keys and values of one prompt's
    answers at full length. With CPU offload the sharded parts lie in the main memory.
    """
    trained = trained_parameters(recipe, size)
    frozen_copy = recipe.objective.kl > 0 and not recipe.lora.rank
    adapters = trained if recipe.lora.rank else 0
    moment_bytes = 8.0 if recipe.optimizer.bits == 32 else 2 * (1 + 4 / 256)
    state = {
        "weights, float32": (size.parameters + adapters) * 4.0 / gpus,
        "Adam moments": trained * moment_bytes / gpus,
        "reference": size.parameters * 4.0 / gpus if frozen_copy else 0.0,
    }
    sharded = {**state, "gradients": trained * 4.0 / gpus}
    root = size.root_parameters
    root_bytes = root * 2.0 * (2 if frozen_copy else 1) + (0 if recipe.lora.rank else root * 4.0)
    # A prompt with one answer is not cut any further.
    tokens = max(recipe.micro_batch_tokens, recipe.max_prompt_tokens + recipe.max_response_tokens)
    layer_inputs = tokens * size.hidden * 2 * size.layers
    layer_insides = tokens * size.hidden * 34
    update = {
        **({} if recipe.cpu_offload else sharded),
        "gathered layers": 2 * 2.0 * (size.parameters - root) / max(size.layers, 1),
        "gathered embedding and head": root_bytes,
        "activations (estimate)": float(
            layer_inputs + layer_insides if recipe.gradient_checkpointing else layer_insides * size.layers
        ),
        "logits in chunks": 3.0 * MAX_LOGIT_BYTES,
    }
    rollout = {} if recipe.cpu_offload else dict(state)
    if recipe.engine != "openai":
        answer = recipe.max_prompt_tokens + recipe.samples_per_prompt * recipe.max_response_tokens
        if recipe.engine == "vllm":
            rollout["engine, bfloat16"] = size.parameters * 2.0
        elif gpus > 1 or recipe.cpu_offload:  # alone, the embedded engine asks the policy itself
            rollout["engine, float32"] = size.parameters * 4.0
        rollout["keys and values, one prompt"] = float(size.kv_bytes_per_token * answer)
    host = {name: value * gpus for name, value in sharded.items()} if recipe.cpu_offload else {}
    overhead = {OVERHEAD: OVERHEAD_GIB * GIB}
    flops = _step_flops(recipe, size)
    return Plan(
        gpus=gpus,
        gpu_memory=gpu_memory,
        update={name: value / GIB for name, value in {**update, **overhead}.items()},
        rollout={name: value / GIB for name, value in {**rollout, **overhead}.items()},
        host={name: value / GIB for name, value in host.items()},
        seconds=_step_seconds(recipe, size, gpus, flops),
        flops=flops,
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


def _step_flops(recipe: TrainRecipe, size: ModelSize) -> dict[str, float]:
    """Operations of a step: 2 for each parameter and token forward, 4 backward, 2 more to run layers again.

    Frozen weights (LoRA) need 2 backward, for the gradient of their input. A prompt is read once, whatever the number
    of its answers. Not counted: attention's own products (less than a tenth at 1,700 tokens) and the padding of rows.
    """
    prompts, answers = recipe.prompts_per_step, recipe.prompts_per_step * recipe.samples_per_prompt
    prompt_tokens = min(MEAN_PROMPT_TOKENS, recipe.max_prompt_tokens)
    response_tokens = min(MEAN_RESPONSE_TOKENS, recipe.max_response_tokens)
    tokens = prompts * prompt_tokens + answers * response_tokens
    passes = (4 if recipe.lora.rank else 6) + (2 if recipe.gradient_checkpointing else 0)
    passes += 2 if recipe.objective.kl > 0 else 0
    passes += 2 if recipe.prompts_per_update < recipe.prompts_per_step else 0
    return {
        "prefill": 2.0 * size.parameters * prompts * prompt_tokens,
        "decode": 2.0 * size.parameters * answers * response_tokens,
        "update": 1.0 * passes * size.parameters * tokens,
    }


def _step_seconds(recipe: TrainRecipe, size: ModelSize, gpus: int, flops: dict[str, float]) -> dict[str, float]:
    rates = {name: gpus * H100_FLOPS * share for name, share in EFFICIENCY.items()}
    update = flops["update"] / rates["update"]
    if recipe.cpu_offload:
        # Every micro-batch brings the float32 shards over once forward and once backward, the reference's once.
        batches = max(1.0, _micro_batches(recipe) / gpus)
        fetches = 2 + (1 if recipe.objective.kl > 0 else 0)
        update += batches * fetches * 4.0 * size.parameters / gpus / PCIE_BYTES
    return {"rollout": flops["prefill"] / rates["update"] + flops["decode"] / rates["decode"], "update": update}


def _micro_batches(recipe: TrainRecipe) -> float:
    prompt = min(MEAN_PROMPT_TOKENS, recipe.max_prompt_tokens)
    row = prompt + recipe.samples_per_prompt * min(MEAN_RESPONSE_TOKENS, recipe.max_response_tokens)
    return recipe.prompts_per_step * row / recipe.micro_batch_tokens


def assumptions() -> str:
    """What the seconds rest on, in a sentence."""
    return (
        f"assumed: prompts of {MEAN_PROMPT_TOKENS:,} and answers of {MEAN_RESPONSE_TOKENS} tokens on average, H100s "
        f"at {EFFICIENCY['update']:.0%} of {H100_FLOPS / 1e12:.0f} TFLOP/s while updating and "
        f"{EFFICIENCY['decode']:.0%} while sampling; attention's own products not counted"
    )


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


_UNITS = {
    "": GIB, "m": 1e6, "mb": 1e6, "mib": 2**20, "g": 1e9, "gb": 1e9, "gib": GIB, "t": 1e12, "tb": 1e12, "tib": 2**40,
}


def parse_memory(text: str) -> float:
    """GiB from `80GB`, `80G`, `81920MiB`, `80GiB` or `80`.

    GPU makers count in GB of 10^9 bytes: 80GB is 74.5 GiB. A bare number is GiB. Raises CogitoError on all else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS or float(found[1]) == 0:
        raise CogitoError(f"'{text}' is no amount of memory; write 80GB or 80GiB")
    return float(found[1]) * _UNITS[found[2]] / GIB
