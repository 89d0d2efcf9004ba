"""Where the rollouts come from, and how it learns of new weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from cogito_core.engines.base import Engine
from cogito_core.engines.transformers_engine import TransformersEngine, load_model
from cogito_train.parallel import full_tensor
from cogito_train.policy import Policy


class RolloutEngine:
    """An engine that follows the policy: `push` after every optimiser step, `engine` to ask.

    A process of its own asks the live model itself. Under FSDP every process keeps a whole copy for asking,
    because answers of different lengths would make the processes disagree on how often the shards are
    gathered.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        if policy.world.size == 1:
            self._copy = None
            model = policy.scorer.model
        else:
            self._copy, _, _ = load_model(policy.folder, dtype="float32")
            model = self._copy.to(policy.world.device).requires_grad_(False)
        self.engine: Engine = TransformersEngine(model, policy.encoder, "policy")

    def push(self) -> None:
        """Give the engine the current weights (a collective call)."""
        if self._copy is None:
            return
        targets = dict(self._copy.named_parameters())
        with torch.no_grad():
            for name, parameter in self.policy.scorer.named_parameters():
                targets[name.removeprefix("model.")].copy_(full_tensor(parameter.detach()))

    @contextlib.contextmanager
    def asking(self) -> Iterator[Engine]:
        """The engine, in the precision that the policy computes in."""
        dtype = getattr(torch, self.policy.recipe.dtype)
        with torch.autocast(self.policy.world.device.type, dtype, enabled=dtype != torch.float32):
            yield self.engine
