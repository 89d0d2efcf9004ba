"""Plain YAML manifests, validated: an unknown key is an error that names the nearest right one."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cogito_core.console import CogitoError

ManifestKind = Literal["sources", "benchmarks", "recipes"]


class Manifest(BaseModel):
    """Base of everything read from YAML: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


ManifestT = TypeVar("ManifestT", bound=BaseModel)


def manifest_root() -> Path:
    """The folder `manifests/`: beside the packages in a checkout, inside cogito_core in a wheel."""
    package = Path(__file__).resolve().parent
    beside = package.parent / "manifests"
    return beside if beside.is_dir() else package / "manifests"


def manifest_names(kind: ManifestKind) -> list[str]:
    """Names of the manifests that ship, sorted."""
    return sorted(path.stem for path in (manifest_root() / kind).glob("*.yaml"))


def manifest_path(kind: ManifestKind, name: str | Path) -> Path:
    """Where a manifest is: `name` is one that ships, or the path of a YAML file.

    Raises:
        CogitoError: there is no such manifest; the sentence names the nearest one.
    """
    text = str(name)
    if text.endswith((".yaml", ".yml")) or "/" in text:
        path = Path(text)
        if not path.is_file():
            raise CogitoError(f"there is no manifest file {path}")
        return path
    path = manifest_root() / kind / f"{text}.yaml"
    if not path.is_file():
        known = manifest_names(kind)
        close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        singular = kind.removesuffix("s")
        raise CogitoError(f"there is no {singular} '{text}'{hint}; known: {', '.join(known) or 'none'}")
    return path


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        CogitoError: the file is no YAML, has a key twice, or does not hold a mapping.
    """
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except FileNotFoundError as error:
        raise CogitoError(f"there is no manifest file {path}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CogitoError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(loaded, dict):
        raise CogitoError(f"{path} must hold a mapping of keys to values, not {type(loaded).__name__}")
    return loaded


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, but a key given twice is an error instead of a silent overwrite."""


def _no_duplicates(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' is given twice", node.start_mark)
    return {key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)}


# YAML 1.1 reads 2e-5 as text for want of a dot; every user means the number.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+"),
    list("-+0123456789."),
)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _no_duplicates)


def load_manifest(name: str | Path, kind: ManifestKind, model: type[ManifestT]) -> ManifestT:
    """Read and validate a manifest that ships (by name) or a YAML file (by path).

    Raises:
        CogitoError: one sentence that names the file, the key, and the nearest right key.
    """
    path = manifest_path(kind, name)
    return validate(read_yaml(path), model, where=str(path))


def validate(values: dict[str, Any], model: type[ManifestT], *, where: str) -> ManifestT:
    """Validate a mapping against a pydantic model; `where` names the file or section in the sentence.

    Raises:
        CogitoError: the first three faults, each naming its key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors()
        # A list whose only entry is at fault is not too short as well.
        told = [one for one in found if one["type"] != "too_short" or not _has_inner(one["loc"], found)]
        faults = [_sentence(fault, model, values) for fault in told]
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        raise CogitoError(f"{where}: {'; '.join(faults[:3])}{more}") from error


def _has_inner(location: tuple[int | str, ...], faults: Sequence[Any]) -> bool:
    return any(len(one["loc"]) > len(location) and one["loc"][: len(location)] == location for one in faults)


def _sentence(fault: Any, model: type[BaseModel], values: dict[str, Any]) -> str:
    location = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _keys_beside(model, fault["loc"], values)
        return f"unknown key '{location}'{_nearest(str(fault['loc'][-1]), known)}"
    if fault["type"] == "missing":
        return f"the key '{location}' is missing"
    message = fault["msg"].removeprefix("Value error, ").replace("tuple", "list")
    return f"'{location}': {message[0].lower()}{message[1:]}" if location else message


def _keys_beside(model: type[BaseModel], location: Sequence[int | str], values: Any) -> list[str]:
    """The keys that would have been right where the unknown one stands."""
    here: Any = model
    for part in location[:-1]:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, BaseModel):
            found = here.model_fields.get(part)
            here = _model_in(found.annotation) if found is not None else None
        if here is None:
            return []
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [found.alias or name for name, found in here.model_fields.items()]
    return []


def _model_in(annotation: Any) -> Any:
    """The first pydantic model inside an annotation such as `list[Stage] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _nearest(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f" (known here: {', '.join(known)})" if known and len(known) <= 12 else ""


def apply_overrides(
    values: dict[str, Any], overrides: Sequence[str], *, option: str = "--set"
) -> dict[str, Any]:
    """A copy of `values` with `a.b.0.c=value` settings applied; values are read as YAML.

    `option` is the command line's name for them, for the sentences of errors.

    Raises:
        CogitoError: a setting is not of the form key=value, or its path leads into something that is no mapping.
    """
    out = _copy(values)
    for setting in overrides:
        key, separator, raw = setting.partition("=")
        if not separator or not key:
            raise CogitoError(f"{option} takes key=value, not '{setting}'")
        try:
            value = yaml.load(raw, Loader=_StrictLoader)
        except yaml.YAMLError as error:
            raise CogitoError(f"{option} {key}: '{raw}' is not a YAML value") from error
        _set(out, key.split("."), value, key)
    return out


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _set(node: Any, path: list[str], value: Any, full: str) -> None:
    head, rest = path[0], path[1:]
    if isinstance(node, list):
        if not head.isdigit() or int(head) >= len(node):
            raise CogitoError(f"--set {full}: '{head}' is no position in a list of {len(node)}")
        if rest:
            _set(node[int(head)], rest, value, full)
        else:
            node[int(head)] = value
    elif isinstance(node, dict):
        if rest:
            _set(node.setdefault(head, {}), rest, value, full)
        else:
            node[head] = value
    else:
        raise CogitoError(f"--set {full}: '{head}' stands below a plain value")


class Recipe(Manifest):
    """A recipe as the common ground sees it: each package validates its own section."""

    name: str
    description: str = ""
    data: dict[str, Any] = {}
    train: dict[str, Any] = {}
    eval: dict[str, Any] = {}


def load_recipe(name: str | Path) -> Recipe:
    """A recipe that ships, or the path of a YAML file. Raises CogitoError as load_manifest does."""
    return load_manifest(name, "recipes", Recipe)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
