"""What every engine takes and gives: n answers to a chat with pictures.

An engine is asked with :class:`Request` objects and answers with :class:`Result` objects, in any order,
each request exactly once. One answer belongs to one seed, so an answer can be cached, asked again and
compared between engines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from cogito_core.sample import Picture

IMAGE_MARK = "<image>"

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat; `<image>` in the text marks where the next picture goes."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages and the pictures they refer to, in order of appearance.

    If fewer marks than pictures are found, the pictures without a mark go before the first user text,
    as Qwen2.5-VL's own examples do.
    """

    messages: tuple[Message, ...]
    images: tuple[Picture, ...] = ()

    def with_marks(self) -> tuple[Message, ...]:
        """The messages with exactly one `<image>` mark for each picture.

        Raises:
            ValueError: the text has more marks than there are pictures.
        """
        marks = sum(message.text.count(IMAGE_MARK) for message in self.messages)
        if marks > len(self.images):
            raise ValueError(f"the chat marks {marks} pictures but carries {len(self.images)}")
        missing = len(self.images) - marks
        if missing == 0:
            return self.messages
        out: list[Message] = []
        for message in self.messages:
            if missing and message.role == "user":
                out.append(Message("user", IMAGE_MARK * missing + message.text))
                missing = 0
            else:
                out.append(message)
        if missing:
            raise ValueError("the chat carries pictures but has no user message")
        return tuple(out)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn. `temperature` 0 is greedy; only the full distribution may be trained on."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 2048
    logprobs: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be a number of at least 0, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must lie in (0, 1], not {self.top_p}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")


@dataclass(frozen=True, slots=True)
class Request:
    """One chat, one answer wanted for each seed."""

    id: str
    chat: Chat
    seeds: tuple[int, ...]
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Answer:
    """One sampled answer.

    Attributes:
        text: decoded answer without special tokens.
        token_ids: answer tokens, the end-of-turn token included where it was sampled.
        logprobs: log-probability of each token under the sampling distribution, in nats; None if not asked for.
        finish: `stop` (end-of-turn token) or `length` (cut at max_tokens).
        n_tokens: number of answer tokens.
        n_prompt_tokens: number of prompt tokens, picture tokens included.
        seed: the seed this answer belongs to.
    """

    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...] | None
    finish: Finish
    n_tokens: int
    n_prompt_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Result:
    """The answers to one request, in the order of its seeds, or the sentence that says why there are none."""

    id: str
    answers: tuple[Answer, ...]
    error: str | None = None


@runtime_checkable
class Engine(Protocol):
    """In-process transformers, in-process vLLM, or OpenAI-compatible servers."""

    @property
    def name(self) -> str:
        """Model, revision and whatever else changes an answer: part of the cache key."""
        ...

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Answer every request exactly once, in any order; `on_done` sees each result as it is ready."""
        ...

    def close(self) -> None:
        """Release the model, the connections or the server."""
        ...


def seed_of(*parts: object) -> int:
    """A 63-bit seed that depends on nothing but its parts.

    Counter-based seeds make an answer independent of batch order, world size and resumption.
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
