"""Speed and errors of the answer verifier beside Math-Verify and MathRuler, on the same pairs in one run.

    python bench/verifiers.py [--labels ../shared/labels] [--mathruler PYTHON] [--runs 5] [--million] [--json FILE]

Two streams, each judged as the verifier's users would call it, on one core, CPU time only, caches emptied before
every run of ours:

- benchmark golds: extracted answers of MathVista, MATH-Vision, TabMWP and LogicVista (needs the labels folder), else
  the numbers and letters of our suite;
- mixed: all pairs of `tests/verify/suite.txt` that need no options, which is also where the errors are counted.

Math-Verify gets gold and answer between dollar signs, its best form. MathRuler needs an environment of its own:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install mathruler==0.1.0 sympy==1.14.0 pylatexenc==2.10
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cogito_core.console import table
from cogito_core.verify import formulas, kinds, reader, units, verify, words
from tests.verify.suite import load

Pair = tuple[str, str]
STREAM = 20_000
PEER_PAIRS = 200
"""The peers are slower by orders of magnitude: they get this many pairs of each stream, drawn by a fixed seed."""

MATHRULER = """
import json, sys, time
from mathruler.grader import grade_answer
pairs = json.load(sys.stdin)
start = time.process_time()
said = []
for gold, answer in pairs:
    try:
        said.append(bool(grade_answer(answer, gold)))
    except Exception:
        said.append(False)
