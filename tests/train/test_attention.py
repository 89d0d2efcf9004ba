"""Attention over packed rows: all kinds give what the whole mask gives, gradients included."""

import pytest
import torch

from cogito_train import attention
from cogito_train.attention import Blocks, packed_attention, segment_mask

from .test_shared_forward import SHAPES, _gradients, _groups, _scorer

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")


def _segments(rows: list[tuple[int, list[int]]]) -> torch.Tensor:
    """(B, T) of rows given by the length of the prompt and of each answer, padded with -1."""
    packed = [
        [0] * prompt + [n for n, count in enumerate(answers, 1) for _ in range(count)] for prompt, answers in rows
    ]
    width = max(map(len, packed))
    return torch.tensor([row + [-1] * (width - len(row)) for row in packed])


def _inputs(segments: torch.Tensor, heads: int = 4, groups: int = 2, width: int = 8) -> list[torch.Tensor]:
    rows, tokens = segments.shape
    generator = torch.Generator().manual_seed(0)
    sizes = (heads, groups, groups)
    return [torch.randn(rows, n, tokens, width, generator=generator, requires_grad=True) for n in sizes]


def _by_hand(segments: torch.Tensor, query, key, value, scale: float) -> torch.Tensor:
    """Each token of each head on its own: softmax over the tokens it may see."""
    out = torch.zeros_like(query)
    share = query.shape[1] // key.shape[1]
    for b, row in enumerate(segments.tolist()):
        for q, mine in enumerate(row):
            seen = [k for k in range(q + 1) if row[k] in (0, mine)]
            for h in range(query.shape[1]):
                scores = (key[b, h // share, seen] @ query[b, h, q]) * scale
                out[b, h, q] = scores.softmax(0) @ value[b, h // share, seen]
    return out


ROWS = {
    "one prompt": [(5, [3, 1, 4])],
    "rows of all sizes": [(7, [2, 9, 1]), (2, [1]), (4, [3, 3, 3, 3])],
    "one long answer": [(3, [1, 40, 2, 1]), (6, [5])],
}


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", ["mask", "blocks", "flex"])
def test_equals_attention_by_hand(rows, kind):
    segments = _segments(ROWS[rows])
    query, key, value = (part.detach() for part in _inputs(segments))
    ours = packed_attention(segments, kind).attend(query, key, value, 0.3)
    real = (segments >= 0)[:, None, :, None].expand_as(ours)
    torch.testing.assert_close(ours[real], _by_hand(segments, query, key, value, 0.3)[real], rtol=0, atol=1e-5)


@pytest.mark.parametrize("worth", [1, 2**20])
@pytest.mark.parametrize("rows", ROWS)
def test_gradients_of_blocks_are_those_of_the_mask(rows, worth, monkeypatch):
    """Also with every length in a batch of its own. FlexAttention has no backward pass on a CPU."""
    monkeypatch.setattr(attention, "_WORTH_A_CALL", worth)
    segments = _segments(ROWS[rows])
    real = (segments >= 0)[:, None, :, None]
    found = []
    for kind in ("blocks", "mask"):
        inputs = _inputs(segments)
        out = packed_attention(segments, kind).attend(*inputs, 0.3) * real
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        found.append([part.grad for part in inputs])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5)


def test_lengths_far_apart_do_not_run_together():
    few = Blocks.of(_segments([(1400, [300] * 16)]))
    assert [batch.own.shape for batch in few.answers] == [(16, 300)] and few.answers[0].mask.shape[0] == 1
    apart = Blocks.of(_segments([(1400, [300] * 15 + [4096])]))
    assert [batch.own.shape for batch in apart.answers] == [(1, 4096), (15, 300)]


def test_a_head_count_that_is_no_power_of_two():
    """7B has 28 heads over 4 groups."""
    segments = _segments(ROWS["rows of all sizes"])
    inputs = [part.detach() for part in _inputs(segments, heads=6, groups=2)]
    expected = packed_attention(segments, "mask").attend(*inputs, 1.0)
    for kind in ("blocks", "flex"):
        ours = packed_attention(segments, kind).attend(*inputs, 1.0)
        real = (segments >= 0)[:, None, :, None].expand_as(ours)
        torch.testing.assert_close(ours[real], expected[real], rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", ["one picture", "mixed rows"])
def test_the_whole_model_gives_the_same_with_each_kind(shape):
    assert shape in SHAPES
    scorer, groups = _scorer(), _groups(shape)
    batch = scorer.pack(groups)
    scorer.attention = "mask"
    expected, _ = scorer(batch)
    gradients = _gradients(scorer, expected)
    scorer.attention = "auto"
    ours, _ = scorer(batch)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)
    for name, gradient in _gradients(scorer, ours).items():
        torch.testing.assert_close(gradient, gradients[name], rtol=1e-3, atol=1e-5)
    scorer.attention = "flex"
    with torch.no_grad():
        torch.testing.assert_close(scorer(batch)[0], expected, rtol=0, atol=1e-5)


def test_bfloat16_arithmetic_agrees_within_its_precision():
    scorer, groups = _scorer(), _groups("mixed rows")
    batch = scorer.pack(groups)
    with torch.no_grad():
        exact, _ = scorer(batch)
        scorer.compute_dtype = torch.bfloat16
        for scorer.attention in ("blocks", "flex", "mask"):
            torch.testing.assert_close(scorer(batch)[0], exact, rtol=0, atol=0.15)


def test_layers_run_again_in_the_backward_pass_attend_alike():
    """Gradient checkpointing calls a layer outside of the forward pass."""
    from contextlib import nullcontext

    scorer, groups = _scorer(), _groups("one picture")
    batch = scorer.pack(groups)
    plain = _gradients(scorer, scorer(batch)[0])
    model = scorer.model
    model.gradient_checkpointing_enable(
        {"use_reentrant": False, "context_fn": lambda: (nullcontext(), attention.packed_layers(model))}
    )
    model.train()
    again = _gradients(scorer, scorer(batch)[0])
    for name, gradient in plain.items():
        torch.testing.assert_close(again[name], gradient, rtol=1e-4, atol=1e-6)
    assert model.config.get_text_config()._attn_implementation == "sdpa"


def test_the_mask_is_the_rule():
    segments = _segments([(2, [1, 2])])
    seen = segment_mask(segments)[0, 0].int().tolist()
    assert seen == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 1, 0, 1, 1]]


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no attention 'flash'"):
        packed_attention(torch.zeros(1, 2, dtype=torch.long), "flash")
