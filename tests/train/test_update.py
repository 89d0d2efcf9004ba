"""Optimiser updates: independent of how they are cut into micro-batches, equal to a plain one written out here."""

import weakref

import numpy as np
import pytest
import torch

from cogito_core.console import CogitoError
from cogito_core.engines.encode import Encoded
from cogito_train.config import TrainRecipe
from cogito_train.loss import k3_divergence
from cogito_train.parallel import World
from cogito_train.scoring import AnswerScorer, plain_logprobs
from cogito_train.shared_forward import Group
from cogito_train.update import TrainingGroup, score_old, update_policy

from .tiny import IMAGE, PAD, VIDEO, VISION_END, VISION_START, random_answers, random_prompt, tiny_model

ALONE = World(0, 1, torch.device("cpu"))


class _Policy:
    """What update_policy reads of a policy, around a tiny model."""

    def __init__(self, **settings):
        stage = {"name": "only", "steps": 1}
        settings = {"max_engine_gap": 100.0, **settings}  # the groups below invent their engine log-probabilities
        self.recipe = TrainRecipe(model="tiny", stages=[stage], prompts_per_step=8, prompts_per_update=8, **settings)
        self.scorer = AnswerScorer(
            tiny_model(), temperature=1.0, banned=(IMAGE, VIDEO, VISION_START, VISION_END), pad_id=PAD
        )

    @property
    def trainable(self):
        return list(self.scorer.named_parameters())


def _groups(seed: int = 0, *, with_engine: bool = True) -> list[TrainingGroup]:
    rng = np.random.default_rng(seed)
    out = []
    for pictures in ([(2, 2)], [], [(2, 3), (2, 2)], [(1, 4)], []):
        prompt, answers = random_prompt(rng, pictures), random_answers(rng, 4)
        out.append(
            TrainingGroup(
                encode=lambda prompt=prompt: prompt,
                num_prompt_tokens=len(prompt.input_ids),
                answers=[tuple(answer) for answer in answers],
                advantages=rng.normal(size=4),
                engine_logprobs=[tuple(-rng.exponential(size=len(a))) for a in answers] if with_engine else None,
                keep=np.ones(4, dtype=bool),
            )
        )
    return out


class _Recorder(torch.optim.SGD):
    """Keeps the gradients that a step would apply, and applies none."""

    def step(self, closure=None):
        self.seen = [parameter.grad.clone() for parameter in self.param_groups[0]["params"]]


def _gradient(policy, groups, *, old=None, reference=None):
    optimizer = _Recorder([p for _, p in policy.trainable], lr=1.0)
    sums = update_policy(policy, optimizer, reference, groups, ALONE, old_logprobs=old)
    return dict(zip([name for name, _ in policy.trainable], optimizer.seen, strict=True)), sums


def _assert_close(ours, theirs):
    for name in theirs:
        scale = float(theirs[name].abs().max()) + 1e-9
        assert float((ours[name] - theirs[name]).abs().max()) / scale < 2e-4, name


@pytest.mark.parametrize("average", ["token", "sequence", "constant"])
def test_micro_batches_do_not_change_the_update(average):
    objective = {"average": average, "kl": 0.0}
    whole, sums = _gradient(_Policy(objective=objective, micro_batch_tokens=10_000), _groups())
    for tokens in (1, 60, 150):
        pieces, parts = _gradient(_Policy(objective=objective, micro_batch_tokens=tokens), _groups())
        _assert_close(pieces, whole)
        assert parts["loss"] == pytest.approx(sums["loss"], rel=1e-5, abs=1e-7)
        assert parts["tokens"] == sums["tokens"]


