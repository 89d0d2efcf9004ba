"""Rows a second of the data pipeline beside its peers, on the same shards in the same run, one core each.

    python bench/data.py --peers /tmp/peers/bin/python [--rows 20000] [--runs 5] [--tables ../shared/realdata]

About 13 minutes on a quiet core; `--rows 10000` halves it. To keep it there, the usual `map`, which takes minutes
for what the others do in seconds, gets the first tenth of the rows, and so does the second job. All figures are
rates, start-up included, so a shorter run rather favours ours, which starts faster than `datasets` and Ray.

The work: read shards with encoded pictures, decode, hash, fold the question, write shards with the pictures.
Ours does it as a build does (`prepare_shard`, then `write_shard`), which also checks every gold with its verifier
and applies the rule ladder. The peers need an environment of their own:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install datatrove==0.10.1 datasets==5.2.0 'ray[data]==2.60.0' \\
        imagehash==4.3.2 pillow==13.0.0

The floor is the model of curation.md section 6: 25 us a row, each byte read, hashed and written once, and
pixels at 120 Mpx/s (PNG decoded, grey, hashed) on one core.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from cogito_core.console import CogitoError, table, warn
from cogito_core.sample import Picture, Sample
from cogito_core.shards import write_shards

PEERS = ("datasets-usual", "datasets-best", "datatrove", "ray-data")
DECODE_MPX_S = 120.0

OURS = """
import sys
from pathlib import Path
import numpy as np
import pyarrow.parquet as pq
from cogito_data.final import write_shard
from cogito_data.prepare import prepare_shard
source, out = map(Path, sys.argv[1:])
for shard in sorted(source.glob("*.parquet")):
    part = out / f"{shard.stem}.part"
    prepare_shard(str(part), str(shard), True, False, None)
    write_shard(str(out / shard.name), [(str(shard), str(part))], np.arange(pq.read_metadata(part).num_rows))
    part.unlink()
"""


SHARE = 10
"""The usual `map` and the second job get one in so many rows."""


@dataclass
class Run:
    """Wall and CPU milliseconds a row, peak resident MB of the largest process, bytes written a row."""

    wall: float
    cpu: float
    peak: float
    stored: float


def chart(number: int) -> bytes:
    """A bar chart of about 0.2 megapixels and 12 kB with anti-aliased text and a grainy ground."""
    rng = random.Random(number)
    picture = Image.effect_noise((512, 384), 1.5).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 511, 250), fill="white")
    for bar in range(8):
        height = rng.randrange(20, 240)
        colour = tuple(rng.randrange(256) for _ in range(3))
        draw.rectangle((20 + 60 * bar, 250 - height, 60 + 60 * bar, 250), fill=colour)
        draw.text((24 + 60 * bar, 236 - height), str(rng.randrange(1000)), fill="black", font_size=13)
    draw.rectangle((0, 262, 511, 383), fill="white")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def sample(number: int, data: bytes, source: str) -> Sample:
    return Sample(
        id=f"{source}/train/{number}",
        source=source,
        category="chart",
        split="train",
        answer=str(number % 97),
        problem=f"<image>\nWhat is the value of bar {number % 8} in chart {number}?",
        images=(Picture(data, f"{number}.png"),),
        answer_kind="number",
    )


# Counts a command with all its descendants; Ray's daemons would slip through the usual count.
WATCHER = """
import ctypes, os, resource, subprocess, sys, threading, time
# PR_SET_CHILD_SUBREAPER: what a program leaves behind when it ends, as Ray does, becomes a child of this process.
ctypes.CDLL(None).prctl(36, 1)
ticks = os.sysconf("SC_CLK_TCK")
seen = {}

def look():
    parent, used = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
        except OSError:
            continue
        parent[int(pid)], used[int(pid)] = int(fields[1]), sum(map(int, fields[11:13])) / ticks
    ours = {os.getpid()}
    while more := {pid for pid, above in parent.items() if above in ours} - ours:
        ours |= more
    for pid in ours - {os.getpid()}:
        seen[pid] = used[pid]

def watch():
    while True:
        look()
        time.sleep(0.1)

threading.Thread(target=watch, daemon=True).start()
code = subprocess.run(sys.argv[1:]).returncode
u = resource.getrusage(resource.RUSAGE_CHILDREN)
# Some daemons discard what their children used: then the sum of what was seen of each process is the truer one.
print("used", max(u.ru_utime + u.ru_stime, sum(seen.values())), u.ru_maxrss / 1024)
sys.exit(code)
"""


def measure(command: list[str]) -> tuple[float, float, float]:
    """(wall s, CPU s, peak MB) of a command with its children."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", WATCHER, *command], capture_output=True, text=True, env=env)
    wall = time.monotonic() - started
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CogitoError(f"{' '.join(command[1:3])} failed: {last[-300:]}")
    cpu, peak = map(float, done.stdout.split("used ")[-1].split())
    return wall, cpu, peak


