"""The tokenizer of cogito-nano: byte-level BPE over the nano texts, with Qwen2.5-VL's special tokens.

All 256 bytes are in the alphabet, so every text round-trips; digits stand alone, so that numbers are read and
written digit by digit. The tags of an answer are ordinary (not special) tokens of their own: they survive decoding
with ``skip_special_tokens=True`` and cost one token each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cogito_core.engines.base import IMAGE_MARK
from cogito_nano.targets import careful, hasty_openings
from cogito_nano.tasks import CATEGORIES, LEVELS, task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCAB_SIZE = 640

PAD, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL_TOKENS = (
    PAD,
    TURN_START,
    TURN_END,
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
ANSWER_TOKENS = ("<think>", "</think>", "<answer>", "</answer>", "\\boxed{")

# Qwen2.5-VL's form without its default system turn: the nano prompt has none. Line ends are written as expressions,
# because a "-%}" beside a literal line end would swallow it.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['content'] is string -%}
{{ message['content'] }}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' or 'image' in part or 'image_url' in part -%}
{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif part['type'] == 'video' or 'video' in part -%}
{{ '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- elif 'text' in part -%}
{{ part['text'] }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n' }}
{%- endif -%}"""


def train_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer of at most ``VOCAB_SIZE`` tokens for these texts; the same texts give the same tokenizer."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\d|\n| ?\p{L}+| ?[^\s\d\p{L}]|\s"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - len(SPECIAL_TOKENS) - len(ANSWER_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    core.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL_TOKENS])
    core.add_tokens([AddedToken(token, normalized=False, special=False) for token in ANSWER_TOKENS])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=TURN_END,
        pad_token=PAD,
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )


def nano_texts(per_level: int = 400) -> Iterator[str]:
    """Questions and answers of all categories and levels: what the tokenizer is trained on."""
    yield from hasty_openings()
    for category in CATEGORIES:
        for level in LEVELS:
            for seed in range(per_level):
                item = task(category, level, seed)
                yield f"user{item.problem.removeprefix(IMAGE_MARK)}"
                yield f"assistant\n{item.question} Choose from: {', '.join(item.pool)}."
                yield careful(item)
