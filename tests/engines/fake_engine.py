"""An engine without a model: its answer is a function of question and seed, and it counts what it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from cogito_core.engines.base import Answer, Request, Result


class EchoEngine:
    """Answers `<text>/<seed>`; a question with the word `refuse` gets an error."""

    name = "echo@1"

    def __init__(self, *, ahead: int = 1, delay_s: float = 0.0) -> None:
        self.generated: list[tuple[str, int]] = []
        self.ahead = ahead
        self.delay_s = delay_s
        self.closed = False

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Reads `ahead` requests before it answers, and answers the newest first, as a batching engine may."""
        held: list[Request] = []
        for request in requests:
            held.append(request)
            if len(held) >= self.ahead:
                yield self._result(held.pop())
        while held:
            yield self._result(held.pop())

    def close(self) -> None:
        self.closed = True

    def _result(self, request: Request) -> Result:
        text = request.chat.messages[-1].text
        if "refuse" in text:
            return Result(request.id, (), "refused")
        time.sleep(self.delay_s)
        answers = []
        for seed in request.seeds:
            self.generated.append((text, seed))
            logprobs = (-0.5, -0.25) if request.sampling.logprobs else None
            answers.append(Answer(f"{text}/{seed}", (7, seed % 1000), logprobs, "stop", 2, 5, seed))
        return Result(request.id, tuple(answers))
