"""All findings in the order in which they are shown."""

from __future__ import annotations

from pathlib import Path

from cogito_core.doctor import machine, packages, services
from cogito_core.doctor.check import Check


def examine(engine: str | None, model: str) -> list[Check]:
    """Look at everything; `engine` and `model` name one more engine to try. Takes seconds, most for nano's answer."""
    here = Path.cwd()
    return [
        packages.check_python(),
        packages.check_cogito(),
        packages.check_base(),
        *packages.check_extras(),
        machine.check_cores(),
        machine.check_memory(),
        machine.check_disk(here),
        machine.check_files(here),
        machine.check_gpu(),
        services.check_embedded(),
        services.check_vllm(),
        services.check_server(engine, model),
        services.check_hub(),
        *services.check_keys(),
    ]
