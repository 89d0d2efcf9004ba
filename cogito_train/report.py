"""`report.html` of a training run: learning curves, what the weights did, lengths, time, best and worst
answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cogito_core import charts
from cogito_core.html import Card, Page
from cogito_core.shards import SampleStore

Rows = Sequence[dict[str, Any]]


def training_charts(metrics: Rows, stages: Sequence[dict[str, Any]]) -> list[str]:
    """The curves of a run over all of its stages, as SVG; stage borders are marked.

    `metrics` are rows of metrics.jsonl, `stages` the entries of summary.json.
    """
    starts, total = {}, 0
    for stage in stages:
        starts[stage["name"]] = total
        total += stage["steps"]
    marks = [(float(start), name) for name, start in starts.items()]

    def curve(pick: Callable[[dict[str, Any]], float | None]) -> Sequence[tuple[float, float]]:
        points = [(float(starts[row["stage"]] + row["step"]), pick(row)) for row in metrics]
        return [(x, y) for x, y in points if y is not None]

    def chart(title: str, series: dict[str, Any], y_label: str = "") -> str:
        drawn = {name: curve(pick) for name, pick in series.items()}
        return charts.line_chart(title, drawn, x_label="step", y_label=y_label, marks=marks)

    held_out: Sequence[tuple[float, float]] = [
        (float(starts[stage["name"]] + v["step"]), v["accuracy"]) for stage in stages for v in stage["validations"]
    ]
    accuracy = {"training answers": curve(lambda r: r["accuracy"]), "held-out": held_out}
    parts = sorted({name for row in metrics for name in row["parts"]})
    sources = sorted({name for row in metrics for name in row["reward_by_source"]})
    return [
        charts.line_chart("Accuracy", accuracy, x_label="step", y_range=(0, 1), marks=marks),
        chart("Reward by part", {name: (lambda r, n=name: r["parts"].get(n)) for name in parts}),
        chart("Reward by source", {name: (lambda r, n=name: r["reward_by_source"].get(n)) for name in sources}),
        chart(
            "Answer length",
            {
                "right": lambda r: r["tokens_right"],
                "wrong": lambda r: r["tokens_wrong"],
                "target": lambda r: r["target_tokens"],
            },
            "tokens",
        ),
        chart(
            "Groups that teach",
            {"effective number": lambda r: r["effective_groups"], "asked": lambda r: r["prompts"]},
        ),
        chart(
            "Shares of groups",
            {
                "all right": lambda r: r["all_right"],
                "all wrong": lambda r: r["all_wrong"],
                "no signal": lambda r: r["no_signal"],
                "cut answers": lambda r: r["truncated"],
            },
        ),
        chart("Weight by group, mean", {"weight": lambda r: r["weight"]}),
        chart("KL to the reference", {"kl": lambda r: r["kl"]}, "nats"),
        chart("Entropy", {"entropy": lambda r: r["entropy"]}, "nats"),
        chart("Gradient norm", {"norm": lambda r: r["grad_norm"]}),
        chart("Clipped tokens", {"share": lambda r: r["clipped"]}),
        chart("Engine and trainer, mean |difference|", {"gap": lambda r: r["engine_gap"]}, "nats"),
    ]


def write_report(directory: Path, summary: dict[str, Any], data: SampleStore) -> str:
    """The page as HTML text, from the files of a finished run in `directory`."""
    metrics = _lines(directory / "metrics.jsonl")
    events = _lines(directory / "events.jsonl")
    stages = summary["stages"]
    page = Page(f"Training run {directory.name}", f"{sum(s['steps'] for s in stages)} steps in {len(stages)} stages")
    page.section("Stages")
    columns = ("stage", "steps", "handed on", "held-out accuracy", "first step's accuracy", "last step's accuracy")
    page.table(columns, [_stage_row(stage, metrics) for stage in stages])
    page.paragraph(
        "Accuracy is the share of right answers by the verifier; format does not count. Held-out accuracy is "
        "measured on the same questions and the same random numbers each time.",
        soft=True,
    )
    page.section("Curves")
    page.charts(*training_charts(metrics, stages))
    page.section("Difficulty")
    page.paragraph(
        "How many of a prompt's answers were right, over all groups of a stage, and where the weight went."
    )
    for stage in stages:
        own = [row for row in metrics if row["stage"] == stage["name"]]
        if own:
            page.charts(*_difficulty_charts(stage["name"], own))
    page.section("Time and memory")
    page.table(("stage", "phase", "seconds", "share", "peak GiB"), _time_rows(events, [s["name"] for s in stages]))
    page.section("Answers")
    for stage in stages:
        cards = _answer_cards(directory / "rollouts" / stage["name"], data)
        if cards:
            page.heading(f"{stage['name']}: best and worst of the last step")
            page.gallery(cards)
    return page.render()


def _stage_row(stage: dict[str, Any], metrics: Rows) -> list[Any]:
    own = [row["accuracy"] for row in metrics if row["stage"] == stage["name"]]
    ends = [f"{own[0]:.1%}", f"{own[-1]:.1%}"] if own else ["-", "-"]
    validation = "-" if stage["validation"] is None else f"{stage['validation']:.1%}"
    return [stage["name"], stage["steps"], f"step {stage['best_step']}", validation, *ends]


def _difficulty_charts(name: str, rows: Rows) -> list[str]:
    counts = [sum(column) for column in zip(*(row["solved_histogram"] for row in rows), strict=True)]
    solved = [(str(k), float(count)) for k, count in enumerate(counts)]
    sources: dict[str, float] = {}
    for row in rows:
        for source, weight in row["weight_by_source"].items():
            sources[source] = sources.get(source, 0.0) + weight
    return [
        charts.bar_chart(f"{name}: right answers per prompt", solved, y_label="groups"),
        charts.bar_chart(f"{name}: weight by source", sorted(sources.items()), y_label="weight"),
    ]


def _time_rows(events: Rows, stages: Sequence[str]) -> list[list[Any]]:
    out = []
    for stage in stages:
        own = [event for event in events if event.get("stage") == stage]
        steps = [event for event in own if event["event"] == "step"]
        seconds = {
            "sampling and judging": sum(event["rollout"] for event in steps),
            "updating": sum(event["update"] for event in steps),
            **{
                label: sum(event["seconds"] for event in own if event["event"] == kind)
                for kind, label in (("validation", "validating"), ("checkpoint", "checkpoints"))
            },
        }
        total = sum(seconds.values()) or 1.0
        # Steps that an earlier version made say nothing of memory.
        measured = [event["peak_gib"] for event in steps if "peak_gib" in event]
        peaks = {
            label: f"{max(peak[phase] for peak in measured):.2f}"
            for phase, label in (("rollout", "sampling and judging"), ("update", "updating"))
            if measured
        }
        out += [
            [stage, phase, round(value, 1), f"{value / total:.0%}", peaks.get(phase, "-")]
            for phase, value in seconds.items()
        ]
        # Weights are sent before answers are asked for, so this is a part of sampling and validating.
        pushes = [event["seconds"] for event in own if event["event"] == "push"]
        if pushes:
            out.append([stage, f"of it sending weights, {len(pushes)} times", round(sum(pushes), 1), "", ""])
    return out


def _answer_cards(folder: Path, data: SampleStore, count: int = 3) -> list[Card]:
    files = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    if not files:
        return []
    rows = pq.read_table(files[-1]).to_pylist()
    rows.sort(key=lambda row: -row["reward"])
    chosen = {(row["sample_id"], row["sample"]): row for row in (*rows[:count], *rows[-count:])}
    positions = {sample_id: i for i, sample_id in enumerate(data.column("id"))}
    return [_card(row, data, positions) for row in chosen.values()]


def _card(row: dict[str, Any], data: SampleStore, positions: dict[str, int]) -> Card:
    sample = data[positions[row["sample_id"]]]
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in json.loads(row["parts"]).items())
    return Card(
        title=f"reward {row['reward']:+.2f}",
        fields=[
            ("question", sample.problem),
            ("gold", sample.answer),
            ("answer", row["text"]),
            ("verdict", f"{row['outcome']}: {row['reason']}"),
            ("reward", parts),
            ("weight, advantage", f"{row['weight']:.2f}, {row['advantage']:+.2f}"),
        ],
        pictures=[picture.bytes for picture in sample.images],
        verdict=row["outcome"] == "right",
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
