"""What servers say, as pure functions: answers of every make, complaints in every vendor's words."""

from __future__ import annotations

import json

import pytest

from cogito_core.engines.http1 import HttpResponse
from cogito_core.engines.wire import Fatal, Refused, Retry, read_answer, read_error, retry_after, unwrapped


def good(**changes):
    choice = {"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}
    for name in ("message", "finish_reason", "logprobs", "token_ids"):
        if name in changes:
            choice[name] = changes.pop(name)
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    return {"choices": [choice], "usage": usage, **changes}


def read(data, *, logprobs=False):
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return read_answer(HttpResponse(200, {}, body), 7, logprobs)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "four"}, "four"),
        ({"content": ""}, ""),
        ({"content": None}, ""),
        ({"content": None, "reasoning_content": "2 and 2"}, "<think>2 and 2</think>"),
        ({"content": "four", "reasoning": "2 and 2"}, "<think>2 and 2</think>four"),
        ({"content": "four", "reasoning_content": None}, "four"),
        ({"content": None, "refusal": "I cannot say"}, "I cannot say"),
        ({"content": [{"type": "text", "text": "fo"}, {"type": "text", "text": "ur"}]}, "four"),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "2 and 2"}]}]},
            "<think>2 and 2</think>",
        ),
        ({"content": "half \ud83d"}, "half ?"),
    ],
)
def test_the_text_of_every_kind_of_message(message, text):
    answer, _ = read(good(message=message))
    assert answer.text == text and answer.seed == 7


@pytest.mark.parametrize(
    ("reason", "finish"), [("stop", "stop"), ("length", "length"), ("eos", "stop"), ("model_length", "length")]
)
def test_why_an_answer_ended(reason, finish):
    assert read(good(finish_reason=reason))[0].finish == finish


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (good(choices=[]), "it has no choices"),
        (good(finish_reason=None), "unknown reason (None)"),
        (good(finish_reason="abort"), "unknown reason ('abort')"),
        ({"choices": good()["choices"]}, "it has no 'usage'"),
        (good(usage=None), "TypeError"),
        (good(usage={"prompt_tokens": 5}), "it has no 'completion_tokens'"),
        (good(usage={"prompt_tokens": 5, "completion_tokens": None}), "TypeError"),
        (good(usage={"prompt_tokens": 5, "completion_tokens": -3}), "-3 is no count"),
        (b'{"choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 1e999}}', "OverflowError"),
        (good(message={"role": "assistant"}), "it has no"),
        (good(message=None), "TypeError"),
        (good(message={"content": 4}), "its content is of type int"),
        (good(message={"content": {"text": "x"}}), "its content is of type dict"),
        (good(token_ids=[2**40]), f"{2**40} is no count"),
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "no JSON: '502 Bad Gateway'"),
        (b"[" * 100_000, "RecursionError"),
        (b"null", "TypeError"),
        (b"[1]", "TypeError"),
        (b"\xff\xfe", "garbage"),
        (b"", "no JSON"),
    ],
)
def test_what_is_no_answer_is_asked_again_with_a_clear_reason(data, words):
    outcome = read(data)
    assert isinstance(outcome, Retry) and words in outcome.reason and len(outcome.reason) <= 200


def test_log_probabilities_fit_their_tokens_or_are_not_taken():
    """One token more or less would shift every ratio of the trainer's by one place."""
    three = {"content": [{"token": "a", "logprob": value} for value in (-0.5, -0.25, float("nan"))]}
    answer, _ = read(good(token_ids=[4, 5, 6], logprobs=three), logprobs=True)
    assert answer.logprobs[:2] == (-0.5, -0.25) and answer.logprobs[2] != answer.logprobs[2]
    short = read(good(token_ids=[4, 5], logprobs=three), logprobs=True)
    assert isinstance(short, Retry) and "2 token ids and 3 log-probabilities" in short.reason
    none = read(good(logprobs=None), logprobs=True)
    assert isinstance(none, Refused) and "this server gives none" in none.reason


@pytest.mark.parametrize("reason", ["content_filter", "tool_calls"])
def test_what_was_withheld_will_not_come_at_the_next_try(reason):
    assert isinstance(read(good(finish_reason=reason)), Refused)


