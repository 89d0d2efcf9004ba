"""Optimiser updates of one step: groups cut into micro-batches by tokens, one global normaliser an update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cogito_core.console import CogitoError
from cogito_core.engines.encode import Encoded
from cogito_train.loss import policy_loss, token_weights
from cogito_train.optim import apply_gradients
from cogito_train.parallel import World, full_tensor
from cogito_train.policy import Policy
from cogito_train.scoring import AnswerScorer, Scorer
from cogito_train.shared_forward import Group, PackedBatch


@dataclass
class TrainingGroup:
    """One prompt's answers with what the loss needs.

    `encode` gives the prompt when its micro-batch is due, so decoded pictures live only that long.
    advantages (G,) are final; engine_logprobs are per answer and token, or None; `keep` (G,) switches
    answers off.
    """

    encode: Callable[[], Encoded]
    num_prompt_tokens: int
    answers: list[tuple[int, ...]]
    advantages: np.ndarray
    engine_logprobs: list[tuple[float, ...]] | None
    keep: np.ndarray

    @property
    def num_tokens(self) -> int:
        """Tokens of the packed row."""
        return self.num_prompt_tokens + sum(len(answer) for answer in self.answers)

    def split(self, max_tokens: int) -> list[TrainingGroup]:
        """The group in parts of at most `max_tokens` tokens where it can: the prompt again with some of the answers.

        Long answers of one prompt may exceed a micro-batch together; the parts sum to the same update.
        """
        bounds, room = [0], max_tokens - self.num_prompt_tokens
        for index, answer in enumerate(self.answers):
            room -= len(answer)
            if room < 0 and index > bounds[-1]:
                bounds.append(index)
                room = max_tokens - self.num_prompt_tokens - len(answer)
        ends = [*bounds[1:], len(self.answers)]
        return [
            replace(
                self,
                answers=self.answers[start:end],
                advantages=self.advantages[start:end],
                engine_logprobs=None if self.engine_logprobs is None else self.engine_logprobs[start:end],
                keep=self.keep[start:end],
            )
            for start, end in zip(bounds, ends, strict=True)
        ]

    def trained(self) -> np.ndarray:
        """(tokens,) bool: kept answers, without tokens whose engine log-probability is not finite."""
        mask = np.repeat(self.keep, [len(answer) for answer in self.answers])
        if self.engine_logprobs is not None:
            mask &= np.isfinite(np.array([value for answer in self.engine_logprobs for value in answer]))
        return mask


def update_policy(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    reference: Scorer | None,
    groups: Sequence[TrainingGroup],
    world: World,
    *,
    old_logprobs: Sequence[Tensor] | None,
) -> dict[str, float]:
    """One optimiser update over this process's `groups`; returns sums over tokens of all processes and the
    norm.

    `old_logprobs` holds one tensor a group, from before the step's first update; None means that this is
    the first update, where old and current log-probabilities are the same and the pass is spared.
    """
    rule = policy.recipe.objective
    masks = [group.trained() for group in groups]
    totals = world.sum(
        {
            "tokens": float(sum(mask.sum() for mask in masks)),
            "answers": float(sum(_answers_trained(g, m) for g, m in zip(groups, masks, strict=True))),
        }
    )
    sums = dict.fromkeys(("loss", "kl", "clipped", "log_ratio_abs", "tokens", "entropy", "gap", "gap_tokens"), 0.0)
    gap_max = 0.0
    # Without a KL term a group whose advantages are all zero has no gradient; its tokens still count above.
    active = [i for i, group in enumerate(groups) if reference is not None or group.advantages.any()]
    for members in _same_number(_micro_batches(groups, active, policy.recipe.micro_batch_tokens), world):
        batch, chosen = _pack(policy.scorer, groups, members)
        logprobs, entropy = policy.scorer(batch)
        reference_logprobs = None
        if reference is not None:
            with torch.no_grad():
                reference_logprobs, _ = reference(batch)
        old = None if old_logprobs is None else [old_logprobs[i] for i in members]
        data = _MicroBatch.of(chosen, [masks[i] for i in members], batch, totals, policy, old)
        before = logprobs.detach() if old is None else data.old
        parts = policy_loss(
            logprobs,
            before,
            data.advantages,
            data.weights,
            rule,
            reference_logprobs=reference_logprobs,
            engine_logprobs=data.engine,
        )
        # FSDP averages gradients over processes; the loss is a share of a global mean, so they must add up.
        (parts.loss * world.size).backward()
        sums["loss"] += float(parts.loss.detach())
        for key, value in parts.sums.items():
            sums[key] += value
        kept = data.weights > 0
        sums["entropy"] += float(entropy[kept].sum())
        if data.engine is not None and bool(kept.any()):
            gap = (before - data.engine)[kept].abs()
            sums["gap"] += float(gap.sum())
            sums["gap_tokens"] += len(gap)
            gap_max = max(gap_max, float(gap.max()))
    sums = world.sum(sums)
    _check_parity(sums, policy.recipe.max_engine_gap)
    norm = _apply(policy, optimizer)
    return {**sums, "gap_max": world.max(gap_max), "grad_norm": norm, "answers": totals["answers"]}


def score_old(policy: Policy, groups: Sequence[TrainingGroup], world: World) -> list[Tensor]:
    """Log-probabilities of each group's answer tokens under the current weights, without gradient."""
    out: list[Tensor] = [torch.empty(0)] * len(groups)
    everyone = range(len(groups))
    for members in _same_number(_micro_batches(groups, everyone, policy.recipe.micro_batch_tokens), world):
        batch, _ = _pack(policy.scorer, groups, members)
        with torch.no_grad():
            logprobs, _ = policy.scorer(batch)
        sizes = [sum(len(answer) for answer in groups[i].answers) for i in members]
        for i, part in zip(members, logprobs[: sum(sizes)].split(sizes), strict=True):
            out[i] = part
    return out


