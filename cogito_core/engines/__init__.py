"""Engines: n answers to a chat with pictures, from this process, from vLLM, or from any OpenAI-compatible server."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cogito_core.console import MissingExtra, UsageError
from cogito_core.plugins import load_object

if TYPE_CHECKING:
    from cogito_core.engines.base import Engine

ENGINES = ("transformers", "vllm", "openai:URL[,URL...]", "python:FILE.py:NAME")


def open_engine(spec: str, model: str, *, cluster: str | None = None, **options: Any) -> Engine:
    """Open the engine named by `spec` for a model.

    Args:
        spec: `transformers`, `vllm`, `openai:` with one or several base URLs, or `python:` with a reference to a
            class or function of the user's own (see `cogito_core.plugins`), called with the model and the options.
        model: see `models.resolve_model`; for servers the name they serve it under.
        cluster: address of a Ray cluster (`auto`, `local`, `ray://host:10001`); workers then run there.
        options: what the engine's own `open` function takes; None means its default.

    Raises:
        UsageError: there is no such engine, or it has no such option.
        MissingExtra: the engine needs a package that is not installed; the sentence says how to install it.
    """
    options = {name: value for name, value in options.items() if value is not None}
    if cluster is not None:
        _require("ray", "ray", "the option --cluster")
        from cogito_core.engines.ray_engine import RayEngine

        return RayEngine.open(cluster, spec, model, options, open_engine)
    kind, _, rest = spec.partition(":")
    if kind == "openai" and rest:
        from cogito_core.engines.openai_engine import OpenAIEngine

        return _call(spec, OpenAIEngine.open, model, options, urls=tuple(url for url in rest.split(",") if url))
    if kind == "python" and rest:
        return _call(spec, load_object(rest), model, options)
    if spec == "transformers":
        _require("torch", "local", "the transformers engine")
        _require("transformers", "local", "the transformers engine")
        from cogito_core.engines.transformers_engine import TransformersEngine

        return _call(spec, TransformersEngine.load, model, options)
    if spec == "vllm":
        _require("vllm", "vllm", "the vLLM engine")
        from cogito_core.engines.vllm_engine import VllmEngine

        return _call(spec, VllmEngine.open, model, options)
    raise UsageError(f"there is no engine '{spec}'; it is one of: {', '.join(ENGINES)}")


def _require(package: str, extra: str, needed_for: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise MissingExtra(extra, needed_for)


def _call(spec: str, function: Callable[..., Engine], model: str, options: dict[str, Any], **fixed: Any) -> Engine:
    known = [name for name, p in inspect.signature(function).parameters.items() if p.kind is p.KEYWORD_ONLY]
    settable = [name for name in known if name not in fixed]
    for name in options:
        if name not in settable:
            raise UsageError(f"the engine '{spec}' has no option '{name}'; it has: {', '.join(settable)}")
    return function(model, **fixed, **options)
