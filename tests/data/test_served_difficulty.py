"""Difficulty through a real OpenAI-compatible server: vLLM serving nano, stopped early and not.

Needs .venv-vllm (scripts/setup-vllm-env.sh); the test itself runs in the ordinary environment.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from cogito_core.shards import read_samples
from cogito_core.verify import judge
from cogito_data.command import run_build
from tests.engines.vllm_server import VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(repository: Path):
    python = repository / ".venv-vllm" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv-vllm here: scripts/setup-vllm-env.sh makes it")
    with VllmServer("nano", python=str(python)) as running:
        yield running


def build(folder: Path, name: str, engine: str, exact: bool = False) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Summary and trials of a build of 48 questions."""
    difficulty = {"model": "nano", "prompt": "nano", "trials": 8, "max_tokens": 24, "drop_above": 0.5, "engine": engine}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(
        {"name": "small", "data": {"mix": [{"source": "nano", "limit": 48}], "difficulty": difficulty}}))
    run_build(str(folder / "recipe.yaml"), root=None, out=folder / name, engine=None, model=None, seed=None,
              exact_rate=exact, workers=1, cluster=None)
    trials = [row for path in sorted((folder / name / "work/trials").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return json.loads((folder / name / "summary.json").read_text()), trials


def test_a_server_is_asked_until_the_verdict_is_certain(server: VllmServer, tmp_path: Path) -> None:
    served, theirs = build(tmp_path, "served", f"openai:{server.url}")
    assert served["difficulty"]["trials_asked"] == len(theirs) < 8 * served["difficulty"]["questions"]
    questions = {sample.id: sample for sample in read_samples(tmp_path / "served/work/ingest/nano/data")}
    for row in theirs:
        sample = questions[row["id"]]
        assert row["outcome"] == judge(row["text"], sample.answer, kind=sample.answer_kind, spec=sample.answer_spec,
                                       aliases=sample.answer_aliases).outcome or sample.choices
        assert 0 < row["n_tokens"] <= 24
    assert {row["outcome"] for row in theirs} >= {"right", "wrong"}, "nano solves some and not others"
    # All eight of each: the same verdicts, and the first trials are the same ones.
    exact, all_trials = build(tmp_path, "exact", f"openai:{server.url}", exact=True)
    assert len(all_trials) == 8 * exact["difficulty"]["questions"]
    assert exact["splits"] == served["splits"]
    told = {(row["id"], row["trial"]): row["text"] for row in all_trials}
    assert all(told[row["id"], row["trial"]] == row["text"] for row in theirs)
    kept = [{sample.id for sample in read_samples(tmp_path / name / "data")} for name in ("served", "exact")]
    assert kept[0] == kept[1]
