"""Nano questions drawn and encoded per second on one core, by category.

    python bench/nano_tasks.py [--rows 600] [--runs 5] [--json FILE]

There is no peer: the figure stands alone, and the ratio compares it with 1,000 rows a second, the least the
project asks for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from cogito_core.console import table
from cogito_nano.tasks import CATEGORIES, LEVELS, task

_ASKED_FOR = 1000.0


def rows_per_second(category: str, rows: int, first_seed: int) -> float:
    """Rows per CPU second, the PNG encoding included."""
    began = time.process_time()
    for seed in range(first_seed, first_seed + rows):
        task(category, LEVELS[seed % len(LEVELS)], seed)
    return rows / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=600, help="questions of each category a run")
    parser.add_argument("--runs", type=int, default=5, help="runs; the median counts")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    task("math", 1, 0)  # the first call pays for Pillow's codecs
    medians = {
        category: statistics.median(
            rows_per_second(category, options.rows, run * options.rows) for run in range(options.runs)
        )
        for category in CATEGORIES
    }
    # Equal numbers of rows of each category: the mean of times, not of rates.
    medians["all six"] = statistics.harmonic_mean(medians.values())
    rows = [[name, f"{value:,.0f}"] for name, value in medians.items()]
    table("Nano questions", ["category", "rows per CPU second"], rows)
    if options.json:
        figures = {
            f"nano_tasks/{name}": {
                "ours": round(value, 1),
                "peer": _ASKED_FOR,
                "peer_name": "asked for at least",
                "ratio": round(value / _ASKED_FOR, 3),
                "unit": "rows per CPU second",
            }
            for name, value in medians.items()
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
