"""Why a row is in or out: every stage it went through, read from the files of a build."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from cogito_core.console import CogitoError
from cogito_core.shards import shard_paths

SHOWN_ROWS = 20
SHOWN_ANSWER = 160


def newest_build(runs: Path) -> Path:
    """The finished build below `runs` that was written last.

    Raises:
        CogitoError: there is none.
    """
    found = [path.parent for path in runs.glob("*/ledger.jsonl") if (path.parent / "data").is_dir()]
    found = [path for path in found if (path / "summary.json").exists()]
    if not found:
        raise CogitoError(f"there is no finished build below {runs}; name one with --run DIR")
    return max(found, key=lambda path: (path / "summary.json").stat().st_mtime)


def ledger_rows(run: Path) -> Iterator[dict[str, str]]:
    """The dropped rows of a build, in the order in which they left.

    Raises:
        CogitoError: the directory holds no ledger.
    """
    path = run / "ledger.jsonl"
    if not path.exists():
        raise CogitoError(f"{run} holds no ledger.jsonl: it is no build of cogito-data")
    with path.open(encoding="utf-8") as handle:
        for line in handle:
            yield json.loads(line)


def explain_reason(run: Path, reason: str) -> str:
    """The rows dropped for a reason (or in a stage), the first twenty in full.

    Raises:
        CogitoError: nothing was dropped for that reason; the sentence lists the reasons there are.
    """
    rows = list(ledger_rows(run))
    found = [row for row in rows if reason in (row["reason"], row["stage"])]
    if not found:
        known = Counter(row["reason"] for row in rows)
        listed = ", ".join(f"{name} ({n})" for name, n in known.most_common()) or "none"
        raise CogitoError(f"{run}: no row was dropped for '{reason}'; reasons there are: {listed}")
    lines = [f"{len(found)} rows of {run} were dropped for {reason}"]
    lines += [f"  {row['id']}  {row['reason']}: {row.get('evidence', '')}" for row in found[:SHOWN_ROWS]]
    if len(found) > SHOWN_ROWS:
        lines.append(f"  ... and {len(found) - SHOWN_ROWS} more in {run / 'ledger.jsonl'}")
    return "\n".join(lines)


def explain_row(run: Path, wanted: str) -> str:
    """Every stage a row went through.

    Raises:
        CogitoError: no row has that id, or the part of an id fits several.
    """
    name = _find(run, wanted)
    lines = [name]
    prepared = _prepared_row(run, name)
    if prepared is not None:
        lines += _said_of(prepared)
    dropped = next((row for row in ledger_rows(run) if row["id"] == name), None)
    lines += _trials(run, name)
    if dropped is not None:
        lines.append(f"dropped at {dropped['stage']}: {dropped['reason']}")
        if dropped.get("evidence"):
            lines.append(f"  {dropped['evidence']}")
    else:
        shard = next(path for path in shard_paths(run / "data") if name in _ids(path))
        lines.append(f"kept: {shard.relative_to(run)}")
    return "\n".join(lines)


def _find(run: Path, wanted: str) -> str:
    names = [row["id"] for row in ledger_rows(run)]
    for path in shard_paths(run / "data"):
        names += _ids(path)
    if wanted in names:
        return wanted
    parts = sorted({name for name in names if wanted in name})
    if len(parts) == 1:
        return parts[0]
    if parts:
        raise CogitoError(f"'{wanted}' fits {len(parts)} rows, such as {', '.join(parts[:3])}; give more of the id")
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise CogitoError(f"{run} knows no row '{wanted}'{hint}")


def _ids(path: Path) -> list[str]:
    return list(pq.read_table(path, columns=["id"]).column("id").to_pylist())


def _row_of(path: Path, name: str) -> dict[str, Any] | None:
    table = pq.read_table(path, columns=["id"])
    places = pc.index(table.column("id"), name).as_py()
    return None if places < 0 else dict(pq.read_table(path).slice(places, 1).to_pylist()[0])


def _prepared_row(run: Path, name: str) -> dict[str, Any] | None:
    # What a model has rewritten is prepared anew.
    for folder in ("rewritten", "prepared"):
        for part in sorted((run / "work" / folder).glob("*.parquet")):
            row = _row_of(part, name)
            if row is not None:
                return row
    return None


def _said_of(row: dict[str, Any]) -> list[str]:
    lines = [f"ingest: {row['source']}, {row['license']}, {row['upstream_url']} {row['upstream_revision']}".rstrip()]
    lines.append(f"  question: {_one_line(row['original_problem'])}")
    if row["choices"]:
        lines.append(f"  options: {' | '.join(row['choices'])}")
    lines.append(f"  gold: {row['original_answer']}")
    lines.append(f"reformulate: {row['reformulation']}")
    if not row["reformulation"].startswith("none"):
        lines.append(f"  question: {_one_line(row['problem'])}")
        lines.append(f"  gold: {row['answer']} ({row['answer_kind']})")
    said = json.loads(row["meta"] or "{}").get("rewrite")
    if said:
        lines.append(f"  {said['model']}, prompt {said['prompt']}: {_one_line(said['text'])}")
    pictures = ", ".join(digest.hex() for digest in row["outlines"]) or "no picture"
    lines.append(f"fingerprint: outline {pictures}")
    return lines


def _trials(run: Path, name: str) -> list[str]:
    for path in sorted((run / "work" / "trials").glob("*.parquet")):
        table = pq.read_table(path, filters=[("id", "=", name)])
        if table.num_rows:
            trials = table.to_pylist()
            right = sum(trial["outcome"] == "right" for trial in trials)
            lines = [f"difficulty: {right} of {len(trials)} trials right"]
            lines += [f"  {trial['trial'] + 1}: {trial['outcome']} ({trial['rule']}), {trial['n_tokens']} tokens: "
                      f"{_one_line(trial['text'])}" for trial in trials]
            return lines
    return []


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_ANSWER else flat[: SHOWN_ANSWER - 3] + "..."
