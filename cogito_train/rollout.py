"""Rollouts: the answers of one step, judged. A group is one prompt with all of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cogito_core.engines.base import Answer, Chat, Engine, Request, Sampling, seed_of
from cogito_core.prompts import build_chat
from cogito_core.sample import Sample
from cogito_core.verify import Verdict, judge


@dataclass(frozen=True)
class RolloutGroup:
    """One prompt, its answers, and what the verifier says of each."""

    sample: Sample
    answers: tuple[Answer, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def correct(self) -> np.ndarray:
        """(G,) bool; an undecidable answer is not right."""
        return np.array([verdict.is_right for verdict in self.verdicts])

    @property
    def lengths(self) -> np.ndarray:
        """(G,) response tokens, end token included."""
        return np.array([answer.n_tokens for answer in self.answers])

    @property
    def truncated(self) -> np.ndarray:
        """(G,) bool, cut off at the length limit."""
        return np.array([answer.finish == "length" for answer in self.answers])

    @property
    def engine_logprobs(self) -> list[tuple[float, ...]] | None:
        """The engine's log-probabilities of every answer's tokens, in nats; None if it gave none."""
        known = [answer.logprobs for answer in self.answers if answer.logprobs is not None]
        return known if len(known) == len(self.answers) else None


@dataclass(frozen=True)
class Refused:
    """A row that could not be asked, and why."""

    id: str
    reason: str


def judge_answer(sample: Sample, text: str) -> Verdict:
    """The verdict on one response to a sample, by the rule its answer kind and spec name."""
    return judge(
        text,
        sample.answer,
        kind=sample.answer_kind,
        choices=sample.choices,
        aliases=sample.answer_aliases,
        policy=sample.answer_spec.get("policy", "exact"),
        spec=sample.answer_spec,
    )


def roll_out(
    engine: Engine,
    samples: Sequence[Sample],
    *,
    prompt: str,
    num_samples: int,
    sampling: Sampling,
    seed_parts: tuple[object, ...],
    refuse: Callable[[Chat], str | None] = lambda chat: None,
) -> tuple[list[RolloutGroup], list[Refused]]:
    """Ask each sample `num_samples` times and judge the answers; groups come in the order of `samples`.

    The seed of answer j is a hash of `seed_parts`, the sample's id and j: neither batch, process count nor a
    resumed run can change it. `refuse` may say why a chat shall not be asked at all.
    """
    chats = [build_chat(prompt, sample.problem, sample.images) for sample in samples]
    reasons = [refuse(chat) for chat in chats]
    requests = [
        Request(
            id=str(number),
            chat=chat,
            seeds=tuple(seed_of(*seed_parts, sample.id, j) for j in range(num_samples)),
            sampling=sampling,
        )
        for number, (sample, chat) in enumerate(zip(samples, chats, strict=True))
        if reasons[number] is None
    ]
    results = {result.id: result for result in engine.generate(requests)}
    groups, refused = [], []
    for number, sample in enumerate(samples):
        result = results.get(str(number))
        reason = reasons[number] if result is None else result.error
        if result is None or reason is not None:
            refused.append(Refused(sample.id, reason or "the engine gave no result"))
            continue
        verdicts = tuple(judge_answer(sample, answer.text) for answer in result.answers)
        groups.append(RolloutGroup(sample, result.answers, verdicts))
    return groups, refused
