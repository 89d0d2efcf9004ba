"""Many verdicts: deduplicated, cached by content and version, in order, the same for any number of workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from cogito_core.verify.clean import as_text
from cogito_core.verify.verdict import VERSION, Verdict
from cogito_core.verify.worker import judged, unpacked

MAX_CACHED = 20_000
MAX_CACHED_CHARS = 600
MIN_FOR_WORKERS = 100
"""Fewer new pairs are judged here: a process costs more than they do."""

COMMAND = [sys.executable, "-m", "cogito_core.verify.worker"]

Pair = tuple[object, object] | Mapping[str, Any]
_cache: OrderedDict[str, Verdict] = OrderedDict()
_lock = Lock()


def _question(pair: Pair) -> dict[str, Any]:
    """The arguments of `verify` for one pair: (gold, answer), or a mapping with those names and more."""
    if isinstance(pair, Mapping):
        gold = pair.get("gold")
        several = isinstance(gold, (list, tuple)) and pair.get("kind") == "vqa"
        return {
            "gold": json.dumps(list(gold), default=str) if several and gold else as_text(gold),
            "answer": as_text(pair.get("answer")),
            "kind": pair.get("kind"),
            "choices": list(map(as_text, pair.get("choices") or ())),
            "aliases": list(map(as_text, pair.get("aliases") or ())),
            "policy": pair.get("policy") or "exact",
            "spec": dict(pair.get("spec") or {}),
        }
    gold, answer = pair
    return {"gold": as_text(gold), "answer": as_text(answer)}


def key_of(question: Mapping[str, Any]) -> str:
    """The content key of one question under this version of the verifier."""
    return json.dumps([VERSION, question], sort_keys=True, ensure_ascii=True, default=str)


def verify_many(pairs: Iterable[Pair], *, workers: int = 1) -> list[Verdict]:
    """The verdict of every pair, in order. A pair is (gold, answer) or a mapping with the arguments of `verify`.

    Equal pairs are judged once. With `workers` > 1 the work goes to that many processes; a worker that dies takes no
    verdict with it but, at worst, that of the pair it died on, which is then undecidable.
    """
    questions = [_question(pair) for pair in pairs]
    keys = [key_of(question) for question in questions]
    known: dict[str, Verdict] = {}
    todo: dict[str, dict[str, Any]] = {}
    with _lock:
        for key, question in zip(keys, questions, strict=True):
            if key in known or key in todo:
                continue
            if key in _cache:
                _cache.move_to_end(key)
                known[key] = _cache[key]
            else:
                todo[key] = question
    fresh = list(todo.values())
    verdicts = (
        _in_processes(fresh, workers)
        if workers > 1 and len(fresh) >= MIN_FOR_WORKERS
        else [judged(one) for one in fresh]
    )
    for key, verdict in zip(todo, verdicts, strict=True):
        known[key] = verdict
    _remember({key: known[key] for key in todo})
    return [known[key] for key in keys]


def _remember(found: Mapping[str, Verdict]) -> None:
    with _lock:
        for key, verdict in found.items():
            if len(key) <= MAX_CACHED_CHARS:
                _cache[key] = verdict
        while len(_cache) > MAX_CACHED:
            _cache.popitem(last=False)


def _in_processes(questions: list[dict[str, Any]], workers: int) -> list[Verdict]:
    size = -(-len(questions) // workers)
    shares = [questions[start : start + size] for start in range(0, len(questions), size)]
    with ThreadPoolExecutor(len(shares)) as pool:
        return [verdict for share in pool.map(_share, shares) for verdict in share]


def _share(questions: list[dict[str, Any]]) -> list[Verdict]:
    """The verdicts of one worker; after a death the next question is tried alone, and the rest go on in a new one."""
    done: list[Verdict] = []
    while len(done) < len(questions):
        done.extend(_answers(questions[len(done) :]))
        if len(done) < len(questions):
            culprit = questions[len(done)]
            done.append(next(iter(_answers([culprit])), None) or _died(culprit))
    return done


def _answers(questions: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """What one worker process answered before it ended."""
    text = "".join(json.dumps(question, ensure_ascii=True) + "\n" for question in questions)
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(),
    )
    output, _ = process.communicate(text)
    return [unpacked(line) for line in output.splitlines() if line.endswith("}")]


def _environment() -> dict[str, str]:
    """The environment of a worker: it must find this package where it was imported from."""
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


def _died(question: Mapping[str, Any]) -> Verdict:
    return Verdict(
        "undecidable",
        "unread",
        "worker died",
        question["gold"][:200],
        "",
        question["answer"],
        None,
        str(question.get("policy", "exact")),
        "the process that judged this pair died",
    )
