"""The group-shared forward gives the log-probabilities and the gradients of separate passes."""

import numpy as np
import pytest
import torch
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionPatchEmbed

from cogito_train import scoring
from cogito_train.scoring import AnswerScorer, plain_logprobs
from cogito_train.shared_forward import Group, prompt_positions

from .tiny import IMAGE, PAD, VIDEO, VISION_END, VISION_START, random_answers, random_prompt, tiny_model

BANNED = (IMAGE, VIDEO, VISION_START, VISION_END)

SHAPES = {
    "one picture": [[(2, 2)]],
    "wide picture over several windows": [[(3, 11)]],
    "two pictures": [[(2, 4), (5, 2)]],
    "text only": [[]],
    "mixed rows": [[(2, 2)], [], [(4, 3), (2, 2)], [(1, 6)]],
}


def _scorer(temperature: float = 1.0) -> AnswerScorer:
    return AnswerScorer(tiny_model(), temperature=temperature, banned=BANNED, pad_id=PAD)


def _groups(shape: str, seed: int = 0) -> list[Group]:
    rng = np.random.default_rng(seed)
    return [Group(random_prompt(rng, grids), random_answers(rng, 5)) for grids in SHAPES[shape]]


def _gradients(scorer: AnswerScorer, logprobs: torch.Tensor) -> dict[str, torch.Tensor]:
    scorer.zero_grad(set_to_none=True)
    weights = torch.linspace(-1, 1, len(logprobs))
    (logprobs * weights).sum().backward()
    return {name: p.grad.clone() for name, p in scorer.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_separate_passes_with_gradients(shape):
    scorer, groups = _scorer(temperature=0.7), _groups(shape)
    shared, _ = scorer(scorer.pack(groups))
    ours = _gradients(scorer, shared)
    plain = plain_logprobs(scorer, groups)
    theirs = _gradients(scorer, plain)
    torch.testing.assert_close(shared, plain, rtol=0, atol=1e-5)
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        scale = float(gradient.abs().max()) + 1e-6
        assert float((ours[name] - gradient).abs().max()) / scale < 1e-4, name


def test_an_answer_does_not_see_its_neighbours():
    scorer = _scorer()
    rng = np.random.default_rng(1)
    prompt, answers = random_prompt(rng, [(2, 3)]), random_answers(rng, 4)
    together, _ = scorer(scorer.pack([Group(prompt, answers)]))
    swapped, _ = scorer(scorer.pack([Group(prompt, [answers[0], *random_answers(rng, 6)])]))
    first = len(answers[0])
    torch.testing.assert_close(together[:first], swapped[:first], rtol=0, atol=2e-6)


def test_a_picture_is_encoded_once_for_all_answers():
    """EasyR1 issue 392: eight pictures a prompt and 16 answers would keep the vision tower busy 16 times."""
    scorer = _scorer()
    rng = np.random.default_rng(2)
    groups = [Group(random_prompt(rng, [(2, 3), (2, 2)]), random_answers(rng, 16)) for _ in range(2)]
    seen = []
    scorer.model.model.visual.register_forward_pre_hook(lambda module, args, kwargs: seen.append(args[0].shape[0]),
                                                        with_kwargs=True)  # fmt: skip
    logprobs, _ = scorer(scorer.pack(groups))
    assert len(logprobs) == sum(len(answer) for group in groups for answer in group.answers)
    assert sum(seen) == 2 * 4 * (2 * 3 + 2 * 2)  # four patches make one picture token


def test_rows_do_not_depend_on_their_batch():
    scorer, groups = _scorer(), _groups("mixed rows")
    together, _ = scorer(scorer.pack(groups))
    apart = torch.cat([scorer(scorer.pack([group]))[0] for group in groups])
    torch.testing.assert_close(together, apart, rtol=0, atol=2e-6)


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ("text only", "mixed rows")])
def test_positions_are_those_of_transformers(shape):
    model = tiny_model()
    for group in _groups(shape):
        ids = torch.tensor([group.prompt.input_ids])
        expected, _ = model.model.get_rope_index(
            ids, (ids == IMAGE).int(), image_grid_thw=torch.from_numpy(group.prompt.image_grid_thw)
        )
        ours = prompt_positions(
            group.prompt.input_ids, group.prompt.image_grid_thw, merge_size=2, image_token_id=IMAGE
        )
        np.testing.assert_array_equal(ours, expected[:, 0].numpy())


def test_the_head_in_chunks_equals_the_head_at_once(monkeypatch):
    scorer, groups = _scorer(), _groups("mixed rows")
    batch = scorer.pack(groups)
    whole, entropy = scorer(batch)
    at_once = _gradients(scorer, whole)
    monkeypatch.setattr(scoring, "MAX_LOGIT_BYTES", 7 * 4 * 96)
    chunked, chunked_entropy = scorer(batch)
    in_chunks = _gradients(scorer, chunked)
    torch.testing.assert_close(whole, chunked)
    torch.testing.assert_close(entropy, chunked_entropy)
    for name, gradient in at_once.items():
        torch.testing.assert_close(gradient, in_chunks[name], rtol=1e-4, atol=1e-6)


def test_banned_tokens_have_no_probability():
    scorer, groups = _scorer(), _groups("one picture")
    batch = scorer.pack(groups)
    batch.targets = torch.full_like(batch.targets, VISION_START)
    assert torch.isneginf(scorer(batch)[0]).all()


def test_a_blank_picture_changes_nothing_but_reaches_the_vision_tower():
    scorer, groups = _scorer(), _groups("text only")
    batch = scorer.pack(groups)
    plain, _ = scorer(batch)
    scorer.always_see = True
    seen, _ = scorer(batch)
    torch.testing.assert_close(plain, seen, rtol=0, atol=0)
    gradients = _gradients(scorer, seen)
    visual = {name for name, _ in scorer.named_parameters() if ".visual." in name}
    assert visual <= gradients.keys()
    assert all(float(gradients[name].abs().max()) == 0 for name in visual)


def test_the_linear_patch_embedding_is_the_convolution():
    torch.manual_seed(0)
    model = tiny_model()
    patches = torch.randn(24, 3 * 2 * 14 * 14)
    convolution = Qwen2_5_VisionPatchEmbed.forward(model.model.visual.patch_embed, patches)
    scoring.use_linear_patch_embedding(model)
    torch.testing.assert_close(model.model.visual.patch_embed(patches), convolution, rtol=1e-5, atol=1e-5)


def test_answers_that_cannot_be_scored_are_refused():
    scorer = _scorer()
    prompt = random_prompt(np.random.default_rng(0), [(2, 2)])
    for bad in ([], [5, IMAGE]):
        with pytest.raises(ValueError, match="image token"):
            scorer.pack([Group(prompt, [bad])])


def test_a_prompt_cut_inside_a_picture_is_refused():
    prompt = random_prompt(np.random.default_rng(0), [(2, 2)])
    with pytest.raises(ValueError, match="image tokens"):
        prompt_positions(prompt.input_ids[:15], prompt.image_grid_thw, merge_size=2, image_token_id=IMAGE)
