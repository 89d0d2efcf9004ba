"""The command `cogito-eval`. Heavy imports happen inside the commands: `--help` must answer at once."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Annotated

import typer

from cogito_core.completion import names_of
from cogito_core.console import EPILOG, UsageError, run_cli, say, table, warn
from cogito_core.doctor.command import doctor
from cogito_core.version import version_option

app = typer.Typer(
    help="Score a vision-language model on benchmarks by their own rules, with error bars and without a judge model.",
    epilog=EPILOG, no_args_is_help=True, pretty_exceptions_enable=False,
)

app.command()(doctor)

_From = Annotated[Path | None, typer.Option("--from", help="Folder with the benchmarks' records.")]


@app.callback(invoke_without_command=True)
def evaluate(
    context: typer.Context,
    bench: Annotated[
        str | None,
        typer.Option(
            help="Benchmark names with commas between them, or all.",
            autocompletion=names_of("benchmarks", several=True),
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="nano, a model folder, or a Hub id.")] = None,
    engine: Annotated[str, typer.Option(help="transformers, vllm, or openai:URL[,URL].")] = "transformers",
    engine_option: Annotated[
        list[str] | None, typer.Option(help="key=value for the engine, such as max_pixels=1048576; repeatable.")
    ] = None,
    root: _From = None,
    samples: Annotated[int, typer.Option(help="Answers sampled for each question.")] = 1,
    limit: Annotated[int | None, typer.Option(help="Only the first N questions of each benchmark.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy. Default: 0, or 1 with --samples.")] = None,
    top_p: Annotated[float, typer.Option(help="Nucleus sampling threshold.")] = 1.0,
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest answer in tokens. Default: the model's own limit, else 2048.")
    ] = None,
    protocol: Annotated[str, typer.Option(help="auto, paper, own, training or nano: how it asks.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the sampled answers.")] = 0,
    circular: Annotated[bool, typer.Option(help="Ask choices once for every rotation of the options.")] = False,
    blind: Annotated[bool, typer.Option(help="Ask without the pictures.")] = False,
    layout: Annotated[str | None, typer.Option(help="Which of a benchmark's layouts to read.")] = None,
    guess: Annotated[int | None, typer.Option(help="Seed to guess where released rules guess.")] = None,
    judge: Annotated[str | None, typer.Option(help="openai:URL of a judge for undecided answers (off).")] = None,
    judge_model: Annotated[str | None, typer.Option(help="The judge's model name.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Address of a Ray cluster whose workers ask.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only ask whether the engine sees pictures.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Run directory.")] = None,
    version: Annotated[bool, version_option("cogito-eval")] = False,
) -> None:
    """Score a model on benchmarks; the sub-commands work on stored answers and runs."""
    if context.invoked_subcommand is not None:
        return
    if bench is None and not check:
        raise UsageError("an evaluation needs --bench")
    if model is None:
        raise UsageError("an evaluation needs --model")
    from cogito_eval.run import EvalOptions
    from cogito_eval.run import check as check_only
    from cogito_eval.run import evaluate as run

    options = EvalOptions(
        bench=bench or "", model=model, engine=engine, root=str(root) if root else None, samples=samples, limit=limit,
        temperature=temperature, top_p=top_p, max_tokens=max_tokens, protocol=protocol, seed=seed, circular=circular,
        blind=blind, layout=layout, guess=guess, judge=judge, judge_model=judge_model,
        engine_options=tuple(engine_option or ()), cluster=cluster,
    )
    if check or bench is None:
        report = check_only(options)
        for warning in report.warnings:
            warn(warning)
        what = "names the colours of both pictures it was shown" if report.recognised else "receives pictures"
        say(f"{model} on {engine} {what}; one of 112 x 112 pixels takes {report.picture_tokens} tokens")
        return
    directory = out or Path("runs") / f"eval-{_slug(Path(model).name)}-{_slug(bench)}"
    scores = run(options, directory)
    _print_scores(scores)
    say(f"scores: {directory}/scores.json  report: {directory}/report.html")


@app.command()
def grade(
    source: Annotated[Path, typer.Option("--in", help="JSON Lines with gold and response or extraction.")],
    target: Annotated[Path, typer.Option("--out", help="Where the verdicts go.")],
    bench: Annotated[str | None, typer.Option(help="Judge by this benchmark's released rule.")] = None,
    scoring: Annotated[str | None, typer.Option(help="official or strict; default official with --bench.")] = None,
) -> None:
    """Verdicts for answers that exist already."""
    from cogito_eval.grade import grade_file

    report = grade_file(source, target, bench=bench, scoring=scoring)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.outcomes.items()))
    say(f"{report.judged} rows judged: {counts or 'none'}; verdicts in {target}")
    agreed, labelled = report.agreement
    if labelled:
        say(f"{agreed} of {labelled} agree with the verdict the rows carry ({100 * agreed / labelled:.2f}%)")
    if report.faults:
        warn(f"{report.faults} rows with a fault, listed in {target}.ledger.jsonl; the first: {report.first_fault}")
    if report.duplicates:
        warn(f"{report.duplicates} rows have an id that came before ({report.first_duplicate}): "
             "their verdicts cannot be told apart by id")


@app.command()
def rescore(directory: Annotated[Path, typer.Argument(help="A finished run.")]) -> None:
    """Judge the stored answers of a run with the rules of today, without a model."""
    from cogito_eval.rescore import rescore as again

    for name, change in again(directory).items():
        say(f"{name}: {change['before']:.4f} -> {change['after']:.4f}; {len(change['strict_changed'])} strict and "
            f"{len(change['official_changed'])} official verdicts changed")


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="The run to compare with.")],
    b: Annotated[Path, typer.Argument(help="The run that may be better.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder for compare.json and report.html.")] = None,
) -> None:
    """Two runs paired by question: difference, interval, p-value, flipped questions."""
    import json

    from cogito_core.files import write_atomic
    from cogito_eval.compare import compare_runs
    from cogito_eval.report import interval, percent, signed, write_comparison
    from cogito_eval.settings import pairing_sentence, settings_sentence

    found = compare_runs(a, b)
    directory = out or Path("runs") / f"compare-{_slug(a.name)}-{_slug(b.name)}"
    write_atomic(directory / "compare.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    write_comparison(a, b, found, directory / "report.html")
    rows = [
        [name, e["difference"]["n"], percent(e["a"]["accuracy"]), percent(e["b"]["accuracy"]),
         signed(e["difference"]["value"]), interval(e["difference"]["ci95"], sign=True),
         f"{e['difference']['p_value']:.3g}", f"+{len(e['gained'])} -{len(e['lost'])}"]
        for name, e in found["benchmarks"].items()
    ]
    for kind, average in found.get("average", {}).items():
        rows.append([f"{kind} average", average["n"], "", "", signed(average["value"]),
                     interval(average["ci95"], sign=True), f"{average['p_value']:.3g}", ""])
    columns = ["benchmark", "questions", "A", "B", "difference", "95% interval", "p", "flipped"]
    table("B minus A, in points", columns, rows)
    for name, entry in found["benchmarks"].items():
        if unpaired := pairing_sentence(name, entry):
            warn(unpaired)
        if entry["settings_differ"]:
            warn(settings_sentence(name, entry["settings_differ"]))
    say(f"report: {directory}/report.html")


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run.")],
    form: Annotated[str, typer.Option("--format", help="vlmevalkit or inspect.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")] = Path("exported"),
    suffix: Annotated[str, typer.Option("--suffix", help=".tsv, .json or .xlsx, for vlmevalkit.")] = ".tsv",
    sample: Annotated[int, typer.Option("--sample", help="Which sampled answer, for vlmevalkit; from 0.")] = 0,
) -> None:
    """Answers and scores as VLMEvalKit's prediction tables or inspect_ai's logs."""
    from cogito_eval.exchange.command import export as write

    for path in write(directory, form, out, suffix=suffix, sample=sample):
        say(str(path))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="VLMEvalKit's .tsv, .xlsx or .json, or inspect_ai's .json log.")],
    bench: Annotated[str, typer.Option("--bench", help="The benchmark that was answered.")],
    root: _From = None,
    model: Annotated[str | None, typer.Option(help="Whose answers they are; default what the file says.")] = None,
    layout: Annotated[str | None, typer.Option(help="Which of a benchmark's layouts to read.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Run directory.")] = None,
) -> None:
    """Another program's answers, judged as a run: for rescore, compare and the report."""
    from cogito_eval.exchange.command import import_answers

    directory = out or Path("runs") / f"import-{_slug(file.stem)}"
    _print_scores(import_answers(file, bench, directory, root=root, model=model, layout=layout))
    say(f"scores: {directory}/scores.json  report: {directory}/report.html")


