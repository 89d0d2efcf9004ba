"""The embedded engine: a Qwen2.5-VL in this process, on whatever device there is, with nothing to tune."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_core.engines.base import Answer, Finish, Request, Result
from cogito_core.engines.encode import ChatEncoder, Encoded, PixelLimits, RequestError, banned_token_ids
from cogito_core.engines.models import model_revision, resolve_model
from cogito_core.engines.rows import Row, RowBatch
from cogito_core.engines.sampling import sampling_logprobs

__all__ = ["TransformersEngine", "banned_token_ids", "load_model", "sampling_logprobs"]

_MAX_ROWS = 256
_PREFILL_TOKENS = {"cpu": 4096, "cuda": 32768}
_MEMORY_SHARE = 0.4
_CPU_MEMORY = 2 << 30
_AHEAD_BYTES = 512 << 20
"""Pixels of prompts read ahead; a picture of a million pixels takes 25 MB."""


@dataclass(slots=True)
class _Waiting:
    """A prompt whose answers are not all started."""

    request: Request
    encoded: Encoded
    room: int
    unstarted: deque[int]
    answers: dict[int, Answer] = field(default_factory=dict)


class TransformersEngine:
    """Answers requests with a transformers model.

    Prompts of equal length are prefilled together, each once, and its n answers share that prefill. Answers of all
    lengths then share one batch; finished rows leave it and new prompts fill it up. Every answer has its own random
    numbers, so neither batch size nor order changes it.
    """

    def __init__(self, model: Any, encoder: ChatEncoder, name: str, *, max_rows: int = _MAX_ROWS) -> None:
        self.name = name
        self.model = model
        self.encoder = encoder
        self.max_rows = max_rows
        self.banned = banned_token_ids(encoder.tokenizer)
        self._stops = stop_token_ids(model.generation_config, encoder.tokenizer)

    @classmethod
    def load(
        cls,
        model: str,
        *,
        revision: str | None = None,
        dtype: str | None = None,
        device: str | None = None,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
    ) -> TransformersEngine:
        """Load a model by name (see `resolve_model`): float32 on CPU and bfloat16 on CUDA unless `dtype` says so.

        Raises:
            CogitoError: the model cannot be found or is not a Qwen2.5-VL.
        """
        folder = resolve_model(model, revision)
        limits = PixelLimits.of_folder(folder).override(min_pixels, max_pixels)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = dtype or ("bfloat16" if device.startswith("cuda") else "float32")
        loaded, tokenizer, image_processor = load_model(folder, dtype=dtype)
        loaded.to(device)
        name = f"{model}@{model_revision(folder)}/{dtype}/{limits.min_pixels}-{limits.max_pixels}px"
        return cls(loaded, ChatEncoder(tokenizer, image_processor, limits), name)

    @classmethod
    def from_model(
        cls,
        model: Any,
        tokenizer: Any,
        image_processor: Any,
        *,
        name: str = "live",
        limits: PixelLimits | None = None,
    ) -> TransformersEngine:
        """An engine over a model that is alive already, for rollouts: it always answers with the current weights."""
        limits = limits or PixelLimits.of_image_processor(image_processor)
        return cls(model, ChatEncoder(tokenizer, image_processor, limits), name)

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Answer every request once, in the order in which answers are finished.

        A request that cannot be asked (damaged picture, prompt longer than the context) gives a Result with `error`.
        """
        was_training = self.model.training
        self.model.eval()
        try:
            for result in self._run(iter(requests)):
                if on_done is not None:
                    on_done(result)
                yield result
        finally:
            self.model.train(was_training)

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and answer together."""
        return int(self.model.config.get_text_config().max_position_embeddings)

    def close(self) -> None:
        """Let go of the model, so that its memory is free once nobody else holds it."""
        self.model = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _run(self, requests: Iterator[Request]) -> Iterator[Result]:
        waiting: deque[_Waiting] = deque()
        batch: RowBatch | None = None
        exhausted = False
        while True:
            while not exhausted and self._reads_on(waiting):
                request = next(requests, None)
                if request is None:
                    exhausted = True
                    break
                try:
                    waiting.append(self._prepare(request))
                except RequestError as error:
                    yield Result(request.id, (), str(error))
            if batch is None or not batch.rows:
                if not waiting:
                    return
                batch = RowBatch(self.model, waiting[0].request.sampling, self.banned, self._stops)
            finished = self._admit(batch, waiting) if self._has_room(batch) else []
            if batch.rows:
                finished += batch.step()
            yield from self._collect(finished)

    def _reads_on(self, waiting: deque[_Waiting]) -> bool:
        # Reading ahead lets prompts of equal length be prefilled together.
        answers = sum(len(prompt.unstarted) for prompt in waiting)
        pixels = (prompt.encoded.pixel_values for prompt in waiting)
        return answers < 2 * self.max_rows and sum(p.nbytes for p in pixels if p is not None) < _AHEAD_BYTES

    def _has_room(self, batch: RowBatch) -> bool:
        # Prompts are let in by the half batch, so that prefills are large and few.
        return len(batch.rows) <= self.max_rows // 2

    def _prepare(self, request: Request) -> _Waiting:
        if not request.seeds:
            raise RequestError("the request asks for no answer: it has no seeds")
        encoded = self.encoder.encode(request.chat)
        context = self.context_tokens
        room = min(request.sampling.max_tokens, context - len(encoded.input_ids))
        if room < 1:
            raise RequestError(
                f"the prompt has {len(encoded.input_ids)} tokens and the model's context only {context}: "
                "shorten it or lower max_pixels"
            )
        return _Waiting(request, encoded, room, deque(range(len(request.seeds))))

    def _admit(self, batch: RowBatch, waiting: deque[_Waiting]) -> list[Row]:
        """Start answers until the batch is full; returns rows that were finished by their first token."""
        finished: list[Row] = []
        while True:
            chosen = self._choose(batch, waiting)
            if not chosen:
                return finished
            fan_out = []
            for prompt, count in chosen:
                indices = [prompt.unstarted.popleft() for _ in range(count)]
                fan_out.append([Row((prompt, i), prompt.request.seeds[i], prompt.room) for i in indices])
            finished += batch.add(self._inputs([prompt.encoded for prompt, _ in chosen]), fan_out)
            for prompt in [prompt for prompt in waiting if not prompt.unstarted]:
                waiting.remove(prompt)

    def _choose(self, batch: RowBatch, waiting: deque[_Waiting]) -> list[tuple[_Waiting, int]]:
        """Prompts to prefill together, with their row counts: the oldest and others of its length."""
        same_kind = [w for w in waiting if w.request.sampling == batch.sampling]
        if not same_kind:
            return []
        length = len(same_kind[0].encoded.input_ids)
        alike = [w for w in same_kind if len(w.encoded.input_ids) == length]
        room = self._row_limit(length + same_kind[0].room) - len(batch.rows)
        prefill = _PREFILL_TOKENS["cuda" if self.model.device.type == "cuda" else "cpu"]
        chosen: list[tuple[_Waiting, int]] = []
        for prompt in alike[: max(1, prefill // length)]:
            count = min(room, len(prompt.unstarted))
            if count <= 0:
                break
            chosen.append((prompt, count))
            room -= count
        return chosen

    def _row_limit(self, tokens: int) -> int:
        """Rows of `tokens` places that fit into the memory set aside for keys, values and float64 probabilities."""
        config = self.model.config.get_text_config()
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        width = torch.finfo(self.model.dtype).bits // 8
        per_row = 2 * config.num_hidden_layers * config.num_key_value_heads * head * width * tokens
        per_row += 4 * 8 * config.vocab_size
        if self.model.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.model.device)
            memory = int(_MEMORY_SHARE * free)
        else:
            memory = _CPU_MEMORY
        return max(1, min(self.max_rows, memory // per_row))

    def _inputs(self, prompts: list[Encoded]) -> dict[str, torch.Tensor]:
        device = self.model.device
        ids = torch.tensor([prompt.input_ids for prompt in prompts], device=device)
        inputs = {"input_ids": ids}
        pixels = [torch.from_numpy(p.pixel_values) for p in prompts if p.pixel_values is not None]
        if pixels:
            grids = [torch.from_numpy(p.image_grid_thw) for p in prompts if p.image_grid_thw is not None]
            inputs["pixel_values"] = torch.cat(pixels).to(device, self.model.dtype)
            inputs["image_grid_thw"] = torch.cat(grids).to(device)
            inputs["mm_token_type_ids"] = (ids == self.model.config.image_token_id).int()
        return inputs

    def _collect(self, finished: list[Row]) -> Iterator[Result]:
        for row in finished:
            prompt, index = row.owner
            prompt.answers[index] = self._answer(row, prompt)
            if len(prompt.answers) == len(prompt.request.seeds):
                ordered = tuple(prompt.answers[i] for i in range(len(prompt.answers)))
                yield Result(prompt.request.id, ordered)

    def _answer(self, row: Row, prompt: _Waiting) -> Answer:
        finish: Finish = "stop" if row.tokens[-1] in self._stops else "length"
        return Answer(
            text=self.encoder.tokenizer.decode(row.tokens, skip_special_tokens=True),
            token_ids=tuple(row.tokens),
            logprobs=tuple(row.logprobs) if prompt.request.sampling.logprobs else None,
            finish=finish,
            n_tokens=len(row.tokens),
            n_prompt_tokens=len(prompt.encoded.input_ids),
            seed=row.seed,
        )


def stop_token_ids(generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end an answer: those of the generation config and the tokenizer's end-of-sequence token.

    Raises:
        CogitoError: there are none, so no answer would ever end.
    """
    stated = generation_config.eos_token_id
    stops = set(stated if isinstance(stated, list) else [stated]) | {tokenizer.eos_token_id}
    stops.discard(None)
    if not stops:
        raise CogitoError("the model names no end-of-sequence token, so its answers would never end")
    return frozenset(stops)


