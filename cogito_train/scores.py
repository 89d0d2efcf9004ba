"""From judged rollouts to what the loss needs: rewards by part, weights, advantages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cogito_train.advantages import group_advantages, has_signal, weighted_advantages
from cogito_train.config import Objective, Stage
from cogito_train.curriculum import difficulty_weights
from cogito_train.rewards import RewardTable, length_targets, reward_table
from cogito_train.rollout import RolloutGroup


@dataclass
class StepScores:
    """The table of one step, P prompts by G answers.

    Attributes:
        correct, lengths, truncated: (P, G) verdicts, response tokens, whether cut off.
        rewards: total and parts, each (P, G).
        pass_rates, weights, targets: (P,) share right, ODSW weight, length target in tokens.
        signal: (P,) whether the rewards of the group differ.
        advantages: (P, G), normalised and weighted.
    """

    correct: np.ndarray
    lengths: np.ndarray
    truncated: np.ndarray
    rewards: RewardTable
    pass_rates: np.ndarray
    weights: np.ndarray
    targets: np.ndarray
    signal: np.ndarray
    advantages: np.ndarray


def score_groups(
    groups: Sequence[RolloutGroup], stage: Stage, objective: Objective, *, max_response_tokens: int
) -> StepScores:
    """Apply a stage's rules to its rollouts. Accuracy alone makes the pass rate; format does not count."""
    rule = stage.rewards.rule(max_response_tokens)
    correct = np.stack([group.correct for group in groups])
    lengths = np.stack([group.lengths for group in groups])
    texts = [[answer.text for answer in group.answers] for group in groups]
    rewards = reward_table(correct, texts, lengths, rule)
    pass_rates = correct.mean(axis=1)
    weights = difficulty_weights(pass_rates, stage.weighting.curve, unsolved=stage.weighting.unsolved)
    advantages = group_advantages(rewards.total, scale=objective.advantage_scale)
    return StepScores(
        correct=correct,
        lengths=lengths,
        truncated=np.stack([group.truncated for group in groups]),
        rewards=rewards,
        pass_rates=pass_rates,
        weights=weights,
        targets=length_targets(lengths, correct, max_target=rule.max_target),
        signal=has_signal(rewards.total),
        advantages=weighted_advantages(advantages, weights),
    )
