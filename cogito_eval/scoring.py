"""Every answer judged twice: by our verifiers (`strict`) and by the benchmark's released rule (`official`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.engines.base import seed_of
from cogito_core.verify import Verdict, judge
from cogito_eval.benchmark import Benchmark
from cogito_eval.item import LETTERS
from cogito_eval.results import Row

STATUSES = ("answered", "unextracted", "conflict", "refusal", "truncated", "empty", "failed")
"""What became of an answer, counted apart from right and wrong."""

OfficialRule = Callable[[Mapping[str, Any]], Verdict]


def official_rule(benchmark: Benchmark) -> OfficialRule | None:
    """The released rule of a benchmark, or None where it has none.

    Raises CogitoError where the manifest names a rule that is not there.
    """
    if benchmark.official is None:
        return None
    from cogito_core.verify.official import OFFICIAL

    name = benchmark.official.rule
    if name not in OFFICIAL:
        known = ", ".join(sorted(OFFICIAL))
        raise CogitoError(f"{benchmark.name}: there is no official rule '{name}'; known: {known}")
    rule: OfficialRule = OFFICIAL[name]
    return rule


def judge_row(row: Row, rule: OfficialRule | None, *, paper: bool = False, guess: int | None = None) -> Row:
    """The row with `strict`, `official` and `status`; with `paper` also the paper's rescue of odd choices.

    With a seed in `guess` the released rule guesses as its script does, instead of giving the expectation.

    A request that failed counts as wrong under every rule.
    """
    if row.get("error"):
        verdict = {"outcome": "wrong", "rule": "no answer", "extracted": None, "reason": str(row["error"])}
        return {**row, "strict": verdict, "official": dict(verdict) if rule else None, "status": "failed"}
    response = row["response"]
    strict = judge(response, row["gold"], kind=row["kind"] or None, choices=readable_choices(row["choices"]),
                   aliases=row["aliases"], policy=row["policy"], spec=row["spec"])
    strict = with_reason(strict, response, row.get("finish"), row.get("n_tokens"))
    official = rule({**row["official_row"], "response": response}) if rule is not None else None
    stored = compact(official) if official is not None else None
    if stored is not None and guess is not None:
        stored = guessed(stored, guess, row)
    out = {**row, "strict": compact(strict), "official": stored, "status": _status(row, strict)}
    names_none = strict.extracted is not None and strict.rule.endswith("no option")
    if paper and row["kind"] == "choice" and row["choices"] and names_none:
        from cogito_eval.nearest import nearest_verdict

        out["strict"] = nearest_verdict(row, out["strict"])
    return out


_THINKING = re.compile(r"<(/?)think>", re.IGNORECASE)


def with_reason(verdict: Verdict, response: str, finish: str | None = None, n_tokens: int | None = None) -> Verdict:
    """The verdict, saying why a response that is not empty holds no answer: cut off, or its thinking never closed."""
    if verdict.extracted is not None or not response.strip():
        return verdict
    marks = _THINKING.findall(response)
    is_open = bool(marks) and not marks[-1]
    if finish == "length":
        length = f" at {n_tokens} tokens" if n_tokens else ""
        why = f"the answer was cut off{length}" + (" before its thinking was closed" if is_open else "")
    elif is_open:
        why = "the thinking was not closed"
    elif marks and not response[[*_THINKING.finditer(response)][-1].end() :].strip():
        why = "nothing follows the thinking"
    else:
        return verdict
    return replace(verdict, reason=f"{why}: no answer was found")


def readable_choices(choices: Sequence[str]) -> Sequence[str]:
    """The option texts by which an answer may name an option; none where they read like other options' letters.

    "C" as the text of option A (AI2D labels parts of a diagram so) could mean two options; there only letters count.
    """
    for i, text in enumerate(choices):
        bare = text.strip().strip("().").upper()
        if len(bare) == 1 and bare in LETTERS[: len(choices)] and bare != LETTERS[i]:
            return ()
    return choices


def compact(verdict: Verdict) -> dict[str, Any]:
    """A verdict as stored in a result row."""
    out: dict[str, Any] = {
        "outcome": verdict.outcome, "rule": verdict.rule, "extracted": verdict.extracted,
        "gold": verdict.gold_norm, "answer": verdict.answer_norm, "reason": verdict.reason,
    }
    if verdict.span is not None:
        out["span"] = list(verdict.span)
    if verdict.expectation is not None:
        out["expectation"] = verdict.expectation
    return out


def guessed(verdict: dict[str, Any], seed: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict after one seeded draw where the released rule would guess; it depends on no other row."""
    expectation = verdict.get("expectation")
    if expectation is None or verdict["outcome"] != "undecidable":
        return verdict
    drawn = seed_of("guess", seed, row["id"], row["sample"]) / 2**63
    kept = {key: value for key, value in verdict.items() if key != "expectation"}
    return {**kept, "outcome": "right" if drawn < expectation else "wrong", "rule": f"{verdict['rule']}, guessed"}


def points(verdict: Mapping[str, Any]) -> float:
    """What a stored verdict is worth: 1 for right, the expectation where the released rule guesses, else 0."""
    expectation = verdict.get("expectation")
    return float(expectation) if expectation is not None else float(verdict["outcome"] == "right")


def _status(row: Row, strict: Verdict) -> str:
    response = row["response"]
    if not response.strip():
        return "empty"
    if row.get("finish") == "length":
        return "truncated"
    if strict.extracted is None:
        return strict.rule if strict.rule in ("refusal", "conflict") else "unextracted"
    return "conflict" if strict.rule.endswith("conflict") else "answered"
