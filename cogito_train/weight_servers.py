"""New weights for vLLM servers, over HTTP.

vLLM's own reload is used: the weights are written to a folder that the servers see too, each worker reads its part
(`reload_weights`), and everything that came from the old weights is dropped. It works on CPUs and GPUs and with any
split of the model. vLLM's other transports (NCCL, CUDA IPC) need GPUs and are not used. The servers must run with
VLLM_SERVER_DEV_MODE=1, which opens these endpoints, and in a network that nobody else reaches: that mode has no
protection.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from cogito_core.console import CogitoError
from cogito_core.engines.http1 import ConnectionBroken, HttpClient, HttpResponse
from cogito_core.masking import mask
from cogito_train.tensor_files import plain_errors

# Pieces of this size keep the writer's memory small beside the model.
_FILE_BYTES = 2 * 2**30
_SHORT_S, _RELOAD_S = 60.0, 1800.0


class WeightServers:
    """The servers at `urls` (base URLs as the engine takes them); `folder` is where they pick up weights.

    Several runs may share the folder: what one writes bears the name of its `run` directory, and what a killed
    process of the same run left there is removed.

    Raises CogitoError if a server does not answer or does not take weights.
    """

    def __init__(self, urls: Sequence[str], folder: Path, run: Path) -> None:
        self.urls = list(urls)
        self.folder = folder.absolute()
        self._prefix = f"weights-{hashlib.sha256(str(run.absolute()).encode()).hexdigest()[:12]}"
        self._version = ""
        self._forget()
        for url, answer in zip(self.urls, self._everywhere("GET", "/weight_info"), strict=True):
            if answer.status != 200:
                raise CogitoError(
                    f"the server {mask(url)} takes no new weights (status {answer.status}): start vLLM 0.32 or newer "
                    "with VLLM_SERVER_DEV_MODE=1"
                )

    def push(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Replace the weights of all servers; answers in flight are given up.

        `weights` come under transformers' names, a tied head under its own name too: else vLLM keeps the old one.

        Raises OSError if the disk is full, CogitoError if a server refuses. It then stays paused: nobody should get
        answers from weights that may be half new; the next push that succeeds lets it go on.
        """
        version = uuid.uuid4().hex
        folder = self.folder / f"{self._prefix}-{version}"
        with plain_errors():
            write_weights(weights, folder)
        self._post("/pause?mode=abort")
        reload = {"method": "reload_weights", "kwargs": {"weights_path": str(folder)}}
        self._post("/collective_rpc", reload, timeout_s=_RELOAD_S)
        for answer, url in zip(self._post("/reset_prefix_cache"), self.urls, strict=True):
            if not json.loads(answer.body).get("success"):
                raise CogitoError(f"the server {mask(url)} does not forget the prefixes of its old weights")
        self._post("/reset_mm_cache")
        # Only the workers forget picture embeddings by themselves; the scheduler would go on with old ones.
        self._post("/reset_encoder_cache")
        self._post("/update_weight_version", {"new_version": version})
        self._post("/resume")
        self._forget(but=folder)
        self._version = version

    def is_current(self) -> bool:
        """Whether every server has what was pushed last; one that was started anew has not."""
        answers = self._everywhere("GET", "/weight_info")
        return all(a.status == 200 and json.loads(a.body).get("weight_version") == self._version for a in answers)

    def close(self) -> None:
        """Remove the weights that were written for the servers."""
        self._forget()

    def _forget(self, but: Path | None = None) -> None:
        for written in self.folder.glob(f"{self._prefix}-*"):
            if written != but:
                shutil.rmtree(written, ignore_errors=True)

    def _post(
        self, path: str, body: dict[str, Any] | None = None, *, timeout_s: float = _SHORT_S
    ) -> list[HttpResponse]:
        answers = self._everywhere("POST", path, body, timeout_s=timeout_s)
        for url, answer in zip(self.urls, answers, strict=True):
            if answer.status != 200:
                said = " ".join(answer.body[:300].decode("utf-8", errors="replace").split())
                raise CogitoError(
                    f"the server {mask(url)} answers {path.partition('?')[0]} with {answer.status}: {said}"
                )
        return answers

    def _everywhere(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float = _SHORT_S
    ) -> list[HttpResponse]:
        data = b"" if body is None else json.dumps(body).encode()

        async def one(url: str) -> HttpResponse:
            client = HttpClient(url, _headers())
            try:
                return await client.request(
                    method, client.prefix.removesuffix("/v1") + path, data, timeout_s=timeout_s
                )
            except ConnectionBroken as error:
                raise CogitoError(f"the server {mask(url)} does not answer ({error})") from error
            finally:
                await client.close()

        async def all_of_them() -> list[HttpResponse]:
            return list(await asyncio.gather(*(one(url) for url in self.urls)))

        return asyncio.run(all_of_them())


def write_weights(weights: Iterable[tuple[str, torch.Tensor]], folder: Path) -> None:
    """Write tensors as safetensors files of a few GiB each, as vLLM reads a folder of them."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    for number, part in enumerate(_parts(weights)):
        save_file(part, folder / f"model-{number:05d}.safetensors", metadata={"format": "pt"})


def _parts(weights: Iterable[tuple[str, torch.Tensor]]) -> Iterator[dict[str, torch.Tensor]]:
    part: dict[str, torch.Tensor] = {}
    size = 0
    for name, tensor in weights:
        # A copy of its own: a tied head shares memory with the embedding, which the file format does not allow.
        part[name] = tensor.detach().to("cpu", copy=True).contiguous()
        size += part[name].nbytes
        if size >= _FILE_BYTES:
            yield part
            part, size = {}, 0
    if part:
        yield part


def _headers() -> dict[str, str]:
    key = os.environ.get("COGITO_API_KEY") or os.environ.get("OPENAI_API_KEY")
    return {"authorization": f"Bearer {key}"} if key else {}
