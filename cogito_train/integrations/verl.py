"""PCuRL in verl: an advantage estimator named `pcurl_easy`, `pcurl_medium` or `pcurl_hard` (verl 0.9).

    cogito_train.integrations.verl.register()      # in the file that starts verl
    algorithm.adv_estimator=pcurl_hard

verl gives an estimator the rewards and nothing else of an answer, so the reward function must return
accuracy + 0.5 * format, from which both are read back. The length reward is applied here; the repetition penalty
needs the text, which verl does not pass, and is left out.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch

from cogito_train.advantages import group_advantages, weighted_advantages
from cogito_train.curriculum import difficulty_weights
from cogito_train.rewards import dynamic_length_reward

MAX_TARGET = 750.0


def pcurl_advantage(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    index: np.ndarray,
    *,
    curve: str,
    use_length: bool,
    max_target: float = MAX_TARGET,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(advantages, returns), each (answers, tokens): verl's contract for an estimator.

    `index` (answers,) names the prompt of each answer. Returns are the unweighted advantages, as in the
    official code.
    """
    scores = token_level_rewards.sum(dim=-1).double().cpu().numpy()
    lengths = response_mask.sum(dim=-1).double().cpu().numpy()
    limit = float(response_mask.shape[-1])
    plain, weighted = np.zeros(len(scores)), np.zeros(len(scores))
    for name in dict.fromkeys(index.tolist()):
        at = np.flatnonzero(index == name)
        right = scores[None, at] >= 0.75
        rewards = scores[None, at]
        if use_length:
            rewards = rewards + dynamic_length_reward(lengths[None, at], right, max_target=max_target, limit=limit)
        advantages = group_advantages(rewards)
        plain[at] = advantages[0]
        weighted[at] = weighted_advantages(advantages, difficulty_weights(right.mean(axis=1), curve))[0]
    mask = response_mask.to(torch.float32)
    return mask * mask.new_tensor(weighted)[:, None], mask * mask.new_tensor(plain)[:, None]


def register() -> None:
    """Make the three estimators known to verl. Raises ImportError if verl is not installed."""
    register_adv_est = importlib.import_module("verl.trainer.ppo.core_algos").register_adv_est

    for curve in ("easy", "medium", "hard"):

        def estimator(
            token_level_rewards: torch.Tensor,
            response_mask: torch.Tensor,
            index: np.ndarray,
            config: Any = None,
            _curve: str = curve,
            **_: Any,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            return pcurl_advantage(
                token_level_rewards, response_mask, index, curve=_curve, use_length=_curve == "hard"
            )

        register_adv_est(f"pcurl_{curve}")(estimator)
