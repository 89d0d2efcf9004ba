"""Rewards against values the official code gave, and against a scalar transcription of its rules."""

import math

import numpy as np
import pytest

from cogito_core.console import CogitoError
from cogito_train.rewards import (
    RewardRule,
    dynamic_length_reward,
    fixed_length_reward,
    format_reward,
    length_targets,
    repetition_penalty,
    reward_table,
    soft_overlong_penalty,
)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("<think>a</think><answer>b</answer>", 1),
        ("<think>a\nb</think>\n\n<answer>\\boxed{3}</answer>", 1),
        ("<think></think><answer></answer>", 1),
        ("<think>a</think><answer>b</answer> and <answer>c</answer>", 1),
        (" <think>a</think><answer>b</answer>", 0),
        ("<think>a</think><answer>b</answer>\n", 0),
        ("<think>a</think> so <answer>b</answer>", 0),
        ("<answer>b</answer>", 0),
        ("<think>a</think><answer>b", 0),
        ("", 0),
    ],
)
def test_format_reward_is_the_official_full_match(text, score):
    assert format_reward(text) == score


@pytest.mark.parametrize(
    ("length", "reward"),
    [(75, -0.427), (150, -0.25), (225, -0.073), (300, 0), (450, -0.25), (600, -0.5), (900, -0.5)],
)
def test_wrong_answers_of_a_solved_prompt_follow_the_two_sided_cosine(length, reward):
    got = dynamic_length_reward([[300, length]], [[True, False]])
    assert got[0, 0] == 0.0
    assert got[0, 1] == pytest.approx(reward, abs=5e-4)


@pytest.mark.parametrize(
    ("length", "reward"),
    [
        (0, -0.25),
        (150, -0.226),
        (375, -0.125),
        (563, -0.036),
        (750, 0),
        (4095, 0),
        (4096, -0.25),
        (5000, -0.25),
    ],
)
def test_wrong_answers_of_an_unsolved_prompt_follow_the_one_sided_cosine(length, reward):
    got = dynamic_length_reward([[length, length]], [[False, False]], max_target=750, limit=4096)
    np.testing.assert_allclose(got, reward, atol=5e-4)


@pytest.mark.parametrize(
    ("length", "reward"), [(0, -1), (375, -0.5), (750, 0), (1000, -0.25), (1500, -1), (4096, -0.44)]
)
def test_the_paper_form_is_the_literal_periodic_cosine(length, reward):
    got = dynamic_length_reward([[length, length]], [[False, False]], max_target=750, form="paper")
    np.testing.assert_allclose(got, reward, atol=5e-3)


def test_the_paper_form_charges_right_answers_too_and_the_code_form_does_not():
    lengths, right = [[100, 300]], [[True, True]]
    assert np.all(dynamic_length_reward(lengths, right, form="paper") < 0)
    assert np.all(dynamic_length_reward(lengths, right, form="code") == 0)


def _official_length_reward(length: int, right: bool, group: list[tuple[int, bool]], top: int, limit: int) -> float:
    """One answer at a time, as the official rules read."""
    if right:
        return 0.0
    solved = [n for n, ok in group if ok]
    if solved:
        target = sum(solved) / len(solved)
        return -0.25 * (1 + math.cos(math.pi * length / target)) if length < 2 * target else -0.5
    if length >= limit:
        return -0.25
    return -0.125 * (1 + math.cos(math.pi * length / top)) if length < top else 0.0


def test_random_groups_equal_the_scalar_rules_to_1e_12():
    rng = np.random.default_rng(0)
    for _ in range(300):
        lengths = rng.integers(1, 4200, size=(3, 8))
        right = rng.random((3, 8)) < rng.random()
        ours = dynamic_length_reward(lengths, right, max_target=750, limit=4096)
        for p in range(3):
            group = [(int(n), bool(ok)) for n, ok in zip(lengths[p], right[p], strict=True)]
            theirs = [_official_length_reward(n, ok, group, 750, 4096) for n, ok in group]
            np.testing.assert_allclose(ours[p], theirs, rtol=0, atol=1e-12)


