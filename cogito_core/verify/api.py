"""The public calls: verify an answer, judge a response."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cogito_core.verify import rules
from cogito_core.verify.choice import several_letters
from cogito_core.verify.clean import as_text
from cogito_core.verify.extract import extract
from cogito_core.verify.golds import read_gold
from cogito_core.verify.grids import as_rows, rows_in
from cogito_core.verify.kinds import canonical_kind
from cogito_core.verify.policy import UNIT_MODES, policy_for
from cogito_core.verify.question import Question, conclude
from cogito_core.verify.verdict import Extraction, Verdict
from cogito_core.verify.vqa import people_of
from cogito_core.verify.wording import complement

MAX_ANSWER = 8_000
_INTEGER = re.compile(r"[+-]?\d{1,18}")


def verify(
    gold: object,
    answer: object,
    *,
    kind: str | None = None,
    choices: Sequence[str] = (),
    aliases: Sequence[str] = (),
    policy: str = "exact",
    spec: Mapping[str, Any] | None = None,
) -> Verdict:
    """Judge `answer`, already extracted, against `gold`.

    `kind` is the sample's answer kind (number, expression, choice, choices, text, yes_no, list, interval,
    quantity, vqa, ...; a gold of kind vqa is the list of what ten people said, or stands in `spec["answers"]`);
    without it the options or the gold decide. `aliases` are other accepted golds. `policy` names the tolerance
    (see `policy`); `spec` may carry choices, unit, precision, tolerance, absolute_tolerance, significant, policy,
    units (convert, require, ignore) and cas (seconds for a second opinion by Math-Verify on undecided pairs).
    Never raises on any gold or answer; an unknown policy is a UsageError.

    >>> str(verify("5 cm", "5 km"))
    'wrong: 5 km against 5 cm, same dimension, factor 10^5'
    """
    gold_text, answer_text = as_text(gold), as_text(answer)
    if (
        policy == "exact"
        and not spec
        and not choices
        and not aliases
        and (kind is None or kind in ("number", "integer"))
        and _INTEGER.fullmatch(answer_text)
        and _INTEGER.fullmatch(gold_text)
    ):
        one, other = int(gold_text), int(answer_text)
        if one == other:
            return Verdict(
                "right",
                "integer",
                "rational",
                str(one),
                str(other),
                answer_text,
                None,
                "exact",
                f"{other} equals {one}",
            )
        return Verdict(
            "wrong", "integer", "rational", str(one), str(other), answer_text, None, "exact", f"{other} is not {one}"
        )
    spec = spec or {}
    question = Question(
        kind=canonical_kind(kind),
        choices=tuple(map(as_text, choices or spec.get("choices") or ())),
        policy=policy_for(policy, spec),
        units=str(spec.get("units")) if spec.get("units") in UNIT_MODES else "convert",
        unit=as_text(spec.get("unit")),
        people=people_of(spec.get("answers") or (gold if isinstance(gold, (list, tuple)) else None)),
    )
    kind_name = question.kind or "unread"
    if len(answer_text) > MAX_ANSWER or len(gold_text) > MAX_ANSWER:
        if answer_text.strip() == gold_text.strip():
            return conclude(
                "right", kind_name, "same text", gold_text, answer_text, answer_text, question, "the same long text"
            )
        reason = (
            f"the answer has {len(answer_text)} characters, the gold {len(gold_text)}; at most {MAX_ANSWER} are read"
        )
        return conclude("undecidable", kind_name, "limit", gold_text, answer_text[:60], answer_text, question, reason)
    first: Verdict | None = None
    for one_gold in (gold_text, *map(as_text, aliases)):
        try:
            verdict = rules.decide(one_gold, as_rows(one_gold, answer_text), question)
        except (
            RecursionError,
            MemoryError,
            OverflowError,
            ValueError,
            ArithmeticError,
            LookupError,
            TypeError,
            AssertionError,
        ) as error:
            # A verifier in a reward loop may not raise; the verdict says that something went wrong.
            reason = f"the comparison failed: {type(error).__name__}"
            verdict = conclude(
                "undecidable", kind_name, "failure", one_gold, answer_text, answer_text, question, reason
            )
        if verdict.is_right:
            return verdict
        if first is None or (first.outcome == "wrong" and verdict.outcome == "undecidable"):
            first = verdict
    assert first is not None
    if first.outcome == "undecidable" and spec.get("cas") and first.extracted:
        return _second_opinion(first, gold_text, float(spec["cas"]))
    return first


def _second_opinion(verdict: Verdict, gold: str, seconds: float) -> Verdict:
    """An undecided verdict settled by Math-Verify, where it answers in time."""
    from cogito_core.verify.cas import WORKER

    said = WORKER.ask(gold, verdict.extracted or "", seconds)
    if said is None:
        return verdict
    reason = f"Math-Verify calls {verdict.extracted!r} {'equal' if said else 'unequal'} ({verdict.reason})"
    return replace(verdict, outcome="right" if said else "wrong", rule="math-verify", reason=reason)


def _form_of(people: Sequence[str]) -> str:
    """What to look for in a reply where people's answers are the gold: a count, a yes or no, else words."""
    most = max(people, key=people.count, default="")
    form = read_gold(most).kind if most else ""
    return form if form in ("integer", "decimal", "yes_no", "time", "date", "money", "percent") else "vqa"


def judge(
    response: object,
    gold: object,
    *,
    kind: str | None = None,
    choices: Sequence[str] = (),
    aliases: Sequence[str] = (),
    policy: str = "exact",
    spec: Mapping[str, Any] | None = None,
) -> Verdict:
    """Extract the final answer of `response`, then judge it against `gold`. Arguments as for `verify`.

    The verdict's `span` is the answer's place in the response; no answer or a contradiction is undecidable.
    """
    text = as_text(response)
    options = choices or (spec or {}).get("choices") or ()
    wanted = canonical_kind(kind)
    if wanted in ("", "number") and not options and len(as_text(gold)) <= MAX_ANSWER:
        known = read_gold(as_text(gold)).kind
        wanted = known if not wanted or known in ("integer", "quantity", "money") else wanted
    if (
        wanted in ("", "choice")
        and options
        and several_letters(as_text(gold), [as_text(option) for option in options])
    ):
        wanted = "choices"
    grid = rows_in(text, as_text(gold))
    if grid is not None:
        found = Extraction(grid[0], "grid", grid[1])
    else:
        form = _form_of(people_of((spec or {}).get("answers") or gold)) if wanted == "vqa" else wanted
        found = extract(text, kind=form or None, choices=options)
    if found.text is None:
        reason = found.conflict or "no answer found"
        return Verdict(
            "undecidable",
            wanted or ("choice" if options else "unread"),
            found.rule,
            as_text(gold)[:200],
            "",
            None,
            found.span,
            policy,
            reason,
        )
    given: dict[str, Any] = {"kind": kind, "choices": choices, "aliases": aliases, "policy": policy, "spec": spec}
    verdict = verify(gold, found.text, **given)
    said, rule, span = found.text, found.rule, found.span
    if verdict.outcome == "wrong" and verdict.kind in ("text", "vqa") and found.rule == "whole response":
        stated = complement(text)  # "The capital is Paris." is not the gold, but states it
        second = verify(gold, stated.text, **given) if stated is not None else verdict
        if stated is not None and second.is_right:
            verdict, said, rule, span = second, stated.text, stated.rule, stated.span
    return replace(verdict, rule=f"{rule} + {verdict.rule}", extracted=said, span=span)
