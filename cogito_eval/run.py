"""One evaluation run: items to requests, answers to verdicts, verdicts to scores and a report.

All benchmarks share one stream of requests, so the engine is busy across them. Answers are stored by content the
moment they arrive: after a kill the same command asks nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogito_core.console import CogitoError, UsageError, progress, say, warn
from cogito_core.engines.base import Request, Result, Sampling, seed_of
from cogito_core.engines.cache import AnswerStore, CachedEngine
from cogito_core.engines.check import CheckedEngine
from cogito_core.files import write_atomic
from cogito_core.images import PictureError
from cogito_core.manifest import apply_overrides, file_hash, manifest_path
from cogito_core.plugins import own_files
from cogito_core.runs import RunDir
from cogito_eval.aggregate import score_rows, summary_of
from cogito_eval.benchmark import Benchmark, load_benchmark, parse_names
from cogito_eval.item import Item
from cogito_eval.loading import ItemSet, load_items
from cogito_eval.pictures import thumbnail, write_pictures
from cogito_eval.protocol import ask, prompt_key, resolve_protocol, rotations
from cogito_eval.results import Row, question_row, write_rows
from cogito_eval.scoring import judge_row, official_rule

if TYPE_CHECKING:
    from cogito_core.engines.base import Engine
    from cogito_core.engines.check import CheckReport

DEFAULT_MAX_TOKENS = 2048
"""Longest answer in tokens where neither the user nor the model says."""


@dataclass(frozen=True)
class EvalOptions:
    """What the command line asks for. `temperature` None means greedy for one sample, 1.0 for several.

    `engine_options` are `key=value` settings of the engine, such as max_model_len=8192; `cluster` is the address of a
    Ray cluster whose workers ask, or None for this process.
    """

    bench: str
    model: str
    engine: str = "transformers"
    root: str | None = None
    samples: int = 1
    limit: int | None = None
    temperature: float | None = None
    top_p: float = 1.0
    max_tokens: int | None = None
    protocol: str = "auto"
    seed: int = 0
    circular: bool = False
    blind: bool = False
    layout: str | None = None
    guess: int | None = None
    engine_options: tuple[str, ...] = ()
    judge: str | None = None
    judge_model: str | None = None
    cluster: str | None = None

    def sampling(self) -> Sampling:
        """The sampling settings. Raises UsageError where they do not fit together."""
        if self.samples < 1:
            raise UsageError(f"--samples must be at least 1, not {self.samples}")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--limit must be at least 1, not {self.limit}")
        if self.judge and not self.judge_model:
            raise UsageError("--judge needs --judge-model: its verdicts are marked with that name")
        temperature = self.temperature
        if temperature is None:
            temperature = 0.0 if self.samples == 1 else 1.0
        if temperature == 0 and self.samples > 1:
            raise UsageError("--samples above 1 needs --temperature above 0: greedy answers are all the same")
        try:
            longest = self.max_tokens if self.max_tokens is not None else DEFAULT_MAX_TOKENS
            return Sampling(temperature=temperature, top_p=self.top_p, max_tokens=longest)
        except ValueError as error:
            raise UsageError(str(error)) from error


@dataclass
class _Work:
    """The state of one benchmark while its answers come in."""

    benchmark: Benchmark
    items: ItemSet
    protocol: str
    rows: dict[str, Row] = field(default_factory=dict)
    thumbs: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Result] = field(default_factory=dict)
    dropped: list[tuple[str, str]] = field(default_factory=list)


def evaluate(options: EvalOptions, out: Path, engine: Engine | None = None) -> dict[str, Any]:
    """Run the evaluation into the run directory `out` and return what `scores.json` holds.

    A finished directory without failed requests is read back, nothing is asked. An `engine` that is given holds
    answers that exist already: nothing is sampled, so the settings of sampling are left out.

    Raises:
        CogitoError: a benchmark cannot be loaded, the directory belongs to another run, or the engine fails.
    """
    if options.max_tokens is None and engine is None:
        options = replace(options, max_tokens=_longest_answer(options))
    sampling = options.sampling()
    names = parse_names(options.bench)
    benchmarks = [load_benchmark(name) for name in names]
    config = asdict(options) | {
        "bench": [benchmark.name for benchmark in benchmarks],
        "engine_options": apply_overrides({}, options.engine_options, option="--engine-option"),
        "prompts": {b.name: prompt_key(resolve_protocol(options.protocol, b), b) for b in benchmarks},
        "sampling": asdict(sampling) if engine is None else None,
    }
    if engine is not None:
        config |= dict.fromkeys(("temperature", "top_p", "max_tokens", "seed"))
    del config["cluster"]  # where the workers are changes no answer
    own = {b.name: str(Path(name).resolve()) for name, b in zip(names, benchmarks, strict=True) if name != b.name}
    if own:
        config["manifests"] = own  # rescore finds them again
    if options.engine.startswith("python:"):
        config["own_files"] = own_files([options.engine.removeprefix("python:")])
    inputs = {name: file_hash(manifest_path("benchmarks", name)) for name in names}
    with RunDir.open(out, config=config, command="eval", inputs=inputs) as run:
        finished = _finished(run)
        if finished is not None:
            say(f"{out} is finished: nothing is asked again")
            return finished
        works = _load(benchmarks, options)
        run.ledger.rewrite([])
        for work in works:
            for id, reason in (*work.items.absent, *work.items.unusable):
                run.ledger.drop(f"{work.benchmark.name}/{id}", "load", "cannot be asked", reason)
        run.event("start", benchmarks={w.benchmark.name: len(w.items.items) for w in works})
        _answer(works, options, sampling, run, engine)
        return _finish(works, options, config, run)


def _longest_answer(options: EvalOptions) -> int:
    """What the model says of itself: cogito-nano has never learnt to write more than a line."""
    if options.engine.startswith(("openai:", "python:")):
        return DEFAULT_MAX_TOKENS
    from cogito_core.engines.models import resolve_model

    path = resolve_model(options.model) / "generation_config.json"
    own = json.loads(path.read_text(encoding="utf-8")).get("max_new_tokens") if path.exists() else None
    return own if isinstance(own, int) and own > 0 else DEFAULT_MAX_TOKENS


def _finished(run: RunDir) -> dict[str, Any] | None:
    if not run.is_finished:
        return None
    summary = json.loads((run.path / "summary.json").read_text(encoding="utf-8"))
    if summary.get("failed"):
        return None
    scores: dict[str, Any] = json.loads((run.path / "scores.json").read_text(encoding="utf-8"))
    return scores


def _load(benchmarks: list[Benchmark], options: EvalOptions) -> list[_Work]:
    root = Path(options.root) if options.root else None
    works = []
    for benchmark in benchmarks:
        try:
            items = load_items(benchmark, root, limit=options.limit, blind=options.blind, layout=options.layout)
        except CogitoError as error:
            if options.bench.strip() != "all":
                raise
            warn(f"left out: {error}")
            continue
        say(items.sentence())
        if options.circular and not any(item.choices for item in items.items):
            warn(f"{benchmark.name}: no question has options, --circular turns nothing")
        if options.circular:
            items.items = [turned for item in items.items for turned in rotations(item)]
        works.append(_Work(benchmark, items, resolve_protocol(options.protocol, benchmark)))
    if not works:
        raise CogitoError(f"no benchmark can be asked from {options.root}")
    return works


def _requests(works: list[_Work], options: EvalOptions, sampling: Sampling, run: RunDir) -> Iterator[Request]:
    """Every request of the run, one benchmark after the other; a damaged picture costs its item alone."""
    for work in works:
        name = work.benchmark.name
        for item in work.items.items:
            id = f"{name}/{item.id}"
            try:
                row, chat_pictures = _read_pictures(item, work)
            except PictureError as error:
                work.dropped.append((item.id, str(error)))
                run.ledger.drop(id, "pictures", "damaged picture", str(error))
                continue
            work.rows[item.id] = row
            seeds = tuple(seed_of("eval", options.seed, id, sample) for sample in range(options.samples))
            yield Request(id, ask(item, chat_pictures, work.protocol, work.benchmark), seeds, sampling)


def _read_pictures(item: Item, work: _Work) -> tuple[Row, tuple[Any, ...]]:
    row = question_row(item)
    pictures = tuple(ref.read() for ref in item.pictures)
    for picture in pictures:
        key = picture.sha256[:16]
        if key not in work.thumbs:
            work.thumbs[key] = thumbnail(picture, where=f"{work.benchmark.name}/{item.id}")
        row["pictures"].append(key)
    return row, pictures


def check(options: EvalOptions) -> CheckReport:
    """Ask the engine whether it sees pictures, and nothing else.

    Raises:
        CogitoError: it does not, or it cannot be reached; one sentence says why.
    """
    from cogito_core.engines.check import check_engine

    longest = options.max_tokens if options.max_tokens is not None else _longest_answer(options)
    engine = _open(options)
    try:
        return check_engine(engine, max_tokens=longest)
    finally:
        engine.close()


def _open(options: EvalOptions) -> Engine:
    from cogito_core.engines import open_engine

    settings = apply_overrides({}, options.engine_options, option="--engine-option")
    return open_engine(options.engine, options.model, cluster=options.cluster, **settings)


def _answer(
    works: list[_Work], options: EvalOptions, sampling: Sampling, run: RunDir, given: Engine | None
) -> None:
    by_name = {work.benchmark.name: work for work in works}
    total = sum(len(work.items.items) for work in works)
    engine = given if given is not None else _stored_engine(options, sampling, run)
    failed = 0
    try:
        with progress(total, f"asking {options.model}", "questions") as advance:
            for result in engine.generate(_requests(works, options, sampling, run)):
                name, _, id = result.id.partition("/")
                by_name[name].answers[id] = result
                failed += result.error is not None
                advance(1)
    finally:
        engine.close()
    counts = {"stored_before": engine.hits, "generated": engine.misses} if isinstance(engine, CachedEngine) else {}
    run.event("answered", questions=total, failed=failed, **counts)


def _stored_engine(options: EvalOptions, sampling: Sampling, run: RunDir) -> Engine:
    """The engine of the options behind a check that it sees, and behind the store of its answers."""
    model = _open(options)
    asked = model if options.blind else CheckedEngine(model, max_tokens=sampling.max_tokens)
    return CachedEngine(asked, AnswerStore(run.work / "answers"))


def _finish(works: list[_Work], options: EvalOptions, config: dict[str, Any], run: RunDir) -> dict[str, Any]:
    from cogito_eval.exports import write_results_parquet
    from cogito_eval.report import write_report

    scores: dict[str, Any] = {}
    failed = 0
    for work in works:
        name = work.benchmark.name
        rows = judged_rows(work, options, run)
        if not rows:
            asked = len(work.items.items)
            raise CogitoError(f"{name}: none of its {asked} questions could be asked; see {run.path}/ledger.jsonl")
        failed += sum(row["status"] == "failed" for row in rows)
        write_rows(run.path / "results" / f"{name}.jsonl", rows)
        write_pictures(run.path / "pictures" / f"{name}.parquet", work.thumbs)
        scores[name] = score_rows(rows, work.benchmark) | {
            "items": _item_counts(work), "protocol": work.protocol, "prompt": config["prompts"][name],
            "model": options.model, "sampling": config["sampling"], "circular": options.circular,
            "guess": options.guess,
        }
    write_atomic(run.path / "scores.json", json.dumps(scores, indent=2, ensure_ascii=False) + "\n")
    write_results_parquet(run.path)
    write_report(run.path)
    run.event("finished", failed=failed)
    run.summary({"config": config, "failed": failed, "average": summary_of(scores),
                 "scores": {name: {key: s[key] for key in ("accuracy", "ci95", "n")} for name, s in scores.items()}})
    return scores


def judged_rows(work: _Work, options: EvalOptions, run: RunDir) -> list[Row]:
    """One judged row a question and sample, in the benchmark's order."""
    rule = official_rule(work.benchmark)
    paper = work.protocol == "paper"
    rows = []
    for item in work.items.items:
        if item.id not in work.rows:
            continue
        question, result = work.rows[item.id], work.answers[item.id]
        for sample in range(options.samples):
            row = {**question, "sample": sample, **_answer_fields(result, sample)}
            rows.append(judge_row(row, rule if item.official else None, paper=paper, guess=options.guess))
        if result.error is not None:
            run.ledger.drop(f"{work.benchmark.name}/{item.id}", "answer", "request failed", result.error)
    if options.judge and options.judge_model:
        from cogito_eval.judge import judge_doubtful

        rows = judge_doubtful(rows, options.judge, options.judge_model, run.work / "judge")
    return rows


def _answer_fields(result: Result, sample: int) -> dict[str, Any]:
    if result.error is not None:
        return {"response": "", "finish": None, "n_tokens": None, "seed": None, "error": result.error}
    answer = result.answers[sample]
    return {"response": answer.text, "finish": answer.finish, "n_tokens": answer.n_tokens, "seed": answer.seed,
            "n_prompt_tokens": answer.n_prompt_tokens, "error": None}


def _item_counts(work: _Work) -> dict[str, Any]:
    items = work.items
    return {
        "layout": items.layout, "expected": items.expected, "found": items.found, "asked": len(work.rows),
        "without_pictures": len(items.absent), "damaged_pictures": len(work.dropped), "unusable": len(items.unusable),
        "lacks": items.lacks, "revision": items.revision,
    }
