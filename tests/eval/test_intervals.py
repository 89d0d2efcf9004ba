"""Error bars against independent references: published tables, closed forms, and simulation."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from cogito_eval.intervals import (
    Estimate,
    average_difference,
    average_of,
    clopper_pearson,
    exact_mcnemar,
    mcnemar_interval,
    mean_estimate,
    paired_difference,
    student_quantile,
    student_tail,
    wilson,
)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score, no continuity correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_newcombes_table(right, n, low, high):
    found = wilson(right, n)
    assert found[0] == pytest.approx(low, abs=5e-5)
    assert found[1] == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize(
    ("p", "df", "t"),
    # Standard table of Student's t.
    [(0.975, 1, 12.7062), (0.975, 4, 2.7764), (0.975, 10, 2.2281), (0.975, 30, 2.0423), (0.995, 5, 4.0321)],
)
def test_students_t_agrees_with_the_tables(p, df, t):
    assert student_quantile(p, df) == pytest.approx(t, abs=5e-5)
    assert student_tail(t, df) == pytest.approx(1 - p, rel=1e-4)


def test_student_tail_agrees_with_direct_integration():
    for df, t in ((3, 1.3), (7, 2.5), (60, 0.4)):
        x = np.linspace(t, 400, 4_000_001)
        front = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
        density = front * (1 + x * x / df) ** (-(df + 1) / 2)
        assert student_tail(t, df) == pytest.approx(float(np.trapezoid(density, x)), rel=2e-3)


def test_mcnemar_is_the_binomial_sum():
    for won, lost in itertools.product(range(7), range(7)):
        n = won + lost
        tosses = [sum(flips) for flips in itertools.product((0, 1), repeat=n)]
        extreme = sum(min(s, n - s) <= min(won, lost) for s in tosses) / len(tosses)
        assert exact_mcnemar(won, lost) == pytest.approx(min(1.0, extreme) if won != lost else 1.0)
    assert exact_mcnemar(10, 2) == pytest.approx(2 * (1 + 12 + 66) / 4096)


def test_mcnemar_of_many_pairs_joins_smoothly():
    assert exact_mcnemar(520, 480) == pytest.approx(exact_mcnemar(521, 480), rel=0.1)
    assert 0 < exact_mcnemar(3000, 2500) < 1e-9


def test_independent_answers_get_wilsons_interval():
    values = [1.0] * 70 + [0.0] * 30
    assert mean_estimate(values).ci95 == pytest.approx(wilson(70, 100))


def test_answers_in_clusters_of_copies_count_once():
    """Ten copies of every answer carry no more information than one."""
    rng = random.Random(3)
    single = [float(rng.random() < 0.6) for _ in range(200)]
    copied = [value for value in single for _ in range(10)]
    names = [i for i in range(200) for _ in range(10)]
    alone, together = mean_estimate(single), mean_estimate(copied, names)
    assert together.clusters == 200 and together.n == 2000
    width = alone.ci95[1] - alone.ci95[0]
    assert together.ci95[1] - together.ci95[0] == pytest.approx(width, rel=0.03)


def test_cluster_interval_covers_the_truth():
    """95% intervals over simulated clustered questions hold the true share in about 95% of draws."""
    rng = np.random.default_rng(11)
    covered = naive = 0
    for _ in range(600):
        shares = rng.beta(1.2, 0.8, size=60)
        answers = (rng.random((60, 6)) < shares[:, None]).astype(float)
        names = np.repeat(np.arange(60), 6)
        low, high = mean_estimate(answers.ravel().tolist(), names.tolist()).ci95
        covered += low <= 0.6 <= high
        low, high = wilson(answers.sum(), answers.size)
        naive += low <= 0.6 <= high
    assert 0.925 <= covered / 600 <= 0.98
    assert naive / 600 < 0.85


def test_interval_does_not_depend_on_the_order():
    values, names = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0], ["a", "a", "b", "c", "c", "d"]
    base = mean_estimate(values, names)
    for order in itertools.islice(itertools.permutations(range(6)), 0, 720, 37):
        again = mean_estimate([values[i] for i in order], [names[i] for i in order])
        assert again.ci95 == pytest.approx(base.ci95)


def test_all_right_in_few_clusters_is_not_certainty():
    low, high = mean_estimate([1.0] * 100, ["one"] * 100).ci95
    assert low < 0.3 and high == 1.0


def test_pairing_removes_what_both_share():
    rng = random.Random(5)
    before = [float(rng.random() < 0.5) for _ in range(400)]
    after = [1.0 if value or rng.random() < 0.1 else 0.0 for value in before]
    found = paired_difference(before, after)
    unpaired = math.hypot(*(0.5 / math.sqrt(400),) * 2) * 1.96
    assert found.test == "exact McNemar"
    assert (found.ci95[1] - found.ci95[0]) / 2 < 0.6 * unpaired
    assert found.ci95[0] > 0 and found.p_value < 1e-3


def test_difference_is_antisymmetric():
    before, after = [1, 0, 0, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1, 1]
    one, other = paired_difference(before, after), paired_difference(after, before)
    assert one.value == pytest.approx(-other.value)
    assert one.ci95 == pytest.approx((-other.ci95[1], -other.ci95[0]))
    assert one.p_value == pytest.approx(other.p_value)


def test_t_test_of_several_samples_agrees_with_numpy():
    rng = np.random.default_rng(2)
    before, after = rng.integers(0, 9, 50) / 8, rng.integers(0, 9, 50) / 8
    found = paired_difference(before.tolist(), after.tolist())
    gains = after - before
    error = gains.std(ddof=1) / math.sqrt(50)
    assert found.test == "paired t over clusters"
    assert found.value == pytest.approx(gains.mean())
    assert found.p_value == pytest.approx(2 * student_tail(abs(gains.mean()) / error, 49))
    assert found.ci95[1] - found.value == pytest.approx(2.009575 * error, rel=1e-5)


def test_identical_runs_differ_by_nothing():
    found = paired_difference([1, 0, 1], [1, 0, 1])
    assert found.value == 0 and found.p_value == 1.0 and found.ci95[0] < 0 < found.ci95[1]


@pytest.mark.parametrize("clusters", [None, [0, 0, 1, 1, 2, 2, 3, 3]])
def test_identical_runs_are_not_known_to_be_equal(clusters):
    values = [1, 0, 0.5, 1, 1, 0, 0, 1] if clusters else [1, 0, 1, 1, 1, 0, 0, 1]
    found = paired_difference(values, values, clusters)
    assert (found.value, found.p_value) == (0, 1.0)
    assert found.ci95[0] == pytest.approx(-found.ci95[1]) and 0.2 < found.ci95[1] < 0.8


def test_the_interval_excludes_0_exactly_if_the_exact_test_does():
    rng = random.Random(8)
    tables = [(won, lost, won + lost + rng.choice([1, 4, 400])) for won in range(22) for lost in range(22)]
    tables += [(won, 500 - won, 3000) for won in range(200, 300, 7)]
    for won, lost, n in tables:
        low, high = mcnemar_interval(won, lost, n)
        assert (low > 0 or high < 0) == (exact_mcnemar(won, lost) < 0.05), (won, lost, n)
        assert -1 <= low <= (won - lost) / n <= high <= 1
        other = mcnemar_interval(lost, won, n)
        assert (low, high) == pytest.approx((-other[1], -other[0]))


def test_interval_and_p_value_agree_for_clusters_samples_and_averages():
    rng = random.Random(9)
    verdicts = set()
    for _ in range(400):
        n, k, gain = rng.randint(2, 30), rng.choice([1, 1, 4]), rng.random() * 0.6
        before = [rng.randint(0, k) / k for _ in range(n)]
        after = [min(1.0, value + (rng.random() < gain)) for value in before]
        clusters = [rng.randrange(1 + n // 2) for _ in range(n)] if rng.random() < 0.5 else None
        alike = rng.random() < 0.2
        found = paired_difference([0.0] * n, [after[0]] * n, range(n)) if alike else paired_difference(
            before, after, clusters)
        for one in (found, average_difference([found], weighted=False)):
            excludes = one.ci95[0] > 0 or one.ci95[1] < 0
            assert excludes == (one.p_value < 0.05), (one, before, after, clusters)
            verdicts.add((one.test, excludes))
    assert len(verdicts) == 8


def test_clopper_pearson_inverts_the_binomial_sum():
    for n, right in ((12, 3), (40, 40), (7, 0), (300, 290)):
        low, high = clopper_pearson(right, n)
        shares = [math.comb(n, i) for i in range(n + 1)]
        at_least = sum(shares[i] * low**i * (1 - low) ** (n - i) for i in range(right, n + 1))
        at_most = sum(shares[i] * high**i * (1 - high) ** (n - i) for i in range(right + 1))
        assert low == 0 if right == 0 else at_least == pytest.approx(0.025)
        assert high == 1 if right == n else at_most == pytest.approx(0.025)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("n", "won", "lost"), [(30, 0.3, 0.1), (60, 0.05, 0.05), (200, 0.15, 0.08)])
def test_the_paired_interval_covers_the_truth(n, won, lost):
    draws = np.random.default_rng(12).multinomial(n, [won, lost, 1 - won - lost], size=500)
    found = {(b, c): mcnemar_interval(b, c, n) for b, c in {(int(b), int(c)) for b, c, _ in draws}}
    held = [found[int(b), int(c)][0] <= won - lost <= found[int(b), int(c)][1] for b, c, _ in draws]
    assert sum(held) / len(held) >= 0.94


def test_averages_combine_errors_in_quadrature():
    parts = [Estimate(0.5, (0.4, 0.6), 100, 100), Estimate(0.7, (0.6, 0.8), 300, 300)]
    plain, weighted = average_of(parts, weighted=False), average_of(parts, weighted=True)
    assert plain.value == pytest.approx(0.6) and weighted.value == pytest.approx(0.65)
    assert plain.ci95[1] - plain.value == pytest.approx(math.hypot(0.05, 0.05))
    assert weighted.ci95[1] - weighted.value == pytest.approx(math.hypot(0.025, 0.075))


def test_average_difference_of_two_benchmarks():
    one = paired_difference([0, 0, 1, 0] * 25, [1, 0, 1, 0] * 25)
    both = average_difference([one, one], weighted=False)
    assert both.value == pytest.approx(one.value)
    assert both.ci95[1] - both.ci95[0] == pytest.approx((one.ci95[1] - one.ci95[0]) / math.sqrt(2))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="cluster names"):
        mean_estimate([1.0, 0.0], ["a"])
    with pytest.raises(ValueError, match="paired"):
        paired_difference([1.0], [])