@contextmanager
def _bars_on_terminals() -> Iterator[None]:
    """transformers draws its loading bar into log files too."""
    from transformers.utils import logging

    if sys.stderr.isatty() or not logging.is_progress_bar_enabled():
        yield
        return
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.enable_progress_bar()


def load_model(folder: Path, *, dtype: str) -> tuple[Any, Any, Any]:
    """(model, tokenizer, image processor) from a folder, on CPU, in evaluation mode.

    Raises:
        CogitoError: the folder holds no Qwen2.5-VL, or weights are missing from it.
    """
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoTokenizer, Qwen2_5_VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    if not folder.is_dir():
        raise CogitoError(f"the model in {folder} cannot be loaded (there is no such folder)")
    try:
        config = AutoConfig.from_pretrained(folder)
        if config.model_type != "qwen2_5_vl":
            raise CogitoError(f"{folder} holds a {config.model_type}; this engine runs Qwen2.5-VL")
        with _bars_on_terminals():
            model, report = Qwen2_5_VLForConditionalGeneration.from_pretrained(
                folder, dtype=getattr(torch, dtype), attn_implementation="sdpa", output_loading_info=True,
                use_safetensors=True,  # the older .bin files are pickles
            )
        tokenizer = AutoTokenizer.from_pretrained(folder)
        image_processor = Qwen2VLImageProcessorPil.from_pretrained(folder)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise CogitoError(f"the model in {folder} cannot be loaded ({str(error).splitlines()[0]})") from error
    missing = sorted(report["missing_keys"])
    if missing:
        # transformers would go on with random values in their place.
        raise CogitoError(f"the weights in {folder} lack {len(missing)} tensors, {missing[0]} among them")
    return model.eval(), tokenizer, image_processor
