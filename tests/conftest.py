"""Shared fixtures: where the real records are, and one thread for torch on a busy machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# The first example pays for imports, and CI must not depend on luck or on a busy neighbour.
settings.register_profile("cogito", deadline=None, derandomize=True, database=None)
settings.load_profile("cogito")

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# A shell's background job ignores Ctrl-C, and so would the processes that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent


def find_shared() -> Path | None:
    """The folder with real upstream records, or None where this machine has none."""
    candidates = [Path(os.environ["COGITO_SHARED"])] if "COGITO_SHARED" in os.environ else []
    candidates.append(REPOSITORY.parent / "shared")
    return next((path for path in candidates if (path / "realdata").is_dir()), None)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """`../shared`, or a skip with the reason."""
    found = find_shared()
    if found is None:
        pytest.skip("no real records here: put them at ../shared or set COGITO_SHARED")
    return found


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY
