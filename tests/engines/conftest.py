"""A random tiny model on disk, pictures, and requests that the engine tests share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cogito_core.engines.base import Chat, Message, Request, Sampling, seed_of
from cogito_core.sample import Picture

from .vllm_server import VllmServer


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2.5-VL of half a million parameters."""
    pytest.importorskip("torch")
    from .tiny_model import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def nano_server() -> Iterator[VllmServer]:
    """A real vLLM server with nano; it takes half a minute to start, so all tests share it."""
    with VllmServer("nano") as server:
        yield server


def draw_picture(seed: int, width: int = 56, height: int = 56) -> Picture:
    """A noisy picture that no other seed shares."""
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return Picture(buffer.getvalue(), f"noise-{seed}.png")


@pytest.fixture(scope="session")
def make_requests() -> Callable[..., list[Request]]:
    """Requests with pictures of several sizes, none or two, and questions of several lengths."""

    def make(count: int, *, samples: int = 4, sampling: Sampling | None = None, tag: str = "") -> list[Request]:
        sampling = sampling or Sampling(max_tokens=12, logprobs=True)
        sizes = [(56, 56), (84, 56), (112, 56), (100, 70)]
        out = []
        for i in range(count):
            pictures = () if i % 7 == 6 else (draw_picture(i, *sizes[i % 4]),)
            if i % 5 == 4:
                pictures = (*pictures, draw_picture(1000 + i))
            text = ("What is <image> here" if len(pictures) == 1 and i % 3 == 0 else "Count") + "?" * (i % 4 + 1)
            chat = Chat((Message("user", text),), pictures)
            seeds = tuple(seed_of("test", tag, i, j) for j in range(samples))
            out.append(Request(f"q{i}", chat, seeds, sampling))
        return out

    return make
