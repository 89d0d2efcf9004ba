"""The same greedy answers on five benchmarks' real pictures from transformers and from a real vLLM server.

Needs .venv-vllm (scripts/setup-vllm-env.sh) and the real records; the test itself runs in the ordinary environment.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from cogito_core.engines.models import resolve_model
from cogito_eval.results import read_rows
from cogito_eval.run import EvalOptions, evaluate

pytestmark = [pytest.mark.vllm, pytest.mark.realdata, pytest.mark.slow]

FIVE = "mathvista,mathvision,logicvista,tabmwp,puzzlevqa"


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory):
    python = repository / ".venv-vllm" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv-vllm here: scripts/setup-vllm-env.sh makes it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("vllm") / "server.log").open("wb")
    process = subprocess.Popen(
        [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(resolve_model("nano")),
         "--served-model-name", "nano", "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
         "--max-model-len", "1536", "--max-num-seqs", "64", "--enforce-eager", "--logprobs-mode",
         "processed_logprobs", "--limit-mm-per-prompt", '{"video": 0}', "--no-enable-chunked-prefill",
         "--max-num-batched-tokens", "8192"],
        stdout=log, stderr=log, start_new_session=True,
        env=os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
                          "OMP_WAIT_POLICY": "PASSIVE"},
    )
    try:
        deadline = time.monotonic() + 300
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the vLLM server does not answer: {Path(log.name).read_text()[-1000:]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                    break
            except OSError:
                time.sleep(0.5)
        yield f"openai:http://127.0.0.1:{port}/v1"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def test_five_benchmarks_give_the_same_greedy_answers(server, shared_dir, tmp_path):
    common = {"bench": FIVE, "model": "nano", "root": str(shared_dir / "realdata"), "limit": 8, "max_tokens": 24}
    ours = evaluate(EvalOptions(**common), tmp_path / "transformers")
    theirs = evaluate(EvalOptions(**common, engine=server), tmp_path / "server")
    assert set(ours) == set(FIVE.split(","))
    for name in ours:
        rows = [list(read_rows(tmp_path / kind / "results" / f"{name}.jsonl")) for kind in ("transformers", "server")]
        assert [row["response"] for row in rows[0]] == [row["response"] for row in rows[1]], name
        assert [row["n_prompt_tokens"] for row in rows[0]] == [row["n_prompt_tokens"] for row in rows[1]]
        assert ours[name]["accuracy"] == theirs[name]["accuracy"]
        assert ours[name]["official"] == theirs[name]["official"]
