"""What a sample says about its answer, and the verdict on one."""

from __future__ import annotations

from typing import NamedTuple

from cogito_core.verify.policy import Policy
from cogito_core.verify.verdict import Outcome, Verdict

MAX_SHOWN = 120


class Question(NamedTuple):
    """What the sample says about its answer."""

    kind: str
    choices: tuple[str, ...]
    policy: Policy
    units: str
    unit: str
    people: tuple[str, ...] = ()
    """What several people answered, for VQA's consensus."""


def conclude(
    outcome: Outcome, kind: str, rule: str, gold: str, answer: str, extracted: str, question: Question, reason: str
) -> Verdict:
    """The verdict, with normal forms of bounded length."""
    return Verdict(outcome, kind, rule, gold[:400], answer[:400], extracted, None, question.policy.name, reason)


def short(text: str) -> str:
    """A text in one line, cut to what a sentence can hold."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
