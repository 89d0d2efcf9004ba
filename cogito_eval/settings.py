"""What two runs were asked under, side by side: scores compare models only where both were asked alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.manifest import read_yaml

_OF_THE_RUN = ("samples", "limit", "blind", "circular", "layout", "guess", "judge", "judge_model")
_OF_THE_ENGINE = ("max_pixels", "min_pixels")
_OF_A_BENCHMARK = ("protocol", "prompt", "sampling", "circular", "guess")


def differing_settings(directory_a: Path, directory_b: Path, bench: str) -> list[dict[str, Any]]:
    """The settings of one benchmark that differ between two runs, as `{"setting", "a", "b"}`.

    Read are the protocol, the prompt and each setting of sampling (`sampling.max_tokens`), how many samples, `limit`,
    `blind`, `circular`, the layout, guessing, the judge and the bounds of picture sizes. What a run does not state
    (how imported answers were asked) is unknown, and not compared. Model and engine may differ: they are compared.

    Raises CogitoError where a file of a run cannot be read.
    """
    a, b = _settings(directory_a, bench), _settings(directory_b, bench)
    return [{"setting": name, "a": a[name], "b": b[name]} for name in a if name in b and a[name] != b[name]]


def settings_sentence(bench: str, found: list[dict[str, Any]]) -> str:
    """The differences of one benchmark in one sentence."""
    parts = (f"{one['setting']} {_shown(one['a'])} against {_shown(one['b'])}" for one in found)
    return f"{bench}: the two runs were not asked alike: {', '.join(parts)}"


def pairing_sentence(bench: str, entry: dict[str, Any]) -> str:
    """What could not be paired of one benchmark of `compare.json`, in one sentence; "" where all was."""
    sides = (("only_a", "A"), ("only_b", "B"))
    parts = [f"{entry[key]} questions stand only in {name}" for key, name in sides if entry[key]]
    if entry["changed"]:
        parts.append(f"{entry['changed']} have another gold")
    return f"{bench}: {entry['difference']['n']} questions are paired; {', '.join(parts)}" if parts else ""


def coverage_sentence(bench: str, items: dict[str, Any]) -> str:
    """What a score does not cover, from its item counts; "" where every item of the benchmark was asked.

    The published figures beside a score are of the whole benchmark.
    """
    whole = items.get("expected") or items.get("found") or 0
    if not whole or items.get("asked", whole) >= whole:
        return ""
    reasons = ((items.get("without_pictures"), "have no picture in this copy"),
               (items.get("damaged_pictures"), "have a damaged picture"), (items.get("unusable"), "cannot be read"),
               (whole - (items.get("found") or whole), "are not in this copy"))
    named = [(count, what) for count, what in reasons if count and count > 0]
    rest = whole - items["asked"] - sum(count for count, _ in named)
    named += [(rest, "were left out by --limit")] if rest > 0 else []
    why = ", ".join(f"{count} {what}" for count, what in named)
    return f"{bench}: {items['asked']} of {whole} questions were asked ({why}); published figures are of all of them"


def _settings(directory: Path, bench: str) -> dict[str, Any]:
    config, scores = directory / "config.yaml", directory / "scores.json"
    run: dict[str, Any] = read_yaml(config) if config.is_file() else {}
    try:
        score = json.loads(scores.read_text(encoding="utf-8")).get(bench, {}) if scores.is_file() else {}
    except ValueError as error:
        raise CogitoError(f"{scores} is not valid JSON: {error}") from error
    merged = {name: run[name] for name in _OF_THE_RUN if name in run}
    merged |= {name: score[name] for name in _OF_A_BENCHMARK if name in score}
    sampling = merged.pop("sampling", None) or {}
    if str(run.get("engine", "")).startswith("import:"):
        merged = {name: value for name, value in merged.items() if name not in ("protocol", "prompt")}
    elif "engine_options" in run:
        merged |= {name: run["engine_options"].get(name) for name in _OF_THE_ENGINE}
    return merged | {f"sampling.{name}": value for name, value in sampling.items()}


def _shown(value: Any) -> str:
    return "none" if value is None else json.dumps(value) if isinstance(value, bool | list) else str(value)
