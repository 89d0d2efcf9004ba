"""The OpenAI chat protocol as pure functions: bodies out, answers in, and what an error means."""

from __future__ import annotations

import base64
import json
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Literal

from cogito_core.engines.base import Answer, Chat, Finish, Sampling
from cogito_core.engines.encode import PixelLimits, content_parts, picture_for_wire
from cogito_core.engines.http1 import HttpResponse
from cogito_core.sample import Picture

ServerKind = Literal["vllm", "sglang", "openai", "other"]

_PICTURES_KEPT = 64


@dataclass(frozen=True, slots=True)
class ServerTraits:
    """What a server told about itself."""

    kind: ServerKind
    max_model_len: int | None = None
    root: str = ""
    banned: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask again later; `overloaded` means the server is well but busy."""

    reason: str
    overloaded: bool = False
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """This request will never be answered; others may be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fatal:
    """No request will be answered: the sentence is for the user."""

    reason: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens one call used, as the server counts them."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


class MessageWriter:
    """Writes the `messages` of a chat as JSON, pictures as data URLs of their final size."""

    def __init__(self, limits: PixelLimits) -> None:
        self.limits = limits
        self._urls: OrderedDict[str, str] = OrderedDict()

    def messages(self, chat: Chat) -> bytes:
        """The JSON list.

        Raises:
            RequestError: a picture cannot be read, or marks and pictures do not fit together.
        """
        out: list[dict[str, Any]] = []
        for role, parts in content_parts(chat):
            content: Any
            if any(isinstance(part, Picture) for part in parts):
                content = [
                    {"type": "image_url", "image_url": {"url": self._url(part)}}
                    if isinstance(part, Picture)
                    else {"type": "text", "text": part}
                    for part in parts
                ]
            else:
                content = "".join(part for part in parts if isinstance(part, str))
            out.append({"role": role, "content": content})
        return json.dumps(out).encode()

    def _url(self, picture: Picture) -> str:
        known = self._urls.get(picture.sha256)
        if known is None:
            data, media_type = picture_for_wire(picture, self.limits)
            known = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
            self._urls[picture.sha256] = known
            if len(self._urls) > _PICTURES_KEPT:
                self._urls.popitem(last=False)
        else:
            self._urls.move_to_end(picture.sha256)
        return known


def request_body(model: str, messages: bytes, sampling: Sampling, seed: int, traits: ServerTraits) -> bytes:
    """The JSON body that asks for one answer."""
    room = sampling.max_tokens
    if traits.max_model_len is not None:
        # vLLM refuses a larger figure outright, though it would stop at the end of its context anyway.
        room = min(room, traits.max_model_len - 1)
    fields: dict[str, Any] = {
        "model": model,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": seed,
        "max_completion_tokens" if traits.kind == "openai" else "max_tokens": room,
    }
    if sampling.logprobs:
        fields["logprobs"] = True
    if traits.kind in ("vllm", "sglang"):
        # These servers take what is not said from the model's generation_config.json, and Qwen2.5-VL's asks for a
        # repetition penalty of 1.05: another distribution than that of the other engines.
        fields |= {"repetition_penalty": 1.0, "top_k": -1, "min_p": 0.0}
    if traits.kind == "vllm":
        fields["return_token_ids"] = True
        if traits.banned:
            fields["logit_bias"] = {str(token): -100 for token in traits.banned}
    return json.dumps(fields).encode()[:-1] + b',"messages":' + messages + b"}"


def unwrapped(response: HttpResponse) -> HttpResponse:
    """A 200 that holds nothing but an error (OpenRouter, some proxies) as the status it stands for."""
    if response.status != 200 or b'"choices"' in response.body or b'"error"' not in response.body:
        return response
    code = _error_parts(response)[1]
    status = int(code) if code.isdigit() and 400 <= int(code) < 600 else 500
    return replace(response, status=status)


def read_answer(response: HttpResponse, seed: int, with_logprobs: bool) -> tuple[Answer, Usage] | Retry | Refused:
    """What a 200 holds; anything that is not a complete answer is garbage and asked again."""
    try:
        data = json.loads(response.body)
        choice = data["choices"][0]
        usage = data["usage"]
        counted = Usage(
            _count(usage["prompt_tokens"]),
            _count((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0),
            _count(usage["completion_tokens"]),
        )
        reason = choice["finish_reason"]
        if reason in _WITHHELD:
            return Refused(_WITHHELD[reason])
        finish = _FINISHED.get(reason)
        if finish is None:
            return Retry(f"the server ended the answer for an unknown reason ({reason!r})")
        token_ids = tuple(_count(token) for token in choice.get("token_ids") or ())
        logprobs = None
        if with_logprobs:
            if not choice.get("logprobs"):
                return Refused("log-probabilities were asked for, but this server gives none")
            logprobs = tuple(float(token["logprob"]) for token in choice["logprobs"]["content"])
            if token_ids and len(token_ids) != len(logprobs):
                raise ValueError(f"{len(token_ids)} token ids and {len(logprobs)} log-probabilities")
        answer = Answer(
            text=_full_text(choice["message"]),
            token_ids=token_ids,
            logprobs=logprobs,
            finish=finish,
            n_tokens=counted.completion_tokens,
            n_prompt_tokens=counted.prompt_tokens,
            seed=seed,
        )
    except IndexError:
        return Retry("the server's answer is garbage (it has no choices)")
    except KeyError as error:
        return Retry(f"the server's answer is garbage (it has no {error})")
    except json.JSONDecodeError:
        return Retry(f"the server's answer is garbage (no JSON: {error_text(response)[:80]!r})")
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        return Retry(f"the server's answer is garbage ({type(error).__name__}: {error})"[:200])
    return answer, counted


_FINISHED: dict[Any, Finish] = {
    # The protocol knows stop and length; the others are what servers pass through from below.
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "model_length"), "length"),
}
_WITHHELD = {
    "content_filter": "the server's content filter withheld the answer",
    **dict.fromkeys(
        ("tool_calls", "function_call"), "the server took the answer for a tool call; start it without a tool parser"
    ),
}


