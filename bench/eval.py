"""cogito-eval beside VLMEvalKit's and lmms-eval's scoring functions, and its own times.

    python bench/eval.py --peers DIR [--answers 100000] [--json FILE]

DIR holds the unpacked wheels of `ms-vlmeval` (VLMEvalKit) and `lmms-eval`; without it only our own figures are
printed (`pip download --no-deps -d DIR ms-vlmeval lmms-eval`, then unzip the wheels in DIR). The peers' modules are
loaded one by one, because their packages import every model they know. Answers are the real graded ones of
../shared/labels, repeated with different white space at the end, so that no cache answers for us.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.util
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ROUNDS = 5

Rows = list[dict[str, Any]]
Peer = tuple[Rows, Callable[[Rows], int]]


def main() -> None:
    """Measure, print a table, and write the figures with --json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, default=ROOT.parent / "shared" / "labels")
    parser.add_argument("--peers", type=Path, default=None)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    if options.labels.is_dir():
        figures |= scoring(options.labels, options.peers, options.answers)
    else:
        print(f"no graded answers at {options.labels}: scoring is not measured")
    figures |= own_times()
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def scoring(labels: Path, peers: Path | None, count: int) -> dict[str, dict[str, Any]]:
    """Rows per CPU-second of our released-rule and strict scoring, and of the peers' on the same rows."""
    from cogito_core.verify import judge
    from cogito_core.verify.official import OFFICIAL

    choice = _choice_rows(labels, count)
    chart = _rows(labels, "chartqa_gold_only", count)
    figures: dict[str, dict[str, Any]] = {}

    def strict_choice(rows: Rows) -> int:
        return sum(judge(r["response"], r["gold"], kind="choice", choices=r["texts"]).is_right for r in rows)

    def strict_chart(rows: Rows) -> int:
        return sum(judge(r["response"], r["gold"]).is_right for r in rows)

    figures["choice, strict"] = _ours(strict_choice, choice)
    figures["choice, MMStar's rule"] = _ours(lambda rows: sum(OFFICIAL["mmstar"](r).is_right for r in rows), choice)
    figures["chart, strict"] = _ours(strict_chart, chart)
    figures["chart, relaxed accuracy"] = _ours(lambda rows: sum(OFFICIAL["chartqa"](r).is_right for r in rows), chart)
    for name, (rows, run) in _peers(peers, choice, chart).items():
        figure, peer_name = name
        speed = _speed(run, rows)
        ours = figures[figure]["ours"]
        figures[f"{figure} / {peer_name}"] = {
            "ours": ours, "peer": speed, "peer_name": peer_name, "ratio": ours / speed, "unit": "rows/CPU-s",
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures["peak memory of scoring"] = _alone(peak, "MiB")
    return figures


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


def _peers(folder: Path | None, choice: Rows, chart: Rows) -> dict[tuple[str, str], Peer]:
    """(our figure, peer's name) -> rows and the peer's scoring of them, for the peers that load."""
    found: dict[tuple[str, str], Peer] = {}
    if folder is None:
        print("no --peers: VLMEvalKit and lmms-eval are not measured")
        return found
    sys.path.insert(0, str(folder))
    for name in ("vlmeval", "vlmeval.smp", "vlmeval.utils", "vlmeval.dataset", "vlmeval.dataset.utils"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder / name.replace(".", "/"))]
        sys.modules[name] = package
    try:
        can_infer = importlib.import_module("vlmeval.utils.matching_util").can_infer

        def kit_choice(rows: Rows) -> int:
            return sum(can_infer(r["response"], dict(r["choices"])) == r["gold"] for r in rows)

        found["choice, strict", "VLMEvalKit can_infer"] = (choice, kit_choice)
    except ImportError as error:
        print(f"VLMEvalKit is not measured: {error}")
    try:
        relaxed = _module(folder / "lmms_eval/tasks/chartqa/utils.py").relaxed_correctness

        def lmms_chart(rows: Rows) -> int:
            return sum(bool(relaxed(r["response"].strip(), r["gold"])) for r in rows)

        found["chart, relaxed accuracy", "lmms-eval relaxed_correctness"] = (chart, lmms_chart)
        parse = _module(folder / "lmms_eval/tasks/_task_utils/mmmu_mcq_utils.py").parse_mmmu_multi_choice_response

        def lmms_choice(rows: Rows) -> int:
            return sum(parse(r["response"], sorted(r["choices"]), r["choices"]) == r["gold"] for r in rows)

        found["choice, strict", "lmms-eval MMMU parser"] = (choice, lmms_choice)
    except (ImportError, AttributeError, FileNotFoundError) as error:
        print(f"lmms-eval is not measured: {error}")
    return found


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rows(labels: Path, name: str, count: int) -> Rows:
    with gzip.open(labels / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
        rows = [json.loads(line) for line in handle]
    return [{**row, "response": (row["response"] or "") + " " * (i // len(rows))} for i, row in
            ((i, rows[i % len(rows)]) for i in range(count))]


def _choice_rows(labels: Path, count: int) -> Rows:
    rows = _rows(labels, "mmstar", count // 2) + _rows(labels, "scienceqa_vlmevalkit", count - count // 2)
    return [{**row, "texts": [text for _, text in sorted(row["choices"].items())]} for row in rows]


def _speed(run: Callable[[Rows], int], rows: Rows) -> float:
    """Rows per CPU-second, the median over slices of the rows."""
    size = max(1, len(rows) // ROUNDS)
    speeds = []
    for start in range(0, size * ROUNDS, size):
        part = rows[start : start + size]
        began = time.process_time()
        run(part)
        speeds.append(len(part) / (time.process_time() - began))
    return median(speeds)


def _ours(run: Callable[[Rows], int], rows: Rows) -> dict[str, Any]:
    return _alone(_speed(run, rows), "rows/CPU-s")


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

    rows: Sequence[Sequence[str]] = [
        [name, cell(f["ours"]), cell(f["peer"]), cell(f["ratio"]), f["unit"]] for name, f in figures.items()
    ]
    table("cogito-eval", ["what", "ours", "peer", "ours / peer", "unit"], rows)


if __name__ == "__main__":
    main()
