"""Group-relative advantages over a table of P prompts by G answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SCALES = ("group", "batch", "none")


def group_advantages(rewards: npt.ArrayLike, *, scale: str = "group", eps: float = 1e-6) -> Array:
    """Advantage of each answer, shape (P, G): reward minus the group's mean, over a spread.

    scale="group" divides by the group's unbiased standard deviation (n - 1) plus `eps`: GRPO (arXiv
    2402.03300) as the official VL-Cogito code and DAPO have it. scale="none" does not divide: Dr. GRPO
    (arXiv 2503.20783). scale="batch" divides by the unbiased standard deviation of all rewards of the
    table.

    A group whose rewards are all equal gets exactly 0. Raises ValueError for fewer than two answers per
    prompt, for rewards that are not finite, and for another scale.
    """
    table = np.asarray(rewards, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(
            f"a group advantage needs a (prompts, samples) table with 2 samples or more, got {table.shape}"
        )
    if not np.all(np.isfinite(table)):
        raise ValueError("a reward is not a finite number")
    centred = table - table.mean(axis=1, keepdims=True)
    if scale == "group":
        centred = centred / (table.std(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "batch":
        centred = centred / (table.std(ddof=1) + eps)
    elif scale != "none":
        raise ValueError(f"no advantage scale '{scale}' (there are {', '.join(SCALES)})")
    # The mean of equal floats can miss them by one rounding step, which a division by eps would blow up.
    return np.where(has_signal(table)[:, None], centred, 0.0)


def has_signal(rewards: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether the answers of each prompt differ in reward at all, shape (P,). DAPO's dynamic sampling keeps
    these.
    """
    table = np.asarray(rewards, dtype=np.float64)
    return table.max(axis=1) > table.min(axis=1)


def weighted_advantages(advantages: npt.ArrayLike, weights: npt.ArrayLike) -> Array:
    """ODSW: the weight of each prompt, shape (P,), times its normalised advantages, shape (P, G)."""
    return np.asarray(advantages, dtype=np.float64) * np.asarray(weights, dtype=np.float64)[:, None]
