"""`report.html` of a run and of a comparison: the scores as tables, then every question to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cogito_core import charts
from cogito_core.files import write_atomic
from cogito_core.html import Page
from cogito_eval.browser import answer_entry, browser, question_entry
from cogito_eval.compare import load_pairs
from cogito_eval.pictures import read_pictures
from cogito_eval.results import by_question, read_rows, result_files
from cogito_eval.settings import coverage_sentence, pairing_sentence, settings_sentence


def write_report(directory: Path) -> Path:
    """Write `report.html` of a run directory that holds `scores.json` and results; returns its path."""
    scores: dict[str, Any] = json.loads((directory / "scores.json").read_text(encoding="utf-8"))
    model = next(iter(scores.values())).get("model", "") if scores else ""
    page = Page(f"Evaluation of {model}", subtitle=str(directory))
    page.section("Scores")
    page.charts(_score_chart(scores))
    page.table(*score_table(scores))
    for name, score in scores.items():
        if missing := coverage_sentence(name, score.get("items") or {}):
            page.paragraph(missing)
        if score.get("circular"):
            page.paragraph(f"{name}: every question with options was asked once for each rotation of them; below, "
                           "each rotation is an entry of its own.")
    page.paragraph("Strict is judged by this project's verifiers, official by the benchmark's released rule; where "
                   "that rule guesses at random its expectation stands, with the range of its luck.", soft=True)
    if any(len(values) > 1 for score in scores.values() for values in score["by"].values()):
        page.section("By category")
    for name, score in scores.items():
        _breakdowns(page, name, score)
    page.section("What became of the answers")
    statuses = list(next(iter(scores.values()))["counts"]) if scores else []
    page.table(["benchmark", *statuses], [[n, *(s["counts"].get(k, 0) for k in statuses)] for n, s in scores.items()])
    entries: list[dict[str, Any]] = []
    pictures: dict[str, bytes] = {}
    lengths: dict[str, list[float]] = {"right": [], "wrong": []}
    for name, path in result_files(directory).items():
        for samples in by_question(read_rows(path)).values():
            entries.append(question_entry(name, samples[0], [answer_entry(row) for row in samples]))
            for row in samples:
                if row["n_tokens"] is not None:
                    lengths["right" if row["strict"]["outcome"] == "right" else "wrong"].append(row["n_tokens"])
        pictures |= read_pictures(directory / "pictures" / f"{name}.parquet")
    _length_charts(page, lengths)
    page.section("Questions")
    page.raw(browser(entries, pictures, [model]))
    target = directory / "report.html"
    write_atomic(target, page.render())
    return target


def write_comparison(directory_a: Path, directory_b: Path, compared: dict[str, Any], target: Path) -> None:
    """Write the page of a comparison (what `compare_runs` returned) to `target`."""
    page = Page(f"{directory_b.name} against {directory_a.name}", subtitle="positive differences favour the former")
    page.section("Differences")
    cells = [[name, *_difference_cells(entry)] for name, entry in compared["benchmarks"].items()]
    page.table(["benchmark", "questions", directory_a.name, directory_b.name, "difference", "95% interval", "p",
                "gained", "lost", "test"], cells)
    for name, entry in compared["benchmarks"].items():
        if unpaired := pairing_sentence(name, entry):
            page.paragraph(unpaired)
        if entry["settings_differ"]:
            page.paragraph(settings_sentence(name, entry["settings_differ"]))
    page.charts(charts.interval_chart("difference in points, 95% interval", _difference_rows(compared["benchmarks"]),
                                      zero_line=True))
    for kind, found in compared.get("average", {}).items():
        bounds = interval(found["ci95"], sign=True)
        page.paragraph(f"{kind} average: {signed(found['value'])}, 95% {bounds}, p = {found['p_value']:.3g}")
    for name, entry in compared["benchmarks"].items():
        for breakdown, values in entry["by"].items():
            page.heading(f"{name} by {breakdown}")
            cells = [[value, v["n"], percent(v["a"]), percent(v["b"]), signed(v["value"]),
                      interval(v["ci95"], sign=True), f"{v['p_value']:.3g}"] for value, v in values.items()]
            rows = [(value, [_points(v["value"], v["ci95"])]) for value, v in values.items()]
            chart = charts.interval_chart("difference in points", rows, zero_line=True, width=420)
            page.table_with_chart(["", "questions", "before", "after", "difference", "95% interval", "p"], cells,
                                  chart if len(values) <= _TALLEST_CHART else "")
    page.section("Questions")
    entries: list[dict[str, Any]] = []
    pictures: dict[str, bytes] = {}
    for pair in load_pairs(directory_a, directory_b):
        for id, samples in pair.a.items():
            answers = [answer_entry(row, 0) for row in samples] + [answer_entry(row, 1) for row in pair.b[id]]
            entries.append(question_entry(pair.name, samples[0], answers))
        pictures |= read_pictures(directory_a / "pictures" / f"{pair.name}.parquet")
    page.raw(browser(entries, pictures, [directory_a.name, directory_b.name]))
    write_atomic(target, page.render())


def percent(share: float) -> str:
    """A share as percent with one decimal."""
    return f"{100 * share:.1f}"


def signed(share: float) -> str:
    """A difference of shares in points, with its sign."""
    return f"{100 * share:+.1f}"


def interval(bounds: list[float], *, sign: bool = False) -> str:
    """A 95% interval in percent."""
    return " to ".join(signed(bound) if sign else percent(bound) for bound in bounds)


_SCORE_COLUMNS = ["benchmark", "questions", "no answer", "strict", "95% interval", "circular", "official", "its luck",
                  "headline", "published"]
_ALWAYS = ("benchmark", "questions", "strict", "95% interval")


def score_table(scores: dict[str, dict[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of the table of scores; columns without any entry are left out.

    `no answer` counts requests that failed and, in imported runs, questions that the file has no answer to: both
    count as wrong. `circular` is the share of questions that are right under every rotation of their options.
    """
    rows = [_score_row(name, score) for name, score in scores.items()]
    used = [i for i, name in enumerate(_SCORE_COLUMNS)
            if name in _ALWAYS or any(row[i] not in ("", "–") for row in rows)]
    return [_SCORE_COLUMNS[i] for i in used], [[row[i] for i in used] for row in rows]


