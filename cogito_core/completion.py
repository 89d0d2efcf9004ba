"""What the shell completes beyond commands and options: names of sources, benchmarks and recipes that ship."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cogito_core.manifest import ManifestKind


def names_of(kind: ManifestKind, *, several: bool = False) -> Callable[[str], list[str]]:
    """A completion for typer. With `several`, names stand with commas between them and the last one is completed."""

    def complete(incomplete: str) -> list[str]:
        from cogito_core.manifest import manifest_names  # 0.1 s, which `--help` must not pay

        before, comma, last = incomplete.rpartition(",") if several else ("", "", incomplete)
        return [f"{before}{comma}{name}" for name in manifest_names(kind) if name.startswith(last)]

    return complete
