"""Many verdicts: deduplicated, cached by content and version, in order, the same for any number of workers."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from threading import Lock
from typing import Any

from cogito_core.verify.api import verify
from cogito_core.verify.clean import as_text
from cogito_core.verify.verdict import VERSION, Verdict

MAX_CACHED = 20_000
MAX_CACHED_CHARS = 600
CHUNK = 500

Pair = tuple[object, object] | Mapping[str, Any]
_cache: OrderedDict[str, Verdict] = OrderedDict()
_lock = Lock()


def _question(pair: Pair) -> dict[str, Any]:
    """The arguments of `verify` for one pair: (gold, answer), or a mapping with those names and more."""
    if isinstance(pair, Mapping):
        return {
            "gold": as_text(pair.get("gold")),
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


def _verify(question: Mapping[str, Any]) -> Verdict:
    return verify(**question)


def _verify_chunk(chunk: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    return [_verify(question) for question in chunk]


def verify_many(pairs: Iterable[Pair], *, workers: int = 1) -> list[Verdict]:
    """The verdict of every pair, in order. A pair is (gold, answer) or a mapping with the arguments of `verify`.

    Equal pairs are judged once. With `workers` > 1 the work goes to that many processes; a worker that dies takes no
    verdict with it: its share is judged again, pair by pair, each in a process of its own.
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
    verdicts = _verify_chunk(fresh) if workers <= 1 or len(fresh) < 2 * CHUNK // 10 else _in_processes(fresh, workers)
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
    size = max(1, min(CHUNK, -(-len(questions) // (workers * 4))))
    chunks = [questions[start : start + size] for start in range(0, len(questions), size)]
    results: list[list[Verdict] | None] = [None] * len(chunks)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_verify_chunk, chunk) for chunk in chunks]
        for index, future in enumerate(futures):
            try:
                results[index] = future.result()
            except BrokenProcessPool:
                results[index] = None
    return [
        verdict for chunk, result in zip(chunks, results, strict=True) for verdict in (result or map(_alone, chunk))
    ]


def _alone(question: Mapping[str, Any]) -> Verdict:
    """One verdict in a process of its own; a process that dies leaves an undecidable verdict."""
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_verify, question).result()
    except BrokenProcessPool:
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
