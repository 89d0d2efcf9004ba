"""Qwen2.5-VL's processor without its video part, which cannot be built where torchvision is not installed.

For peers that ask for a processor: bench/trl_worker.py and the tests of TRL, verl and EasyR1. It imports nothing of
Cogito, so it also runs in a peer's own environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, Qwen2_5_VLProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil


class PictureProcessor(Qwen2_5_VLProcessor):
    """Text and pictures as the official processor gives them."""

    attributes = ["image_processor", "tokenizer"]

    def __init__(self, image_processor: Any, tokenizer: Any) -> None:
        self.image_processor, self.tokenizer = image_processor, tokenizer
        self.video_processor = None
        self.chat_template = tokenizer.chat_template
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)


def load_processor(folder: Path | str) -> PictureProcessor:
    """The processor of a model folder; prompts are padded on the left, as for sampling."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    return PictureProcessor(Qwen2VLImageProcessorPil.from_pretrained(folder), tokenizer)
