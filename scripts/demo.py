"""`make demo`: data, training and evaluation of cogito-nano on this machine, then one table and one report.

Runs the three commands exactly as a user would, each in a run directory of its own below `runs/demo/seed-N`, so a
killed demo goes on where it stopped. Writes `runs/demo/summary.json` and `runs/demo/report.html`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from demo_report import write_report

from cogito_core.console import CogitoError, say, table, warn
from cogito_core.files import write_atomic
from cogito_core.manifest import apply_overrides, manifest_path, read_yaml


def main() -> int:
    """Run the demo; the exit code is 0, or that of the command that failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="seed of the questions, the training and the evaluation")
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="where everything goes")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the nano recipe")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        summary = _run(options.seed, options.out, options.set)
    except CogitoError as error:
        warn(f"error: {error}")
        return 1
    except subprocess.CalledProcessError as error:
        warn(f"the demo stopped: '{' '.join(error.cmd)}' failed; the same command goes on from there")
        return error.returncode
    except KeyboardInterrupt:
        warn("interrupted: what was finished is kept; the same command goes on from there")
        return 130
    _print(summary)
    say(f"{time.monotonic() - started:.0f} s; summary: {options.out}/summary.json  report: {options.out}/report.html")
    return 0


def _run(seed: int, out: Path, settings: list[str]) -> dict[str, Any]:
    root = out / f"seed-{seed}"
    root.mkdir(parents=True, exist_ok=True)
    recipe = root / "recipe.yaml"
    values = apply_overrides(
        read_yaml(manifest_path("recipes", "nano")), [f"data.seed={seed}", f"train.seed={seed}", *settings]
    )
    write_atomic(recipe, yaml.safe_dump(values, sort_keys=False))
    data, train, compared = root / "data", root / "train", root / "compare"
    _step("cogito-data", "build", "--recipe", recipe, "-o", data)
    _step("cogito-train", "--recipe", recipe, "--set", f"data={data}", "-o", train)
    runs = {"base": "nano", "trained": str(train / "final")}
    for name, model in runs.items():
        _step(
            "cogito-eval", "--bench", "nano", "--from", data, "--model", model,
            "--temperature", 1, "--max-tokens", values["train"]["max_response_tokens"],
            "--seed", seed, "-o", root / f"eval-{name}",
        )
    _step("cogito-eval", "compare", root / "eval-base", root / "eval-trained", "-o", compared)
    summary = _summary(root)
    write_atomic(out / "summary.json", json.dumps(summary, indent=2) + "\n")
    write_atomic(out / "report.html", write_report(root, summary))
    return summary


def _step(*command: object) -> None:
    """Run one of the three commands of this environment, its output shown as it comes."""
    words = [str(word) for word in command]
    say(f"\n$ {' '.join(words)}")
    # Spinning OpenMP threads on a busy 2-core machine were measured up to 20 times slower.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", **os.environ}
    subprocess.run([str(Path(sys.executable).parent / words[0]), *words[1:]], check=True, env=environment)


def _summary(root: Path) -> dict[str, Any]:
    def load(name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((root / name).read_text(encoding="utf-8"))
        return loaded

    data, train = load("data/summary.json"), load("train/summary.json")
    scores = {name: load(f"eval-{name}/scores.json")["nano"] for name in ("base", "trained")}
    difference = load("compare/compare.json")["benchmarks"]["nano"]["difference"]
    return {
        "data": {key: data[key] for key in ("ingested", "kept", "dropped")},
        "train": {
            "stages": [{k: s[k] for k in ("name", "steps", "best_step", "validation")} for s in train["stages"]]
        },
        "eval": {
            **{name: {k: s[k] for k in ("accuracy", "ci95", "n")} for name, s in scores.items()},
            "difference": {key: difference[key] for key in ("value", "ci95", "p_value")},
            "by_category": {
                category: {name: scores[name]["by"]["category"][category]["accuracy"] for name in scores}
                for category in scores["base"]["by"]["category"]
            },
        },
    }


def _print(summary: dict[str, Any]) -> None:
    stages, scores = summary["train"]["stages"], summary["eval"]
    say("")
    table("Training", ["stage", "steps", "best step", "validation"],
          [[s["name"], s["steps"], s["best_step"], s["validation"]] for s in stages])
    overall = {name: scores[name]["accuracy"] for name in ("base", "trained")}
    rows = []
    for name, row in [*scores["by_category"].items(), ("all", overall)]:
        base, trained = 100 * row["base"], 100 * row["trained"]
        rows.append([name, f"{base:.1f}", f"{trained:.1f}", f"{trained - base:+.1f}"])
    table("Held-out accuracy, sampled at temperature 1, in percent", ["category", "base", "trained", "gain"], rows)
    low, high = (100 * bound for bound in scores["difference"]["ci95"])
    say(f"difference {100 * scores['difference']['value']:+.1f} points, 95% interval [{low:+.1f}, {high:+.1f}], "
        f"p = {scores['difference']['p_value']:.2g}, {scores['base']['n']} questions")


if __name__ == "__main__":
    sys.exit(main())
