"""The same greedy answers on five benchmarks' real pictures from transformers and from a real vLLM server.

Needs .venv-vllm (scripts/setup-vllm-env.sh) and the real records; the test itself runs in the ordinary environment.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cogito_eval.results import read_rows
from cogito_eval.run import EvalOptions, evaluate
from tests.engines.vllm_server import VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.realdata, pytest.mark.slow]

FIVE = "mathvista,mathvision,logicvista,tabmwp,puzzlevqa"


@pytest.fixture(scope="module")
def server(repository: Path):
    python = repository / ".venv-vllm" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv-vllm here: scripts/setup-vllm-env.sh makes it")
    with VllmServer("nano", context=1536, python=str(python)) as running:
        yield f"openai:{running.url}"


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