@dataclass
class _MicroBatch:
    """Token tensors (N,) of one micro-batch."""

    advantages: Tensor
    weights: Tensor
    engine: Tensor | None
    old: Tensor

    @classmethod
    def of(
        cls,
        groups: Sequence[TrainingGroup],
        masks: Sequence[np.ndarray],
        batch: PackedBatch,
        totals: dict[str, float],
        policy: Policy,
        old_logprobs: Sequence[Tensor] | None,
    ) -> _MicroBatch:
        device, count = batch.targets.device, len(batch.targets)
        if not groups:  # the filler of a process that has run out of groups: it takes part and counts nothing
            zero = torch.zeros(count, device=device)
            return cls(zero, zero, None, zero)
        mask = torch.from_numpy(np.concatenate(masks)).to(device)
        lengths = torch.bincount(batch.answer_ids, weights=mask.double())
        weights = token_weights(
            lengths,
            average=policy.recipe.objective.average,
            num_tokens=totals["tokens"],
            num_answers=totals["answers"],
            max_tokens=policy.recipe.max_response_tokens,
        )[batch.answer_ids]
        advantages = np.concatenate([group.advantages for group in groups]).astype(np.float32)
        engine = None
        if all(group.engine_logprobs is not None for group in groups):
            values = [v for group in groups for answer in group.engine_logprobs or () for v in answer]
            engine = torch.tensor(values, dtype=torch.float32, device=device)
        return cls(
            advantages=torch.from_numpy(advantages).to(device)[batch.answer_ids],
            weights=torch.where(mask, weights, torch.zeros_like(weights)),
            engine=engine,
            old=weights if old_logprobs is None else torch.cat(list(old_logprobs)),
        )


def _check_parity(sums: dict[str, float], limit: float) -> None:
    """Refuse an update on answers whose engine log-probabilities are not the trainer's own.

    It is the same sum on every process, so all of them stop together.
    """
    mean = sums["gap"] / max(sums["gap_tokens"], 1.0)
    if mean > limit:
        raise CogitoError(
            f"engine and trainer disagree: mean |difference| of log-probabilities {mean:.4f} over "
            f"{sums['gap_tokens']:.0f} tokens, limit {limit} (train.max_engine_gap); the engine has other weights, "
            "another temperature or other pictures"
        )


def _answers_trained(group: TrainingGroup, mask: np.ndarray) -> int:
    ends = np.cumsum([len(answer) for answer in group.answers])
    return sum(bool(part.any()) for part in np.split(mask, ends[:-1]))


def _micro_batches(groups: Sequence[TrainingGroup], chosen: Sequence[int], max_tokens: int) -> list[list[int]]:
    """The `chosen` indices of groups, in order, in micro-batches of at most `max_tokens` padded tokens each.

    A group that is larger alone gets a micro-batch of its own.
    """
    out: list[list[int]] = []
    widest = 0
    for index in chosen:
        widest = max(widest, groups[index].num_tokens)
        if out and (len(out[-1]) + 1) * widest <= max_tokens:
            out[-1].append(index)
        else:
            out.append([index])
            widest = groups[index].num_tokens
    return out


def _same_number(batches: list[list[int]], world: World) -> Iterator[list[int]]:
    """Every process makes as many passes as the one with most: a missing pass would hang the others."""
    rounds = int(world.max(len(batches)))
    yield from batches
    yield from [[]] * (rounds - len(batches))


def _pack(
    scorer: AnswerScorer, groups: Sequence[TrainingGroup], members: Sequence[int]
) -> tuple[PackedBatch, list[TrainingGroup]]:
    chosen = [groups[i] for i in members]
    packed = [Group(group.encode(), group.answers) for group in chosen]
    if not packed:
        packed = [Group(Encoded([scorer.pad_id], None, None), [(scorer.pad_id,)])]
    device = next(scorer.parameters()).device
    return scorer.pack(packed).to(device), chosen


def _apply(policy: Policy, optimizer: torch.optim.Optimizer) -> float:
    """Clip, step, clear; returns the gradient norm before clipping."""
    parameters = [p for _, p in policy.trainable]
    for parameter in parameters:
        if parameter.grad is None:  # text-only updates never reach the vision tower; FSDP gives it zeros
            parameter.grad = torch.zeros_like(parameter)
    norm = torch.nn.utils.clip_grad_norm_(parameters, policy.recipe.optimizer.max_grad_norm)
    apply_gradients(policy, optimizer)
    return float(full_tensor(norm))
