"""Online difficulty soft weighting (ODSW): one weight per prompt from its pass rate.

VL-Cogito (arXiv 2507.22607, section 4.2.1, equation 4). The weight multiplies the normalised advantage of
every token of every answer to the prompt. It does not touch the KL term, and the weights are not
renormalised.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WeightCurve:
    """A weight as a function of the pass rate.

    `shape` is defined for pass rates above zero; `unsolved` is the weight of a prompt that no answer solved.
    """

    description: str
    shape: Callable[[Array], Array]
    unsolved: float


def _hill(pass_rates: Array) -> Array:
    # The official code's spelling of sin(pi * p); kept so that both agree to the last bit.
    return np.cos((pass_rates - 0.5) * math.pi)


def _between(low: float, high: float) -> Callable[[Array], Array]:
    return lambda pass_rates: ((pass_rates >= low) & (pass_rates <= high)).astype(np.float64)


WEIGHT_CURVES: dict[str, WeightCurve] = {
    "uniform": WeightCurve("every prompt counts the same", np.ones_like, 1.0),
    "easy": WeightCurve("sin(pi p) below one half, then 1", lambda p: np.where(p < 0.5, _hill(p), 1.0), 0.0),
    "medium": WeightCurve("sin(pi p)", _hill, 0.0),
    "hard": WeightCurve(
        "1 up to one half, then sin(pi p); 0.25 if unsolved", lambda p: np.where(p > 0.5, _hill(p), 1.0), 0.25
    ),
    "binary_easy": WeightCurve("1 inside [0.5, 1]", _between(0.5, 1.0), 0.0),
    "binary_medium": WeightCurve("1 inside [0.25, 0.75]", _between(0.25, 0.75), 0.0),
    "binary_hard": WeightCurve("1 inside (0, 0.5]", _between(0.0, 0.5), 0.0),
}

# The names of the official scripts (`cur_type`), for people who port a configuration.
OFFICIAL_NAMES = {
    "s_3": "easy",
    "s_2": "medium",
    "s_1": "hard",
    "h_3": "binary_easy",
    "h_2": "binary_medium",
    "h_1": "binary_hard",
}


def weight_curve(name: str) -> WeightCurve:
    """The curve called `name` (ours or the official code's). Raises ValueError on any other name.

    The official code returns no weights for an unknown name and so trains plain GRPO without a word.
    """
    name = OFFICIAL_NAMES.get(name, name)
    if name not in WEIGHT_CURVES:
        near = difflib.get_close_matches(name, WEIGHT_CURVES, n=1)
        hint = f"; did you mean '{near[0]}'" if near else ""
        raise ValueError(f"no weight curve '{name}' (there are {', '.join(WEIGHT_CURVES)}){hint}")
    return WEIGHT_CURVES[name]


def difficulty_weights(pass_rates: npt.ArrayLike, curve: str = "uniform", *, unsolved: float | None = None) -> Array:
    """Weight of each prompt, same shape as `pass_rates` (shares of right answers in [0, 1]).

    `unsolved` replaces the curve's own weight at pass rate 0. The defaults are those of the official code:
    0.25 for `hard`, 1 for `uniform`, 0 for all others. The paper differs in one place: `binary_hard` is 1
    there. With DyLR and no curve the official code uses 0.25 too: `uniform` with `unsolved=0.25`.

    Raises ValueError for an unknown curve and for pass rates outside [0, 1].
    """
    rates = np.asarray(pass_rates, dtype=np.float64)
    if not np.all((rates >= 0.0) & (rates <= 1.0)):
        raise ValueError("pass rates must lie in [0, 1]")
    chosen = weight_curve(curve)
    zero_weight = chosen.unsolved if unsolved is None else unsolved
    return np.where(rates == 0.0, zero_weight, chosen.shape(rates))


def effective_groups(weights: npt.ArrayLike) -> float:
    """Kish's effective number of groups, (sum w)^2 / sum w^2; 0 if all weights are zero."""
    flat = np.asarray(weights, dtype=np.float64).ravel()
    squares = float(np.sum(flat**2))
    return float(np.sum(flat)) ** 2 / squares if squares > 0 else 0.0