def test_equals_a_plain_update_over_separate_rows():
    """GRPO's token mean with the KL term, by one padded row an answer and ten lines of torch."""
    objective = {"kl": 0.1, "clip_low": 0.2, "clip_high": 0.2}
    settings = {"objective": objective, "optimizer": {"max_grad_norm": 1e9}}
    policy, reference = _Policy(**settings), _Policy(**settings).scorer.requires_grad_(False)
    groups = _groups(with_engine=False)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.add_(0.01 * torch.ones_like(parameter))
    old = [
        lp + 0.3 * torch.randn(len(lp), generator=torch.Generator().manual_seed(5))
        for lp in score_old(policy, groups, ALONE)
    ]
    ours, _ = _gradient(policy, groups, old=old, reference=reference)

    plain = _Policy(**settings)
    rows = [Group(group.encode(), group.answers) for group in groups]
    new = plain_logprobs(plain.scorer, rows)
    with torch.no_grad():
        anchor = plain_logprobs(reference, rows)
    lengths = [len(answer) for group in groups for answer in group.answers]
    advantages = torch.tensor(np.repeat(np.concatenate([g.advantages for g in groups]), lengths), dtype=torch.float32)
    ratio = (new - torch.cat(old)).exp()
    surrogate = -torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    (surrogate + 0.1 * k3_divergence(new, anchor)).mean().backward()
    _assert_close(ours, {name: p.grad for name, p in plain.trainable if p.grad is not None})


def test_the_first_update_needs_no_old_log_probabilities():
    groups = _groups()
    spared, _ = _gradient(_Policy(objective={"kl": 0.0}), groups)
    policy = _Policy(objective={"kl": 0.0})
    asked, _ = _gradient(policy, groups, old=score_old(policy, groups, ALONE))
    _assert_close(spared, asked)


def test_a_group_without_advantage_counts_in_the_mean_but_adds_no_gradient():
    groups = _groups()
    groups[1].advantages = np.zeros(4)
    tokens = sum(group.trained().sum() for group in groups)
    alone = tokens - groups[1].trained().sum()
    policy = {"objective": {"kl": 0.0}, "optimizer": {"max_grad_norm": 1e9}}
    with_it, _ = _gradient(_Policy(**policy), groups)
    without, _ = _gradient(_Policy(**policy), [groups[0], *groups[2:]])
    _assert_close(with_it, {name: g * float(alone / tokens) for name, g in without.items()})


def test_a_group_without_advantage_is_kept_for_the_kl_term():
    """TRL issue 5588: with a KL term such a group still pulls towards the reference."""
    groups = _groups()
    for group in groups:
        group.advantages = np.zeros(4)
    policy = _Policy(objective={"kl": 0.1}, optimizer={"max_grad_norm": 1e9})
    reference = AnswerScorer(tiny_model(seed=1), temperature=1.0, banned=policy.scorer.banned, pad_id=PAD)
    found, sums = _gradient(policy, groups, reference=reference)
    with torch.no_grad():
        theirs = plain_logprobs(reference, [Group(g.encode(), g.answers) for g in groups])
    ours = plain_logprobs(policy.scorer, [Group(g.encode(), g.answers) for g in groups])
    divergence = k3_divergence(ours, theirs)
    policy.scorer.zero_grad()
    (0.1 * divergence.mean()).backward()
    expected = {name: p.grad for name, p in policy.trainable if p.grad is not None}
    assert sums["kl"] == pytest.approx(float(divergence.detach().sum()), rel=1e-4) and sums["kl"] > 0
    _assert_close(found, expected)


def test_pictures_live_no_longer_than_the_packing_of_their_micro_batch():
    """Each prompt is decoded when its own micro-batch is due, and what was decoded before is gone by then."""
    alive: list[weakref.ref] = []
    most = []

    def late(group):
        source = group.encode()

        def encode() -> Encoded:
            pixels = None if source.pixel_values is None else source.pixel_values.copy()
            if pixels is not None:
                alive.append(weakref.ref(pixels))
            most.append(sum(ref() is not None for ref in alive))
            return Encoded(source.input_ids, pixels, source.image_grid_thw)

        return encode

    groups = _groups()
    for group in groups:
        group.encode = late(group)
    _gradient(_Policy(objective={"kl": 0.0}, micro_batch_tokens=1), groups)
    assert len(most) == len(groups) and len(alive) == 3 and max(most) == 1


