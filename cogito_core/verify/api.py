"""The public calls: verify an answer, judge a response, do either for many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from cogito_core.verify.extract import extract
from cogito_core.verify.verdict import Verdict

_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})$")


def _number(text: str) -> Fraction | None:
    text = text.replace(",", "").strip(" $.")
    text = text.removesuffix("^\\circ").removesuffix("°").strip()
    return Fraction(text) if _NUMBER.match(text) else None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s./%+-]", " ", text.casefold()).split()).strip(" .")


def verify(gold: object, answer: object, *, kind: str | None = None, choices: Sequence[str] = (),
           aliases: Sequence[str] = (), policy: str = "exact", spec: Mapping[str, Any] | None = None) -> Verdict:
    """Judge `answer`, already extracted, against `gold`."""
    gold_text, answer_text = str(gold).strip(), str(answer).strip()
    for one in (gold_text, *aliases):
        a, b = _number(one), _number(answer_text)
        if a is not None and b is not None:
            same, rule = a == b, "number"
        else:
            same, rule = _plain(one) == _plain(answer_text) and bool(_plain(one)), "text"
        if same:
            break
    outcome = "right" if same else "wrong"
    return Verdict(outcome, kind or rule, rule, gold_text, answer_text, answer_text, None, policy,  # type: ignore[arg-type]
                   f"{answer_text!r} against {gold_text!r}")


def judge(response: object, gold: object, *, kind: str | None = None, choices: Sequence[str] = (),
          aliases: Sequence[str] = (), policy: str = "exact", spec: Mapping[str, Any] | None = None) -> Verdict:
    """Extract the final answer of `response`, then judge it against `gold`."""
    found = extract(response, kind=kind, choices=choices)
    if found.text is None:
        return Verdict("undecidable", kind or "", found.rule, str(gold), "", None, None, policy, found.conflict)
    return verify(gold, found.text, kind=kind, choices=choices, aliases=aliases, policy=policy, spec=spec)


def verify_many(pairs: Iterable[tuple[object, object]], *, workers: int = 1) -> list[Verdict]:
    """Judge many (gold, answer) pairs, in order."""
    return [verify(gold, answer) for gold, answer in pairs]
