"""Error bars of proportions and of paired differences, with the standard library alone.

Sources: E. B. Wilson, JASA 22 (1927) for the score interval; L. Kish, *Survey Sampling* (1965), for the design
effect of clustered questions; E. Korn and B. Graubard, *Survey Methodology* 24 (1998), for the effective sample
size with Student's t; Q. McNemar, *Psychometrika* 12 (1947), in its exact form; C. Clopper and E. Pearson,
*Biometrika* 26 (1934), for the interval that inverts it; G. Zou and A. Donner, *Statistics in Medicine* 27 (2008),
for the recovery of variances from the limits of two intervals.

An interval of a difference excludes 0 exactly if its p-value is below 0.05: both come from one model of chance.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import NamedTuple

Interval = tuple[float, float]
_LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean of values in [0, 1] with its 95% interval; `n` items in `clusters` independent groups."""

    value: float
    ci95: Interval
    n: int
    clusters: int


class Difference(NamedTuple):
    """Mean of B minus A over paired questions, with 95% interval, two-sided p-value and the test's name."""

    value: float
    ci95: Interval
    p_value: float
    n: int
    clusters: int
    test: str


def wilson(right: float, n: float, *, z: float | None = None) -> Interval:
    """Wilson score interval of `right` successes in `n` trials (both may be fractional). `n` = 0 gives (0, 1)."""
    if n <= 0:
        return (0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + _LEVEL / 2) if z is None else z
    share = right / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (centre - half) / scale, (centre + half) / scale
    # At the edges the bound is exact; rounding must not put the share outside its own interval.
    return (0.0 if share <= 0 else max(0.0, min(low, share)), 1.0 if share >= 1 else min(1.0, max(high, share)))


