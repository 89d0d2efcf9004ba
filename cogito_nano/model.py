"""The model: Qwen2.5-VL's architecture at about 1.7 million parameters, built from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

MAX_POSITIONS = 4096
MIN_PIXELS = 28 * 28
MAX_PIXELS = 112 * 112
"""Pictures above 112 x 112 pixels (16 visual tokens) are shrunk; nano's own are at most 84 x 84."""

# 0.02 is the default of large models; at width 128 it leaves the logits so flat that learning takes twice as long.
_INITIALIZER_RANGE = 0.08


def build_config(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLConfig:
    """The tiny configuration, with the token ids of this tokenizer."""
    from transformers import Qwen2_5_VLConfig

    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens}
    ids.update(tokenizer.get_added_vocab())
    end_of_turn, padding = ids["<|im_end|>"], ids["<|endoftext|>"]
    return Qwen2_5_VLConfig(
        architectures=["Qwen2_5_VLForConditionalGeneration"],
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": MAX_POSITIONS,
            "initializer_range": _INITIALIZER_RANGE,
            # The sections of a head's 16 frequencies that turn with time, height and width.
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]},
            "tie_word_embeddings": True,
            "bos_token_id": padding,
            "eos_token_id": end_of_turn,
            "pad_token_id": padding,
        },
        vision_config={
            "depth": 3,
            "hidden_size": 96,
            "intermediate_size": 256,
            "num_heads": 4,
            "out_hidden_size": 128,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": [0, 1, 2],
            "initializer_range": _INITIALIZER_RANGE,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """A freshly initialised float32 model; the same seed gives the same weights."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Qwen2_5_VLForConditionalGeneration(build_config(tokenizer))


def continue_model(tokenizer: PreTrainedTokenizerFast, seed: int, folder: Path) -> Qwen2_5_VLForConditionalGeneration:
    """A float32 model with the weights of ``folder``, whose tokenizer may be another one.

    Tokens that both know keep their embedding; those that are new here start at random.
    """
    import torch
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    model = build_model(tokenizer, seed)
    earlier = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True
    )
    known = AutoTokenizer.from_pretrained(folder).get_vocab()
    weights = earlier.state_dict()
    rows = model.get_input_embeddings().weight.detach().clone()
    for token, number in tokenizer.get_vocab().items():
        if token in known:
            rows[number] = earlier.get_input_embeddings().weight[known[token]]
    for name in ("model.language_model.embed_tokens.weight", "lm_head.weight"):
        weights[name] = rows
    model.load_state_dict(weights)
    return model


def build_image_processor() -> Any:
    """The image processor that needs Pillow and numpy only."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    return Qwen2VLImageProcessorPil(min_pixels=MIN_PIXELS, max_pixels=MAX_PIXELS)


def save_folder(model: Qwen2_5_VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write a complete Hugging Face folder with bfloat16 weights; ``model`` itself stays as it is."""
    import copy

    import torch
    from transformers import GenerationConfig

    half = copy.deepcopy(model).to(torch.bfloat16)
    half.generation_config = GenerationConfig(
        eos_token_id=model.config.text_config.eos_token_id,
        pad_token_id=model.config.text_config.pad_token_id,
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        # Twice the longest answer it was shown; off its own questions it would ramble to any limit.
        max_new_tokens=64,
    )
    half.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    build_image_processor().save_pretrained(folder)
