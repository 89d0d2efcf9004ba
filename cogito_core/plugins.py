"""Python of the user's own, named where it is needed: `FILE.py:NAME` or `package.module:NAME`.

Naming a file runs it: a manifest or a recipe that names one is to be trusted like a program.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from cogito_core.console import CogitoError


def load_object(reference: str, *, beside: Path | None = None) -> Any:
    """What `reference` names.

    Args:
        reference: `FILE.py:NAME`, or `package.module:NAME` of an installed package.
        beside: the folder that a relative FILE is looked for in; the current one if absent.

    Raises:
        CogitoError: there is no such file, module or name, or running it failed; the sentence says which.
    """
    place, _, name = reference.rpartition(":")
    if not place or not name.isidentifier():
        raise CogitoError(f"'{reference}' is no reference of the form FILE.py:NAME or package.module:NAME")
    module = load_module(place, beside=beside)
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise CogitoError(f"{place} defines no '{name}'") from error


def load_module(place: str, *, beside: Path | None = None) -> ModuleType:
    """The module of a file `FILE.py`, or an installed one by its dotted name. Raises CogitoError as load_object."""
    if is_file(place):
        return _from_file(((beside or Path()) / place).resolve())
    try:
        return importlib.import_module(place)
    except Exception as error:  # a module may raise anything while it is imported
        raise CogitoError(f"the module '{place}' cannot be imported ({type(error).__name__}: {error})") from error


def own_files(references: Iterable[str]) -> dict[str, str]:
    """Reference -> SHA-256 of its file, for those that are files: part of a run's configuration.

    So a run is not resumed with other code than it began with.
    """
    places = {reference: Path(reference.rpartition(":")[0]) for reference in references}
    return {
        reference: hashlib.sha256(place.read_bytes()).hexdigest()
        for reference, place in sorted(places.items())
        if is_file(str(place)) and place.is_file()
    }


def is_file(place: str) -> bool:
    """Whether a reference without its name means a file."""
    return place.endswith(".py")


@cache
def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise CogitoError(f"there is no file {path}")
    # The path is part of the name: two files that are called alike are two modules.
    name = f"cogito_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise CogitoError(f"{path} cannot be run ({type(error).__name__}: {error})") from error
    return module
