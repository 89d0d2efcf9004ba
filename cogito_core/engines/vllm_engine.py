"""vLLM in this process: one GPU or several, with weights that can be replaced while it lives."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_core.engines.base import Answer, Finish, Request, Result, Sampling
from cogito_core.engines.encode import ChatEncoder, PixelLimits, RequestError, banned_token_ids, fit_picture
from cogito_core.engines.models import model_revision, resolve_model

_HEAD = "lm_head.weight"


@dataclass(slots=True, eq=False)
class _Open:
    request: Request
    answers: dict[int, Answer] = field(default_factory=dict)


class VllmEngine:
    """Answers requests with `vllm.LLM`, one vLLM request for each seed.

    Many questions are kept open, so that vLLM's continuous batch never runs dry while the caller judges answers.
    Answers to one prompt share its prefill through the prefix cache, and a picture is encoded once.
    """

    def __init__(self, llm: Any, encoder: ChatEncoder, name: str, *, max_rows: int, staging: Path) -> None:
        self.name = name
        self.llm = llm
        self.encoder = encoder
        self.banned = banned_token_ids(encoder.tokenizer)
        self._open_calls = 4 * max_rows
        self._staging = staging

    @classmethod
    def open(
        cls,
        model: str,
        *,
        revision: str | None = None,
        dtype: str | None = None,
        tensor_parallel: int = 1,
        gpu_memory_share: float = 0.9,
        max_model_len: int | None = None,
        max_rows: int = 256,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        sleep_mode: bool = False,
        eager: bool = False,
        executor: str | None = None,
    ) -> VllmEngine:
        """Load a model (see `resolve_model`) into vLLM.

        Args:
            dtype: torch name; by default bfloat16 on a GPU, float32 on a CPU.
            tensor_parallel: GPUs the model is split over.
            gpu_memory_share: share of each GPU's memory vLLM may take, from 0 to 1.
            max_model_len: most tokens of prompt and answer together; by default what the model allows.
            max_rows: most answers written at the same time.
            sleep_mode: allow `sleep` and `wake`, which hand the GPU to a trainer in between.
            eager: do not compile; starts faster and runs slower.
            executor: vLLM's distributed executor, `external_launcher` under torchrun.

        Raises:
            CogitoError: the model cannot be found or vLLM cannot run it.
        """
        folder = resolve_model(model, revision)
        limits = PixelLimits.of_folder(folder).override(min_pixels, max_pixels)
        on_gpu = torch.cuda.is_available()
        dtype = dtype or ("bfloat16" if on_gpu else "float32")
        # In one process the trainer can hand over tensors without copying them through a socket.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
        from vllm import LLM
        from vllm import __version__ as version

        settings: dict[str, Any] = {
            "model": str(folder),
            "dtype": dtype,
            "load_format": "safetensors",  # the older .bin files are pickles
            "tensor_parallel_size": tensor_parallel,
            "max_model_len": max_model_len,
            "max_num_seqs": max_rows,
            "enable_prefix_caching": True,
            "enable_sleep_mode": sleep_mode,
            "enforce_eager": eager,
            "logprobs_mode": "processed_logprobs",
            "limit_mm_per_prompt": {"video": 0},
            # vLLM sizes its picture buffers by these; pictures arrive at their final size already.
            "mm_processor_kwargs": {"size": {"shortest_edge": limits.min_pixels, "longest_edge": limits.max_pixels}},
            "distributed_executor_backend": executor,
            "disable_log_stats": True,
        }
        if on_gpu:
            settings["gpu_memory_utilization"] = gpu_memory_share
        else:
            # A seeded prompt prefilled in parts kills vLLM 0.32 on a CPU ("CPU Generator does not use offset").
            settings["enable_chunked_prefill"] = False
            settings["max_num_batched_tokens"] = max(8192, max_model_len or _context_of(folder))
        try:
            llm = LLM(**{name: value for name, value in settings.items() if value is not None})
        except (ValueError, RuntimeError, OSError) as error:
            raise CogitoError(f"vLLM cannot run the model in {folder} ({_first_line(error)})") from error
        name = f"{model}@{model_revision(folder)}/vllm-{version}/{dtype}/{limits.min_pixels}-{limits.max_pixels}px"
        staging = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
        return cls(llm, ChatEncoder(llm.get_tokenizer(), None, limits), name, max_rows=max_rows, staging=staging)

    def generate(
        self, requests: Iterable[Request], on_done: Callable[[Result], None] | None = None
    ) -> Iterator[Result]:
        """Answer every request once, in the order in which answers are finished.

        A request that cannot be asked (damaged picture, prompt longer than the context) gives a Result with `error`.
        """
        for result in self._run(iter(requests)):
            if on_done is not None:
                on_done(result)
            yield result

    def _run(self, requests: Iterator[Request]) -> Iterator[Result]:
        engine = self.llm.llm_engine
        calls: dict[str, tuple[_Open, int]] = {}
        exhausted = False
        try:
            while True:
                while not exhausted and len(calls) < self._open_calls:
                    request = next(requests, None)
                    if request is None:
                        exhausted = True
                        break
                    try:
                        names = self._enqueue(request)
                    except RequestError as error:
                        yield Result(request.id, (), str(error))
                        continue
                    opened = _Open(request)
                    calls.update({name: (opened, index) for index, name in enumerate(names)})
                if not calls:
                    return
                if not engine.has_unfinished_requests():
                    raise CogitoError(f"vLLM lost {len(calls)} answers (a fault in vLLM or in this engine)")
                for output in engine.step():
                    if not output.finished or output.request_id not in calls:
                        continue
                    opened, index = calls.pop(output.request_id)
                    opened.answers[index] = _answer(output, opened.request.seeds[index])
                    if len(opened.answers) == len(opened.request.seeds):
                        ordered = tuple(opened.answers[i] for i in range(len(opened.answers)))
                        yield Result(opened.request.id, ordered)
        finally:
            if calls:
                engine.abort_request(list(calls))

    def _enqueue(self, request: Request) -> list[str]:
        if not request.seeds:
            raise RequestError("the request asks for no answer: it has no seeds")
        ids = self.encoder.tokenizer(self.encoder.render(request.chat), add_special_tokens=False)["input_ids"]
        prompt: dict[str, Any] = {"prompt_token_ids": list(ids)}
        if request.chat.images:
            limits = self.encoder.limits
            prompt["multi_modal_data"] = {"image": [fit_picture(picture, limits) for picture in request.chat.images]}
            prompt["multi_modal_uuids"] = {"image": [picture.sha256 for picture in request.chat.images]}
        params = [self._params(request.sampling, seed) for seed in request.seeds]
        from vllm.exceptions import VLLMClientError

        try:
            names: list[str] = self.llm.enqueue([prompt] * len(params), params, use_tqdm=False)
        except (ValueError, VLLMClientError) as error:
            raise RequestError(f"vLLM refuses the request: {_first_line(error)}") from error
        # enqueue gives vLLM's inner names, "<number>-<random>"; outputs bear the number alone.
        return [name.rpartition("-")[0] or name for name in names]

    def _params(self, sampling: Sampling, seed: int) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            seed=seed,
            logprobs=0 if sampling.logprobs else None,
            logit_bias={token: -100.0 for token in self.banned} or None,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and answer together."""
        return int(self.llm.llm_engine.model_config.max_model_len)

    def update_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Replace the weights by tensors under their state-dict names, and forget all that came from the old ones.

        Two traps of vLLM 0.32 are handled here. A tied head that is not sent by name stays as it was, without a word.
        And only the workers forget their picture embeddings, so the scheduler would reuse old ones, or die.
        """
        parallel = self.llm.llm_engine.vllm_config.parallel_config
        if parallel.world_size == 1 and os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") == "0":
            # One tensor at a time: a second copy of the model may not fit.
            self.llm.collective_rpc("reload_weights", kwargs={"weights_iterator": _with_head(weights)})
        else:
            self._reload_from_files(dict(_with_head(weights)))
        self.reset_caches()

    def reset_caches(self) -> None:
        """Forget prefixes, decoded pictures and picture embeddings."""
        engine = self.llm.llm_engine
        engine.reset_prefix_cache()
        engine.reset_mm_cache()
        engine.reset_encoder_cache()

    def sleep(self) -> None:
        """Give the GPU's memory to somebody else; needs `sleep_mode`."""
        self.llm.sleep(level=1)

    def wake(self) -> None:
        """Take the memory back; send the weights again if they have changed meanwhile."""
        self.llm.wake_up()

    def close(self) -> None:
        """Shut vLLM down and free its memory."""
        if self.llm is not None:
            self.llm.llm_engine.engine_core.shutdown()
            self.llm = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _reload_from_files(self, named: dict[str, torch.Tensor]) -> None:
        # Every worker reads its own part from shared memory; a message to each would pickle the model once a worker.
        from safetensors.torch import save_file

        with tempfile.TemporaryDirectory(dir=self._staging) as folder:
            tensors = {name: tensor.detach().cpu().clone() for name, tensor in named.items()}
            save_file(tensors, Path(folder) / "model.safetensors", metadata={"format": "pt"})
            self.llm.collective_rpc("reload_weights", kwargs={"weights_path": folder})


def _with_head(weights: Iterable[tuple[str, torch.Tensor]]) -> Iterator[tuple[str, torch.Tensor]]:
    embedding = None
    has_head = False
    for name, tensor in weights:
        has_head |= name == _HEAD
        if name.endswith("embed_tokens.weight"):
            embedding = tensor
        yield name, tensor
    if not has_head and embedding is not None:
        yield _HEAD, embedding


def _answer(output: Any, seed: int) -> Answer:
    completion = output.outputs[0]
    finish: Finish = "length" if completion.finish_reason == "length" else "stop"
    token_ids = tuple(completion.token_ids)
    logprobs = None
    if completion.logprobs is not None:
        steps = zip(token_ids, completion.logprobs, strict=True)
        logprobs = tuple(float(step[token].logprob) for token, step in steps)
    return Answer(
        text=completion.text,
        token_ids=token_ids,
        logprobs=logprobs,
        finish=finish,
        n_tokens=len(token_ids),
        n_prompt_tokens=len(output.prompt_token_ids),
        seed=seed,
    )


def _context_of(folder: Path) -> int:
    import json

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(config.get("text_config", config).get("max_position_embeddings", 32768))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
