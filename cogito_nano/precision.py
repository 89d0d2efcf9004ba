"""Matrix products in bfloat16, the rest in float32: a third less time on CPUs with bfloat16 units."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration

_ATTENTION = "cogito_nano_float32_sdpa"


@contextmanager
def bfloat16_products(model: Qwen2_5_VLForConditionalGeneration) -> Iterator[None]:
    """Autocast for a forward pass of ``model``; attention and the patch embedding keep float32.

    Torch's bfloat16 kernels for the backward pass of these two are several times slower on a CPU than their
    float32 ones (measured: 290 and 120 of 740 ms a step).
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(_ATTENTION, _float32_attention)
    before = model.config._attn_implementation
    patch_embed = model.model.visual.patch_embed
    weight = patch_embed.proj.weight
    # The kernel is as large as its stride, so the convolution is a matrix product.
    patch_embed.forward = lambda patches: torch.nn.functional.linear(patches, weight.flatten(1))
    model.set_attn_implementation(_ATTENTION)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            yield
    finally:
        del patch_embed.forward
        model.set_attn_implementation(before)


def _float32_attention(module: Any, query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    with torch.autocast("cpu", enabled=False):
        return sdpa_attention_forward(module, query.float(), key.float(), value.float(), *args, **kwargs)
