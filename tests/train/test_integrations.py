"""The adapters give other trainers the very numbers of our own."""

import numpy as np
import pytest
import torch

from cogito_train.advantages import group_advantages, weighted_advantages
from cogito_train.curriculum import difficulty_weights
from cogito_train.integrations.rules import stage_advantages
from cogito_train.integrations.verl import pcurl_advantage, register
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


def test_inside_verl_itself():
    """`register` and verl's own path from a batch to its advantages. Runs where verl 0.9.1 is installed."""
    pytest.importorskip("verl", reason="verl is not installed here")
    from verl import DataProto
    from verl.trainer.ppo.ray_trainer import compute_advantage

    register()
    rng = np.random.default_rng(3)
    lengths, right = rng.integers(1, 40, size=24), rng.random(24) < 0.5
    mask = torch.tensor((np.arange(40)[None] < lengths[:, None]).astype(np.float32))
    rewards = torch.zeros(24, 40)
    rewards[np.arange(24), lengths - 1] = torch.tensor(right + 0.5 * (rng.random(24) < 0.7), dtype=torch.float32)
    names = np.array([f"prompt-{i % 4}" for i in range(24)], dtype=object)
    for curve in ("easy", "medium", "hard"):
        batch = DataProto.from_dict({"token_level_rewards": rewards, "response_mask": mask}, {"uid": names})
        done = compute_advantage(batch, f"pcurl_{curve}", config={})
        expected = pcurl_advantage(rewards, mask, names, curve=curve, use_length=curve == "hard")
        torch.testing.assert_close(done.batch["advantages"], expected[0])
        torch.testing.assert_close(done.batch["returns"], expected[1])
        assert float(expected[0].abs().max()) > 0