def test_dropped_answers_and_tokens_leave_the_mean():
    groups = _groups()
    groups[0].keep = np.array([True, False, True, True])
    broken = list(groups[2].engine_logprobs)
    broken[1] = (float("nan"), *broken[1][1:])
    groups[2].engine_logprobs = broken
    gradient, sums = _gradient(_Policy(objective={"kl": 0.0, "engine_cap": 2.0}), groups)
    total = sum(len(answer) for group in groups for answer in group.answers)
    assert sums["tokens"] == total - len(groups[0].answers[1]) - 1
    assert np.isfinite(sums["loss"]) and np.isfinite(sums["gap"])
    assert all(torch.isfinite(values).all() for values in gradient.values())


def test_an_update_of_dropped_answers_alone_changes_nothing():
    """drop_truncated, and every answer was cut: no division by zero tokens."""
    groups = _groups()
    for group in groups:
        group.keep = np.zeros(4, dtype=bool)
    policy = _Policy(objective={"kl": 0.1})
    reference = AnswerScorer(tiny_model(seed=1), temperature=1.0, banned=policy.scorer.banned, pad_id=PAD)
    gradient, sums = _gradient(policy, groups, reference=reference)
    assert sums["tokens"] == sums["loss"] == sums["kl"] == sums["grad_norm"] == 0.0
    assert not any(values.any() for values in gradient.values())


def test_parameters_without_a_gradient_still_move_with_the_optimiser():
    """A text-only update must treat the vision tower as FSDP does: a zero gradient, not none."""
    policy = _Policy(objective={"kl": 0.0})
    optimizer = torch.optim.AdamW([p for _, p in policy.trainable], lr=1e-2, weight_decay=0.1)
    groups = [group for group in _groups() if group.encode().pixel_values is None]
    before = {name: p.detach().clone() for name, p in policy.trainable}
    update_policy(policy, optimizer, None, groups, ALONE, old_logprobs=None)
    assert len(optimizer.state) == len(policy.trainable)
    visual = [name for name in before if ".visual." in name and before[name].abs().max() > 0]
    assert visual and all(not torch.equal(before[name], dict(policy.trainable)[name]) for name in visual)


def test_splitting_a_group_does_not_change_the_update():
    groups = _groups()
    whole, _ = _gradient(_Policy(objective={"kl": 0.0}), groups)
    for limit in (1, 30, 45, 10_000):
        parts = [part for group in groups for part in group.split(limit)]
        assert [a for part in parts for a in part.answers] == [a for group in groups for a in group.answers]
        assert all(part.num_tokens <= limit or len(part.answers) == 1 for part in parts)
        _assert_close(_gradient(_Policy(objective={"kl": 0.0}), parts)[0], whole)


def test_an_engine_with_other_weights_stops_the_run_before_the_update():
    policy, groups = _Policy(objective={"kl": 0.0}, max_engine_gap=0.01), _groups()
    optimizer = torch.optim.AdamW([p for _, p in policy.trainable], lr=1e-2)
    before = {name: p.detach().clone() for name, p in policy.trainable}
    with pytest.raises(CogitoError, match="engine and trainer disagree.*max_engine_gap"):
        update_policy(policy, optimizer, None, groups, ALONE, old_logprobs=None)
    assert all(torch.equal(before[name], p) for name, p in policy.trainable)
    exact = [
        lp.split([len(a) for a in group.answers])
        for group, lp in zip(groups, score_old(policy, groups, ALONE), strict=True)
    ]
    for group, parts in zip(groups, exact, strict=True):
        group.engine_logprobs = [tuple(part.tolist()) for part in parts]
    update_policy(policy, optimizer, None, groups, ALONE, old_logprobs=None)
