"""Rewards of answers: format, length (DyLR), repetition, overlong.

Everything here is a pure function over a table of P prompts by G answers. Lengths are in response tokens
with the end token counted. Sources: VL-Cogito (arXiv 2507.22607, equations 5 to 7) and its official code;
they differ, and `form` says which one is meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cogito_core.console import CogitoError
from cogito_core.plugins import load_object

Array = npt.NDArray[np.float64]

_FORMAT = re.compile(r"<think>.*</think>\s*<answer>.*</answer>", re.DOTALL)


def format_reward(text: str) -> float:
    """1 if the whole text is `<think>...</think>`, optional white space, `<answer>...</answer>`, else 0.

    Strict as in the official code: text before the first or after the last tag fails.
    """
    return 1.0 if _FORMAT.fullmatch(text) else 0.0


def repetition_penalty(text: str, *, n: int = 20, strength: float = 0.5) -> float:
    """-strength * (1 - distinct / total n-grams) over lower-cased words; 0 for fewer than n words.

    In (-strength, 0]. Source: Yeo et al. 2025 (arXiv 2502.03373) as in the official code.
    """
    words = text.lower().split()
    total = len(words) - n + 1
    if total <= 0:
        return 0.0
    distinct = len({tuple(words[i : i + n]) for i in range(total)})
    return -strength * (1.0 - distinct / total)


def length_targets(lengths: npt.ArrayLike, correct: npt.ArrayLike, *, max_target: float) -> Array:
    """Target length of each prompt, shape (P,): mean length of its right answers, `max_target` if it has
    none.
    """
    length, right = _table(lengths), np.asarray(correct, dtype=bool)
    count = right.sum(axis=1)
    total = np.where(right, length, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), float(max_target))


def dynamic_length_reward(
    lengths: npt.ArrayLike,
    correct: npt.ArrayLike,
    *,
    max_target: float = 750,
    limit: float = 4096,
    form: str = "code",
) -> Array:
    """DyLR: length reward of each answer, shape (P, G).

    Let L be an answer's length and T the prompt's target (`length_targets`).

    form="code" (the official code; the default). Right answers get 0. Wrong answers of a prompt that some
    answer solved: -0.25 (1 + cos(pi L / T)) below 2T, -0.5 from there on; so 0 at the target and -0.5 far
    from it on both sides. Wrong answers of an unsolved prompt: -0.125 (1 + cos(pi L / max_target)) below
    `max_target`, then 0, then -0.25 from `limit` on, where the answer was cut off.

    form="paper" (equation 5 and 6, taken literally). Every answer, right or wrong: -1 + (1 - cos(pi L / T))
    / 2, which is 0 at the target and -1 at 0 and at 2T, and periodic beyond.

    Raises ValueError for another form, a target that is not positive, or tables of different shapes.
    """
    length, right = _table(lengths), np.asarray(correct, dtype=bool)
    if right.shape != length.shape:
        raise ValueError(f"lengths are {length.shape} and correct is {right.shape}; both must be (prompts, samples)")
    if max_target <= 0:
        raise ValueError("max_target must be above 0 tokens")
    # An answer has at least one token; the floor keeps a table of zeros from dividing by zero.
    target = np.maximum(length_targets(length, right, max_target=max_target), 1e-9)[:, None]
    if form == "paper":
        return -1.0 + 0.5 * (1.0 - np.cos(math.pi * length / target))
    if form != "code":
        raise ValueError(f"no length reward form '{form}' (there are code and paper)")
    near = -0.25 * (1.0 + np.cos(math.pi * length / target))
    mixed = np.where(length < 2 * target, near, -0.5)
    unsolved = fixed_length_reward(length, np.zeros_like(right), max_target=max_target, limit=limit)
    solved = right.any(axis=1, keepdims=True)
    return np.where(right, 0.0, np.where(solved, mixed, unsolved))


def fixed_length_reward(
    lengths: npt.ArrayLike, correct: npt.ArrayLike, *, max_target: float = 750, limit: float = 4096
) -> Array:
    """The fixed-target baseline of figure 3, shape (P, G), as the official code has it.

    Wrong answers: -0.125 (1 + cos(pi L / max_target)) below `max_target`, 0 from there on. Any answer that
    reaches `limit`, right or wrong, gets -0.25.
    """
    length, right = _table(lengths), np.asarray(correct, dtype=bool)
    rising = -0.125 * (1.0 + np.cos(math.pi * length / max_target))
    reward = np.where(right | (length >= max_target), 0.0, rising)
    return np.where(length >= limit, -0.25, reward)


def soft_overlong_penalty(lengths: npt.ArrayLike, *, limit: float, buffer: float) -> Array:
    """DAPO's soft overlong punishment (arXiv 2503.14476, equation 13), same shape as `lengths`.

    0 up to limit - buffer, then linear down to -1 at `limit`, -1 beyond.
    """
    if not 0 < buffer <= limit:
        raise ValueError("the overlong buffer must be above 0 and at most the limit")
    length = np.asarray(lengths, dtype=np.float64)
    return -np.clip((length - (limit - buffer)) / buffer, 0.0, 1.0)


@dataclass(frozen=True)
class RewardRule:
    """Which parts the reward of a stage has, and their factors (equation 7: alpha 1, beta 0.5, gamma 1)."""

    accuracy: float = 1.0
    format: float = 0.5
    length: str = "none"  # none, dynamic, dynamic_paper, fixed
    length_factor: float = 1.0
    max_target: float = 750.0
    repetition: float = 0.0  # strength of the penalty on wrong answers; 0.5 with DyLR in the official code
    repetition_ngram: int = 20
    overlong_buffer: float = 0.0  # 0 switches DAPO's soft overlong penalty off
    limit: float = 4096.0
    own: dict[str, float] = field(default_factory=dict)  # FILE.py:NAME -> factor, see `own_reward`


@dataclass
class RewardTable:
    """Rewards of P prompts by G answers: the total and every part of it, each (P, G), parts already scaled."""

    total: Array
    parts: dict[str, Array] = field(default_factory=dict)


def reward_table(
    correct: npt.ArrayLike, texts: Sequence[Sequence[str]], lengths: npt.ArrayLike, rule: RewardRule
) -> RewardTable:
    """Total reward of each answer and its parts.

    `correct` (P, G) holds the verifier's verdicts, `texts` the answers as text, `lengths` (P, G) their
    tokens.
    """
    right, length = np.asarray(correct, dtype=bool), _table(lengths)
    parts = {
        "accuracy": rule.accuracy * right.astype(np.float64),
        "format": rule.format * np.array([[format_reward(text) for text in row] for row in texts]),
    }
    if rule.length == "fixed":
        parts["length"] = rule.length_factor * fixed_length_reward(
            length, right, max_target=rule.max_target, limit=rule.limit
        )
    elif rule.length != "none":
        form = {"dynamic": "code", "dynamic_paper": "paper"}[rule.length]
        parts["length"] = rule.length_factor * dynamic_length_reward(
            length, right, max_target=rule.max_target, limit=rule.limit, form=form
        )
    if rule.repetition > 0:
        scores = [
            [
                0.0 if ok else repetition_penalty(text, n=rule.repetition_ngram, strength=rule.repetition)
                for text, ok in zip(row, oks, strict=True)
            ]
            for row, oks in zip(texts, right, strict=True)
        ]
        parts["repetition"] = np.array(scores, dtype=np.float64)
    if rule.overlong_buffer > 0:
        parts["overlong"] = soft_overlong_penalty(length, limit=rule.limit, buffer=rule.overlong_buffer)
    for reference, factor in rule.own.items():
        parts[reference.rpartition(":")[2]] = factor * own_reward(reference, right, texts, length)
    total = np.sum(np.stack(list(parts.values())), axis=0)
    return RewardTable(total=total, parts=parts)


def own_reward(
    reference: str, correct: npt.NDArray[np.bool_], texts: Sequence[Sequence[str]], lengths: Array
) -> Array:
    """The table (P, G) that a function of the user's own gives for (correct (P, G), texts, lengths (P, G)).

    `reference` names it: `FILE.py:NAME` or `package.module:NAME`.

    Raises:
        CogitoError: there is no such function, or what it returns is no finite (P, G) table.
    """
    found = np.asarray(load_object(reference)(correct, texts, lengths), dtype=np.float64)
    wanted = correct.shape
    if found.shape != wanted or not np.all(np.isfinite(found)):
        raise CogitoError(f"the reward {reference} must give finite numbers of shape {wanted}, not {found.shape}")
    return found


def _table(lengths: npt.ArrayLike) -> Array:
    table = np.asarray(lengths, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"expected a table of prompts by samples, got {table.ndim} dimensions")
    return table
