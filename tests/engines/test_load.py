"""A real vLLM server behind a faulty proxy, killed on the way: every answer there exactly once, memory flat.

The full load test of 10,000 requests and two kills is `python bench/engines.py --load`; this is its small form.
"""

from __future__ import annotations

import pytest

pytest.importorskip("vllm", reason="needs .venv-vllm: scripts/setup-vllm-env.sh")

from .fault_proxy import FAULTS
from .load import run_through_faults

pytestmark = pytest.mark.vllm


def test_faults_and_a_killed_server_lose_nothing(nano_server, repository):
    report = run_through_faults(nano_server, repository, count=1000, kills=1, share=0.15)
    assert (report.answered, report.missing, report.doubled, report.errors) == (1000, 0, 0, ())
    assert report.kills == 1 and report.retries >= 100
    assert all(report.faults.get(fault, 0) > 0 for fault in FAULTS)
    assert report.memory_growth_mb < 64
