"""LoRA (arXiv 2106.09685) by peft: small trained factors beside frozen weights.

Adapters stand on every linear layer of the decoder, and of the vision blocks where these are trained. What leaves the
trainer is always merged, W + (alpha / rank) B A under the model's own names; the KL reference is the same model with
its adapters switched off, so there is no second one in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from cogito_core.console import MissingExtra
from cogito_core.engines.base import seed_of
from cogito_train.config import Lora
from cogito_train.parallel import full_tensor, like

_ADAPTER = "default"
_DECODER = r"model\.language_model\.layers\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
_VISION = r"model\.visual\.blocks\..*\.(qkv|proj|gate_proj|up_proj|down_proj)"


def add_adapters(model: Any, rule: Lora, *, vision: bool) -> None:
    """Put adapters on a Qwen2.5-VL and freeze everything else. Raises MissingExtra if peft is not installed."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtra("memory", "LoRA") from error
    config = LoraConfig(
        r=rule.rank, lora_alpha=rule.alpha, lora_dropout=0.0, target_modules=adapted_names(vision=vision)
    )
    inject_adapter_in_model(config, model, adapter_name=_ADAPTER)


def adapted_names(*, vision: bool) -> str:
    """A regular expression for the names of the layers that get an adapter."""
    return f"({_DECODER})|({_VISION})" if vision else _DECODER


def adapted_layers(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and modules of the layers that carry an adapter, in order."""
    for name, module in model.named_modules():
        if _ADAPTER in getattr(module, "lora_A", {}):
            yield name, module


def reset_adapters(model: Any, seed: int) -> None:
    """Adapters that change nothing: B = 0, A uniform in +-1 / sqrt(inputs), as peft draws it, from the seed alone."""
    with torch.no_grad():
        for name, layer in adapted_layers(model):
            down, up = layer.lora_A[_ADAPTER].weight, layer.lora_B[_ADAPTER].weight
            bound = 1.0 / math.sqrt(down.shape[1])
            generator = torch.Generator().manual_seed(seed_of("lora", seed, name))
            drawn = torch.empty(down.shape).uniform_(-bound, bound, generator=generator)
            down.copy_(like(drawn, down))
            up.zero_()


def own_name(name: str) -> str | None:
    """The model's own name of a live parameter, None for an adapter's."""
    return None if ".lora_" in name else name.replace(".base_layer.", ".")


def merged(layer: Any, base: Tensor) -> Tensor:
    """W + (alpha / rank) B A of an adapted layer, whole (a collective call)."""
    down, up = (full_tensor(part[_ADAPTER].weight.detach()) for part in (layer.lora_A, layer.lora_B))
    return base + layer.scaling[_ADAPTER] * (up.float() @ down.float())


@contextmanager
def adapters_off(model: Any) -> Iterator[None]:
    """Within this block the model is the one that it was before any adapter was trained."""
    layers = [layer for _, layer in adapted_layers(model)]
    before = [layer.scaling[_ADAPTER] for layer in layers]
    for layer in layers:
        layer.scaling[_ADAPTER] = 0.0
    try:
        yield
    finally:
        for layer, scale in zip(layers, before, strict=True):
            layer.scaling[_ADAPTER] = scale