def run_once(name: str, python: Path | None, source: Path, rows: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if name == "ours":
            command = [sys.executable, "-c", OURS, str(source), str(out)]
        else:
            command = [str(python), str(Path(__file__).with_name("data_peers.py")), name, str(source), str(out)]
        wall, cpu, peak = measure(command)
        written = [path for path in out.rglob("*.parquet") if "cache" not in path.parts]
        stored = sum(path.stat().st_size for path in written)
        return Run(1e3 * wall / rows, 1e3 * cpu / rows, peak, stored / rows)


def floor_cpu(rows: int, n_bytes: int, pixels: int) -> float:
    """Seconds on one core that no program of this kind can go below."""
    return rows * 25e-6 + n_bytes / 1e6 * (1 / 2600 + 1 / 1100 + 1 / 1650) + pixels / 1e6 / DECODE_MPX_S


def compare(title: str, samples: list[Sample], python: Path | None, runs: int) -> dict[str, Run]:
    pixels = 0
    for one in samples:
        width, height = Image.open(io.BytesIO(one.images[0].bytes)).size
        pixels += width * height
    n_bytes = sum(len(one.images[0].bytes) for one in samples)
    floor = floor_cpu(len(samples), n_bytes, pixels)
    names = ["ours", *(PEERS if python else ())]
    found: dict[str, list[Run]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        whole, tenth = Path(folder) / "whole", Path(folder) / "tenth"
        write_shards(samples, whole, max_rows=2500)
        few = samples[: max(1, len(samples) // SHARE)]
        write_shards(few, tenth, max_rows=2500)
        for _ in range(runs):
            for name in list(found):
                source, rows = (tenth, len(few)) if name == "datasets-usual" else (whole, len(samples))
                try:
                    found[name].append(run_once(name, python, source, rows))
                except CogitoError as error:
                    if name == "ours":
                        raise
                    warn(f"left out from here on: {error}")
                    del found[name]
    medians = {}
    lines = []
    for name, all_runs in found.items():
        fields = ("wall", "cpu", "peak", "stored")
        middle = Run(*(statistics.median(getattr(run, field) for run in all_runs) for field in fields))
        medians[name] = middle
        lines.append(
            [
                name,
                f"{1e3 / middle.wall:.0f}",
                f"{1e3 / middle.cpu:.0f}",
                f"{middle.cpu * len(samples) / 1e3 / floor:.2f}",
                f"{middle.peak:.0f}",
                f"{middle.stored / 1e3:.1f}",
            ]
        )
    table(
        f"{title}: {len(samples)} rows, {n_bytes / 1e6:.0f} MB, {pixels / 1e6:.0f} Mpx, floor {floor:.1f} CPU s",
        ["program", "rows/s", "rows per CPU-s", "times the floor", "peak MB", "kB written a row"],
        lines,
    )
    return medians


def tables(root: Path) -> list[Sample]:
    """The TabMWP tables that are here."""
    paths = sorted((root / "tabmwp").rglob("tables/*.png"))
    return [sample(number, path.read_bytes(), "tabmwp") for number, path in enumerate(paths)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="Python of the peers' environment")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tables", type=Path, help="folder with tabmwp/ of the real records")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.rows < SHARE:
        parser.error(f"--rows must be at least {SHARE}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    charts = [chart(number) for number in range(given.rows)]
    jobs = {
        "charts, a question each": [sample(number, data, "charts") for number, data in enumerate(charts)],
        # As DVQA, FigureQA or CLEVR have it, only milder: they ask 10 to 13 questions of a picture.
        "charts, four questions each": [sample(n, charts[n // 4], "charts") for n in range(given.rows // SHARE)],
    }
    if given.tables:
        jobs["tabmwp"] = tables(given.tables)
    metrics = {}
    for title, samples in jobs.items():
        medians = compare(title, samples, given.peers, given.runs)
        for name, run in medians.items():
            if name != "ours":
                metrics[f"{title}, CPU ms a row against {name}"] = {
                    "ours": medians["ours"].cpu,
                    "peer": run.cpu,
                    "peer_name": name,
                    "ratio": medians["ours"].cpu / run.cpu,
                    "unit": "CPU ms a row",
                }
    if given.json:
        given.json.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
