"""Where the rollouts come from, and how it learns of new weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from cogito_core.engines import open_engine
from cogito_core.engines.base import Engine
from cogito_core.engines.transformers_engine import TransformersEngine, load_model
from cogito_train.policy import Policy


class RolloutEngine:
    """An engine that follows the policy: `mark_stale` after every optimiser step, `asking` to use it.

    transformers: a process of its own asks the live model itself. Under FSDP every process keeps a whole copy for
    asking, because answers of different lengths would make the processes disagree on how often shards are gathered.
    vllm: an engine in each process; on a GPU it sleeps while the trainer works, so the two share the memory.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._copy: Any = None
        self._stale = False
        self._sleeps = False
        if policy.recipe.engine == "vllm":
            self.engine = self._open_vllm()
            return
        model = policy.scorer.model
        if policy.world.size > 1:
            self._copy, _, _ = load_model(policy.folder, dtype="float32")
            model = self._copy.to(policy.world.device).requires_grad_(False)
        self.engine = TransformersEngine(model, policy.encoder, "policy")

    def mark_stale(self) -> None:
        """Say that the policy's weights have changed."""
        self._stale = True

    @contextlib.contextmanager
    def asking(self) -> Iterator[Engine]:
        """The engine with the current weights (a collective call: every process must come here)."""
        if self._sleeps:
            self.engine.wake()
        if self._stale:
            self._push()
            self._stale = False
        dtype = getattr(torch, self.policy.recipe.dtype)
        with torch.autocast(self.policy.world.device.type, dtype, enabled=dtype != torch.float32):
            yield self.engine
        if self._sleeps:
            self.engine.sleep()

    def close(self) -> None:
        """Let go of the engine."""
        self.engine.close()

    def _open_vllm(self) -> Any:
        recipe, world = self.policy.recipe, self.policy.world
        self._sleeps = world.device.type == "cuda"
        return open_engine(
            "vllm",
            str(self.policy.folder),
            dtype=recipe.dtype,
            max_model_len=recipe.max_prompt_tokens + recipe.max_response_tokens,
            min_pixels=recipe.min_pixels,
            max_pixels=recipe.max_pixels,
            sleep_mode=self._sleeps,
            executor="external_launcher" if world.size > 1 else None,
            **recipe.engine_options,
        )

    def _push(self) -> None:
        if self.policy.recipe.engine == "vllm":
            engine: Any = self.engine
            engine.update_weights(self.policy.stream_weights(self.policy.recipe.dtype))
        elif self._copy is not None:
            targets = dict(self._copy.named_parameters())
            with torch.no_grad():
                for name, weight in self.policy.stream_weights("float32"):
                    if name in targets:  # a tied head is the embedding itself
                        targets[name].copy_(weight)
