"""The policy loss over a flat list of answer tokens: clipped surrogate plus KL to the reference.

All tensors are one-dimensional over the answer tokens of a micro-batch. The sum is divided by counts of the
*whole* optimiser update (all micro-batches of all processes), so how the update is cut into pieces does not
change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cogito_train.config import Objective

LOG_RATIO_LIMIT = 10.0
KL_LIMIT = 10.0


@dataclass
class LossParts:
    """The loss of a micro-batch and what the log shows; all but `loss` are sums over tokens, detached."""

    loss: Tensor
    sums: dict[str, float]


def policy_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    token_weights: Tensor,
    rule: Objective,
    *,
    reference_logprobs: Tensor | None = None,
    engine_logprobs: Tensor | None = None,
) -> LossParts:
    """Loss = sum over tokens of token_weight * (surrogate + kl * k3), a scalar.

    With r = exp(logprobs - old_logprobs), log-ratio clamped to +-10 before exp:
    surrogate = -min(r A, clip(r, 1 - clip_low, 1 + clip_high) A)  (PPO, arXiv 1707.06347). With `dual_clip`
    c > 0 the surrogate of a token with A < 0 is at most -c A (arXiv 1912.09729). k3 = `k3_divergence` to
    the reference. With `engine_cap` the surrogate is multiplied by `importance_weights`. `token_weights` come from
    `token_weights`; a token with weight 0 takes no part in loss and gradient, whatever its other values.
    """
    # Selected and not multiplied by 0 at the end: 0 * nan is nan, in the backward pass too.
    kept = token_weights > 0
    logprobs, old_logprobs, advantages = logprobs[kept], old_logprobs[kept], advantages[kept]
    log_ratio = (logprobs - old_logprobs).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1.0 - rule.clip_low, 1.0 + rule.clip_high)
    surrogate = -torch.minimum(ratio * advantages, clipped * advantages)
    if rule.dual_clip > 0:
        ceiling = -rule.dual_clip * advantages
        surrogate = torch.where(advantages < 0, torch.minimum(surrogate, ceiling), surrogate)
    if rule.engine_cap > 0 and engine_logprobs is not None:
        surrogate = surrogate * importance_weights(old_logprobs, engine_logprobs[kept], cap=rule.engine_cap)
    per_token = surrogate
    sums = {}
    if reference_logprobs is not None:
        divergence = k3_divergence(logprobs, reference_logprobs[kept])
        per_token = per_token + rule.kl * divergence
        sums["kl"] = float(divergence.detach().sum())
    loss = (per_token * token_weights[kept]).sum()
    with torch.no_grad():
        outside = torch.where(advantages > 0, ratio > 1.0 + rule.clip_high, ratio < 1.0 - rule.clip_low)
        sums["clipped"] = float((outside & (advantages != 0)).sum())
        sums["log_ratio_abs"] = float(log_ratio.abs().sum())
        sums["tokens"] = float(kept.sum())
    return LossParts(loss=loss, sums=sums)


def k3_divergence(logprobs: Tensor, reference_logprobs: Tensor) -> Tensor:
    """Schulman's k3 estimator of KL(policy || reference) per token: exp(d) - d - 1 with d = reference -
    policy.

    Never below 0. As in the official code it is clamped at 10, and d at +-20 before exp.
    """
    difference = (reference_logprobs - logprobs).clamp(-20.0, 20.0)
    return (difference.exp() - difference - 1.0).clamp(max=KL_LIMIT)


def importance_weights(trainer_logprobs: Tensor, engine_logprobs: Tensor, *, cap: float) -> Tensor:
    """Truncated importance ratio trainer / engine per token: min(exp(trainer - engine), cap), no gradient."""
    difference = (trainer_logprobs - engine_logprobs).detach()
    return difference.exp().clamp(max=cap)


def token_weights(
    answer_lengths: Tensor, *, average: str, num_tokens: float, num_answers: float, max_tokens: int
) -> Tensor:
    """Weight of each answer's tokens, shape (answers,).

    `answer_lengths` counts the trained tokens of each answer; `num_tokens` and `num_answers` are totals of
    the whole optimiser update over all processes. An answer of length 0 (dropped) gets weight 0.
    """
    lengths = answer_lengths.to(torch.float32)
    if average == "token":
        weights = torch.full_like(lengths, 1.0 / max(num_tokens, 1.0))
    elif average == "sequence":
        weights = 1.0 / (lengths.clamp(min=1.0) * max(num_answers, 1.0))
    elif average == "constant":
        weights = torch.full_like(lengths, 1.0 / (max(num_answers, 1.0) * max_tokens))
    else:
        raise ValueError(f"no loss average '{average}' (there are token, sequence, constant)")
    return torch.where(lengths > 0, weights, torch.zeros_like(weights))
