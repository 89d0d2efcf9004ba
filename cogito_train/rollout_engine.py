"""Where the rollouts come from, and how it learns of new weights."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_core.engines import open_engine
from cogito_core.engines.base import Chat, Engine
from cogito_core.engines.servers import base_url
from cogito_core.engines.transformers_engine import TransformersEngine, load_model
from cogito_train.parity import check_parity
from cogito_train.policy import Policy
from cogito_train.weight_servers import WeightServers


class RolloutEngine:
    """An engine that follows the policy: `mark_stale` after every optimiser step, `asking` to use it.

    transformers: a process of its own asks the live model itself. Under FSDP2 every process keeps a whole copy for
    asking, because answers of different lengths would make the processes disagree on how often shards are gathered.
    vllm: an engine in each process; on a GPU it sleeps while the trainer works, so the two share the memory.
    openai: vLLM servers elsewhere; the main process sends them the weights.

    After every push the answers to `probe` are scored by engine and trainer; a mean difference above the recipe's
    `max_engine_gap` stops the run. `on_push` is told the seconds of a push and the mean difference in nats.
    """

    def __init__(
        self, policy: Policy, directory: Path, probe: Sequence[Chat], on_push: Callable[[float, float], None]
    ) -> None:
        self.policy = policy
        self._probe, self._on_push = probe, on_push
        self._copy: Any = None
        self._servers: WeightServers | None = None
        self._stale = True  # a resumed policy is not the model that the engine loaded
        self._sleeps = False
        self._probed: list[Engine] = []
        if policy.recipe.engine == "openai":
            self.engine = self._open_servers(directory)
            return
        if policy.recipe.engine == "vllm":
            self.engine = self._open_vllm()
        else:
            model = policy.scorer.model
            if policy.is_sharded:
                self._copy, _, _ = load_model(policy.folder, dtype="float32")
                model = self._copy.to(policy.world.device).requires_grad_(False)
            self.engine = TransformersEngine(model, policy.encoder, "policy")
        self._probed = [self.engine]

    def mark_stale(self) -> None:
        """Say that the policy's weights have changed."""
        self._stale = True

    @contextlib.contextmanager
    def asking(self) -> Iterator[Engine]:
        """The engine with the current weights (a collective call: every process must come here).

        Raises CogitoError if the engine cannot take them or answers with others.
        """
        if self._sleeps:
            self.engine.wake()
        with self._precision():
            if self._stale or self._has_forgotten():
                self._push()
                self._stale = False
            yield self.engine
        if self._sleeps:
            self.engine.sleep()

    def close(self) -> None:
        """Let go of the engine."""
        self.engine.close()
        for engine in self._probed:
            if engine is not self.engine:
                engine.close()
        if self._servers is not None:
            self._servers.close()

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        dtype = getattr(torch, self.policy.recipe.dtype)
        return torch.autocast(self.policy.world.device.type, dtype, enabled=dtype != torch.float32)

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

    def _open_servers(self, directory: Path) -> Any:
        recipe, limits = self.policy.recipe, self.policy.encoder.limits
        options = dict(recipe.engine_options)
        urls = [base_url(url) for url in options.pop("urls")]
        folder = Path(options.pop("weights_folder", directory / "weights-for-servers"))
        served = options.pop("served_name", recipe.model)
        options |= {"min_pixels": limits.min_pixels, "max_pixels": limits.max_pixels}
        engine: Any = open_engine(f"openai:{','.join(urls)}", served, **options)
        other = next((server for server in engine.servers if server.traits.kind != "vllm"), None)
        if other is not None:
            engine.close()
            raise CogitoError(f"the server {other.url} is no vLLM server: only these take a policy's new weights")
        # Answers go where their picture is known, so a probe through all servers at once would miss some of them.
        alone = [open_engine(f"openai:{url}", served, **options) for url in urls] if len(urls) > 1 else [engine]
        self._probed = alone
        if self.policy.world.is_main:
            self._servers = WeightServers(urls, folder, directory)
        return engine

    def _has_forgotten(self) -> bool:
        """Whether a server was started anew since the last push; the same on every process."""
        if self.policy.recipe.engine != "openai":
            return False
        lost = self._servers is not None and not self._servers.is_current()
        return self.policy.world.max(float(lost)) > 0

    def _push(self) -> None:
        started = time.perf_counter()
        recipe = self.policy.recipe
        if recipe.engine == "vllm":
            engine: Any = self.engine
            engine.update_weights(self.policy.stream_weights(recipe.dtype))
        elif recipe.engine == "openai":
            weights = self.policy.stream_weights(recipe.dtype)
            if self._servers is not None:
                self._servers.push(weights)
            else:
                for _ in weights:  # gathering a sharded tensor takes every process
                    pass
            self.policy.world.barrier()
        elif self._copy is not None:
            targets = dict(self._copy.named_parameters())
            with torch.no_grad():
                for name, weight in self.policy.stream_weights("float32"):
                    if name in targets:  # a tied head is the embedding itself
                        targets[name].copy_(weight)
        else:
            return  # the engine's model is the policy
        gap = check_parity(self.policy, self._probed, self._probe)
        self._on_push(time.perf_counter() - started, gap)
