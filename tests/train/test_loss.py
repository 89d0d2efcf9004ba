"""The policy loss against ten lines of numpy, and its invariances."""

import numpy as np
import pytest
import torch

from cogito_train.config import Objective
from cogito_train.loss import importance_weights, k3_divergence, policy_loss, token_weights


def _numpy_loss(new, old, ref, adv, weight, rule, engine):
    ratio = np.exp(np.clip(new - old, -10, 10))
    clipped = np.clip(ratio, 1 - rule.clip_low, 1 + rule.clip_high)
    loss = -np.minimum(ratio * adv, clipped * adv)
    if rule.dual_clip:
        loss = np.where(adv < 0, np.minimum(loss, -rule.dual_clip * adv), loss)
    if rule.engine_cap:
        loss = loss * np.minimum(np.exp(old - engine), rule.engine_cap)
    delta = np.clip(ref - new, -20, 20)
    return float((weight * (loss + rule.kl * np.minimum(np.exp(delta) - delta - 1, 10))).sum())


def _tokens(seed: int, count: int = 400, spread: float = 1.0) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    new = -rng.exponential(size=count)
    old, ref = new + spread * rng.normal(size=count), new + spread * rng.normal(size=count)
    return [torch.tensor(a, dtype=torch.float64) for a in (new, old, ref, rng.normal(size=count))]


@pytest.mark.parametrize(
    "rule",
    [Objective(), Objective(clip_high=0.28), Objective(dual_clip=3.0, kl=0.1), Objective(engine_cap=2.0, dual_clip=3.0)],
)
@pytest.mark.parametrize("spread", [0.1, 1.0, 15.0])
def test_equals_numpy_to_1e_12(rule, spread):
    new, old, ref, adv = _tokens(0, spread=spread)
    engine = _tokens(1, spread=spread)[1]
    weight = torch.full_like(new, 1 / len(new))
    ours = policy_loss(new, old, adv, weight, rule, reference_logprobs=ref, engine_logprobs=engine).loss
    theirs = _numpy_loss(*(t.numpy() for t in (new, old, ref, adv, weight)), rule, engine.numpy())
    assert float(ours) == pytest.approx(theirs, abs=1e-12, rel=1e-12)


def test_a_log_ratio_of_any_size_gives_a_finite_loss_and_gradient():
    new = torch.tensor([-1e4, -1.0, 0.0], requires_grad=True)
    old = torch.tensor([0.0, -1e4, -1e4])
    parts = policy_loss(new, old, torch.tensor([1.0, -1.0, 1.0]), torch.ones(3), Objective(), reference_logprobs=old)
    parts.loss.backward()
    assert torch.isfinite(parts.loss) and torch.isfinite(new.grad).all()


def test_on_policy_gradient_is_the_plain_policy_gradient():
    logits = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    chosen, adv = torch.arange(5), torch.randn(5, dtype=torch.float64)
    new = logits.log_softmax(-1)[torch.arange(5), chosen]
    policy_loss(new, new.detach(), adv, torch.full((5,), 0.2, dtype=torch.float64), Objective(kl=0)).loss.backward()
    expected = torch.autograd.grad(-(adv * logits.log_softmax(-1)[torch.arange(5), chosen]).mean(), logits)[0]
    torch.testing.assert_close(logits.grad, expected)


def test_dropped_tokens_leave_no_trace_even_when_not_a_number():
    new, old, ref, adv = _tokens(1, 6)
    weight = torch.tensor([1.0, 1, 1, 0, 0, 1], dtype=torch.float64) / 4
    clean = policy_loss(new, old, adv, weight, Objective(), reference_logprobs=ref)
    old[3], ref[4] = float("nan"), float("inf")
    dirty = policy_loss(new, old, adv, weight, Objective(), reference_logprobs=ref)
    assert float(clean.loss) == float(dirty.loss) and dirty.sums["tokens"] == 4


@pytest.mark.parametrize("bad", [float("nan"), float("-inf"), float("inf")])
@pytest.mark.parametrize("spoilt", ["old", "ref", "engine"])
def test_dropped_tokens_leave_no_trace_in_the_gradient(bad, spoilt):
    """A server that says NaN for one token (TRL issue 6166) must not turn the whole gradient into NaN."""
    new, old, ref, adv = _tokens(1, 6)
    values = {"old": old, "ref": ref, "engine": old + 0.1}
    weight = torch.tensor([1.0, 1, 1, 0, 0, 1], dtype=torch.float64) / 4
    gradients = []
    for _ in range(2):
        leaf = new.clone().requires_grad_()
        rule = Objective(engine_cap=2.0, kl=0.1)
        more = {"reference_logprobs": values["ref"], "engine_logprobs": values["engine"]}
        policy_loss(leaf, values["old"], adv, weight, rule, **more).loss.backward()
        gradients.append(leaf.grad)
        values[spoilt] = torch.where(weight > 0, values[spoilt], bad)
    assert torch.equal(*gradients) and gradients[0][weight > 0].all()


def test_cutting_an_update_into_pieces_leaves_loss_and_gradient_alone():
    new, old, ref, adv = _tokens(2)
    new.requires_grad_()
    weight = torch.full_like(old, 1 / 400)
    policy_loss(new, old, adv, weight, Objective(), reference_logprobs=ref).loss.backward()
    whole, new.grad = new.grad.clone(), None
    for part in torch.randperm(400).split(37):
        policy_loss(
            new[part], old[part], adv[part], weight[part], Objective(), reference_logprobs=ref[part]
        ).loss.backward()
    torch.testing.assert_close(new.grad, whole, rtol=0, atol=1e-15)


def test_k3_is_never_negative_zero_at_equality_and_clamped():
    policy = torch.linspace(-8, 0, 50, dtype=torch.float64)
    assert float(k3_divergence(policy, policy).abs().max()) == 0.0
    assert float(k3_divergence(policy, policy.flip(0)).min()) >= 0.0
    assert float(k3_divergence(torch.tensor([-100.0]), torch.tensor([0.0]))) == 10.0


def test_k3_is_an_unbiased_estimate_of_the_divergence():
    # Logits in [-1, 1]: no value comes near the clamp, where the estimate stops being unbiased.
    generator = torch.Generator().manual_seed(0)
    p, q = (torch.rand(2, 20, dtype=torch.float64, generator=generator) * 2 - 1).log_softmax(-1)
    exact = (p.exp() * (p - q)).sum()
    assert float((p.exp() * k3_divergence(p, q)).sum()) == pytest.approx(float(exact), abs=1e-12)


def test_engine_correction_is_truncated_and_carries_no_gradient():
    trainer = torch.tensor([0.0, -1.0, -3.0], requires_grad=True)
    weights = importance_weights(trainer, torch.tensor([-5.0, -1.0, -1.0]), cap=2.0)
    assert not weights.requires_grad
    np.testing.assert_allclose(weights.numpy(), [2.0, 1.0, np.exp(-2)], rtol=1e-6)


def test_token_weights_give_the_three_averages():
    lengths = torch.tensor([2, 0, 6])
    totals = {"num_tokens": 8, "num_answers": 2, "max_tokens": 10}
    np.testing.assert_allclose(token_weights(lengths, average="token", **totals), [1 / 8, 0, 1 / 8])
    np.testing.assert_allclose(token_weights(lengths, average="sequence", **totals), [1 / 4, 0, 1 / 12])
    np.testing.assert_allclose(token_weights(lengths, average="constant", **totals), [1 / 20, 0, 1 / 20])
    with pytest.raises(ValueError, match="average"):
        token_weights(lengths, average="mean", **totals)
