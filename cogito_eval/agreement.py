"""Our scores of stored answers beside the official ones, run by run: what `docs/agreement.md` shows.

Four figures for each run: the official score; the released rule as we wrote it, given the official extraction; the
same rule from the raw reply; and our strict verifiers from the raw reply.
"""

from __future__ import annotations

import ast
import gzip
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.files import write_atomic
from cogito_core.verify.official import OFFICIAL
from cogito_eval.benchmark import load_benchmark
from cogito_eval.grade import strict_verdict

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A file of graded answers.

    Attributes:
        rule: the released rule that graded it.
        adapt: turns a row of labels into a row that our verifiers can judge.
        has_reply: whether a row holds the raw reply and what is needed to read it.
    """

    file: str
    rule: str
    adapt: Callable[[Row], Row] = lambda row: row
    has_reply: Callable[[Row], bool] = lambda row: True


@dataclass(frozen=True)
class RunAgreement:
    """One run: shares in [0, 1] and numbers of rows; None where the labels do not allow the figure.

    `same` is the share of rows with the official verdict, given the official extraction. `official_raw`, `raw` and
    `strict` are over the `n_raw` rows whose reply can be read; `guessed` of the rule's verdicts on them are random
    guesses, counted by expectation.
    """

    file: str
    run: str
    n: int
    official: float | None
    given: float | None
    same: float | None
    n_raw: int
    official_raw: float | None
    raw: float | None
    strict: float | None
    guessed: int


def _kind(kind: str) -> Callable[[Row], Row]:
    return lambda row: {**row, "answer_kind": kind}


def _logicvista(row: Row) -> Row:
    letters = [str(letter).upper() for letter in ast.literal_eval(row["gold"])]
    return {**row, "gold": ", ".join(letters), "answer_kind": "choices" if len(letters) > 1 else "choice"}


def _mmmu(row: Row) -> Row:
    # The labels name the letter that the release's parser read, so equality with the gold is the verdict.
    out = {**row, "choices": row.get("index2ans"), "answer_kind": "choice" if row.get("index2ans") else None}
    if row.get("index2ans"):
        out["verdict"] = row["extraction"] == row["gold"]
    return out


def _chartqa(row: Row) -> Row:
    return {**row, "answer_spec": {"policy": load_benchmark("chartqa").policy}}


def _tabmwp(row: Row) -> bool:
    # The options of the other rows are not in the labels, and replies name options by letter.
    return row.get("ans_type") is not None


SOURCES = (
    Source("mathvista", "mathvista"),
    Source("mathvision", "mathvision"),
    Source("tabmwp", "tabmwp", has_reply=_tabmwp),
    Source("scienceqa", "scienceqa", _kind("choice")),
    Source("emma", "emma"),
    Source("mmmu_pro", "mmmu_pro"),
    Source("mmmu", "mmmu", _mmmu, lambda row: bool(row.get("index2ans"))),
    Source("logicvista", "logicvista", _logicvista, lambda row: False),
    Source("blink", "blink", _kind("choice")),
    Source("mmstar", "mmstar"),
    Source("hallusionbench", "hallusionbench", _kind("yes_no")),
    Source("scienceqa_vlmevalkit", "scienceqa"),
    Source("chartqa_gold_only", "chartqa", _chartqa),
)


def read_labels(path: Path) -> Iterator[Row]:
    """Rows of one `labels/<name>.jsonl.gz`. Raises CogitoError where the file is not there."""
    if not path.is_file():
        raise CogitoError(f"there are no graded answers at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        yield from map(json.loads, handle)


def measure(labels: Path, names: frozenset[str] | None = None) -> list[RunAgreement]:
    """The four figures of every run of every file in `labels` (or of the files named)."""
    out = []
    for source in SOURCES:
        if names is not None and source.file not in names:
            continue
        runs: dict[str, list[Row]] = {}
        for row in read_labels(labels / f"{source.file}.jsonl.gz"):
            runs.setdefault(str(row.get("run", "")), []).append(row)
        out += [_measure_run(source, run, rows) for run, rows in runs.items()]
    return out


def _measure_run(source: Source, run: str, rows: list[Row]) -> RunAgreement:
    rule = OFFICIAL[source.rule]
    official: list[float] = []
    given: list[float] = []
    same: list[float] = []
    raw: list[float] = []
    strict: list[float] = []
    official_raw: list[float] = []
    guessed = 0
    for label in rows:
        row = source.adapt(label)
        verdict = row.get("verdict")
        if isinstance(verdict, bool):
            official.append(verdict)
            if row.get("extraction") is not None:
                # The released rule reads the label as it stands; `adapt` is for our verifiers.
                given.append(rule(label).score)
                same.append((given[-1] == 1) == verdict)
        if source.has_reply(label):
            found = rule({key: value for key, value in label.items() if key != "extraction"})
            raw.append(found.score)
            guessed += found.expectation is not None
            reply = {key: value for key, value in row.items() if key != "extraction"}
            strict.append(strict_verdict({**reply, "response": str(reply.get("response") or "")}).is_right)
            if isinstance(verdict, bool):
                official_raw.append(verdict)
    return RunAgreement(source.file, run, len(rows), _mean(official), _mean(given), _mean(same), len(raw),
                        _mean(official_raw), _mean(raw), _mean(strict), guessed)


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def markdown(found: list[RunAgreement]) -> str:
    """The figures as two Markdown tables, in percent: given the official extraction, and from raw replies."""
    given = [["answers", "run", "rows", "official", "our rule", "same verdict"], ["---", "---", *["---:"] * 4]]
    raw = [["answers", "run", "rows", "official", "our rule", "of these guessed", "strict"],
           ["---", "---", *["---:"] * 5]]
    for one in found:
        if one.given is not None:
            given.append([one.file, one.run, f"{one.n:,}", *map(_percent, (one.official, one.given, one.same))])
        if one.n_raw:
            shares = map(_percent, (one.official_raw, one.raw))
            raw.append([one.file, one.run, f"{one.n_raw:,}", *shares, str(one.guessed), _percent(one.strict)])
    tables = ["\n".join(f"| {' | '.join(line)} |" for line in table) for table in (given, raw)]
    return f"Given the official extraction:\n\n{tables[0]}\n\nFrom the raw replies:\n\n{tables[1]}"


def rewrite_tables(page: Path, labels: Path) -> None:
    """Replace what stands between the marks `<!-- tables -->` and `<!-- end of tables -->` of a Markdown page.

    Raises CogitoError where the page is not there or lacks the marks.
    """
    start, end = "<!-- tables -->", "<!-- end of tables -->"
    if not page.is_file():
        raise CogitoError(f"there is no page {page}")
    text = page.read_text(encoding="utf-8")
    if start not in text or end not in text:
        raise CogitoError(f"{page} lacks the marks {start} and {end}")
    head, _, rest = text.partition(start)
    tail = rest.partition(end)[2]
    write_atomic(page, f"{head}{start}\n\n{markdown(measure(labels))}\n\n{end}{tail}")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
