"""`cogito-eval verify`: explain a verdict, lint and mutate a dataset's golds, compare with another verifier."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cogito_core.console import CogitoError, MissingExtra, UsageError, progress, say, table, warn

app = typer.Typer(no_args_is_help=True, help="Tools of the answer verifier: explain, lint, mutate, compare.")
verify_app = app


@app.command()
def explain(
    gold: Annotated[str, typer.Argument(help="The gold answer.")],
    answer: Annotated[str, typer.Argument(help="The answer, or a whole response with --response.")],
    kind: Annotated[str | None, typer.Option(help="The sample's answer kind.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="An option's text; repeat for each.")] = None,
    policy: Annotated[
        str, typer.Option(help="exact, rounded(2), relative(5%), absolute(0.01), significant(3).")
    ] = "exact",
    response: Annotated[bool, typer.Option(help="Extract the answer from a whole response first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as JSON.")] = False,
) -> None:
    """Why one answer is right, wrong or undecidable."""
    from cogito_core.verify import extract, judge, verify
    from cogito_core.verify.kinds import canonical_kind
    from cogito_eval.grade import KINDS

    if canonical_kind(kind) not in KINDS:
        raise UsageError(f"--kind {kind} is no answer kind; known are {', '.join(sorted(KINDS - {''}))}")
    call = (
        judge(answer, gold, kind=kind, choices=choice or (), policy=policy)
        if response
        else verify(gold, answer, kind=kind, choices=choice or (), policy=policy)
    )
    if as_json:
        say(json.dumps(call.as_dict(), ensure_ascii=False))
        return
    say(str(call))
    rows = [
        ["kind", call.kind],
        ["rule", call.rule],
        ["gold read as", call.gold_norm],
        ["answer read as", call.answer_norm],
        ["policy", call.policy],
    ]
    if response:
        found = extract(answer, kind=kind or call.kind, choices=choice or ())
        rows += [["extracted", str(found.text)], ["from", f"{found.rule}, characters {found.span}"]]
        rows += [["candidate", f"{one.rule}: {one.text[:80]}"] for one in found.candidates[:6]]
    table("Verdict", ["what", "value"], rows)


@app.command()
def lint(
    dataset: Annotated[
        Path, typer.Argument(help="A folder of Parquet shards, or JSON Lines with gold (or answer), kind, choices.")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where the findings go, one JSON object a line.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Read at most this many rows.")] = None,
) -> None:
    """Golds that are empty, unreadable, doubled among the options, or do not match themselves."""
    from cogito_core.verify.lint import lint_gold

    counts: Counter[str] = Counter()
    findings: list[dict[str, Any]] = []
    rows = 0
    with progress(limit, "linted") as advance:
        for row in _rows(dataset, limit):
            rows += 1
            for rule, sentence in lint_gold(row["gold"], row["kind"], row["choices"], row["spec"], row["aliases"]):
                counts[rule] += 1
                findings.append({"id": row["id"], "rule": rule, "gold": row["gold"], "reason": sentence})
            advance(1)
    if out is not None:
        out.write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in findings),
            encoding="utf-8",
            errors="surrogatepass",
        )
    table(
        f"Lint of {rows} golds",
        ["rule", "golds"],
        [[name, str(count)] for name, count in counts.most_common()] or [["nothing found", "0"]],
    )
    for one in findings[:10]:
        say(f"{one['id']}: {one['rule']}: {one['reason']}")


@app.command()
def mutate(
    dataset: Annotated[Path, typer.Argument(help="A folder of Parquet shards, or JSON Lines with gold (or answer).")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where the failures go, one JSON object a line.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Read at most this many rows.")] = None,
) -> None:
    """How many near misses of these golds are accepted, and how many rewrites are rejected."""
    from cogito_core.verify.lint import mutate_golds

    seen: dict[tuple[str, str | None], dict[str, Any]] = {}
    for row in _rows(dataset, limit):
        if not row["choices"] and row["kind"] not in ("text", "choice", "choices", "yes_no"):
            seen.setdefault((row["gold"], row["kind"]), row["spec"])
    wrong, right = mutate_golds((gold, kind, spec) for (gold, kind), spec in seen.items())
    rows = []
    for report, word in ((wrong, "accepted"), (right, "rejected")):
        for name, tried in report.tried.items():
            rows.append(
                [name, str(tried), word, str(report.failed[name]), f"{100 * report.failed[name] / tried:.2f}"]
            )
    table(f"Mutants of {len(seen)} golds", ["change", "tried", "fault", "count", "%"], rows)
    for name, gold, text, reason in (wrong.examples + right.examples)[:10]:
        say(f"{name}: gold {gold!r}, answer {text!r}: {reason}")
    if out is not None:
        lines = [
            {"change": name, "gold": gold, "answer": text, "reason": reason}
            for name, gold, text, reason in wrong.examples + right.examples
        ]
        out.write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines),
            encoding="utf-8",
            errors="surrogatepass",
        )


@app.command()
def compare(
    rows: Annotated[Path, typer.Argument(help="JSON Lines with gold and extraction or response.")],
    other: Annotated[str, typer.Option("--with", help="The other verifier: math-verify.")] = "math-verify",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Where the disagreements go.")] = None,
    limit: Annotated[int | None, typer.Option(help="Read at most this many rows.")] = None,
    seconds: Annotated[float, typer.Option(help="Time limit of the other verifier for one pair.")] = 5.0,
) -> None:
    """Where this verifier and another one disagree on the same pairs."""
    from cogito_core.verify import extract, verify
    from cogito_core.verify.cas import WORKER, available

    if other != "math-verify":
        raise CogitoError(f"--with {other}: only math-verify can be compared")
    if not available():
        raise MissingExtra("compare", "verify compare --with math-verify")
    counts: Counter[str] = Counter()
    differing: list[dict[str, Any]] = []
    with progress(limit, "compared") as advance:
        for row in _rows(rows, limit):
            said = (
                row["extraction"]
                if row["extraction"] is not None
                else extract(row["response"] or "", kind=row["kind"]).text
            )
            if said is None:
                counts["no answer"] += 1
                continue
            ours = verify(row["gold"], said, kind=row["kind"], choices=row["choices"], spec=row["spec"])
            theirs = WORKER.ask(row["gold"], said, seconds)
            name = (
                "agree"
                if bool(theirs) == ours.is_right
                else "only ours accepts"
                if ours.is_right
                else "only theirs accepts"
            )
            counts[name] += 1
            if name != "agree":
                differing.append(
                    {
                        "id": row["id"],
                        "gold": row["gold"],
                        "answer": said,
                        "which": name,
                        "ours": str(ours),
                        "rule": ours.rule,
                        "theirs": theirs,
                        "verdict": row["verdict"],
                    }
                )
            advance(1)
    WORKER.close()
    table("Against Math-Verify", ["outcome", "pairs"], [[name, str(count)] for name, count in counts.most_common()])
    for one in differing[:20]:
        say(
            f"{one['id']}: {one['which']}: gold {one['gold'][:60]!r}, answer {one['answer'][:60]!r}; "
            f"{one['ours'][:120]}"
        )
    if out is not None:
        out.write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in differing),
            encoding="utf-8",
            errors="surrogatepass",
        )


def _rows(source: Path, limit: int | None) -> Iterator[dict[str, Any]]:
    """Rows of a dataset folder (or the build that holds one) or of a JSON Lines file, in one form.

    A line that cannot be read is left out and counted at the end. Raises CogitoError where nothing can be read.
    """
    if source.is_dir():
        from cogito_core.shards import read_samples, shard_folder

        for number, sample in enumerate(read_samples(shard_folder(source)), 1):
            if limit is not None and number > limit:
                return
            yield {
                "id": sample.id,
                "gold": sample.answer,
                "kind": sample.answer_kind or None,
                "spec": dict(sample.answer_spec or {}),
                "choices": list((sample.answer_spec or {}).get("choices") or ()),
                "aliases": list(sample.answer_aliases or ()),
                "extraction": None,
                "response": None,
                "verdict": None,
            }
        return
    if not source.is_file():
        raise CogitoError(f"there is no file or folder {source}")
    faults: list[str] = []
    read = 0
    with source.open(encoding="utf-8", errors="surrogatepass") as handle:
        for number, line in enumerate(handle, 1):
            if limit is not None and number > limit:
                break
            try:
                if line.strip():
                    yield _json_row(line, number, source)
                    read += 1
            except CogitoError as error:
                faults.append(str(error))
    if faults and not read:
        raise CogitoError(faults[0])
    if faults:
        warn(f"{len(faults)} lines left out; the first: {faults[0]}")


def _json_row(line: str, number: int, source: Path) -> dict[str, Any]:
    from cogito_core.verify.api import as_text

    try:
        row = json.loads(line)
    except ValueError as error:
        raise CogitoError(f"{source} line {number} is no JSON: {error}") from None
    gold = row.get("gold", row.get("answer")) if isinstance(row, dict) else None
    if gold is None:
        raise CogitoError(f"{source} line {number}: the row has neither 'gold' nor 'answer'")
    choices = row.get("choices")
    texts = (
        [as_text(value) for _, value in sorted(choices.items())]
        if isinstance(choices, dict)
        else list(map(as_text, choices))
        if isinstance(choices, list)
        else []
    )
    spec = {name: row[name] for name in ("precision", "unit") if row.get(name) is not None}
    return {
        "id": as_text(row.get("id", number)),
        "gold": as_text(gold),
        "kind": row.get("answer_kind") or row.get("kind"),
        "choices": texts,
        "spec": spec | dict(row.get("answer_spec") or {}),
        "aliases": list(map(as_text, row.get("aliases") or ())),
        "extraction": None if row.get("extraction") is None else as_text(row["extraction"]),
        "response": None if row.get("response") is None else as_text(row["response"]),
        "verdict": row.get("verdict"),
    }
