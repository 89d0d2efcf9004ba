"""A short run of the coverage-guided fuzzer on every change; `tests/verify/fuzz` says how to run it for longer."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from cogito_core.verify import verify
from cogito_core.verify.reader import read

from .fuzz import seeds

ROOT = Path(__file__).resolve().parents[2]
RUNS = 4_000


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: it has wheels for Linux on x86-64 only (pip install 'atheris>=3,<4')",
)
def test_a_short_run_of_the_fuzzer(tmp_path: Path) -> None:
    written = seeds.write(tmp_path / "corpus", every=5)
    command = [sys.executable, "-m", "tests.verify.fuzz.fuzz_verify", str(tmp_path / "corpus")]
    limits = [f"-runs={RUNS + written}", "-max_len=300", "-seed=1", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run([*command, *limits], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Done" in done.stderr and "cov:" in done.stderr, done.stderr[-1_000:]


# What longer runs found.
@pytest.mark.parametrize(
    ("gold", "answer", "choices"),
    [
        ("lo\\pm$9.15", "lo\\pm$9.15", ["42", "x", "red apple"]),  # a sum of a quantity and a number
    ],
)
def test_inputs_that_failed_once(gold: str, answer: str, choices: list[str]) -> None:
    assert verify(gold, answer, choices=choices).outcome in ("right", "wrong", "undecidable")
    assert verify(gold, answer).outcome in ("right", "wrong", "undecidable")


def test_places_in_a_function_by_cases_lie_inside_the_text() -> None:
    text = r"f(x)=\begin{cases}x & x> 1\\ -x & x<0\end{cases}"
    stack = [read(text)]
    while stack:
        one = stack.pop()
        assert 0 <= one.start < one.end <= len(text), one
        stack.extend(one.args)
