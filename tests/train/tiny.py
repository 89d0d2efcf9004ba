"""A very small Qwen2.5-VL with random weights and random prompts: for mechanics, no learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cogito_core.engines.encode import Encoded
from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards
from cogito_nano.tasks import CATEGORIES
from cogito_nano.tasks.splits import generate

VOCABULARY, IMAGE, VIDEO, VISION_START, VISION_END, END, PAD = 96, 90, 91, 92, 93, 2, 0


def tiny_model(seed: int = 0, *, layers: int = 2, depth: int = 2) -> Any:
    """Hidden 64, all parts of the real architecture: two vision blocks (window, full), grouped-query
    attention.
    """
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(seed)
    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 1024,
        "initializer_range": 0.08,
        "bos_token_id": 1,
        "eos_token_id": END,
        "pad_token_id": PAD,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 6, 6]},
    }
    vision = {
        "depth": depth,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [depth - 1],
        "initializer_range": 0.08,
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        vision_start_token_id=VISION_START,
        vision_end_token_id=VISION_END,
        tie_word_embeddings=True,
    )
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def random_prompt(rng: np.random.Generator, grids: list[tuple[int, int]], words: int = 12) -> Encoded:
    """A prompt with pictures of the given merged heights and widths between random words."""
    ids: list[int] = [*rng.integers(3, 80, size=words)]
    pixels, sizes = [], []
    for height, width in grids:
        ids += [VISION_START, *[IMAGE] * (height * width), VISION_END, *rng.integers(3, 80, size=3)]
        pixels.append(rng.normal(size=(height * width * 4, 3 * 2 * 14 * 14)).astype(np.float32))
        sizes.append([1, 2 * height, 2 * width])
    if not grids:
        return Encoded([int(i) for i in ids], None, None)
    return Encoded([int(i) for i in ids], np.concatenate(pixels), np.array(sizes, dtype=np.int64))


def random_answers(rng: np.random.Generator, count: int, longest: int = 12) -> list[list[int]]:
    """Ragged random answers without vision tokens."""
    return [[int(t) for t in rng.integers(1, 80, size=rng.integers(1, longest + 1))] for _ in range(count)]


def nano_data(directory: Path, *, train: int, validation: int) -> Path:
    """A data directory of nano questions, `train` and `validation` rows of each category, without pass rates."""
    for split, count in (("train", train), ("validation", validation)):
        samples = [
            Sample(
                id=f"nano/{split}/{category}-{number}",
                source=f"nano-{category}",
                category=category,
                split=split,
                problem=item.problem,
                images=(Picture(item.png_bytes),),
                answer=item.answer,
                answer_kind=item.answer_kind,
                choices=item.choices,
            )
            for category in CATEGORIES
            for number, item in enumerate(generate(split, category, count, seed=0))
        ]
        write_shards(samples, directory / "data", split=split)
    return directory
