"""Attention over packed rows: every answer sees its prompt and itself, and nothing else is computed.

A mask over a whole row would weigh each token against all tokens before it, also those of other answers: at the
paper's shape four times the work that is needed. `blocks` runs the prompts and the answers as two batches of plain
attention (PyTorch's SDPA); `flex` gives the same rule to FlexAttention, whose GPU kernel skips the empty blocks;
`mask` is SDPA with the whole mask, for comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

KINDS = ("auto", "blocks", "flex", "mask")
_NAME = "cogito_packed"
# Answers of one prompt run together, padded to the longest. A shorter batch is split off where that spares this many
# pairs of query and key: below it one more kernel call costs more than it saves.
_WORTH_A_CALL = 2**20


class PackedAttention(Protocol):
    """What a decoder layer calls in place of a mask."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Attention of query (B, heads, T, D) over key and value (B, groups, T, D); (B, heads, T, D)."""
        ...


def packed_attention(segment_ids: Tensor, kind: str) -> PackedAttention:
    """The attention of a batch whose rows hold `segment_ids` (B, T): 0 prompt, 1..G its answers, -1 padding.

    `auto` is `flex` on a GPU and `blocks` elsewhere. Raises ValueError for another kind.
    """
    if kind == "auto":
        kind = "flex" if segment_ids.device.type == "cuda" else "blocks"
    if kind == "blocks":
        return Blocks.of(segment_ids)
    if kind == "flex":
        return Flex.of(segment_ids)
    if kind == "mask":
        return Masked(segment_mask(segment_ids))
    raise ValueError(f"no attention '{kind}' (there are {', '.join(KINDS)})")


def segment_mask(segment_ids: Tensor) -> Tensor:
    """(B, 1, T, T), true where query q may look at key k: k <= q, and k in the prompt or in q's answer."""
    same = segment_ids[:, :, None] == segment_ids[:, None, :]
    prompt = (segment_ids == 0)[:, None, :]
    return ((same | prompt).tril())[:, None]


@dataclass(frozen=True)
class Masked:
    """SDPA with the mask of whole rows."""

    mask: Tensor

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """See `PackedAttention`."""
        key, value = _repeat(key, query), _repeat(value, query)
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=self.mask, scale=scale)


@dataclass(frozen=True)
class Flex:
    """FlexAttention with the block mask of the same rule; compiled on a GPU."""

    block_mask: Any

    @classmethod
    def of(cls, segment_ids: Tensor) -> Flex:
        """The block mask of rows `segment_ids` (B, T)."""

        def visible(b: Tensor, _: Tensor, q: Tensor, k: Tensor) -> Tensor:
            mine, other = segment_ids[b, q], segment_ids[b, k]
            return (k <= q) & ((mine == other) | (other == 0))

        rows, width = segment_ids.shape
        on_gpu = segment_ids.device.type == "cuda"
        return cls(create_block_mask(visible, rows, None, width, width, device=segment_ids.device, _compile=on_gpu))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """See `PackedAttention`."""
        run = _compiled_flex() if query.device.type == "cuda" else flex_attention
        # Autocast casts for SDPA, but not for this one: rotated queries and keys come in float32.
        query, key = query.to(value.dtype), key.to(value.dtype)
        heads = query.shape[1]
        if heads & (heads - 1):  # the kernel shares keys among heads only where these are a power of two
            key, value = _repeat(key, query), _repeat(value, query)
        output = run(query, key, value, block_mask=self.block_mask, scale=scale, enable_gqa=heads != key.shape[1])
        assert isinstance(output, Tensor)
        return output


