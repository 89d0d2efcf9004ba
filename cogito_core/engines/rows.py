"""The answers being written: one row each, in one batch whose rows come and go.

Rows of different length share a batch by padding the key-value cache on the left; padded places are masked, so a row
computes what it would compute alone, up to the rounding of a differently shaped matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers import DynamicCache

from cogito_core.engines.attention import grouped_attention
from cogito_core.engines.base import Sampling
from cogito_core.engines.sampling import draw, sampling_logprobs, uniforms


@dataclass(slots=True)
class Row:
    """One answer in the making; `owner` is whatever the caller needs to know it by."""

    owner: Any
    seed: int
    room: int
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


class RowBatch:
    """Rows that are decoded together.

    Tensors, for B rows and T cached places: keys and values [B, heads, T, head size] for each layer; `_pad` [B]
    places masked on the left; `_position` [B] rotary position of the next token.
    """

    def __init__(self, model: Any, sampling: Sampling, banned: tuple[int, ...], stops: frozenset[int]) -> None:
        self.model = model
        self.sampling = sampling
        self.rows: list[Row] = []
        self._banned = banned
        self._stops = stops
        self._cache: Any = None
        self._pad: torch.Tensor | None = None
        self._position: torch.Tensor | None = None

    def add(self, inputs: dict[str, Any], fan_out: list[list[Row]]) -> list[Row]:
        """Prefill prompts of equal length once each, give every row its first token, and return the finished rows.

        Args:
            inputs: `input_ids` [prompts, length], and with pictures `pixel_values`, `image_grid_thw`,
                `mm_token_type_ids`.
            fan_out: for each prompt the rows that share it.
        """
        with torch.no_grad(), grouped_attention(self.model):
            ids = inputs["input_ids"]
            position = self._prompt_positions(inputs)
            pictures = {key: inputs[key] for key in ("pixel_values", "image_grid_thw") if key in inputs}
            output = self.model(
                input_ids=ids,
                position_ids=position,
                past_key_values=DynamicCache(),
                use_cache=True,
                logits_to_keep=1,
                **pictures,
            )
            source = torch.tensor([i for i, rows in enumerate(fan_out) for _ in rows], device=ids.device)
            cache = output.past_key_values
            cache.batch_select_indices(source)
            following = position.amax(dim=(0, 2))[source] + 1
            added = [row for rows in fan_out for row in rows]
            self._write(added, output.logits[:, -1][source])
            self._join(cache, ids.shape[1], following)
        self.rows.extend(added)
        return self._retire()

    def step(self) -> list[Row]:
        """Write one more token in every row; returns the rows that are finished, which leave the batch."""
        assert self._position is not None and self._pad is not None
        with torch.no_grad(), grouped_attention(self.model):
            device = self._position.device
            last = torch.tensor([row.tokens[-1] for row in self.rows], device=device).unsqueeze(1)
            output = self.model(
                input_ids=last,
                position_ids=self._position.view(1, -1, 1).expand(3, -1, 1),
                attention_mask=self._mask(),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
            self._position = self._position + 1
            self._write(self.rows, output.logits[:, -1])
        return self._retire()

    def _prompt_positions(self, inputs: dict[str, Any]) -> torch.Tensor:
        ids = inputs["input_ids"]
        if "image_grid_thw" in inputs:
            positions, _ = self.model.model.get_rope_index(
                ids, inputs["mm_token_type_ids"], image_grid_thw=inputs["image_grid_thw"]
            )
            return positions
        return torch.arange(ids.shape[1], device=ids.device).view(1, 1, -1).expand(3, ids.shape[0], -1)

    def _mask(self) -> torch.Tensor | None:
        assert self._pad is not None
        if not bool(self._pad.any()):
            return None
        length = self._cache.get_seq_length() + 1
        return (torch.arange(length, device=self._pad.device) >= self._pad.unsqueeze(1)).long()

    def _write(self, rows: list[Row], logits: torch.Tensor) -> None:
        logprobs = sampling_logprobs(logits, self.sampling.temperature, self._banned, self.sampling.top_p)
        if self.sampling.temperature == 0:
            tokens = logprobs.argmax(-1)
        else:
            uniform = uniforms([row.seed for row in rows], [len(row.tokens) for row in rows])
            tokens = draw(logprobs, torch.from_numpy(uniform))
        chosen = logprobs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1).tolist()
        for row, token, logprob in zip(rows, tokens.tolist(), chosen, strict=True):
            row.tokens.append(token)
            row.logprobs.append(logprob)

    def _retire(self) -> list[Row]:
        done = [row.tokens[-1] in self._stops or len(row.tokens) >= row.room for row in self.rows]
        finished = [row for row, is_done in zip(self.rows, done, strict=True) if is_done]
        if not finished:
            return []
        self.rows = [row for row, is_done in zip(self.rows, done, strict=True) if not is_done]
        if not self.rows:
            self._cache = self._pad = self._position = None
            return finished
        assert self._pad is not None and self._position is not None
        kept = torch.tensor([i for i, is_done in enumerate(done) if not is_done], device=self._pad.device)
        self._cache.batch_select_indices(kept)
        self._pad, self._position = self._pad[kept], self._position[kept]
        surplus = int(self._pad.min())
        if surplus:
            for layer in self._cache.layers:
                layer.keys, layer.values = layer.keys[:, :, surplus:], layer.values[:, :, surplus:]
            self._pad = self._pad - surplus
        return finished

    def _join(self, cache: Any, length: int, position: torch.Tensor) -> None:
        pad = torch.zeros_like(position)
        if self._cache is None:
            self._cache, self._pad, self._position = cache, pad, position
            return
        assert self._pad is not None and self._position is not None
        longest = max(length, self._cache.get_seq_length())
        here, there = longest - self._cache.get_seq_length(), longest - length
        for ours, theirs in zip(self._cache.layers, cache.layers, strict=True):
            for name in ("keys", "values"):
                joined = torch.cat([_pad_left(getattr(ours, name), here), _pad_left(getattr(theirs, name), there)])
                setattr(ours, name, joined)
        self._pad = torch.cat([self._pad + here, pad + there])
        self._position = torch.cat([self._position, position])


def _pad_left(states: torch.Tensor, places: int) -> torch.Tensor:
    return states if places == 0 else functional.pad(states, (0, 0, places, 0))
