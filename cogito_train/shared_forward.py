"""Group-shared forward: the answers of a prompt share one pass over the prompt and one vision encoding.

A row holds [prompt with its pictures, answer 1, ..., answer G]. Every answer sees the prompt and itself,
and its positions restart right after the prompt, so its log-probabilities are those of a row of its own:
exact up to float rounding. A batch is several such rows. Works on the stock transformers model: `attention.py`
stands where its mask would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cogito_train.attention import packed_attention, packed_layers

if TYPE_CHECKING:
    from cogito_core.engines.encode import Encoded


@dataclass(frozen=True)
class Group:
    """One prompt and the token ids of its answers (end token included where it was sampled)."""

    prompt: Encoded
    answers: Sequence[Sequence[int]]

    @property
    def num_tokens(self) -> int:
        """Tokens of the packed row."""
        return len(self.prompt.input_ids) + sum(len(answer) for answer in self.answers)


@dataclass
class PackedBatch:
    """B packed rows of T tokens holding N answer tokens, ordered by group, answer, token.

    Attributes:
        input_ids: (B, T) token ids, padded on the right.
        position_ids: (3, B, T) multimodal rotary positions: time, height, width.
        segment_ids: (B, T), 0 for the prompt, 1..G for the answers, -1 for padding.
        sources: (N,) index into the flattened B * T of the position that predicts each answer token.
        targets: (N,) the answer tokens.
        answer_ids: (N,) which answer of the batch each token belongs to.
        pixel_values, image_grid_thw: pictures of all rows in order, or None.
    """

    input_ids: Tensor
    position_ids: Tensor
    segment_ids: Tensor
    sources: Tensor
    targets: Tensor
    answer_ids: Tensor
    pixel_values: Tensor | None
    image_grid_thw: Tensor | None

    def to(self, device: torch.device) -> PackedBatch:
        """The same batch on `device`."""
        moved = {name: value.to(device) for name, value in vars(self).items() if value is not None}
        return replace(self, **moved)


def pack_groups(groups: Sequence[Group], *, merge_size: int, image_token_id: int, pad_id: int) -> PackedBatch:
    """Pack groups into one batch, one row each.

    Raises ValueError for an answer without tokens or with an image token: the model would look for its
    pixels.
    """
    width = max(group.num_tokens for group in groups)
    input_ids = np.full((len(groups), width), pad_id, dtype=np.int64)
    segment_ids = np.full((len(groups), width), -1, dtype=np.int64)
    position_ids = np.zeros((3, len(groups), width), dtype=np.int64)
    sources: list[np.ndarray] = []
    answer_ids: list[np.ndarray] = []
    count = 0
    for row, group in enumerate(groups):
        prompt = group.prompt.input_ids
        end = len(prompt)
        input_ids[row, :end], segment_ids[row, :end] = prompt, 0
        position_ids[:, row, :end] = prompt_positions(
            prompt, group.prompt.image_grid_thw, merge_size=merge_size, image_token_id=image_token_id
        )
        first = position_ids[:, row, :end].max() + 1
        start = end
        for number, answer in enumerate(group.answers, start=1):
            if len(answer) == 0 or image_token_id in answer:
                raise ValueError("an answer to score must have tokens, and none of them an image token")
            stop = start + len(answer)
            input_ids[row, start:stop], segment_ids[row, start:stop] = answer, number
            position_ids[:, row, start:stop] = first + np.arange(len(answer))
            source = row * width + np.arange(start - 1, stop - 1)
            source[0] = row * width + end - 1  # the prompt's last position predicts the first token
            sources.append(source)
            answer_ids.append(np.full(len(answer), count))
            count, start = count + 1, stop
    flat = np.concatenate(sources)
    tokens = [token for group in groups for answer in group.answers for token in answer]
    pixels = [group.prompt.pixel_values for group in groups if group.prompt.pixel_values is not None]
    grids = [group.prompt.image_grid_thw for group in groups if group.prompt.image_grid_thw is not None]
    return PackedBatch(
        input_ids=torch.from_numpy(input_ids),
        position_ids=torch.from_numpy(position_ids),
        segment_ids=torch.from_numpy(segment_ids),
        sources=torch.from_numpy(flat),
        targets=torch.tensor(tokens, dtype=torch.long),
        answer_ids=torch.from_numpy(np.concatenate(answer_ids)),
        pixel_values=torch.from_numpy(np.concatenate(pixels)) if pixels else None,
        image_grid_thw=torch.from_numpy(np.concatenate(grids)) if grids else None,
    )


def prompt_positions(
    input_ids: Sequence[int], grids: np.ndarray | None, *, merge_size: int, image_token_id: int
) -> np.ndarray:
    """Multimodal rotary positions of a prompt, shape (3, tokens): Qwen2-VL (arXiv 2409.12191), section 2.1.

    Text counts on by one in all three rows. A picture of h by w merged patches takes h * w tokens at (start,
    start + y, start + x), and the text goes on at start + max(h, w). Equality with transformers is tested.
    """
    ids = np.asarray(input_ids)
    out = np.empty((3, len(ids)), dtype=np.int64)
    starts = np.flatnonzero(ids == image_token_id)
    needed = 0 if grids is None else int(grids.prod(axis=1).sum()) // merge_size**2
    if needed != len(starts):
        raise ValueError(f"the prompt has {len(starts)} image tokens and its pictures need {needed}")
    cursor, next_position, taken = 0, 0, 0
    for _, height, width in grids if grids is not None else ():
        rows, columns = int(height) // merge_size, int(width) // merge_size
        begin = int(starts[taken])
        text = begin - cursor
        out[:, cursor:begin] = next_position + np.arange(text)
        next_position += text
        end = begin + rows * columns
        out[0, begin:end] = next_position
        out[1, begin:end] = next_position + np.repeat(np.arange(rows), columns)
        out[2, begin:end] = next_position + np.tile(np.arange(columns), rows)
        next_position += max(rows, columns)
        cursor, taken = end, taken + rows * columns
    out[:, cursor:] = next_position + np.arange(len(ids) - cursor)
    return out


def shared_hidden_states(
    model: Any, batch: PackedBatch, *, always_see: bool = False, attention: str = "auto"
) -> Tensor:
    """Last hidden states at the N positions that predict answer tokens, shape (N, hidden).

    `model` is a transformers Qwen2_5_VLForConditionalGeneration. With `always_see` the vision tower runs on a
    blank picture where the batch has none, with no effect on the result: under FSDP every process must make
    the same calls, or the ones with pictures wait for ever. `attention` is one of `attention.KINDS`.
    """
    inner = model.model
    embeds = inner.get_input_embeddings()(batch.input_ids)
    if batch.pixel_values is not None:
        features = inner.get_image_features(batch.pixel_values, batch.image_grid_thw, return_dict=True)
        images = torch.cat(features.pooler_output, dim=0).to(embeds.dtype)
        at_images = (batch.input_ids == model.config.image_token_id)[..., None]
        embeds = embeds.masked_scatter(at_images, images)
    elif always_see:
        pixels, grid = _blank_picture(model, embeds.device)
        features = inner.get_image_features(pixels, grid, return_dict=True)
        embeds = embeds + 0.0 * torch.cat(features.pooler_output, dim=0).sum().to(embeds.dtype)
    packed = packed_attention(batch.segment_ids, attention)
    with packed_layers(model):
        out = inner.language_model(
            inputs_embeds=embeds,
            position_ids=batch.position_ids,
            attention_mask={"full_attention": packed, "sliding_attention": packed},
            use_cache=False,
        ).last_hidden_state
    return out.reshape(-1, out.shape[-1])[batch.sources]


def _blank_picture(model: Any, device: torch.device) -> tuple[Tensor, Tensor]:
    vision = model.config.vision_config
    side = vision.spatial_merge_size
    patch = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    grid = torch.tensor([[1, side, side]], device=device)
    return torch.zeros(side * side, patch, device=device), grid
