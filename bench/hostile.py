"""The slowest verdicts: every call of the verifier on texts made to be slow, up to 100,000 characters.

    python bench/hostile.py [--runs 5] [--peer] [--json FILE]

CPU milliseconds of the calling thread, the median of the runs for each (call, text); the worst of them is the bound
that holds for any string (50 ms without the sympy tier). `--peer` asks Math-Verify for the same 60 short texts as
answers to 42, with the time limits that it sets itself (5 s for reading, 5 s for comparing); its worst is wall time.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cogito_core.console import table
from cogito_core.verify import judge
from tests.verify.hostile import CALLS, HEAVY, HOSTILE, heavy_calls, texts

SHOWN = 8


def milliseconds(call: Callable[[], object], runs: int, clock: Callable[[], float] = time.thread_time) -> float:
    """The median of a call's time over the runs."""
    seconds = []
    for _ in range(runs):
        start = clock()
        call()
        seconds.append(clock() - start)
    return 1_000 * statistics.median(seconds)


def ours(runs: int) -> list[tuple[float, str, str]]:
    """(milliseconds, call, text) of all calls, the slowest first."""
    rows = [
        (milliseconds(lambda call=call, text=text: call(text), runs), name, text[:40])  # type: ignore[misc]
        for name, call in CALLS.items()
        for text in texts()
    ]
    for gold, answer in HEAVY:
        rows.extend((milliseconds(call, runs), "many comparisons", gold[:40]) for call in heavy_calls(gold, answer))
    return sorted(rows, reverse=True)


def math_verify_worst() -> tuple[float, float]:
    """Wall milliseconds of the slowest of the short hostile texts: Math-Verify's and ours."""
    from math_verify import parse
    from math_verify import verify as equal

    logging.disable(logging.CRITICAL)
    gold = parse("$42$")
    short = [text for text in HOSTILE if len(text) < 200]
    theirs = max(milliseconds(lambda text=text: equal(gold, parse(text)), 1, time.perf_counter) for text in short)  # type: ignore[misc]
    mine = max(milliseconds(lambda text=text: judge(text, "42"), 1, time.perf_counter) for text in short)  # type: ignore[misc]
    return theirs, mine


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = ours(options.runs)
    table("The slowest", ["CPU ms", "call", "text"], [[ms, name, repr(text)] for ms, name, text in rows[:SHOWN]])
    print(f"{len(rows):,} pairs of call and text; median {statistics.median(row[0] for row in rows):.2f} ms")
    found = {"worst": {"ours": rows[0][0], "peer": None, "peer_name": None, "ratio": None, "unit": "CPU ms"}}
    if options.peer:
        theirs, mine = math_verify_worst()
        print(f"short texts, wall ms of the slowest: ours {mine:.1f}, Math-Verify {theirs:.1f}")
        found["worst of the short texts"] = {
            "ours": mine, "peer": theirs, "peer_name": "math-verify", "ratio": mine / theirs, "unit": "ms",
        }  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
