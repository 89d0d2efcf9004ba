"""How much a pass rate over a few trials, and a rewrite by rule, can be trusted: said wherever one is shown."""

from __future__ import annotations

from math import comb


def chance_of_keep(p: float, trials: int, low: int, high: int) -> float:
    """Probability that a question with true pass rate `p` is kept: binomial, low <= right <= high.

    >>> round(1 - chance_of_keep(0.6, 8, 0, 4), 2)
    0.59
    """
    return sum(comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(low, high + 1))


def upper_bound_of_none(trials: int, confidence: float = 0.95) -> float:
    """The pass rate a question that was never solved may still have (one-sided, exact).

    >>> round(upper_bound_of_none(8), 2)
    0.31
    """
    return 1 - (1 - confidence) ** (1 / trials)


NOTE_ON_NOISE = (
    "A share of 8 trials is noisy: its standard deviation is 0.18 at a true rate of 0.5; a question with a true "
    f"rate of 0.6 is dropped {1 - chance_of_keep(0.6, 8, 0, 4):.0%} of the time, one of 0.4 "
    f"{1 - chance_of_keep(0.4, 8, 0, 4):.0%}. No right answer of 8 bounds the true rate at "
    f"{upper_bound_of_none(8):.0%}. A guesser solves half of all yes/no questions: compare rates within one format."
)

NOTE_ON_REWRITES = (
    "How often a rule is wrong was measured by reading: of 200 rewrites of real records, drawn by seed over every "
    "source and rule, 1 was wrong (0.5 %, 95 % interval 0.1-2.8 %) and 2 were doubtful; the rules were narrowed "
    "after it (docs/data.md)."
)
