"""Log-probabilities of answers under a model: the group-shared way, and the plain way it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from cogito_core.engines.sampling import sampling_logprobs
from cogito_train.shared_forward import Group, PackedBatch, pack_groups, shared_hidden_states

# Logits of at most this many bytes are held at once; above it the head runs in chunks that are recomputed in
# the backward pass, so the (tokens, vocabulary) matrix never exists whole.
MAX_LOGIT_BYTES = 256 * 2**20

Scorer = Callable[[PackedBatch], tuple[Tensor, Tensor]]
"""Log-probabilities and entropies (N,) of a batch's answer tokens."""


class AnswerScorer(nn.Module):
    """A model with the head that the trainer needs: log-probability and entropy of each answer token.

    The distribution is `sampling_logprobs`, the one the engine draws from: same temperature, same banned
    tokens. It is the root module that FSDP shards, so everything the trainer computes passes through its
    forward.
    """

    def __init__(
        self, model: Any, *, temperature: float, banned: Sequence[int], pad_id: int, attention: str = "auto"
    ) -> None:
        super().__init__()
        self.model = model
        self.temperature = temperature
        self.banned = tuple(banned)
        self.pad_id = pad_id
        self.attention = attention
        self.always_see = False
        self.compute_dtype = torch.float32
        use_linear_patch_embedding(model)

    def pack(self, groups: Sequence[Group]) -> PackedBatch:
        """Pack groups for this model."""
        config = self.model.config
        return pack_groups(
            groups,
            merge_size=config.vision_config.spatial_merge_size,
            image_token_id=config.image_token_id,
            pad_id=self.pad_id,
        )

    def forward(self, batch: PackedBatch) -> tuple[Tensor, Tensor]:
        """Log-probabilities (N,) and entropies (N,, no gradient) of the answer tokens, in nats, float32."""
        device = batch.input_ids.device.type
        with torch.autocast(device, self.compute_dtype, enabled=self.compute_dtype != torch.float32):
            hidden = shared_hidden_states(self.model, batch, always_see=self.always_see, attention=self.attention)
            return self._head(hidden, batch.targets)

    def _head(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        weight = self.model.lm_head.weight
        rows = max(1, MAX_LOGIT_BYTES // (4 * weight.shape[0]))
        if len(targets) <= rows:
            return self._chunk(hidden, targets, weight)
        parts = [
            checkpoint(self._chunk, h, t, weight, use_reentrant=False)
            for h, t in zip(hidden.split(rows), targets.split(rows), strict=True)
        ]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    def _chunk(self, hidden: Tensor, targets: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        logprobs = sampling_logprobs(functional.linear(hidden, weight), self.temperature, self.banned)
        # A copy: FSDP2 hooks what the root returns, and a view could lose its hook.
        chosen = logprobs.gather(-1, targets[:, None])[:, 0].clone()
        with torch.no_grad():
            entropy = torch.special.entr(logprobs.exp()).sum(-1)
        return chosen, entropy


def plain_logprobs(scorer: AnswerScorer, groups: Sequence[Group]) -> Tensor:
    """Log-probabilities (N,) by one padded row an answer, prompt and pictures repeated: the model's own path.

    Costs many times more; it is what the group-shared form is tested and measured against.
    """
    model = scorer.model
    rows = [(group.prompt, list(answer)) for group in groups for answer in group.answers]
    width = max(len(prompt.input_ids) + len(answer) for prompt, answer in rows)
    ids = torch.full((len(rows), width), scorer.pad_id)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for number, (prompt, answer) in enumerate(rows):
        tokens = torch.tensor([*prompt.input_ids, *answer])
        ids[number, : len(tokens)], mask[number, : len(tokens)] = tokens, 1
    pictures: dict[str, Tensor] = {}
    if any(prompt.pixel_values is not None for prompt, _ in rows):
        seen = [prompt for prompt, _ in rows if prompt.pixel_values is not None]
        pictures["pixel_values"] = torch.cat([torch.from_numpy(prompt.pixel_values) for prompt in seen])
        pictures["image_grid_thw"] = torch.cat([torch.from_numpy(prompt.image_grid_thw) for prompt in seen])
        pictures["mm_token_type_ids"] = (ids == model.config.image_token_id).int()
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False, **pictures).logits
    out = []
    for number, (prompt, answer) in enumerate(rows):
        start = len(prompt.input_ids) - 1
        answered = logits[number, start : start + len(answer)]
        logprobs = sampling_logprobs(answered, scorer.temperature, scorer.banned)
        out.append(logprobs.gather(-1, torch.tensor(answer)[:, None])[:, 0])
    return torch.cat(out)


def use_linear_patch_embedding(model: Any) -> None:
    """Replace the vision tower's 3-d convolution by the matrix product it is (kernel = stride).

    The weight stays where it is, so names and files do not change; only the slow kernel is avoided.
    """
    patch_embed = model.model.visual.patch_embed

    def forward(hidden_states: Tensor) -> Tensor:
        weight = patch_embed.proj.weight
        flat = hidden_states.reshape(-1, weight[0].numel()).to(weight.dtype)
        return functional.linear(flat, weight.reshape(weight.shape[0], -1))

    patch_embed.forward = forward
