"""What `cogito-eval export` and `cogito-eval import` do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, UsageError, say, warn
from cogito_core.files import write_atomic
from cogito_core.manifest import file_hash
from cogito_eval.benchmark import load_benchmark
from cogito_eval.exchange import inspect_log, vlmevalkit
from cogito_eval.exchange.predictions import Prediction, match
from cogito_eval.exchange.replay import ReplayEngine
from cogito_eval.loading import load_items
from cogito_eval.results import read_rows, result_files

FORMATS = ("vlmevalkit", "inspect")


def export(directory: Path, form: str, out: Path, *, suffix: str = ".tsv", sample: int = 0) -> list[Path]:
    """Write the results of a finished run in another program's format; returns the files.

    Raises:
        CogitoError: the directory holds no results. UsageError: there is no such format.
    """
    if form not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not '{form}'")
    scores = _json(directory / "scores.json")
    written = []
    for name, path in result_files(directory).items():
        rows = list(read_rows(path))
        model = str(scores.get(name, {}).get("model") or "model")
        label = _label(model)
        if form == "vlmevalkit":
            columns, records = vlmevalkit.table_of(rows, sample)
            target = out / label / f"{label}_{vlmevalkit.dataset_name(name)}{suffix}"
            vlmevalkit.write_table(target, columns, records)
        else:
            packages = _json(directory / "provenance.json").get("packages", {})
            when = (directory / "summary.json").stat().st_mtime
            log = inspect_log.log_of(name, rows, scores.get(name, {}), when, packages)
            target = out / f"{log['eval']['created'].replace(':', '-')}_{name}_{log['eval']['task_id']}.json"
            write_atomic(target, json.dumps(log, indent=2, ensure_ascii=False) + "\n")
        written.append(target)
    return written


def import_answers(
    file: Path, bench: str, out: Path, *, root: Path | None, model: str | None, layout: str | None = None
) -> dict[str, Any]:
    """Judge another program's answers as a run of ours, which `rescore` and `compare` then read like any other.

    Raises:
        CogitoError: the file cannot be read, or none of its answers belongs to the benchmark.
    """
    from cogito_eval.run import EvalOptions, evaluate

    found_model, predictions = read_predictions(file)
    benchmark = load_benchmark(bench)
    items = load_items(benchmark, root, layout=layout)
    found = match(predictions, items.items)
    if not found.answers:
        reason = found.strange[0][1] if found.strange else "it holds no answer"
        raise CogitoError(f"{file}: none of its {len(predictions)} answers is to {bench} ({reason})")
    for index, reason in found.strange[:3]:
        warn(f"{file}: {index} left out: {reason}")
    if len(found.strange) > 3:
        warn(f"{file}: {len(found.strange) - 3} more left out for such reasons")
    samples = max(len(answers) for answers in found.answers.values())
    name = model or found_model or file.stem
    options = EvalOptions(
        bench=bench, model=name, engine=f"import:{file_hash(file)[:16]}", root=str(root) if root else None,
        samples=samples, temperature=1.0, layout=layout,
    )  # fmt: skip
    say(
        f"{file}: answers to {len(found.answers)} of {len(items.items)} items of {bench}"
        + (f", {found.by_text} of them found by their question" if found.by_text else "")
        + (f", {samples} each" if samples > 1 else "")
    )
    return evaluate(options, out, ReplayEngine(name, found.answers))


def read_predictions(file: Path) -> tuple[str, Sequence[Prediction]]:
    """(model, answers) of a file of either format; which one it is, its content says.

    Raises:
        CogitoError: it is of neither.
    """
    if file.suffix == ".json" and _is_log(file):
        return inspect_log.read_predictions(file)
    if file.suffix == ".eval":
        raise CogitoError(
            f"{file}: turn it into JSON first: `inspect log convert --to json --output-dir DIR {file}`"
        )
    return "", vlmevalkit.read_predictions(file)


def _is_log(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8") as handle:
            return handle.read(1) == "{"
    except OSError as error:
        raise CogitoError(f"{file} cannot be read: {error.strerror}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CogitoError(f"{path} cannot be read: is it a finished run? ({error})") from error


def _label(model: str) -> str:
    """A model's name as part of a file name."""
    return "".join(char if char.isalnum() or char in ".-" else "-" for char in model.rstrip("/").rpartition("/")[2])