def _count(value: Any) -> int:
    """A token count or id. Raises ValueError for what can be neither, as our store could not keep it."""
    number = int(value)
    if not 0 <= number < 2**31:
        raise ValueError(f"{number} is no count")
    return number


def _full_text(message: dict[str, Any]) -> str:
    content = message["content"] if "content" in message else message["refusal"]
    thought = message.get("reasoning") or message.get("reasoning_content") or ""
    if isinstance(content, list):  # Mistral's reasoning models answer in parts
        thought += "".join(_part_text(part["thinking"]) for part in content if part["type"] == "thinking")
        content = "".join(_part_text(part["text"]) for part in content if part["type"] == "text")
    text = content or message.get("refusal") or ""
    if not isinstance(text, str) or not isinstance(thought, str):
        raise TypeError(f"its content is of type {type(content).__name__}")
    if thought:
        # A server with a reasoning parser cuts the thoughts out of the text; we judge the whole answer.
        text = f"<think>{thought}</think>{text}"
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _part_text(part: Any) -> str:
    return part if isinstance(part, str) else "".join(_part_text(piece["text"]) for piece in part)


_CONTEXT = re.compile(
    r"context.{0,3}(length|size|window|limit)|max_model_len|maximum (model |allowed )?length|"
    r"longer than the (specified )?max|too many tokens|(prompt|input) is too long|token count .{0,40}exceeds|"
    r"max_new_tokens. must be|must have less than \d+ tokens|range of input length|reduce the length of",
    re.I,
)
"""How OpenAI, vLLM, SGLang, TGI, llama.cpp, Gemini, Anthropic, Mistral, Groq, Bedrock and DashScope say it."""

_IMAGE = re.compile(r"\bimages?\b|image_url|multi-?modal|vision", re.I)
_NO_MODEL = re.compile(r"model\b.{0,200}(not exist|not found)", re.I | re.S)
_MODEL = re.compile(r"model\b.{0,200}(not exist|not found|not supported|unknown|does not support this)", re.I | re.S)
_NO_CREDIT = re.compile(r"insufficient_quota|exceeded your current quota|insufficient (balance|credit)", re.I)


def read_error(response: HttpResponse, url: str, model: str, has_key: bool) -> Retry | Refused | Fatal:
    """What a status other than 200 means: ask again, give up this request, or give up altogether."""
    status = response.status
    said, code = _error_parts(response)
    if status in (401, 403):
        hint = "check COGITO_API_KEY or OPENAI_API_KEY" if has_key else "set COGITO_API_KEY or OPENAI_API_KEY"
        return Fatal(f"the server {url} refuses access ({status}): {hint}")
    if status == 402 or _NO_CREDIT.search(f"{code} {said}"):
        return Fatal(f"the account at {url} has no credit left ({said})")
    if status == 404:
        if _MODEL.search(said):
            return Fatal(f"the server {url} does not serve '{model}' ({said})")
        return Fatal(f"{url} is not the base URL of an OpenAI-compatible server (404 for /chat/completions: {said})")
    if status == 400 and (code == "model_not_found" or (_NO_MODEL.search(said) and "image" not in said.lower())):
        return Fatal(f"the server {url} does not serve '{model}' ({said})")
    if status in (429, 503, 529):
        return Retry(f"the server is overloaded ({status})", overloaded=True, after_s=retry_after(response))
    too_long = code == "context_length_exceeded" or _CONTEXT.search(said)
    if status in (408, 409, 425) or (status >= 500 and not too_long):
        return Retry(f"the server failed ({status}: {said})")
    if 300 <= status < 400:
        return Fatal(
            f"the server {url} redirects elsewhere ({response.headers.get('location', 'nowhere')}); give that URL"
        )
    if status == 413:
        return Refused(f"the request is too large for the server ({said}); lower max_pixels")
    if too_long:
        return Refused(f"prompt and answer do not fit into the server's context: {said}")
    if _IMAGE.search(said):
        return Refused(f"the server refuses the picture: {said}")
    return Refused(f"the server refuses the request ({status}: {said})")


def error_text(response: HttpResponse) -> str:
    """The server's own words, at most 300 characters on one line."""
    return _error_parts(response)[0]


def _error_parts(response: HttpResponse) -> tuple[str, str]:
    """The server's words and its code for the error, which may be empty."""
    try:
        data = json.loads(response.body)
    except (ValueError, RecursionError):
        text = response.body[:4000].decode("utf-8", errors="replace")
        # A proxy's page of HTML says in its title what there is to say.
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
        return " ".join((title[1] if title else text).split())[:300], ""
    if isinstance(data, list) and data:  # Gemini wraps its error in a list
        data = data[0]
    error = data.get("error") if isinstance(data, dict) else None
    holder = error if isinstance(error, dict) else data if isinstance(data, dict) else {}
    code = holder.get("code") or holder.get("type")
    for path in (("error", "message"), ("message",), ("detail",), ("error",)):
        found: Any = data
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return " ".join(found.split())[:300], str(code or "")
    return " ".join(json.dumps(data).split())[:300], str(code or "")


def retry_after(response: HttpResponse) -> float | None:
    """Seconds the server asks us to wait, from a Retry-After header in either of its forms; at most ten minutes."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), 600.0) if seconds == seconds else None