def complain(status, message="", *, code=None, body=None):
    if body is None:
        body = json.dumps({"error": {"message": message, "code": code}}).encode()
    return read_error(HttpResponse(status, {}, body), "http://s/v1", "m", True)


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",  # OpenAI
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",  # vLLM
        "Input length (9000 tokens) exceeds the maximum allowed length (8187 tokens).",  # SGLang
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 and 20",  # TGI
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500",  # TGI
        "the request exceeds the available context size. try increasing the context size",  # llama.cpp
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",  # Gemini
        "prompt is too long: 208310 tokens > 200000 maximum",  # Anthropic
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",  # Mistral
        "Please reduce the length of the messages or completion.",  # Groq
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",  # Cohere
        "Input is too long for requested model.",  # Bedrock
        "Range of input length should be [1, 129024]",  # DashScope
        "input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000",  # Anthropic
        "Token indices sequence length is longer than the specified maximum sequence length (18294 > 16384).",
        "litellm.ContextWindowExceededError: context window exceeded",  # LiteLLM
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_context_too_small_in_every_vendors_words(status, message):
    outcome = complain(status, message)
    assert isinstance(outcome, Refused) and outcome.reason.startswith("prompt and answer do not fit")


def test_the_code_counts_where_the_words_are_new():
    assert "do not fit" in complain(400, "no can do", code="context_length_exceeded").reason
    assert isinstance(complain(429, "wait", code="insufficient_quota"), Fatal)
    assert isinstance(complain(429, "You exceeded your current quota, please check your plan"), Fatal)
    assert isinstance(complain(429, "wait"), Retry)
    assert isinstance(complain(400, "no", code="model_not_found"), Fatal)


@pytest.mark.parametrize(
    ("outcome", "kind", "words"),
    [
        (complain(400, "Model Not Exist"), Fatal, "does not serve 'm'"),  # DeepSeek
        (complain(400, "This model does not support images: image not found"), Refused, "refuses the picture"),
        (complain(400, "messages[0]: unknown variant `image_url`, expected `text`"), Refused, "refuses the picture"),
        (complain(404, body=b'{"detail":"Not Found"}'), Fatal, "not the base URL .* Not Found"),
        (
            complain(413, body=b"<html>\n<head><title>413 Request Entity Too Large</title></head>\n</html>"),
            Refused,
            r"too large for the server \(413 Request Entity Too Large\); lower max_pixels",
        ),
        (complain(413, "tokens per minute: limit 6000, requested 7000"), Refused, "limit 6000"),  # Groq
        (complain(502, body=b"<html><title>502 Bad Gateway</title><body>"), Retry, r"failed \(502: 502 Bad Gateway\)"),
        (complain(307), Fatal, "redirects elsewhere"),
        (complain(400, body=b'[{"error": {"message": "API key expired"}}]'), Refused, "API key expired"),  # Gemini
        (complain(400, body=b"[" * 100_000), Refused, r"\(400: \[\["),
        (complain(400, body=b""), Refused, "400"),
    ],
)
def test_every_complaint_becomes_one_sentence(outcome, kind, words):
    import re

    assert isinstance(outcome, kind) and re.search(words, outcome.reason) and "\n" not in outcome.reason


def test_an_error_in_a_200_stands_for_its_own_status():
    """OpenRouter reports what failed behind it with status 200."""
    for code, status in ((429, 429), (502, 502), ("bad_gateway", 500), (None, 500), (7, 500)):
        body = json.dumps({"error": {"message": "upstream", "code": code}}).encode()
        assert unwrapped(HttpResponse(200, {}, body)).status == status
    flat = HttpResponse(200, {}, b'{"object": "error", "message": "no room", "code": 400}')  # SGLang's form
    assert unwrapped(flat).status == 400
    whole = HttpResponse(200, {}, json.dumps(good(error=None)).encode())
    assert unwrapped(whole) is whole


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("-3", 0.0), ("inf", 600.0), ("nan", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_how_long_to_wait(value, seconds):
    assert retry_after(HttpResponse(429, {"retry-after": value}, b"")) == seconds
