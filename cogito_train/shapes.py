"""The published shapes of Qwen2.5-VL, so that a plan needs no network and no weights.

Source: the `config.json` of the Instruct models on the Hugging Face Hub. The parameter counts that follow from them
(3,754,622,976 and 8,292,166,656) are those of the published checkpoints; a test holds them.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class _Text(NamedTuple):
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool


_PUBLISHED = {
    "Qwen/Qwen2.5-VL-3B-Instruct": _Text(2048, 11008, 36, 16, 2, 151936, True),
    "Qwen/Qwen2.5-VL-7B-Instruct": _Text(3584, 18944, 28, 28, 4, 152064, False),
}
_VISION = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "fullatt_block_indexes": [7, 15, 23, 31],
}


def published_config(model: str) -> Any | None:
    """The transformers config of a published model by its Hub id, or None where its shape is not known here."""
    from transformers import Qwen2_5_VLConfig

    shape = _PUBLISHED.get(model)
    if shape is None:
        return None
    text = {
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "vocab_size": shape.vocabulary,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    }
    return Qwen2_5_VLConfig(
        text_config=text, vision_config={**_VISION, "out_hidden_size": shape.hidden}, tie_word_embeddings=shape.tied
    )
