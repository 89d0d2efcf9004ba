"""The adapters give other trainers the very numbers of our own."""

import numpy as np
import torch

from cogito_train.advantages import group_advantages, weighted_advantages
from cogito_train.curriculum import difficulty_weights
from cogito_train.integrations.rules import stage_advantages
from cogito_train.integrations.verl import pcurl_advantage
from cogito_train.rewards import RewardRule, reward_table

GOOD = "<think>x</think><answer>1</answer>"


def _table(seed: int = 0):
    rng = np.random.default_rng(seed)
    correct = rng.random((5, 6)) < rng.random((5, 1))
    correct[0] = False
    texts = [[GOOD if rng.random() < 0.6 else "no tags " * 30 for _ in range(6)] for _ in range(5)]
    return correct, texts, rng.integers(1, 60, size=(5, 6))


def test_a_flat_batch_in_any_order_equals_the_table():
    correct, texts, lengths = _table()
    rule = RewardRule(length="dynamic", repetition=0.5, max_target=40, limit=60)
    table = reward_table(correct, texts, lengths, rule)
    weights = difficulty_weights(correct.mean(axis=1), "hard")
    expected = weighted_advantages(group_advantages(table.total), weights).ravel()
    order = np.random.default_rng(1).permutation(30)
    flat_texts = [text for row in texts for text in row]
    rewards, advantages = stage_advantages(
        [f"prompt {i // 6}" for i in order],
        correct.ravel()[order].tolist(),
        [flat_texts[i] for i in order],
        lengths.ravel()[order].tolist(),
        rule=rule,
        curve="hard",
    )
    np.testing.assert_allclose(rewards, table.total.ravel()[order], rtol=0, atol=1e-12)
    np.testing.assert_allclose(advantages, expected[order], rtol=0, atol=1e-12)


def test_the_verl_estimator_reads_accuracy_back_from_the_reward():
    correct, texts, lengths = _table(2)
    rule = RewardRule(length="dynamic", max_target=750, limit=60)
    table = reward_table(correct, texts, lengths, rule)
    weights = difficulty_weights(correct.mean(axis=1), "hard")
    plain = group_advantages(table.total)
    flat = lengths.ravel()
    mask = (np.arange(60)[None] < flat[:, None]).astype(np.float32)
    rewards = np.zeros_like(mask)
    rewards[np.arange(30), flat - 1] = (table.parts["accuracy"] + table.parts["format"]).ravel()
    index = np.repeat(np.arange(5), 6)
    advantages, returns = pcurl_advantage(
        torch.tensor(rewards), torch.tensor(mask), index, curve="hard", use_length=True
    )
    first = np.arange(30), np.zeros(30, dtype=int)
    np.testing.assert_allclose(advantages.numpy()[first], weighted_advantages(plain, weights).ravel(), atol=1e-5)
    np.testing.assert_allclose(returns.numpy()[first], plain.ravel(), atol=1e-5)
    assert float((advantages * (1 - torch.tensor(mask))).abs().max()) == 0.0
