"""The parity probe: after new weights were sent, engine and trainer must give the same answers the same probability.

A tied head that was not sent, a cache of old picture embeddings, another temperature or other pictures give no error
anywhere; they show here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_core.engines.base import Answer, Chat, Engine, Request, Sampling, seed_of
from cogito_core.prompts import build_chat
from cogito_core.shards import SampleStore
from cogito_train.policy import Policy
from cogito_train.shared_forward import Group

_PROMPTS, _TOKENS = 4, 16


def probe_chats(data: SampleStore, prompt: str, refuse: Callable[[Chat], str | None]) -> list[Chat]:
    """The first four prompts that can be asked; `refuse` gives the reason where one cannot."""
    chats: list[Chat] = []
    for row in range(len(data)):
        sample = data[row]
        chat = build_chat(prompt, sample.problem, sample.images)
        if refuse(chat) is None:
            chats.append(chat)
        if len(chats) == _PROMPTS:
            break
    return chats


def check_parity(policy: Policy, engines: Sequence[Engine], chats: Sequence[Chat]) -> float:
    """Mean |log-probability of the engine minus that of the trainer| over the answers to `chats`, in nats.

    Every engine answers every chat with up to 16 tokens. A collective call: all processes make one pass.

    Raises CogitoError if the mean of one engine is above the recipe's `max_engine_gap`, or if it gives no answer.
    """
    if not chats:
        return 0.0
    recipe = policy.recipe
    sampling = Sampling(
        temperature=recipe.temperature, max_tokens=min(_TOKENS, recipe.max_response_tokens), logprobs=True
    )
    requests = [Request(str(i), chat, (seed_of("probe", i),), sampling) for i, chat in enumerate(chats)]
    answered = [_ask(engine, requests) for engine in engines]
    # One row a chat, the answers of all engines behind it.
    groups = [
        Group(policy.encoder.encode(chat), [answers[i].token_ids for answers in answered])
        for i, chat in enumerate(chats)
    ]
    batch = policy.scorer.pack(groups).to(policy.world.device)
    with torch.no_grad():
        ours, _ = policy.scorer(batch)
    if policy.is_sharded:
        # FSDP2 keeps the root's parameters whole until a backward pass, and there is none here.
        sharded: Any = policy.scorer
        sharded.reshard()
    parts = ours.cpu().split([len(answers[i].token_ids) for i in range(len(chats)) for answers in answered])
    gaps = [0.0] * len(engines)
    for number, answers in enumerate(answered):
        theirs = torch.tensor([value for answer in answers for value in answer.logprobs or ()])
        mine = torch.cat([parts[i * len(engines) + number] for i in range(len(chats))])
        gap = float((mine - theirs).abs().mean())
        gaps[number] = gap if math.isfinite(gap) else math.inf  # a NaN would lose every comparison below
    worst = max(range(len(gaps)), key=lambda number: gaps[number])
    gap = policy.world.max(gaps[worst])
    if gap > recipe.max_engine_gap:
        raise CogitoError(
            f"the weights did not arrive: after the push the log-probabilities of {engines[worst].name} differ from "
            f"the trainer's by {gap:.4f} on average, limit {recipe.max_engine_gap} (train.max_engine_gap)"
        )
    return gap


def _ask(engine: Engine, requests: Sequence[Request]) -> list[Answer]:
    results = {result.id: result for result in engine.generate(requests)}
    out = []
    for request in requests:
        result = results[request.id]
        if result.error is not None:
            raise CogitoError(f"{engine.name} cannot answer the parity probe: {result.error}")
        if not result.answers[0].logprobs:
            raise CogitoError(f"{engine.name} gives no log-probabilities, which the parity probe needs")
        out.append(result.answers[0])
    return out
