"""Secrets stay out of files and logs: tokens of the environment, keys inside URLs, and what looks like a token."""

from __future__ import annotations

import os
import re
from typing import Any

MASK = "***"

SECRET_VARIABLES = (
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HUGGINGFACE_HUB_TOKEN",
    "OPENAI_API_KEY",
    "COGITO_API_KEY",
    "WANDB_API_KEY",
)
"""Environment variables whose values are never written or printed."""

_SHORTEST = 6
"""A value shorter than this is a placeholder such as `none`: masking it would riddle ordinary text."""

_PATTERNS = (
    # https://user:password@host: the user name may be a token too.
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://)[^/\s@'\"]+@", re.IGNORECASE), rf"\g<keep>{MASK}@"),
    (
        re.compile(
            r"(?P<keep>[?&](?:access_token|api[_-]?key|apikey|auth|key|password|secret|sig|signature|token|"
            r"x-amz-[a-z-]+)=)[^&\s'\"#]+",
            re.IGNORECASE,
        ),
        rf"\g<keep>{MASK}",
    ),
    (re.compile(r"(?P<keep>\bBearer\s+)[\w.~+/=-]{6,}", re.IGNORECASE), rf"\g<keep>{MASK}"),
    # Tokens by their published prefixes: Hugging Face, OpenAI.
    (re.compile(r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,})"), MASK),
    # api_key=VALUE, as it stands in an option.
    (
        re.compile(r"(?<![?&])(?P<keep>\b(?:api[_-]?key|hf_token|password)=)[^\s,'\"&]+", re.IGNORECASE),
        rf"\g<keep>{MASK}",
    ),
)


def mask(text: str) -> str:
    """`text` with every secret replaced by `***`; text without one comes back as it is."""
    for name in SECRET_VARIABLES:
        value = os.environ.get(name, "")
        if len(value) >= _SHORTEST:
            text = text.replace(value, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask_values(value: Any) -> Any:
    """The same structure of dicts, lists and tuples with every string masked; keys stay."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: mask_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mask_values(item) for item in value)
    return value
