"""The page of `make demo`: data funnel, learning curves, accuracy by category, answers before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cogito_core.html import Card, Page
from cogito_core.shards import read_samples
from cogito_eval.compare import examples

EXAMPLES_PER_CATEGORY = 1
ANSWERS_SHOWN = 12


def write_report(root: Path, summary: dict[str, Any]) -> str:
    """HTML of one finished demo; `root` holds the run directories data, train, eval-base, eval-trained, compare."""
    page = Page("Cogito demo", f"cogito-nano on procedural questions in six categories ({root})")
    scores, difference = summary["eval"], summary["eval"]["difference"]
    low, high = difference["ci95"]
    page.tiles([
        (f"{scores['base']['accuracy']:.1%}", "base, held-out accuracy"),
        (f"{scores['trained']['accuracy']:.1%}", "trained with PCuRL"),
        (f"{100 * difference['value']:+.1f}", f"points, 95% interval {100 * low:+.1f} to {100 * high:+.1f}"),
        (f"{scores['base']['n']}", "held-out questions, sampled at temperature 1"),
        (f"{summary['data']['kept']:,} of {summary['data']['ingested']:,}", "questions kept by cogito-data"),
    ])
    page.paragraph(
        "Every figure was measured by this run on this machine. The demo shows that the machinery works and that the "
        "model learns; plain GRPO was not run beside it, so nothing here says that the curriculum is better.",
        soft=True,
    )
    _data(page, root, summary)
    _training(page, root, summary)
    _accuracy(page, summary)
    _answers(page, root)
    return page.render()


def _data(page: Page, root: Path, summary: dict[str, Any]) -> None:
    page.section("Data")
    funnel = json.loads((root / "data/summary.json").read_text(encoding="utf-8"))
    rows: list[tuple[str, int]] = [("ingested", summary["data"]["ingested"])]
    rows += [(f"dropped: {reason}", count) for reason, count in summary["data"]["dropped"].items()]
    rows += [(f"kept for {split}", count) for split, count in funnel["splits"].items()]
    page.table(["step", "questions"], rows)
    samples = list(read_samples(root / "data/data", "train"))
    right = [float(sample.n_correct) for sample in samples if sample.n_correct is not None]
    histogram = funnel["difficulty"]["right_answers"]
    page.raw('<div class="figures">')
    bars = [(count, float(histogram[count])) for count in sorted(histogram, key=int)]
    page.bar_chart("All questions: right answers of the base model in 8", bars, y_label="questions")
    kept = "Kept for training: right answers in 8"
    page.histogram(kept, right, bins=9, value_range=(0, 9), x_label="right answers")
    page.raw("</div>")
    page.heading("One question of each category")
    seen: dict[str, int] = {}
    cards = []
    for sample in samples:
        if seen.get(sample.category, 0) >= EXAMPLES_PER_CATEGORY or not sample.images:
            continue
        seen[sample.category] = seen.get(sample.category, 0) + 1
        solved = f"{sample.n_correct} of {sample.n_trials}" if sample.n_trials else "not measured"
        cards.append(Card(
            sample.category,
            [("question", sample.problem.replace("<image>", "").strip()), ("gold", sample.answer),
             ("rewritten by", sample.reformulation), ("solved by the base model", solved)],
            [picture.bytes for picture in sample.images],
        ))
    page.gallery(sorted(cards, key=lambda card: card.title))


def _training(page: Page, root: Path, summary: dict[str, Any]) -> None:
    page.section("Training")
    columns = ["stage", "steps", "best step", "validation accuracy at that step"]
    stages = summary["train"]["stages"]
    page.table(columns, [(s["name"], s["steps"], s["best_step"], s["validation"]) for s in stages])
    lines = (root / "train/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    starts: dict[str, int] = {}
    for at, row in enumerate(rows):
        starts.setdefault(row["stage"], at)
    marks = [(float(at), stage) for stage, at in starts.items()]

    def curve(key: str) -> list[tuple[float, float]]:
        return [(float(at), row[key]) for at, row in enumerate(rows, 1) if row.get(key) is not None]

    finished = json.loads((root / "train/summary.json").read_text(encoding="utf-8"))["stages"]
    validation = [
        (float(starts[stage["name"]] + found["step"]), found["accuracy"])
        for stage in finished
        for found in stage["validations"]
    ]
    page.raw('<div class="figures">')
    page.line_chart("Accuracy", {"rollouts": curve("accuracy"), "validation": validation},
                    x_label="step", y_range=(0, 1), marks=marks)
    page.line_chart("Mean reward", {"reward": curve("reward")}, x_label="step", marks=marks)
    page.line_chart("Answer length in tokens", {"right": curve("tokens_right"), "wrong": curve("tokens_wrong")},
                    x_label="step", marks=marks)
    page.line_chart("Groups that teach something", {"effective groups": curve("effective_groups")},
                    x_label="step", marks=marks)
    page.raw("</div>")


def _accuracy(page: Page, summary: dict[str, Any]) -> None:
    page.section("Accuracy by category")
    scores = summary["eval"]["by_category"]
    bars = [(name, (row["base"], row["trained"])) for name, row in scores.items()]
    title = "Held-out accuracy, sampled at temperature 1"
    page.bar_chart(title, bars, names=("base", "trained"), y_range=(0, 1), width=760)
    page.table(["category", "base", "trained", "gain"],
               [(name, row["base"], row["trained"], row["trained"] - row["base"]) for name, row in scores.items()])


def _answers(page: Page, root: Path) -> None:
    page.section("Answers before and after")
    page.paragraph(
        "The first sampled answer of both models: questions that were won first, then lost ones, then the rest.",
        soft=True,
    )
    cards = []
    for found in examples(root / "eval-base", root / "eval-trained", "nano", ANSWERS_SHOWN):
        marks = {True: "right", False: "wrong"}
        cards.append(Card(
            f"{found['category']}: {marks[found['before_right']]} before, {marks[found['after_right']]} after",
            [("question", found["question"].replace("<image>", "").strip()), ("gold", found["gold"]),
             ("before", found["before"]), ("after", found["after"])],
            found["pictures"], verdict=found["after_right"],
        ))
    page.gallery(cards)
