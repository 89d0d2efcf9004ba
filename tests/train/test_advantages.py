"""Group advantages against numpy and the figures found by running the official code."""

import numpy as np
import pytest

from cogito_train.advantages import group_advantages, has_signal, weighted_advantages
from cogito_train.curriculum import difficulty_weights
from cogito_train.rewards import dynamic_length_reward


def test_equals_the_formula_with_the_unbiased_deviation_to_1e_12():
    rng = np.random.default_rng(0)
    rewards = rng.normal(size=(50, 16))
    for row, ours in zip(rewards, group_advantages(rewards), strict=True):
        mean = sum(row) / 16
        spread = (sum((r - mean) ** 2 for r in row) / 15) ** 0.5
        np.testing.assert_allclose(ours, [(r - mean) / (spread + 1e-6) for r in row], rtol=0, atol=1e-12)


def test_equal_rewards_give_exactly_zero_whatever_their_value():
    for value in (0.1, 0.3, -0.7, 1.5, 1e6):
        assert np.all(group_advantages(np.full((4, 16), value)) == 0.0)


def test_the_sum_of_weighted_advantages_matches_the_official_runs():
    """Sum of |advantage| * weight of a 16-group with 0/1 rewards: 15.49 at 8/16; 1.46 or 7.5 at the ends."""

    def mass(solved: int, curve: str) -> float:
        rewards = np.array([[1.0] * solved + [0.0] * (16 - solved)])
        return float(
            np.abs(weighted_advantages(group_advantages(rewards), difficulty_weights([solved / 16], curve))).sum()
        )

    assert [round(mass(8, c), 2) for c in ("easy", "medium", "hard")] == [15.49] * 3
    assert [round(mass(1, c), 2) for c in ("easy", "medium", "hard")] == [1.46, 1.46, 7.5]
    assert [round(mass(15, c), 2) for c in ("easy", "medium", "hard")] == [7.5, 1.46, 1.46]


def test_one_well_formed_answer_of_an_unsolved_group_gets_094():
    rewards = np.array([[0.5] + [0.0] * 15])
    got = weighted_advantages(group_advantages(rewards), difficulty_weights([0.0], "hard"))
    assert got[0, 0] == pytest.approx(0.94, abs=5e-3)
    assert got[0, 1] == pytest.approx(-0.06, abs=5e-3)


def test_normalisation_erases_the_size_of_a_tiny_length_penalty():
    lengths = np.arange(700, 716)[None, :]
    rewards = dynamic_length_reward(lengths, np.zeros((1, 16)), max_target=750)
    got = 0.25 * group_advantages(rewards)
    assert got.min() == pytest.approx(-0.41, abs=0.01) and got.max() == pytest.approx(0.37, abs=0.01)


def test_dr_grpo_only_centres_and_batch_divides_by_one_spread():
    rewards = np.random.default_rng(1).normal(size=(6, 8))
    centred = rewards - rewards.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(group_advantages(rewards, scale="none"), centred, atol=1e-12)
    spread = rewards.std(ddof=1) + 1e-6
    np.testing.assert_allclose(group_advantages(rewards, scale="batch"), centred / spread, atol=1e-12)


def test_a_group_knows_nothing_of_the_others():
    rewards = np.random.default_rng(2).normal(size=(6, 8))
    order = np.random.default_rng(3).permutation(6)
    np.testing.assert_array_equal(group_advantages(rewards)[order], group_advantages(rewards[order]))
    np.testing.assert_array_equal(group_advantages(rewards)[2:3], group_advantages(rewards[2:3]))


def test_signal_is_any_difference():
    np.testing.assert_array_equal(has_signal([[1, 1], [1, 0], [0, 0]]), [False, True, False])


def test_wrong_tables_are_refused():
    with pytest.raises(ValueError, match="2 samples"):
        group_advantages([[1.0]])
    with pytest.raises(ValueError, match="finite"):
        group_advantages([[1.0, float("nan")]])
    with pytest.raises(ValueError, match="scale"):
        group_advantages([[1.0, 2.0]], scale="mad")
