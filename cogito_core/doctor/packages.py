"""Packages: Python, Cogito itself, what the base needs, what the extras add. The requirements are those of the
installation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

from cogito_core import __version__
from cogito_core.doctor.check import Check, State
from cogito_core.version import version_line

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "cogito-vlm"

EXTRAS = {
    "local": "training, and models in this process",
    "vllm": "vLLM in this process",
    "ray": "work on a Ray cluster",
    "memory": "LoRA and 8-bit Adam",
}
"""The extras that users choose, and what each is for."""

_ABSENT = "is not installed"


def check_python() -> Check:
    """The Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", f"Python {version} at {sys.executable}", base=True)


def check_cogito() -> Check:
    """Cogito's own files: version, manifests, shipped weights."""
    from cogito_core.console import CogitoError
    from cogito_core.engines.models import NANO, resolve_model
    from cogito_core.manifest import manifest_names

    again = f"pip install --force-reinstall --no-deps {DISTRIBUTION}=={__version__}"
    counts = [f"{len(manifest_names(kind))} {kind}" for kind in ("sources", "benchmarks", "recipes")]
    if any(text.startswith("0 ") for text in counts):
        return Check("cogito", "broken", f"manifests are missing: {', '.join(counts)}", again, base=True)
    try:
        resolve_model(NANO)
    except CogitoError as error:
        return Check("cogito", "broken", str(error), again, base=True)
    return Check("cogito", "ok", f"{version_line('cogito')}; {', '.join(counts)}, the model nano", base=True)


def check_base() -> Check:
    """The packages that every command may need."""
    wanted = [requirement for extra, requirement in _requirements() if extra == ""]
    if not wanted:
        return Check("base packages", "note", f"{DISTRIBUTION} is not installed by pip: it runs from its folder, "
                     "so what it requires is not known", "pip install -e .", base=True)
    faults = list(_faults(wanted))
    if faults:
        return Check("base packages", "broken", "; ".join(faults), f"pip install '{DISTRIBUTION}'", base=True)
    return Check("base packages", "ok", f"all {len(wanted)} are there in versions that fit", base=True)


def check_extras() -> Iterator[Check]:
    """One finding for each extra."""
    requirements = list(_requirements())
    for extra, purpose in EXTRAS.items():
        wanted = [requirement for name, requirement in requirements if name == extra]
        faults = list(_faults(wanted))
        fix = _command(extra)
        if not wanted:
            yield Check(f"extra {extra}", "note", f"for {purpose}; what it requires is not known here", fix)
        elif not faults:
            names = ", ".join(f"{r.name} {metadata.version(r.name)}" for r in wanted)
            yield Check(f"extra {extra}", "ok", names)
        else:
            state: State = "missing" if all(fault.endswith(_ABSENT) for fault in faults) else "broken"
            yield Check(f"extra {extra}", state, f"for {purpose}: {'; '.join(faults)}", fix)


def _command(extra: str) -> str:
    # Without a GPU the plain torch wheel would bring gigabytes of CUDA packages along.
    command = f"pip install '{DISTRIBUTION}[{extra}]'"
    if extra == "local" and sys.platform == "linux":
        command += "   (no GPU: first pip install torch --index-url https://download.pytorch.org/whl/cpu)"
    return command


def _requirements() -> Iterator[tuple[str, Requirement]]:
    """(extra or empty, requirement) of the installed distribution; nothing where it is not installed."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield "", requirement
            continue
        for extra in EXTRAS:
            if requirement.marker.evaluate({"extra": extra}):
                yield extra, requirement


def _faults(wanted: list[Requirement]) -> Iterator[str]:
    for requirement in wanted:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield f"{requirement.name} {_ABSENT}"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement.name} {version} is not {requirement.specifier}"
