"""The shipped tokenizer: every text round-trips, digits stand alone, the template is Qwen2.5-VL's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_nano import WEIGHTS_DIR
from cogito_nano.drills import drill
from cogito_nano.tasks import CATEGORIES, LEVELS, task
from cogito_nano.tokenizer import ANSWER_TOKENS, SPECIAL_TOKENS, VOCAB_SIZE, nano_texts, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(WEIGHTS_DIR)


def test_any_text_round_trips(tokenizer: Any) -> None:
    @given(st.text())
    def check(text: str) -> None:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text

    check()


def test_answers_survive_decoding_without_special_tokens(tokenizer: Any) -> None:
    text = "<think>3+4=7</think><answer>\\boxed{7}</answer>"
    ids = tokenizer(f"{text}<|im_end|>")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert set(tokenizer.convert_tokens_to_ids(ANSWER_TOKENS)) <= set(ids)


def test_digits_are_split_singly(tokenizer: Any) -> None:
    # "1" and " 1" are tokens; no token holds two digits.
    assert all(sum(character.isdigit() for character in token) <= 1 for token in tokenizer.get_vocab())
    assert len(tokenizer("1234567890")["input_ids"]) == 10


def test_special_tokens_are_qwens(tokenizer: Any) -> None:
    ids = tokenizer.convert_tokens_to_ids(SPECIAL_TOKENS)
    assert len(set(ids)) == len(SPECIAL_TOKENS)
    for token, number in zip(SPECIAL_TOKENS, ids, strict=True):
        assert tokenizer(token)["input_ids"] == [number]
    assert tokenizer.eos_token == "<|im_end|>"
    assert len(tokenizer) <= VOCAB_SIZE


def test_the_template_is_qwens_form_without_a_system_turn(tokenizer: Any) -> None:
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "\nHow many?"}]},
        {"role": "assistant", "content": "4"},
    ]
    assert tokenizer.apply_chat_template(chat, tokenize=False) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>\nHow many?<|im_end|>\n"
        "<|im_start|>assistant\n4<|im_end|>\n"
    )
    assert tokenizer.apply_chat_template(chat[1:2], tokenize=False, add_generation_prompt=True) == (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>\nHow many?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_shipped_tokenizer_is_what_the_script_trains(tokenizer: Any) -> None:
    rebuilt = train_tokenizer(nano_texts())
    assert rebuilt.get_vocab() == tokenizer.get_vocab()
    for category in CATEGORIES:
        for level in LEVELS:
            problem = task(category, level, 9).problem
            assert rebuilt(problem)["input_ids"] == tokenizer(problem)["input_ids"]


def test_drills_can_be_solved_by_looking() -> None:
    """Every answer of a drill is recounted from its question alone."""
    rng = random.Random(0)
    for _ in range(300):
        question, answer = drill(rng)
        if "\n" in question:
            asked, _, options = question.partition("\n")
            letters = {line[4:]: line[1] for line in options.split("\n")}
            assert answer == ", ".join(f"{value} = {letters[value]}" for value in asked.split(", "))
            continue
        if ";" not in question:
            assert answer == question
            continue
        facts, _, asked = question.partition("; ")
        words = facts.replace(",", "").split()
        found = [pair.split() for pair in answer.split(", ")]
        assert [first for first, _ in found] == asked.split()
        for first, second in found:
            forward = words[words.index(first) + 1 : words.index(first) + 2]
            backward = words[words.index(first) - 1]
            assert [second] == forward or second == backward
