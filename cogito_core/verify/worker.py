"""A worker process: one JSON question a line in, one JSON verdict a line out. `python -m cogito_core.verify.worker`.

Own pipes instead of `multiprocessing`: no import of the caller's main module, and the same behaviour in threads,
notebooks and scripts read from standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from cogito_core.verify.api import verify
from cogito_core.verify.verdict import Verdict


def packed(verdict: Verdict) -> str:
    """A verdict as one line of JSON."""
    return json.dumps(asdict(verdict), ensure_ascii=True)


def unpacked(line: str) -> Verdict:
    """The verdict of such a line."""
    fields = json.loads(line)
    span = fields["span"]
    return Verdict(**(fields | {"span": None if span is None else (int(span[0]), int(span[1]))}))


def judged(question: Mapping[str, Any]) -> Verdict:
    """The verdict on one question: the arguments of `verify` by name."""
    return verify(**question)


def serve(source: TextIO, sink: TextIO, judge: Callable[[Mapping[str, Any]], Verdict] = judged) -> None:
    """Answer every question of `source` in order."""
    for line in source:
        sink.write(packed(judge(json.loads(line))) + "\n")
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
