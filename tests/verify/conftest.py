"""Real graded answers, read once for each file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Loader = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def labels(shared_dir: Path) -> Loader:
    """Rows of `../shared/labels/NAME.jsonl.gz` (or .jsonl); skips where the file is absent."""
    folder = shared_dir / "labels"

    def load(name: str) -> list[dict[str, Any]]:
        packed, plain = folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl"
        if packed.is_file():
            with gzip.open(packed, "rt", encoding="utf-8") as handle:
                return [json.loads(line) for line in handle]
        if plain.is_file():
            return [json.loads(line) for line in plain.read_text(encoding="utf-8").splitlines()]
        pytest.skip(f"no labels {name} in {folder}")

    return load