print(json.dumps({"seconds": time.process_time() - start, "said": said}))
"""


def benchmark_stream(labels: Path) -> list[Pair]:
    """(gold, extracted answer) of real runs; without the labels, numbers and letters of the suite."""
    pairs: list[Pair] = []
    for name in ("mathvista", "mathvision", "tabmwp", "logicvista"):
        path = labels / f"{name}.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as handle:
                rows = map(json.loads, handle)
                pairs.extend(
                    (str(row["gold"]), str(row["extraction"])) for row in rows if row.get("extraction") is not None
                )
    if not pairs:
        pairs = [(p.gold, p.answer) for p in load() if len(p.gold) <= 6] * 40
    random.Random(0).shuffle(pairs)
    return pairs[:STREAM]


def clear_caches() -> None:
    """Empty every cache of ours, so that a run starts cold."""
    for cached in (
        reader._cached,
        kinds._cached_readings,
        kinds._cached_gold,
        units.parse_unit,
        words.number_words,
        formulas.formula,
    ):
        cached.cache_clear()


def ours(pairs: Sequence[Pair]) -> tuple[float, list[bool]]:
    """CPU seconds and verdicts of this package."""
    clear_caches()
    start = time.process_time()
    said = [verify(gold, answer).is_right for gold, answer in pairs]
    return time.process_time() - start, said


def math_verify(pairs: Sequence[Pair]) -> tuple[float, list[bool]]:
    """CPU seconds and verdicts of Math-Verify, called in the main thread as it requires."""
    import logging

    logging.disable(logging.CRITICAL)
    from math_verify import parse
    from math_verify import verify as equal

    start = time.process_time()
    said = [bool(equal(parse(f"${gold}$"), parse(f"${answer}$"))) for gold, answer in pairs]
    return time.process_time() - start, said


def mathruler(python: str) -> Callable[[Sequence[Pair]], tuple[float, list[bool]]]:
    """CPU seconds and verdicts of MathRuler in its own environment."""

    def run(pairs: Sequence[Pair]) -> tuple[float, list[bool]]:
        done = subprocess.run(
            [python, "-c", MATHRULER], input=json.dumps(pairs), capture_output=True, text=True, check=True
        )
        result = json.loads(done.stdout)
        return float(result["seconds"]), [bool(one) for one in result["said"]]

    return run


def speed(judge: Callable[[Sequence[Pair]], tuple[float, list[bool]]], pairs: Sequence[Pair], runs: int) -> float:
    """Median pairs per CPU second."""
    return statistics.median(len(pairs) / max(1e-9, judge(pairs)[0]) for _ in range(runs))


def errors(said: Sequence[bool], right: Sequence[bool]) -> tuple[float, float]:
    """Percent of wrong answers accepted and of right answers rejected."""
    wrong = [one for one, truth in zip(said, right, strict=True) if not truth]
    true = [one for one, truth in zip(said, right, strict=True) if truth]
    return 100 * sum(wrong) / len(wrong), 100 * (len(true) - sum(true)) / len(true)


def million(pairs: Sequence[Pair]) -> float:
    """Growth of the resident memory in MB from the 200,000th to the millionth pair, every pair different."""
    rng = random.Random(1)
    start = 0.0
    for index in range(1_000_000):
        gold, answer = pairs[index % len(pairs)]
        verify(f"{gold}{rng.randrange(10**6)}", f"{answer}{rng.randrange(10**6)}")
        if index == 200_000:
            start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "labels")
    parser.add_argument("--mathruler", help="Python of an environment with MathRuler")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--million", action="store_true", help="also measure memory over a million pairs")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    suite = [pair for pair in load() if not pair.choices and pair.kind is None]
    mixed = [(pair.gold, pair.answer) for pair in suite]
    right = [pair.right for pair in suite]
    bench = benchmark_stream(args.labels)
    rng = random.Random(2)
    few_bench, few_mixed = (
        rng.sample(bench, min(PEER_PAIRS, len(bench))),
        rng.sample(mixed, min(PEER_PAIRS, len(mixed))),
    )
    peers: dict[str, Callable[[Sequence[Pair]], tuple[float, list[bool]]]] = {"math-verify": math_verify}
    if args.mathruler:
        peers["mathruler"] = mathruler(args.mathruler)
    own = {"benchmark": speed(ours, bench, args.runs), "mixed": speed(ours, mixed, args.runs)}
    own_errors = errors(ours(mixed)[1], right)
    metrics: dict[str, dict[str, Any]] = {}
    rows = [
        ["ours", f"{own['benchmark']:,.0f}", f"{own['mixed']:,.0f}", f"{own_errors[0]:.2f}", f"{own_errors[1]:.2f}"]
    ]
    for name, judge in peers.items():
        peer = {"benchmark": speed(judge, few_bench, args.runs), "mixed": speed(judge, few_mixed, args.runs)}
        peer_errors = errors(judge(mixed)[1], right)
        rows.append(
            [
                name,
                f"{peer['benchmark']:,.0f}",
                f"{peer['mixed']:,.0f}",
                f"{peer_errors[0]:.2f}",
                f"{peer_errors[1]:.2f}",
            ]
        )
        tail = "" if name == "math-verify" else f"_vs_{name}"
        for stream in ("benchmark", "mixed"):
            metrics[f"{stream}_pairs_per_cpu_second{tail}"] = _metric(own[stream], peer[stream], name, "pairs/s")
        for what, a, b in zip(("false_accepts", "false_rejects"), own_errors, peer_errors, strict=True):
            metrics[f"suite_{what}{tail}"] = _metric(a, b, name, "%")
    table(
        f"Verifiers on one core, {args.runs} runs, {len(bench)} benchmark and {len(mixed)} mixed pairs",
        ["verifier", "benchmark pairs/s", "mixed pairs/s", "false accepts %", "false rejects %"],
        rows,
    )
    if args.million:
        grown = million(mixed)
        metrics["memory_growth_over_a_million_pairs"] = {
            "ours": grown,
            "peer": None,
            "peer_name": "",
            "ratio": None,
            "unit": "MB",
        }
        table("Memory", ["what", "MB"], [["growth from pair 200,000 to 1,000,000", f"{grown:.1f}"]])
    if args.json:
        args.json.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def _metric(ours_value: float, peer_value: float, name: str, unit: str) -> dict[str, Any]:
    return {
        "ours": ours_value,
        "peer": peer_value,
        "peer_name": name,
        "unit": unit,
        "ratio": ours_value / peer_value if peer_value else None,
    }


if __name__ == "__main__":
    main()