def test_length_reward_does_not_depend_on_the_order_of_answers_or_prompts():
    rng = np.random.default_rng(1)
    lengths, right = rng.integers(1, 900, size=(5, 16)), rng.random((5, 16)) < 0.4
    rows, columns = rng.permutation(5), rng.permutation(16)
    straight = dynamic_length_reward(lengths, right)[rows][:, columns]
    shuffled = dynamic_length_reward(lengths[rows][:, columns], right[rows][:, columns])
    np.testing.assert_allclose(straight, shuffled, atol=1e-12)


def test_targets_are_the_mean_length_of_right_answers_or_the_maximum():
    targets = length_targets([[10, 20, 90], [10, 20, 90]], [[1, 1, 0], [0, 0, 0]], max_target=750)
    np.testing.assert_array_equal(targets, [15, 750])


def test_fixed_length_reward_charges_a_cut_off_answer_even_when_right():
    got = fixed_length_reward([[4096, 4096, 100, 375]], [[True, False, True, False]])
    np.testing.assert_allclose(got, [[-0.25, -0.25, 0.0, -0.125]], atol=1e-12)


def test_repetition_penalty_counts_distinct_twenty_grams():
    words = [f"w{i}" for i in range(19)]
    assert repetition_penalty(" ".join(words)) == 0.0  # fewer than 20 words
    assert repetition_penalty(" ".join(f"w{i}" for i in range(60))) == 0.0
    # 40 equal words: 21 windows, one distinct.
    assert repetition_penalty("Ab aB " * 20) == pytest.approx(-0.5 * (1 - 1 / 21), abs=1e-12)
    assert repetition_penalty("好" * 500) == 0.0


def test_soft_overlong_penalty_is_linear_inside_the_buffer():
    got = soft_overlong_penalty([0, 800, 900, 950, 1000, 1200], limit=1000, buffer=200)
    np.testing.assert_allclose(got, [0, 0, -0.5, -0.75, -1, -1], atol=1e-12)


def test_the_stage_three_total_is_the_sum_the_official_code_gives():
    good = "<think>x</think><answer>1</answer>"
    table = reward_table(
        [[True, False, False], [False, False, False]],
        [[good, good, "no tags"], [good, "no tags", "no " * 40]],
        [[300, 150, 600], [375, 375, 4096]],
        RewardRule(length="dynamic", repetition=0.5),
    )
    looped = -0.25 - 0.5 * (1 - 1 / 21)
    np.testing.assert_allclose(table.total, [[1.5, 0.25, -0.5], [0.375, -0.125, looped]], atol=1e-12)
    np.testing.assert_allclose(sum(table.parts.values()), table.total, atol=1e-12)


def test_stages_one_and_two_have_accuracy_and_half_the_format_only():
    good = "<think>x</think><answer>1</answer>"
    table = reward_table([[True, True, False]], [[good, "bare", good]], [[5, 5000, 5000]], RewardRule())
    np.testing.assert_array_equal(table.total, [[1.5, 1.0, 0.5]])
    assert set(table.parts) == {"accuracy", "format"}


def test_a_wrong_call_is_refused():
    with pytest.raises(ValueError, match="form"):
        dynamic_length_reward([[1, 2]], [[True, False]], form="other")
    with pytest.raises(ValueError, match="above 0"):
        dynamic_length_reward([[1, 2]], [[True, False]], max_target=0)
    with pytest.raises(ValueError, match="prompts by samples"):
        dynamic_length_reward([1, 2], [True, False])
    with pytest.raises(ValueError, match="buffer"):
        soft_overlong_penalty([1], limit=10, buffer=11)


def test_a_reward_of_the_users_own_is_a_part_like_any_other(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import numpy as np\n"
        "def brevity(correct, texts, lengths):\n    return np.where(correct, -lengths / 100, 0.0)\n"
        "def short(correct, texts, lengths):\n    return correct[:, :1]\n"
        "def endless(correct, texts, lengths):\n    return lengths / 0\n"
    )
    correct, lengths, texts = np.array([[True, False]]), np.array([[50.0, 50.0]]), [["a", "b"]]
    table = reward_table(correct, texts, lengths, RewardRule(own={f"{file}:brevity": 0.5}))
    assert table.parts["brevity"].tolist() == [[-0.25, 0.0]]
    assert table.total.tolist() == [[0.75, 0.0]]
    for name in ("short", "endless"):
        with pytest.raises(CogitoError, match=rf"mine\.py:{name} must give finite numbers of shape \(1, 2\)"):
            reward_table(correct, texts, lengths, RewardRule(own={f"{file}:{name}": 1.0}))
