"""Does this engine see pictures? Three short questions before a run, and one sentence if something is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cogito_core.console import CogitoError, warn
from cogito_core.engines.base import Answer, Chat, Engine, Message, Request, Result, Sampling
from cogito_core.images import to_png
from cogito_core.sample import Picture

_QUESTION = "What colour is this picture? Answer with one word."
_SIDE = 112
_SHORTEST_ANSWER = 256


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the check found in an engine that works.

    Attributes:
        picture_tokens: prompt tokens that a picture of 112 x 112 pixels adds.
        recognised: the model named both colours it was shown.
        warnings: sentences about what may still surprise.
    """

    picture_tokens: int
    recognised: bool
    warnings: tuple[str, ...]


class CheckedEngine:
    """An engine that is checked once, when the first request reaches it.

    Behind a `CachedEngine` that is when the first answer is missing: a run whose answers are all stored needs no
    engine that works. What may still surprise is said as a warning.
    """

    def __init__(self, engine: Engine, *, max_tokens: int) -> None:
        self.engine = engine
        self.name = engine.name
        self.max_tokens = max_tokens
        self._checked = False

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Check, then answer as the engine does. Raises what `check_engine` raises."""
        if not self._checked:
            for warning in check_engine(self.engine, max_tokens=self.max_tokens).warnings:
                warn(warning)
            self._checked = True
        yield from self.engine.generate(requests, on_done)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


def check_engine(engine: Engine, *, max_tokens: int = _SHORTEST_ANSWER) -> CheckReport:
    """Ask for the colour of a red and of a blue picture, and the same without a picture.

    Args:
        engine: a cached engine is looked through, so that the check asks the model and not the store.
        max_tokens: longest answer the run will ask for.

    Raises:
        CogitoError: the engine refuses pictures, drops them, receives them blank, or leaves no room for answers.
    """
    engine = getattr(engine, "engine", engine)
    answers, has_logprobs = _ask(engine, logprobs=True)
    red, blue, bare = (answers[name] for name in ("red", "blue", "bare"))
    if red.n_prompt_tokens <= bare.n_prompt_tokens:
        raise CogitoError(
            f"{engine.name} drops pictures: the prompt has {red.n_prompt_tokens} tokens with a picture and "
            f"{bare.n_prompt_tokens} without, so its chat template has no image token or it is no vision model"
        )
    same = red.logprobs == blue.logprobs if has_logprobs else True
    if same and red.text == blue.text:
        raise CogitoError(
            f"{engine.name} receives pictures blank: a red and a blue one get the same answer ({red.text[:40]!r})"
        )
    return CheckReport(
        picture_tokens=red.n_prompt_tokens - bare.n_prompt_tokens,
        recognised=_names(red, "red") and _names(blue, "blue"),
        warnings=tuple(_warnings(engine, red, blue, max_tokens)),
    )


def _ask(engine: Engine, *, logprobs: bool) -> tuple[dict[str, Answer], bool]:
    sampling = Sampling(temperature=0.0, max_tokens=16, logprobs=logprobs)
    requests = [
        Request("red", _chat((220, 20, 20)), (0,), sampling),
        Request("blue", _chat((20, 20, 220)), (0,), sampling),
        Request("bare", Chat((Message("user", _QUESTION),)), (0,), sampling),
    ]
    results = {result.id: result for result in engine.generate(requests)}
    for name in ("bare", "red", "blue"):
        error = results[name].error
        if error is None:
            continue
        if logprobs and "log-probabilities" in error:
            return _ask(engine, logprobs=False)
        what = "a plain question" if name == "bare" else "a question about a picture"
        raise CogitoError(f"{engine.name} cannot answer {what}: {error}")
    return {name: result.answers[0] for name, result in results.items()}, logprobs


def _chat(colour: tuple[int, int, int]) -> Chat:
    from PIL import Image

    picture = Picture(to_png(Image.new("RGB", (_SIDE, _SIDE), colour)), "check.png")
    return Chat((Message("user", _QUESTION),), (picture,))


def _names(answer: Answer, colour: str) -> bool:
    return re.search(rf"\b{colour}\b", answer.text, re.IGNORECASE) is not None


def _warnings(engine: Engine, red: Answer, blue: Answer, max_tokens: int) -> list[str]:
    out = []
    if not (_names(red, "red") and _names(blue, "blue")):
        out.append(
            f"the pictures arrive, but the model calls red {red.text[:30]!r} and blue {blue.text[:30]!r}: "
            "is it trained, and is its chat template the right one?"
        )
    context = getattr(engine, "context_tokens", None)
    if context is not None:
        room = context - red.n_prompt_tokens
        if room < min(max_tokens, _SHORTEST_ANSWER):
            raise CogitoError(
                f"{engine.name} has a context of {context} tokens, which leaves {max(room, 0)} for an answer: "
                "start it with a larger max_model_len"
            )
        if room < max_tokens:
            out.append(
                f"the context of {context} tokens leaves less than the {max_tokens} answer tokens asked for: "
                "long answers will be cut"
            )
    return out
