"""The one definition of the sampling distribution, and random numbers that belong to an answer, not to a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def uniforms(seeds: Sequence[int], steps: Sequence[int]) -> np.ndarray:
    """One number in [0, 1) for each (seed, step), float64 [n].

    SplitMix64 (Steele, Lea, Flood 2014) as a counter-based generator: the seed is mixed once, the step advances its
    counter. A draw depends on its own seed and step only, so neither batch nor order can change an answer.
    """
    seed = np.array([s & _MASK for s in seeds], dtype=np.uint64)
    step = np.asarray(steps, dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = _mix(_mix(seed + np.uint64(_GOLDEN)) + (step + np.uint64(1)) * np.uint64(_GOLDEN))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def sampling_logprobs(
    logits: torch.Tensor, temperature: float, banned: Sequence[int], top_p: float = 1.0
) -> torch.Tensor:
    """Log-probabilities answers are drawn from: float32 [..., vocabulary], -inf where a token cannot be drawn.

    log softmax(logits / temperature) over the tokens that are not banned, then cut to the smallest set of tokens that
    holds the share `top_p` and renormalised (Holtzman et al. 2020). Temperature 0 is greedy; its log-probabilities
    are those of temperature 1, as in vLLM. The trainer scores answers with this same function.
    """
    scores = logits.float()
    if temperature not in (0.0, 1.0):
        scores = scores / temperature
    if banned:
        forbidden = torch.tensor(list(banned), dtype=torch.long, device=scores.device)
        scores = scores.index_fill(-1, forbidden, float("-inf"))
    logprobs = scores.log_softmax(-1)
    if top_p < 1.0 and temperature > 0:
        ordered, order = logprobs.sort(dim=-1, descending=True)
        # A token stays if the tokens before it hold less than top_p: the most probable one always does.
        before = ordered.double().exp().cumsum(-1) - ordered.double().exp()
        kept = ordered.masked_fill(before >= top_p, float("-inf"))
        logprobs = logprobs.scatter(-1, order, kept).log_softmax(-1)
    return logprobs


def draw(logprobs: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Token drawn in each row by inverting the cumulative distribution: int64 [rows].

    Args:
        logprobs: [rows, vocabulary].
        uniform: float64 [rows] in [0, 1).
    """
    cumulative = logprobs.double().exp().cumsum(-1)
    target = (uniform.to(logprobs.device) * cumulative[:, -1]).unsqueeze(-1)
    # right=True steps over tokens of probability 0, whose cumulative value equals their predecessor's.
    token = torch.searchsorted(cumulative, target, right=True).squeeze(-1)
    last = cumulative.argmax(-1)  # first position of the total: the last token that can be drawn
    return torch.minimum(token, last)
