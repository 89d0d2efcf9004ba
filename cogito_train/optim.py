"""The optimiser: AdamW with a constant rate after a short warm-up."""

from __future__ import annotations

import torch

from cogito_train.config import Optimizer, Stage
from cogito_train.policy import Policy


def new_optimizer(policy: Policy, rule: Optimizer) -> torch.optim.Optimizer:
    """AdamW over the trainable parameters, with its (empty) state in place for every one of them.

    Without that a parameter that never saw a gradient would be missing from checkpoints.
    """
    parameters = [parameter for _, parameter in policy.trainable]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=rule.learning_rate,
        betas=(rule.beta1, rule.beta2),
        eps=rule.eps,
        weight_decay=rule.weight_decay,
    )
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
