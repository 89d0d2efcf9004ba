"""Stored results: one JSON line a question and sample, with all that is needed to judge it again without a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.files import write_atomic
from cogito_eval.item import Item

Row = dict[str, Any]

_JUDGED = ("strict", "official", "status", "paper")


def question_row(item: Item) -> Row:
    """What a result keeps of the question. Picture hashes are added when the pictures are read."""
    return {
        "id": item.id,
        "part": item.part,
        "cluster": item.cluster,
        "tags": {name: list(values) for name, values in item.tags.items()},
        "question": item.question,
        "pictures": [],
        "gold": item.gold,
        "kind": item.kind,
        "choices": list(item.choices),
        "aliases": list(item.aliases),
        "policy": item.policy,
        "spec": dict(item.spec),
        "official_row": dict(item.official),
        "rotation_of": item.rotation_of,
    }


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write result rows in one step."""
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows))


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of one `results/<bench>.jsonl`. Raises CogitoError naming the line that is damaged."""
    try:
        with path.open("rb") as handle:
            for number, line in enumerate(handle, 1):
                try:
                    row = json.loads(line)
                    row["id"], row["sample"], row["strict"]["outcome"]
                except (ValueError, KeyError, TypeError) as error:
                    raise CogitoError(f"{path} line {number} is not a result row ({error})") from error
                yield row
    except FileNotFoundError as error:
        raise CogitoError(f"there are no results at {path}") from error


def result_files(directory: Path) -> dict[str, Path]:
    """Benchmark name -> result file of a run directory. Raises CogitoError where it holds none."""
    if not directory.is_dir():
        raise CogitoError(f"there is no run directory {directory}")
    found = {path.stem: path for path in sorted((directory / "results").glob("*.jsonl"))}
    if not found:
        raise CogitoError(f"{directory} holds no results: is it the directory of a finished cogito-eval run?")
    return found


def without_verdicts(row: Row) -> Row:
    """A row as it was before it was judged."""
    return {key: value for key, value in row.items() if key not in _JUDGED}


def by_question(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows grouped by question in order of first appearance, samples in order."""
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(row["id"], []).append(row)
    for samples in out.values():
        samples.sort(key=lambda row: int(row["sample"]))
    return out
