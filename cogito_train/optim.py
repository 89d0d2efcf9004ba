"""The optimiser: AdamW with a constant rate after a short warm-up, its moments in 32 or in 8 bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cogito_core.console import MissingExtra
from cogito_train.config import Optimizer, Stage
from cogito_train.parallel import local_tensor
from cogito_train.policy import Policy


def new_optimizer(policy: Policy, rule: Optimizer) -> torch.optim.Optimizer:
    """AdamW over the trainable parameters, with its (empty) state in place for every one of them.

    Without that a parameter that never saw a gradient would be missing from checkpoints. Raises MissingExtra if 8-bit
    moments are asked for and bitsandbytes is not installed.
    """
    parameters = [parameter for _, parameter in policy.trainable]
    settings: dict[str, Any] = {
        "lr": rule.learning_rate,
        "betas": (rule.beta1, rule.beta2),
        "eps": rule.eps,
        "weight_decay": rule.weight_decay,
    }
    if rule.bits == 8:
        return _eight_bit(parameters, settings)
    optimizer = torch.optim.AdamW(parameters, **settings)
    for parameter in parameters:
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimizer


def set_rate(optimizer: torch.optim.Optimizer, rule: Optimizer, stage: Stage, update: int) -> None:
    """Set the learning rate of a stage's update number `update` (from 0): a linear rise, then constant."""
    rate = stage.learning_rate or rule.learning_rate
    warm = min(1.0, (update + 1) / max(rule.warmup_steps, 1))
    for group in optimizer.param_groups:
        group["lr"] = rate * warm


def apply_gradients(policy: Policy, optimizer: torch.optim.Optimizer) -> None:
    """One step on the gradients in place, which are cleared."""
    for (_, parameter), updated in zip(policy.trainable, _updated(optimizer), strict=True):
        if updated is not parameter:
            updated.grad = local_tensor(parameter.grad)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    for _, parameter in policy.trainable:
        parameter.grad = None


def moments(policy: Policy, optimizer: torch.optim.Optimizer, rank: int) -> dict[str, Tensor]:
    """The optimiser's state by name, for a checkpoint to save or to load in place.

    8-bit moments belong to one process's shard, in blocks that another number of processes would cut elsewhere; their
    names bear the `rank`, so that a checkpoint of other processes does not fit.
    """
    found: dict[str, Tensor] = {}
    for (name, parameter), updated in zip(policy.trainable, _updated(optimizer), strict=True):
        own = name if updated is parameter else f"{name}.shard-{rank}"
        for key, value in optimizer.state[updated].items():
            if not key.startswith("qmap"):  # bitsandbytes' table of 8-bit values, the same for all
                found[f"{own}.{key}"] = value if isinstance(value, Tensor) else torch.tensor(value)
    return found


def set_step_counts(policy: Policy, optimizer: torch.optim.Optimizer, loaded: dict[str, Tensor], rank: int) -> None:
    """Take over what `moments` could not give in place: bitsandbytes counts its steps in a plain int."""
    for (name, parameter), updated in zip(policy.trainable, _updated(optimizer), strict=True):
        own = name if updated is parameter else f"{name}.shard-{rank}"
        if isinstance(optimizer.state[updated].get("step"), int):
            optimizer.state[updated]["step"] = int(loaded[f"{own}.step"])


def _updated(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    parameters: list[torch.nn.Parameter] = optimizer.param_groups[0]["params"]
    return parameters


def _eight_bit(parameters: list[torch.nn.Parameter], settings: dict[str, Any]) -> torch.optim.Optimizer:
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise MissingExtra("memory", "8-bit Adam") from error
    # It knows no sharded tensors; each process updates its own part, in the memory that the model sees.
    own = [p if local_tensor(p) is p else torch.nn.Parameter(local_tensor(p.detach())) for p in parameters]
    optimizer: Any = AdamW8bit(own, **settings)
    for position, parameter in enumerate(own):
        optimizer.init_state(optimizer.param_groups[0], parameter, 0, position)
    result: torch.optim.Optimizer = optimizer
    return result