def _score_row(name: str, score: dict[str, Any]) -> list[Any]:
    official = score.get("official")
    luck = interval(official["range"]) if official and "range" in official else ""
    headline = score.get("headline")
    shown = f"{percent(headline['accuracy'])} ({headline['name']})" if headline else ""
    published = "; ".join(f"{model} {value}" for table in score.get("published", ())
                          for model, value in list(table["scores"].items())[:2])
    failed, circular = score.get("counts", {}).get("failed"), score.get("circular_accuracy")
    turned = f"{percent(circular['accuracy'])} ({interval(circular['ci95'])})" if circular else ""
    return [name, score["n"], failed or "", percent(score["accuracy"]), interval(score["ci95"]), turned,
            percent(official["accuracy"]) if official else "–", luck, shown, published]


_TALLEST_CHART = 40
"""Rows beyond which a chart says less than its table."""


def _points(share: float, bounds: list[float] | None = None) -> tuple[float, float, float]:
    low, high = bounds or (share, share)
    return 100 * share, 100 * low, 100 * high


def _score_chart(scores: dict[str, dict[str, Any]]) -> str:
    rows: list[tuple[str, list[tuple[float, float, float] | None]]] = []
    for name, score in scores.items():
        official = score.get("official")
        rows.append((name, [
            _points(score["accuracy"], score["ci95"]),
            _points(official["accuracy"], official.get("range")) if official else None,
        ]))
    return charts.interval_chart("accuracy in percent: strict with its 95% interval, official with its luck", rows,
                                 names=("strict", "official"), x_range=(0.0, 100.0))


def _difference_rows(benchmarks: dict[str, Any]) -> list[tuple[str, list[tuple[float, float, float] | None]]]:
    return [(name, [_points(entry["difference"]["value"], entry["difference"]["ci95"])])
            for name, entry in benchmarks.items()]


def _length_charts(page: Page, lengths: dict[str, list[float]]) -> None:
    longest = max((max(values) for values in lengths.values() if values), default=0)
    if not longest:
        return
    page.charts(*(
        charts.histogram(f"tokens of answers that are {'right' if kind == 'right' else 'not right'}", values, bins=24,
                         value_range=(0.0, longest + 1), x_label="tokens")
        for kind, values in lengths.items()
    ))


def _breakdowns(page: Page, name: str, score: dict[str, Any]) -> None:
    shown: list[dict[str, Any]] = []
    for breakdown, values in score["by"].items():
        if len(values) > 1 and values not in shown:
            shown.append(values)
            page.heading(f"{name} by {breakdown}")
            cells = [[value, v["n"], percent(v["accuracy"]), interval(v["ci95"]),
                      percent(v["official"]) if "official" in v else "–"] for value, v in values.items()]
            rows = [(value, [_points(v["accuracy"], v["ci95"])]) for value, v in values.items()]
            chart = charts.interval_chart("strict, percent", rows, x_range=(0.0, 100.0), width=480)
            page.table_with_chart(["", "questions", "strict", "95% interval", "official"], cells,
                                  chart if len(values) <= _TALLEST_CHART else "")
    for metric, value in score.get("metrics", {}).items():
        page.paragraph(f"{name} {metric}: {_metric(value)}")
    for metric, value in score.get("sampled", {}).items():
        if isinstance(value, dict):
            page.paragraph(f"{name} {metric}: {percent(value['accuracy'])} ({interval(value['ci95'])})")


def _metric(value: Any) -> str:
    if isinstance(value, dict) and "accuracy" in value:
        return f"{percent(value['accuracy'])} ({interval(value['ci95'])}, n = {value['n']})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _difference_cells(entry: dict[str, Any]) -> list[Any]:
    found = entry["difference"]
    return [found["n"], percent(entry["a"]["accuracy"]), percent(entry["b"]["accuracy"]), signed(found["value"]),
            interval(found["ci95"], sign=True), f"{found['p_value']:.3g}", len(entry["gained"]), len(entry["lost"]),
            found["test"]]
