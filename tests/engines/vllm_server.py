"""A real vLLM server in a process of its own, which can be killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from cogito_core.engines.models import resolve_model

CONTEXT = 512

# The shell ends everything when its input closes, which a killed test run cannot prevent, and when the server ends.
_WATCHED = '("$@"; kill -9 0) & read _; kill -9 0'


class VllmServer:
    """`with VllmServer("nano") as server:` serves a model on a free port of this machine."""

    def __init__(self, model: str, *, context: int = CONTEXT, python: str = sys.executable) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.log = Path(tempfile.mkdtemp(prefix="vllm-server-")) / "server.log"
        self._command = [
            python, "-m", "vllm.entrypoints.openai.api_server",
            "--model", str(resolve_model(model)), "--served-model-name", model,
            "--host", "127.0.0.1", "--port", str(self.port),
            "--dtype", "float32", "--max-model-len", str(context), "--max-num-seqs", "256", "--enforce-eager",
            "--logprobs-mode", "processed_logprobs", "--limit-mm-per-prompt", '{"video": 0}',
            # A seeded prompt prefilled in parts kills vLLM 0.32 on a CPU.
            "--no-enable-chunked-prefill", "--max-num-batched-tokens", "8192",
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VllmServer:
        self.start()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the server; it answers some half a minute later."""
        environment = os.environ | {
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", *self._command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def wait(self, timeout_s: float = 600.0) -> None:
        """Return once the server answers."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"the vLLM server ended: {self.log.read_text(errors='replace')[-2000:]}")
            try:
                with urllib.request.urlopen(self.url.removesuffix("/v1") + "/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError(f"the vLLM server does not answer; see {self.log}")

    def kill(self) -> None:
        """SIGKILL to the server and its workers, as a crash or a node failure does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST a JSON body and read the JSON answer."""
        import json

        request = urllib.request.Request(
            self.url.removesuffix("/v1") + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