@dataclass(frozen=True)
class _AnswerBatch:
    """A answers, padded to L tokens, behind their prompts, padded to P: where they lie in the flattened B * T.

    Attributes:
        own: (A, L) positions of the answers' tokens.
        prompt: (A, P) positions of their prompts' tokens.
        mask: (A or 1, 1, L, P + L), true where an answer's token may look.
    """

    own: Tensor
    prompt: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Blocks:
    """Prompts as one causal batch, answers as batches behind them. `back` (B * T,) undoes the regrouping."""

    prompt: Tensor
    answers: list[_AnswerBatch]
    back: Tensor

    @classmethod
    def of(cls, segment_ids: Tensor) -> Blocks:
        """Regroup rows `segment_ids` (B, T)."""
        rows, width = segment_ids.shape
        device = segment_ids.device
        table = segment_ids.cpu()
        prompt_lengths = (table == 0).sum(dim=1)
        most = int(prompt_lengths.max())
        starts = torch.arange(rows) * width
        # Behind a prompt's end stands padding that no real token looks at: causal order hides it.
        prompt = (starts[:, None] + torch.arange(most)).clamp(max=rows * width - 1)
        spans: list[tuple[int, int, int]] = []  # length, start, row
        for row in range(rows):
            counts = torch.bincount(table[row][table[row] > 0])[1:].tolist()
            start = int(starts[row] + prompt_lengths[row])
            for count in counts:
                spans.append((count, start, row))
                start += count
        back = torch.zeros(rows * width, dtype=torch.long)
        inside = torch.arange(most) < prompt_lengths[:, None]
        back[prompt[inside]] = torch.arange(rows * most).view(rows, most)[inside]
        offset = rows * most
        answers = []
        for batch in _buckets(spans, most):
            longest = batch[0][0]
            lengths = torch.tensor([length for length, _, _ in batch])
            first = torch.tensor([start for _, start, _ in batch])
            owner = torch.tensor([row for _, _, row in batch])
            own = (first[:, None] + torch.arange(longest)).clamp(max=rows * width - 1)
            inside = torch.arange(longest) < lengths[:, None]
            back[own[inside]] = offset + torch.arange(own.numel()).view_as(own)[inside]
            offset += own.numel()
            mask = _behind(prompt_lengths[owner], longest)
            ahead = prompt[owner, : mask.shape[-1] - longest]
            answers.append(_AnswerBatch(own.to(device), ahead.to(device), mask.to(device)))
        return cls(prompt.to(device), answers, back.to(device))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """See `PackedAttention`."""
        shape = query.shape
        query, key, value = (_flat(part) for part in (query, _repeat(key, query), _repeat(value, query)))
        run = functional.scaled_dot_product_attention
        first, keys, values = (_rows(part, self.prompt) for part in (query, key, value))
        parts = [run(first, keys, values, is_causal=True, scale=scale)]
        for batch in self.answers:
            seen = torch.cat([batch.prompt, batch.own], dim=1)
            parts.append(
                run(
                    _rows(query, batch.own),
                    _rows(key, seen),
                    _rows(value, seen),
                    attn_mask=batch.mask,
                    scale=scale,
                )
            )
        flat = torch.cat([part.transpose(1, 2).flatten(0, 1) for part in parts])
        return flat.index_select(0, self.back).view(shape[0], shape[2], shape[1], shape[3]).transpose(1, 2)


def _buckets(spans: Sequence[tuple[int, int, int]], prompt: int) -> list[list[tuple[int, int, int]]]:
    """Answers, longest first, cut where running the shorter ones apart spares enough work."""
    out: list[list[tuple[int, int, int]]] = []
    ordered = sorted(spans, key=lambda span: (-span[0], span[1]))
    for position, span in enumerate(ordered):
        longest = out[-1][0][0] if out else 0
        spared = (longest - span[0]) * (prompt + longest) * (len(ordered) - position)
        if out and spared < _WORTH_A_CALL:
            out[-1].append(span)
        else:
            out.append([span])
    return out


def _behind(prompt_lengths: Tensor, longest: int) -> Tensor:
    """(A or 1, 1, L, P + L): the prompt up to its own length, then the answer up to the query."""
    most = int(prompt_lengths.max())
    own = torch.ones(longest, longest, dtype=torch.bool).tril()
    if bool((prompt_lengths == most).all()):
        prompt_lengths = prompt_lengths[:1]
    count = len(prompt_lengths)
    prompt = torch.arange(most) < prompt_lengths[:, None]
    sides = [prompt[:, None].expand(count, longest, most), own.expand(count, longest, longest)]
    return torch.cat(sides, dim=2)[:, None]


def _flat(part: Tensor) -> Tensor:
    """(B, heads, T, D) as (B * T, heads, D)."""
    return part.transpose(1, 2).flatten(0, 1)


def _rows(flat: Tensor, index: Tensor) -> Tensor:
    """The tokens `index` (A, L) of a flat tensor, as (A, heads, L, D)."""
    return flat.index_select(0, index.flatten()).unflatten(0, index.shape).transpose(1, 2)


def _repeat(part: Tensor, query: Tensor) -> Tensor:
    """Keys or values once for each query head of their group."""
    return part.repeat_interleave(query.shape[1] // part.shape[1], dim=1)


_COMPILED: list[Any] = []


def _compiled_flex() -> Any:
    if not _COMPILED:
        _COMPILED.append(torch.compile(flex_attention))
    return _COMPILED[0]


def _attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface; `attention_mask` is a `PackedAttention`."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return attention_mask.attend(query, key, value, scale).transpose(1, 2).contiguous(), None


AttentionInterface.register(_NAME, _attend)
AttentionMaskInterface.register(_NAME, sdpa_mask)


@contextmanager
def packed_layers(model: Any) -> Iterator[None]:
    """Within this block the decoder layers of a Qwen2.5-VL take a `PackedAttention` in place of a mask."""
    config = model.config.get_text_config()
    before = config._attn_implementation
    config._attn_implementation = _NAME
    try:
        yield
    finally:
        config._attn_implementation = before
