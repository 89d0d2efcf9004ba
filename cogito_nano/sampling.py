"""Answers of a nano model to many small questions at once, for the warm-up's own report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from cogito_core.engines.encode import banned_token_ids
from cogito_nano.batches import encode_batch
from cogito_nano.tasks import NanoItem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration


@torch.no_grad()
def sample_answers(
    model: Qwen2_5_VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    items: Sequence[NanoItem],
    *,
    temperature: float,
    seed: int,
    max_tokens: int = 48,
) -> list[str]:
    """One answer for each item; temperature 0 takes the likeliest token. Vision tokens are banned."""
    from transformers import DynamicCache

    batch = encode_batch(
        tokenizer, [item.png_bytes for item in items], [item.problem for item in items], [""] * len(items)
    )
    # encode_batch ends each row with the end of turn; the prompt is what comes before it. Rows are shifted to the
    # right, so that all prompts end in the same column.
    rows, width = batch.input_ids.shape
    lengths = batch.targets.int().argmax(dim=1)
    width -= 1
    source = torch.arange(width)[None, :] - (width - lengths)[:, None]
    mask = source >= 0
    gather = source.clamp(min=0)
    ids = batch.input_ids.gather(1, gather).masked_fill(~mask, tokenizer.pad_token_id)
    positions = batch.position_ids.gather(2, gather.expand(3, rows, width)).masked_fill(~mask, 0)
    generator = torch.Generator().manual_seed(seed)
    banned = torch.tensor(banned_token_ids(tokenizer))
    cache = DynamicCache(config=model.config.get_text_config())
    hidden = model.model(
        input_ids=ids,
        attention_mask=mask.long(),
        position_ids=positions,
        pixel_values=batch.pixel_values.to(model.dtype),
        image_grid_thw=batch.image_grid_thw,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state[:, -1]
    following = positions[:, :, -1:] + 1
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    done = torch.zeros(rows, dtype=torch.bool)
    columns = []
    for _ in range(max_tokens):
        logits = model.lm_head(hidden).float()
        logits[:, banned] = -torch.inf
        if temperature == 0:
            token = logits.argmax(dim=-1)
        else:
            token = torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator)[:, 0]
        token = token.masked_fill(done, tokenizer.pad_token_id)
        columns.append(token)
        done |= token == end
        if bool(done.all()):
            break
        mask = torch.cat([mask, torch.ones(rows, 1, dtype=torch.bool)], dim=1)
        hidden = model.model(
            input_ids=token[:, None],
            attention_mask=mask.long(),
            position_ids=following,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]
        following = following + 1
    return tokenizer.batch_decode(torch.stack(columns, dim=1), skip_special_tokens=True)