@app.command("list")
def list_benchmarks() -> None:
    """The benchmarks that ship: items, released rule, licence."""
    from cogito_eval.benchmark import benchmark_names, load_benchmark

    rows = []
    for name in benchmark_names():
        found = load_benchmark(name)
        rule, hub = found.official.rule if found.official else "–", found.hub.id if found.hub else "–"
        rows.append([name, found.title, "–" if found.items is None else found.items, rule, hub, found.licence])
    table("Benchmarks", ["name", "title", "items", "released rule", "hub", "licence"], rows)


@app.command()
def tables(
    directories: Annotated[list[Path], typer.Argument(help="Finished runs, one column group each.")],
    form: Annotated[str, typer.Option("--format", help="markdown or latex.")] = "markdown",
) -> None:
    """A table of several runs, ready for a paper."""
    from cogito_eval.tables import render_table

    say(render_table(directories, form))


@app.command()
def leaks(
    data: Annotated[Path, typer.Option("--data", help="Folder with training shards.")],
    bench: Annotated[str, typer.Option(help="Benchmark names, or all.")] = "all",
    root: _From = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the findings go.")] = Path("leaks.jsonl"),
) -> None:
    """Training rows that match benchmark items, with the evidence."""
    from cogito_eval.leaks import find_leaks

    found = find_leaks(data, bench, root, out)
    rows = [[name, entry["items"], entry["rows"]] for name, entry in found.items()]
    table("Leaks", ["benchmark", "items matched", "training rows"], rows)
    say(f"evidence: {out}")


@app.command()
def agreement(
    labels: Annotated[Path, typer.Option(help="Folder with graded answers (labels/*.jsonl.gz).")],
    page: Annotated[Path | None, typer.Option(help="Markdown page whose tables are rewritten.")] = None,
) -> None:
    """Our scores of stored answers beside the official ones, run by run."""
    from cogito_eval.agreement import markdown, measure, rewrite_tables

    if page is None:
        say(markdown(measure(labels)))
    else:
        rewrite_tables(page, labels)
        say(f"tables of {page} rewritten")


def _print_scores(scores: dict[str, dict[str, object]]) -> None:
    from cogito_eval.report import score_table

    columns, rows = score_table(scores)
    table("Scores, in percent", columns, rows)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")[:60]


if importlib.util.find_spec("cogito_eval.verify_cli") is not None:
    app.add_typer(importlib.import_module("cogito_eval.verify_cli").app, name="verify")


def main() -> None:
    """Entry point of the console script."""
    run_cli(app)


if __name__ == "__main__":
    main()
