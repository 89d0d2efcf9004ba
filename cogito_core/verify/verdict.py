"""What the verifier says: a verdict about an answer, and the evidence an answer was read from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

VERSION = "4"
"""Goes into every cache key: raise it whenever any verdict may change."""

Outcome = Literal["right", "wrong", "undecidable"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place in a response that may be the final answer. `span` counts characters of the response."""

    text: str
    rule: str
    rank: int
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Extraction:
    """The final answer of a response, with the evidence.

    `text` is None where no answer was found, or where `conflict` says why two readings contradict each other.
    `candidates` holds every place that was considered, best first.
    """

    text: str | None
    rule: str
    span: tuple[int, int] | None = None
    conflict: str = ""
    candidates: tuple[Candidate, ...] = ()

    @property
    def found(self) -> bool:
        return self.text is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of judging one answer against one gold.

    `kind` is the gold's kind, `rule` the rule that decided, `gold_norm` and `answer_norm` the two normal forms
    that were compared, `extracted` the text taken for the answer, `span` its place in the response
    (None where the answer was given as such), `policy` the name of the tolerance policy.
    `str(verdict)` is one sentence.
    """

    outcome: Outcome
    kind: str
    rule: str
    gold_norm: str
    answer_norm: str
    extracted: str | None
    span: tuple[int, int] | None
    policy: str
    reason: str
    expectation: float | None = None
    """Score where the official rule guesses at random (the expected one) or gives part credit; None elsewhere."""

    @property
    def is_right(self) -> bool:
        return self.outcome == "right"

    @property
    def score(self) -> float:
        """1.0 for right, 0.0 otherwise, or the expectation where the official rule guesses or gives part credit."""
        if self.expectation is not None:
            return self.expectation
        return 1.0 if self.outcome == "right" else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain JSON values."""
        return asdict(self) | {"verdict": self.is_right}

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}"
