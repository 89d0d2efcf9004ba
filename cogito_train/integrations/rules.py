"""The rules of one stage over a flat batch of answers, as other trainers hold them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from cogito_train.advantages import group_advantages, weighted_advantages
from cogito_train.curriculum import difficulty_weights
from cogito_train.rewards import RewardRule, reward_table


def stage_advantages(
    groups: Sequence[Hashable],
    correct: Sequence[bool],
    texts: Sequence[str],
    lengths: Sequence[int],
    *,
    rule: RewardRule,
    curve: str,
    unsolved: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(total rewards, weighted advantages), each (answers,), in the order given.

    `groups` names the prompt of each answer; a prompt's answers may stand anywhere in the batch.
    """
    members: dict[Hashable, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    rewards, advantages = np.zeros(len(groups)), np.zeros(len(groups))
    for at in members.values():
        right = np.array([[bool(correct[i]) for i in at]])
        table = reward_table(right, [[texts[i] for i in at]], [[lengths[i] for i in at]], rule)
        weights = difficulty_weights(right.mean(axis=1), curve, unsolved=unsolved)
        rewards[at] = table.total[0]
        advantages[at] = weighted_advantages(group_advantages(table.total), weights)[0]
    return rewards, advantages
