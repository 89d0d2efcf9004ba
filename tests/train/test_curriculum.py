"""ODSW weights against the table found by running the official code (17 pass rates by 6 curves)."""

import math

import numpy as np
import pytest

from cogito_train.curriculum import WEIGHT_CURVES, difficulty_weights, effective_groups, weight_curve

CURVES = ("easy", "medium", "hard", "binary_easy", "binary_medium", "binary_hard")

# Rows k = 0..16 of k/16 right answers, columns as CURVES; four decimals as printed in the reference.
OFFICIAL_TABLE = np.array(
    [
        [0.0000, 0.0000, 0.2500, 0, 0, 0],
        [0.1951, 0.1951, 1.0000, 0, 0, 1],
        [0.3827, 0.3827, 1.0000, 0, 0, 1],
        [0.5556, 0.5556, 1.0000, 0, 0, 1],
        [0.7071, 0.7071, 1.0000, 0, 1, 1],
        [0.8315, 0.8315, 1.0000, 0, 1, 1],
        [0.9239, 0.9239, 1.0000, 0, 1, 1],
        [0.9808, 0.9808, 1.0000, 0, 1, 1],
        [1.0000, 1.0000, 1.0000, 1, 1, 1],
        [1.0000, 0.9808, 0.9808, 1, 1, 0],
        [1.0000, 0.9239, 0.9239, 1, 1, 0],
        [1.0000, 0.8315, 0.8315, 1, 1, 0],
        [1.0000, 0.7071, 0.7071, 1, 1, 0],
        [1.0000, 0.5556, 0.5556, 1, 0, 0],
        [1.0000, 0.3827, 0.3827, 1, 0, 0],
        [1.0000, 0.1951, 0.1951, 1, 0, 0],
        [1.0000, 0.0000, 0.0000, 1, 0, 0],
    ]
)


def _by_definition(curve: str, k: int) -> float:
    """The paper's definition in whole numbers of sixteenths, written apart from the code under test."""
    if k == 0:
        return 0.25 if curve == "hard" else 0.0
    sine = math.sin(math.pi * k / 16)
    return {
        "easy": sine if k < 8 else 1.0,
        "medium": sine,
        "hard": 1.0 if k <= 8 else sine,
        "binary_easy": float(k >= 8),
        "binary_medium": float(4 <= k <= 12),
        "binary_hard": float(k <= 8),
    }[curve]


def test_the_official_table_holds_to_its_printed_digits():
    rates = np.arange(17) / 16
    ours = np.stack([difficulty_weights(rates, curve) for curve in CURVES], axis=1)
    np.testing.assert_allclose(ours, OFFICIAL_TABLE, atol=5e-5)


@pytest.mark.parametrize("curve", CURVES)
def test_every_point_equals_the_definition_to_1e_12(curve):
    ours = difficulty_weights(np.arange(17) / 16, curve)
    theirs = [_by_definition(curve, k) for k in range(17)]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_official_names_mean_the_same_curves():
    rates = np.linspace(0, 1, 33)
    for official, ours in zip(("s_3", "s_2", "s_1", "h_3", "h_2", "h_1"), CURVES, strict=True):
        np.testing.assert_array_equal(difficulty_weights(rates, official), difficulty_weights(rates, ours))


def test_unsolved_replaces_the_weight_at_zero_only():
    rates = np.arange(17) / 16
    paper = difficulty_weights(rates, "binary_hard", unsolved=1.0)
    code = difficulty_weights(rates, "binary_hard")
    assert paper[0] == 1.0 and code[0] == 0.0
    np.testing.assert_array_equal(paper[1:], code[1:])


def test_dylr_without_a_curve_weighs_only_unsolved_prompts_down():
    np.testing.assert_array_equal(difficulty_weights([0, 0.5, 1], "uniform", unsolved=0.25), [0.25, 1, 1])


def test_an_unknown_curve_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'medium'"):
        weight_curve("mediun")


def test_pass_rates_outside_the_unit_interval_are_refused():
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            difficulty_weights([0.5, bad], "easy")


def test_weights_stay_in_the_unit_interval_for_any_group_size():
    for size in range(1, 40):
        for curve in WEIGHT_CURVES:
            weights = difficulty_weights(np.arange(size + 1) / size, curve)
            assert np.all(weights >= 0) and np.all(weights <= 1), (curve, size)


def test_effective_groups_counts_equal_weights_and_ignores_zeros():
    assert effective_groups([0.3, 0.3, 0.3, 0.0]) == pytest.approx(3.0)
    assert effective_groups([1.0, 1e-9]) == pytest.approx(1.0)
    assert effective_groups([0.0, 0.0]) == 0.0
