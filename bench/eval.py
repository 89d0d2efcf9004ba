"""cogito-eval beside VLMEvalKit's and lmms-eval's scoring functions, and its own times.

    python bench/eval.py [--vlmevalkit PYTHON] [--lmms PYTHON] [--answers 100000] [--json FILE]

The peers run in environments of their own, named by their Python (docs/benchmarks.md says what is installed there);
without them only our own figures are printed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ROUNDS = 5

Rows = list[dict[str, Any]]


def main() -> None:
    """Measure, print a table, and write the figures with --json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, default=ROOT.parent / "shared" / "labels")
    parser.add_argument("--vlmevalkit", metavar="PYTHON", default=None)
    parser.add_argument("--lmms", metavar="PYTHON", default=None)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    if options.labels.is_dir():
        from eval_scoring import measure

        named = {"vlmevalkit": options.vlmevalkit, "lmms": options.lmms}
        peers = {name: python for name, python in named.items() if python}
        figures |= measure(options.labels, peers, options.answers)
    else:
        print(f"no graded answers at {options.labels}: scoring is not measured")
    figures |= own_times()
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def own_times() -> dict[str, dict[str, Any]]:
    """Command to first request, `compare` and both reports on 10,000 questions."""
    from cogito_eval.compare import compare_runs
    from cogito_eval.report import write_comparison, write_report

    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        a, b = Path(scratch) / "a", Path(scratch) / "b"
        for seed, directory in enumerate((a, b)):
            _synthetic_run(directory, 10_000, seed)
        figures["compare, 10,000 questions"] = _alone(_clock(lambda: compare_runs(a, b)), "s")
        compared = compare_runs(a, b)
        figures["report, 10,000 questions"] = _alone(_clock(lambda: write_report(a)), "s")
        page = Path(scratch) / "compare.html"
        figures["comparison report"] = _alone(_clock(lambda: write_comparison(a, b, compared, page)), "s")
        figures["size of the report"] = _alone((a / "report.html").stat().st_size / 2**20, "MiB")
        opened = _open_in_browser(a / "report.html", Path(scratch))
        if opened is not None:
            figures["opening it in Chromium"] = _alone(opened, "s")
        figures["command to first answer, nano"] = _alone(_first_answer(Path(scratch)), "s")
    code = "import time; t = time.process_time(); import sys; sys.argv = ['cogito-eval', '--help']\n" \
           "from cogito_eval.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n" \
           "print(time.process_time(), file=sys.stderr)"
    seconds = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                                    cwd=ROOT).stderr.split()[-1]) for _ in range(ROUNDS)]
    figures["--help, CPU"] = _alone(median(seconds), "s")
    return figures


def _alone(value: float, unit: str) -> dict[str, Any]:
    return {"ours": value, "peer": None, "peer_name": None, "ratio": None, "unit": unit}


def _clock(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


def _open_in_browser(page: Path, scratch: Path) -> float | None:
    """Seconds until Chromium has drawn the page, less those for an empty page; None without Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return None
    empty = scratch / "empty.html"
    empty.write_text("<!doctype html><html></html>")

    def draw(target: Path) -> None:
        subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--screenshot={scratch}/page.png",
                        f"file://{target}"], check=True, capture_output=True, timeout=120)

    return _clock(lambda: draw(page)) - _clock(lambda: draw(empty))


def _first_answer(scratch: Path) -> float:
    """Seconds from the command's start to the first stored answer."""
    times = []
    for turn in range(ROUNDS):
        out = scratch / f"first-{turn}"
        command = [sys.executable, "-m", "cogito_eval.cli", "--bench", "nano", "--model", "nano", "--limit", "1",
                   "--max-tokens", "1", "-o", str(out)]
        began = time.time()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
        times.append(next(event["time"] for event in events if event["event"] == "answered") - began)
    return median(times)


def _synthetic_run(directory: Path, questions: int, seed: int) -> None:
    """A run directory with as many questions as a large evaluation, answers of realistic length."""
    from cogito_eval.aggregate import score_rows
    from cogito_eval.benchmark import load_benchmark
    from cogito_eval.results import write_rows

    rng = random.Random(seed)
    rows: Rows = []
    for i in range(questions):
        right = rng.random() < 0.5
        verdict = {"outcome": "right" if right else "wrong", "rule": "number", "extracted": "7", "gold": "7",
                   "answer": "7", "reason": "7 equals 7" if right else "8 is not 7"}
        rows.append({
            "id": f"q{i}", "sample": 0, "seed": 1, "part": "", "cluster": f"q{i // 2}", "question": "How many? " * 8,
            "tags": {"category": [f"c{i % 6}"], "level": [str(i % 3)]}, "pictures": [], "gold": "7", "kind": "number",
            "choices": [], "aliases": [], "policy": "exact", "spec": {}, "official_row": {}, "rotation_of": "",
            "response": "We count the shapes one by one. " * rng.randrange(5, 40), "finish": "stop", "n_tokens": 200,
            "error": None, "status": "answered", "official": None, "strict": verdict,
        })
    write_rows(directory / "results" / "nano.jsonl", rows)
    scores = {"nano": score_rows(rows, load_benchmark("nano")) | {"model": f"model {seed}"}}
    (directory / "scores.json").write_text(json.dumps(scores))


def show(figures: dict[str, dict[str, Any]]) -> None:
    """Print the figures as a table."""
    from cogito_core.console import table

    def cell(value: float | None) -> str:
        return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"

    def right(figure: dict[str, Any]) -> str:
        if "rows" not in figure:
            return ""
        theirs = f" / {figure['peer_right']:,}" if "peer_right" in figure else ""
        return f"{figure['right']:,}{theirs} of {figure['rows']:,}"

    rows: Sequence[Sequence[str]] = [
        [name, cell(f["ours"]), cell(f["peer"]), cell(f["ratio"]), f["unit"], right(f)] for name, f in figures.items()
    ]
    table("cogito-eval", ["what", "ours", "peer", "ours / peer", "unit", "right: ours / peer"], rows)


if __name__ == "__main__":
    main()
