"""`cogito-eval grade`: verdicts for answers that exist already, one output row for every readable input row."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, UsageError, progress
from cogito_core.files import replace_file
from cogito_core.runs import Ledger
from cogito_core.verify import Verdict, judge, verify
from cogito_core.verify.kinds import MATH_KINDS, canonical_kind
from cogito_eval.benchmark import load_benchmark
from cogito_eval.item import LETTERS
from cogito_eval.options import read_options
from cogito_eval.records import json_fault
from cogito_eval.scoring import OfficialRule, official_rule, readable_choices, with_reason

_SCALAR = (str, int, float, bool)
KINDS = MATH_KINDS | {"", "choice", "choices", "yes_no", "text", "date", "time", "vqa"}
_FORMS = ("list", "tuple", "interval")
"""Answer types that say how a gold such as (2, 8) is meant."""


@dataclass
class GradeReport:
    """What `grade` did: rows judged by outcome, rows with a fault (also in the ledger), rows whose id came before."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    first_fault: str = ""
    duplicates: int = 0
    first_duplicate: str = ""
    agreement: tuple[int, int] = (0, 0)

    @property
    def judged(self) -> int:
        return sum(self.outcomes.values())


class _Fault(Exception):
    """A row that cannot be judged as it stands: `reason` is the ledger's rule name."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def grade_file(source: Path, target: Path, *, bench: str | None = None, scoring: str | None = None) -> GradeReport:
    """Judge every row of a JSON Lines file and write its verdict to `target`, in the same order.

    Args:
        bench: a benchmark whose released rule judges; without it the row or its gold chooses the rule.
        scoring: `official` or `strict`; the default is `official` where a benchmark with a released rule is named.

    A broken line goes to the ledger `<target>.ledger.jsonl`; a row without a usable gold or answer is in the ledger
    and gets the outcome `undecidable`. An unknown `answer_kind`, a `precision` that is no number and one that no
    policy has are in the ledger too, and the row is judged without them. A row without an id is called
    `line-<number>`; an id that came before is counted, since its verdicts cannot be told apart. Where rows carry a
    `verdict`, the report counts how many agree.

    Raises:
        CogitoError: the input is not there or holds no row, the benchmark is unknown or has no released rule, the
            target is a folder, a pipe or a device, or source and target are one file.
    """
    if not source.exists() or source.is_dir():
        raise CogitoError(f"there is no file {source}")
    if (target.exists() and not target.is_file()) or target.is_relative_to("/dev") or target.is_relative_to("/proc"):
        raise CogitoError(f"--out {target} is no plain file; the ledger stands beside it")
    if target.exists() and source.samefile(target):
        raise CogitoError(f"--out {target} would overwrite the input")
    rule = _rule(bench, scoring)
    report = GradeReport()
    ledger = Ledger(target.with_name(target.name + ".ledger.jsonl"))
    ledger.path.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    agreed = labelled = 0
    seen: set[str] = set()
    with replace_file(target) as aside, aside.open("w", encoding="utf-8", errors="surrogatepass") as out, \
            progress(None, "graded") as advance:
        for number, row in _rows(source, ledger, report):
            result = _grade(row, rule, number, source, ledger, report)
            out.write(json.dumps(result, ensure_ascii=False) + "\n")
            report.outcomes[result["outcome"]] += 1
            if result["id"] in seen:
                report.duplicates += 1
                report.first_duplicate = report.first_duplicate or f"'{result['id']}' again in line {number}"
            seen.add(result["id"])
            if isinstance(row.get("verdict"), bool):
                labelled += 1
                agreed += result["verdict"] == row["verdict"]
            advance(1)
    report.agreement = (agreed, labelled)
    if not report.judged:
        raise CogitoError(report.first_fault or f"{source} holds no row")
    return report


def _rule(bench: str | None, scoring: str | None) -> OfficialRule | None:
    if scoring not in (None, "official", "strict"):
        raise CogitoError(f"--scoring is 'official' or 'strict', not '{scoring}'")
    if bench is None:
        if scoring == "official":
            raise CogitoError("--scoring official needs --bench: the released rule belongs to a benchmark")
        return None
    rule = official_rule(load_benchmark(bench))
    if scoring == "official" and rule is None:
        raise CogitoError(f"{bench} has no released scoring rule; leave --scoring out to use the strict one")
    return None if scoring == "strict" else rule


def _rows(source: Path, ledger: Ledger, report: GradeReport) -> Iterator[tuple[int, dict[str, Any]]]:
    with source.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.rstrip(b"\r\n"))
            except (ValueError, RecursionError) as error:
                sentence = f"{source} line {number}: {json_fault(error)}; expected one JSON object a line"
                _record(ledger, report, f"line {number}", "broken JSON", sentence)
                continue
            if not isinstance(row, dict):
                what = type(row).__name__
                sentence = f"{source} line {number} is {what}, not an object; expected one object a line"
                _record(ledger, report, f"line {number}", "not an object", sentence)
                continue
            yield number, row


def _record(ledger: Ledger, report: GradeReport, id: str, reason: str, sentence: str) -> None:
    ledger.drop(id, "grade", reason, sentence)
    report.faults += 1
    report.first_fault = report.first_fault or sentence


def _grade(row: dict[str, Any], rule: OfficialRule | None, number: int, source: Path, ledger: Ledger,
           report: GradeReport) -> dict[str, Any]:
    raw_id = row.get("id")
    id = raw_id if isinstance(raw_id, str) else f"line-{number}" if raw_id is None else str(raw_id)
    try:
        _check(row)
        for name in _unreadable(row):
            sentence = f"{source} line {number}: '{name}' is {row[name]!r:.60}, which is not known: judged without it"
            _record(ledger, report, id, f"unreadable {name}", sentence)
            row = {key: value for key, value in row.items() if key != name}
        try:
            verdict = rule(row) if rule is not None else strict_verdict(row)
        except UsageError as error:  # a number of places or a tolerance that no policy has
            _record(ledger, report, id, "unreadable precision", f"{source} line {number}: {error}: judged without it")
            verdict = strict_verdict({key: row[key] for key in row if key not in ("precision", "answer_spec")})
    except _Fault as fault:
        _record(ledger, report, id, fault.reason, f"{source} line {number}: {fault}")
        return {"id": id, "verdict": False, "outcome": "undecidable", "extracted": None, "rule": fault.reason,
                "reason": str(fault)}
    out = {"id": id, "verdict": verdict.is_right, "outcome": verdict.outcome, "extracted": verdict.extracted,
           "rule": verdict.rule, "reason": verdict.reason}
    if verdict.expectation is not None:
        out["expectation"] = verdict.expectation
    return out


def _check(row: Mapping[str, Any]) -> None:
    gold = row.get("gold")
    if gold is None:
        raise _Fault("no gold", "the row has no 'gold'")
    golds = gold if isinstance(gold, list) and gold else [gold]
    if not all(isinstance(one, _SCALAR) for one in golds):
        raise _Fault("wrong type", f"'gold' is {type(gold).__name__}, expected a string, a number or a list of them")
    if row.get("extraction") is None and row.get("response") is None:
        raise _Fault("no answer", "the row has neither 'extraction' nor 'response'")
    for name in ("extraction", "response"):
        value = row.get(name)
        if value is not None and not isinstance(value, _SCALAR):
            raise _Fault("wrong type", f"'{name}' is {type(value).__name__}, expected a string")
    choices = row.get("choices")
    if choices is not None and not isinstance(choices, list | dict | str):
        raise _Fault("wrong type", f"'choices' is {type(choices).__name__}, expected a list or an object")
    for name in ("question_type", "answer_type", "answer_kind", "unit"):
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            raise _Fault("wrong type", f"'{name}' is {type(value).__name__}, expected a string")
    precision = row.get("precision")
    if isinstance(precision, dict):
        raise _Fault("wrong type", "'precision' is dict, expected a number")


def _unreadable(row: Mapping[str, Any]) -> list[str]:
    """The fields whose value says nothing to any rule."""
    found = []
    if canonical_kind(row.get("answer_kind")) not in KINDS:
        found.append("answer_kind")
    precision = row.get("precision")
    # OlympiadBench has a list, or a text with commas: one error for each answer, and some may be empty.
    parts = precision if isinstance(precision, list) else str(precision).split(",")
    if precision not in (None, "", []) and not any(_is_number(part) for part in parts):
        found.append("precision")
    return found


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(float(str(value)))
    except ValueError:
        return False


def strict_verdict(row: Mapping[str, Any]) -> Verdict:
    """The strict verdict: the row's answer kind and options choose the rule, else the gold does."""
    golds = row["gold"] if isinstance(row["gold"], list) else [row["gold"]]
    gold, aliases = str(golds[0]), [*map(str, golds[1:]), *map(str, row.get("aliases") or ())]
    choices = _option_texts(row.get("choices"))
    kind = row.get("answer_kind") or _kind(row, choices)
    if kind == "choice" and gold.strip("() .").upper() in LETTERS[: len(choices)] and len(gold.strip("() .")) == 1:
        choices = readable_choices(choices)
    spec = dict(row.get("answer_spec") or {}) if isinstance(row.get("answer_spec"), Mapping) else {}
    spec |= {name: row[name] for name in ("precision", "unit") if row.get(name) is not None}
    if row.get("extraction") is not None:
        return verify(gold, str(row["extraction"]), kind=kind, choices=choices, aliases=aliases, spec=spec or None)
    response = str(row["response"])
    verdict = judge(response, gold, kind=kind, choices=choices, aliases=aliases, spec=spec or None)
    return with_reason(verdict, response)


def _option_texts(choices: object) -> Sequence[str]:
    if isinstance(choices, str):
        # MMMU and MMMU-Pro ship the printed form of a list.
        try:
            return read_options(choices, "python")
        except ValueError:
            return ()
    if isinstance(choices, dict):
        return [str(text) for _, text in sorted(choices.items())]
    return [str(text) for text in choices] if isinstance(choices, list) else ()


def _kind(row: Mapping[str, Any], choices: Sequence[str]) -> str | None:
    asked = str(row.get("question_type") or "").replace("-", "_").casefold()
    if choices and asked not in ("free_form", "open", "open_ended", "short_answer"):
        return "choice"
    form = str(row.get("answer_type") or "").casefold()
    return form if form in _FORMS else None
