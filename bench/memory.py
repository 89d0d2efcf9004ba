"""Peak memory of a build from ten thousand to a million rows: it must stay under 1 GB in every process.

    python bench/memory.py [--rows 10000 100000 1000000] [--workers 1] [--json FILE]

Writes a ChartQA-shaped Hub copy (four questions on each generated picture, Parquet), builds it in a process of
its own and reports the largest resident size of that process and of its workers, as the kernel counts it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from cogito_core.console import table

QUESTIONS = 4
PICTURES_A_FILE = 2500
LIMIT_MB = 1000


def picture(number: int) -> bytes:
    """A small bar chart; every number gives another one."""
    rng = random.Random(number)
    image = Image.new("RGB", (96, 64), "white")
    draw = ImageDraw.Draw(image)
    for bar in range(6):
        height = rng.randrange(4, 60)
        colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
        draw.rectangle((4 + 15 * bar, 63 - height, 14 + 15 * bar, 63), fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def write_source(folder: Path, rows: int) -> None:
    """A local Hub copy of ChartQA's columns with `rows` questions."""
    folder.mkdir(parents=True)
    pictures = -(-rows // QUESTIONS)
    for part, start in enumerate(range(0, pictures, PICTURES_A_FILE)):
        columns: dict[str, list[object]] = {"image": [], "query": [], "label": [], "human_or_machine": []}
        for number in range(start, min(start + PICTURES_A_FILE, pictures)):
            shown = {"bytes": picture(number), "path": f"{number}.png"}
            for question in range(QUESTIONS):
                columns["image"].append(shown)
                columns["query"].append(f"What is the value of bar {question} in chart {number}?")
                columns["label"].append([str((number * 7 + question) % 60)])
                columns["human_or_machine"].append(0)
        pq.write_table(pa.table(columns), folder / f"train-{part:05d}.parquet", use_dictionary=["image"])


def build(root: Path, out: Path, workers: int) -> tuple[float, float, float, float]:
    """(wall s, CPU s, peak MB of the driver, peak MB of a worker) of one build, in a child process."""
    recipe = root / "recipe.yaml"
    recipe.write_text(
        "name: memory\ndata:\n  mix: [{source: chartqa}]\n  hold_out: {validation: 1000}\n", encoding="utf-8"
    )
    program = (
        "import resource, sys; from cogito_data.cli import app\n"
        "try: app()\nexcept SystemExit as e: code = e.code\n"
        "both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN\n"
        "own, others = (resource.getrusage(who).ru_maxrss for who in both)\n"
        "print('peak', own, others); sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "build", "--recipe", str(recipe), "--from", str(root), "-o", str(out),
               "--workers", str(workers)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    own, others = (int(part) / 1024 for part in done.stdout.splitlines()[-1].split()[1:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu, own, others


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    lines, peaks = [], {}
    for rows in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_source(root / "chartqa", rows)
            wall, cpu, own, others = build(root, root / "out", given.workers)
            kept = json.loads((root / "out" / "summary.json").read_text())["kept"]
            stored = sum(path.stat().st_size for path in (root / "out" / "data").iterdir()) / 2**20
            lines.append([rows, kept, f"{wall:.0f}", f"{cpu:.0f}", f"{rows / cpu:.0f}", f"{own:.0f}", f"{others:.0f}",
                          f"{stored:.0f}"])
            peaks[rows] = max(own, others)
            table("build of generated charts", ["rows", "kept", "wall s", "CPU s", "rows per CPU-s", "driver MB",
                                                "worker MB", "MB stored"], lines)
    if given.json:
        metric = {str(rows): {"ours": peak, "peer": LIMIT_MB, "peer_name": "limit of the issue",
                              "ratio": peak / LIMIT_MB, "unit": "MB resident"} for rows, peak in peaks.items()}
        given.json.write_text(json.dumps(metric, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
