"""Scoring of stored answers beside VLMEvalKit's and lmms-eval's own functions: the first part of bench/eval.py.

Answers are the real graded ones of ../shared/labels, repeated with more blanks at the end, so that no cache answers
for us. Both sides get the same rows, one at a time, in one process on one core; CPU seconds are compared.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cogito_core.verify import judge
from cogito_core.verify.official import OFFICIAL

SLICES = 5
SLOW_ROWS = 2_000
"""Rows of the tasks for which lmms-eval parses LaTeX with ANTLR."""
LETTERS = "ABCDEFGHIJ"
PEERS = {"vlmevalkit": "VLMEvalKit", "lmms": "lmms-eval"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """Rows of one kind and how we score them; `what` names it in the table."""

    what: str
    rows: list[Row]
    score: Callable[[Row], bool]


def measure(labels: Path, pythons: dict[str, str], count: int) -> dict[str, dict[str, Any]]:
    """Rows per CPU-second of ours and of each peer in `pythons` (name -> its Python) on the same rows."""
    figures: dict[str, dict[str, Any]] = {}
    tasks = _tasks(labels, count)
    ours = {name: _ours(task) for name, task in tasks.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {peer: _peer(peer, python, tasks) for peer, python in pythons.items()}
    for name, task in tasks.items():
        figures[task.what] = ours[name] | {"peer": None, "peer_name": None, "ratio": None}
        for peer, results in found.items():
            if name in results:
                theirs = results[name]
                figures[f"{task.what} / {PEERS[peer]}"] = {
                    **ours[name], "peer": theirs["speed"], "peer_name": PEERS[peer], "peer_right": theirs["right"],
                    "peer_raised": theirs["raised"], "ratio": ours[name]["ours"] / theirs["speed"],
                }
    figures["rows of MMStar by its released rule"] = _ours(
        Task("", tasks["choice"].rows, lambda row: OFFICIAL["mmstar"](row).is_right)
    ) | {"peer": None, "peer_name": None, "ratio": None}
    figures["peak memory of scoring"] = {"ours": peak, "peer": None, "peer_name": None, "ratio": None, "unit": "MiB"}
    return figures


def _tasks(labels: Path, count: int) -> dict[str, Task]:
    choice = _repeated([*_read(labels, "mmstar"), *_read(labels, "scienceqa_vlmevalkit")], count)
    slow = min(count, SLOW_ROWS)
    return {
        "choice": Task("letters of choice answers, strict", choice, lambda row: judge(
            row["response"], row["gold"], kind="choice", choices=row["texts"]).is_right),
        "chart": Task("ChartQA's relaxed accuracy", _repeated(_read(labels, "chartqa_gold_only"), count),
                      lambda row: OFFICIAL["chartqa"](row).is_right),
        "mathvista": Task(
            "MathVista's rule on extractions",
            _repeated(_read(labels, "mathvista", extracted=True), count, "extraction"),
            lambda row: OFFICIAL["mathvista"](row).is_right),
        "yes or no": Task("HallusionBench's yes or no", _repeated(_read(labels, "hallusionbench"), count),
                          lambda row: OFFICIAL["hallusionbench"](row).is_right),
        "mmmu": Task("MMMU's parser", _repeated(_read(labels, "mmmu"), slow),
                     lambda row: OFFICIAL["mmmu"](row).is_right),
        "mathvision": Task("MATH-Vision's rule", _repeated(_read(labels, "mathvision"), slow),
                           lambda row: OFFICIAL["mathvision"](row).is_right),
    }


def _read(labels: Path, name: str, *, extracted: bool = False) -> list[Row]:
    """Rows of one file of labels; their extractions are left out unless they are what is scored."""
    with gzip.open(labels / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
        rows = [_prepared(json.loads(line)) for line in handle]
    return rows if extracted else [{**row, "extraction": None} for row in rows]


def _prepared(row: Row) -> Row:
    """The row with its options as texts, as letter -> text, and the letter of its gold."""
    choices = row.get("choices") or row.get("index2ans") or []
    texts = [text for _, text in sorted(choices.items())] if isinstance(choices, dict) else [str(c) for c in choices]
    letters = dict(zip(LETTERS, texts, strict=False))
    letter = next((key for key, text in letters.items() if text == row["gold"]), "")
    precision = row.get("precision")
    return {**row, "texts": texts, "letters": letters, "letter": letter, "response": row.get("response") or "",
            "extraction": "" if row.get("extraction") is None else row["extraction"],
            "precision": None if precision is None else int(precision)}


def _repeated(rows: list[Row], count: int, padded: str = "response") -> list[Row]:
    """`count` rows spread over all of them; each repetition has one more blank at the end of its text."""
    step = max(1, len(rows) // count)
    return [{**(row := rows[i * step % len(rows)]), padded: row[padded] + " " * (i * step // len(rows))}
            for i in range(count)]


def _ours(task: Task) -> dict[str, Any]:
    size = max(1, len(task.rows) // SLICES)
    speeds, right = [], 0
    for start in range(0, size * SLICES, size):
        began = time.process_time()
        right += sum(task.score(row) for row in task.rows[start : start + size])
        speeds.append(size / (time.process_time() - began))
    return {"ours": median(speeds), "right": right, "rows": size * SLICES, "unit": "rows/CPU-s"}


def _peer(peer: str, python: str, tasks: dict[str, Task]) -> dict[str, dict[str, Any]]:
    """Task -> speed, rows right and raised of one peer. Ends the bench where its modules cannot be imported."""
    keys = ("response", "gold", "texts", "letters", "letter", "extraction", "question_type", "answer_type",
            "precision")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps({name: [{key: row.get(key) for key in keys} for row in task.rows]
                                    for name, task in tasks.items()}), encoding="utf-8")
        worker = Path(__file__).with_name("eval_worker.py")
        done = subprocess.run([python, str(worker), peer, str(path)], capture_output=True, text=True, check=False,
                              env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"})
    if done.returncode != 0:
        raise SystemExit(f"{PEERS[peer]} cannot be measured: {done.stderr.strip().splitlines()[-1]}")
    return {name: {"speed": median(found["rows"] / seconds for seconds in found["seconds"]), "right": found["right"],
                   "raised": found["raised"]}
            for name, found in json.loads(done.stdout.splitlines()[-1]).items()}