def mean_estimate(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Estimate:
    """Mean of `values` (each in [0, 1]) with a 95% interval that allows for questions sharing a cluster.

    The cluster-robust variance gives a design effect; the interval is Wilson's with the effective sample size
    n_eff = n / deff, reduced by (z / t)^2 where there are few clusters (Korn and Graubard). Independent 0/1 values
    give Wilson's own interval. Where all values agree the number of clusters stands for the sample size.

    Raises ValueError where `clusters` is given with another length.
    """
    n = len(values)
    if clusters is not None and len(clusters) != n:
        raise ValueError(f"{n} values but {len(clusters)} cluster names")
    if n == 0:
        return Estimate(math.nan, (0.0, 1.0), 0, 0)
    mean = math.fsum(values) / n
    groups = _group_sums(values, clusters, mean)
    count = len(groups)
    binary = all(value in (0, 1) for value in values)
    if count == n and binary:
        return Estimate(mean, wilson(mean * n, n), n, n)
    spread = mean * (1 - mean)
    variance = _cluster_variance(groups, n)
    if spread <= 0 or variance <= 0:
        return Estimate(mean, wilson(mean * count, count), n, count)
    effective = spread / variance
    z = NormalDist().inv_cdf(0.5 + _LEVEL / 2)
    effective *= (z / student_quantile(0.5 + _LEVEL / 2, count - 1)) ** 2
    return Estimate(mean, wilson(mean * effective, effective), n, count)


def paired_difference(
    before: Sequence[float], after: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> Difference:
    """`after` minus `before`, question by question: the mean difference, its 95% interval and a p-value.

    Single answers to independent questions: exact McNemar, and the interval that goes with it. Means of k answers,
    or questions that share a cluster: Student's t on the clusters' sums of differences; where every cluster differs
    by the same amount (so where the runs are identical) an exact bound on the clusters that were not seen.

    Raises ValueError where the sequences differ in length or are empty.
    """
    n = len(before)
    if n == 0 or len(after) != n:
        raise ValueError(f"paired values must be as many on both sides, got {n} and {len(after)}")
    if clusters is not None and len(clusters) != n:
        raise ValueError(f"{n} values but {len(clusters)} cluster names")
    gains = [b - a for a, b in zip(before, after, strict=True)]
    mean = math.fsum(gains) / n
    groups = _group_sums(gains, clusters, mean)
    count = len(groups)
    if count == n and all(value in (0, 1) for value in (*before, *after)):
        won, lost = gains.count(1), gains.count(-1)
        return Difference(mean, mcnemar_interval(won, lost, n), exact_mcnemar(won, lost), n, n, "exact McNemar")
    variance = _cluster_variance(groups, n) if count > 1 else 0.0
    if variance <= 0:
        interval, p_value = _alike(mean, count)
        return Difference(mean, interval, p_value, n, count, "clusters all alike")
    error = math.sqrt(variance)
    half = student_quantile(0.5 + _LEVEL / 2, count - 1) * error
    p_value = 2 * student_tail(abs(mean) / error, count - 1)
    interval = (max(-1.0, mean - half), min(1.0, mean + half))
    return Difference(mean, interval, min(1.0, p_value), n, count, "paired t over clusters")


def exact_mcnemar(won: int, lost: int) -> float:
    """Two-sided exact McNemar p-value: discordant pairs are fair coin tosses under the null hypothesis."""
    tosses, few = won + lost, min(won, lost)
    if tosses == 0:
        return 1.0
    if tosses <= 1000:
        tail = sum(math.comb(tosses, i) for i in range(few + 1)) / 2**tosses
    else:
        tail = math.fsum(math.exp(_log_binomial(tosses, i)) for i in range(few + 1))
    return min(1.0, 2 * tail)


def mcnemar_interval(won: int, lost: int, n: int) -> Interval:
    """95% interval of (won - lost) / n for n pairs: it excludes 0 exactly if `exact_mcnemar` is below 0.05.

    The difference is a product: the share of pairs that are discordant (Wilson's interval) times the balance among
    them, 2 * won / (won + lost) - 1, whose Clopper-Pearson interval inverts the exact test. Zou and Donner's method
    puts the two together: the distances of both limits from their estimates, at the limit of the balance, are added
    as squares. The result has the sign of the balance's limit, since the first distance alone is the way to 0 where
    that limit is 0, and the second is weighted with it.
    """
    discordant = won + lost
    share = discordant / n
    share_low, share_high = wilson(discordant, n)
    low, high = (2 * bound - 1 for bound in clopper_pearson(won, discordant))
    balance = (won - lost) / discordant if discordant else 0.0

    def distance(limit: float, other: float) -> float:
        return math.hypot(share * (balance - limit), limit * (other - share))

    mean = (won - lost) / n
    below = distance(low, share_low if low > 0 else share_high)
    above = distance(high, share_high if high > 0 else share_low)
    return (max(-1.0, mean - below), min(1.0, mean + above))


def clopper_pearson(right: int, n: int) -> Interval:
    """Exact 95% interval of a share: all shares that neither one-sided binomial test refuses at 2.5%.

    The lower limit p solves P(X >= right | p) = I_p(right, n - right + 1) = 0.025. `n` = 0 gives (0, 1).
    """
    low = 0.0 if right == 0 else _beta_quantile((1 - _LEVEL) / 2, right, n - right + 1)
    high = 1.0 if right == n else _beta_quantile((1 + _LEVEL) / 2, right + 1, n - right)
    return (low, high)


def student_tail(t: float, df: int) -> float:
    """P(T > t) for t >= 0 and `df` degrees of freedom."""
    return 0.5 * _beta_share(df / 2, 0.5, df / (df + t * t))


def student_quantile(p: float, df: int) -> float:
    """The t with P(T <= t) = p, for 0.5 <= p < 1, by bisection; infinite without degrees of freedom."""
    if df < 1:
        return math.inf
    low, high = 0.0, 1.0
    while student_tail(high, df) > 1 - p:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, df) > 1 - p else (low, middle)
    return (low + high) / 2


def average_of(estimates: Sequence[Estimate], *, weighted: bool) -> Estimate:
    """Average of independent scores with its 95% interval: plain, or weighted by the number of questions.

    Each score's standard error is read back from the width of its own interval.
    """
    if not estimates:
        return Estimate(math.nan, (0.0, 1.0), 0, 0)
    total = sum(item.n for item in estimates)
    weights = [item.n / total if weighted else 1 / len(estimates) for item in estimates]
    mean = math.fsum(w * item.value for w, item in zip(weights, estimates, strict=True))
    below = math.hypot(*(w * (item.value - item.ci95[0]) for w, item in zip(weights, estimates, strict=True)))
    above = math.hypot(*(w * (item.ci95[1] - item.value) for w, item in zip(weights, estimates, strict=True)))
    return Estimate(mean, (mean - below, mean + above), total, sum(item.clusters for item in estimates))


def average_difference(parts: Sequence[Difference], *, weighted: bool) -> Difference:
    """Average of independent paired differences, with interval and normal p-value.

    As in `average_of`, each side's standard error is read back from the limit of the part's own interval.
    """
    total = sum(part.n for part in parts)
    weights = [part.n / total if weighted else 1 / len(parts) for part in parts]
    mean = math.fsum(w * part.value for w, part in zip(weights, parts, strict=True))
    below = math.hypot(*(w * (part.value - part.ci95[0]) for w, part in zip(weights, parts, strict=True)))
    above = math.hypot(*(w * (part.ci95[1] - part.value) for w, part in zip(weights, parts, strict=True)))
    # The error on the side of 0 is the one that says whether the interval reaches it.
    error = (below if mean > 0 else above) / NormalDist().inv_cdf(0.5 + _LEVEL / 2)
    p_value = 2 * NormalDist().cdf(-abs(mean) / error) if error > 0 else float(mean == 0)
    clusters = sum(part.clusters for part in parts)
    return Difference(mean, (mean - below, mean + above), p_value, total, clusters, "sum of independent benchmarks")


def _group_sums(values: Sequence[float], clusters: Sequence[Hashable] | None, mean: float) -> list[float]:
    """Sum of deviations from `mean` in each cluster, in order of first appearance."""
    if clusters is None:
        return [value - mean for value in values]
    sums: dict[Hashable, float] = {}
    for name, value in zip(clusters, values, strict=True):
        sums[name] = sums.get(name, 0.0) + value - mean
    return list(sums.values())


def _cluster_variance(sums: Sequence[float], n: int) -> float:
    """Cluster-robust variance of a mean of `n` values, with the usual G / (G - 1) correction."""
    count = len(sums)
    if count < 2:
        return 0.25
    variance = count / (count - 1) * math.fsum(value * value for value in sums) / (n * n)
    return variance if variance > 1e-18 else 0.0


def _alike(gain: float, clusters: int) -> tuple[Interval, float]:
    """Interval and p-value where each of `clusters` independent clusters differs by the same `gain`.

    At least a share s of all clusters is like them, where s^clusters = 0.025 (Clopper-Pearson for as many of as
    many), and the rest may have any difference from -1 to 1. The p-value is the level at which that interval
    reaches 0.
    """
    seen = ((1 - _LEVEL) / 2) ** (1 / clusters)
    middle, rest = seen * gain, 1 - seen
    return (max(-1.0, middle - rest), min(1.0, middle + rest)), min(1.0, 2 * (1 + abs(gain)) ** -clusters)


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)


def _beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_share(a, b, middle) < p else (low, middle)
    return (low + high) / 2


def _beta_share(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b) by Lentz's continued fraction (Abramowitz-Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 400):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + numerator * d, tiny)
            c = _away_from_zero(1 + numerator / c, tiny)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(log_front) * fraction / a


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
