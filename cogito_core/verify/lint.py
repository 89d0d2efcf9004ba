"""Golds that would make any verdict doubtful, and how a verifier does on mutants of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cogito_core.verify.api import verify
from cogito_core.verify.choice import LETTERS, option_key, pick_one
from cogito_core.verify.clean import as_text
from cogito_core.verify.golds import read_gold
from cogito_core.verify.kinds import canonical_kind
from cogito_core.verify.mutate import Mutant, mutants, rewrites


def lint_gold(
    gold: str,
    kind: str | None = None,
    choices: Sequence[str] = (),
    spec: Mapping[str, Any] | None = None,
    aliases: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """(rule, sentence) for everything doubtful about one gold; empty for a sound one."""
    found: list[tuple[str, str]] = []
    if not gold.strip():
        return [("empty gold", "the gold is empty")]
    keys = [option_key(choice) for choice in choices]
    double = sorted({choices[index] for index, key in enumerate(keys) if key and keys.count(key) > 1})
    if double:
        found.append(("double options", f"options occur twice: {double[:4]}"))
    if choices and canonical_kind(kind) in ("", "choice", "choices"):
        picked = pick_one(gold, choices, gold_side=True).picked
        if not picked and canonical_kind(kind) == "choice":
            found.append(("gold outside the options", f"{gold[:60]!r} names none of {len(choices)} options"))
        letter = gold.strip().strip("()").upper()
        if (
            len(letter) == 1
            and letter in LETTERS[: len(choices)]
            and option_key(gold) in keys
            and keys[LETTERS.index(letter)] != option_key(gold)
        ):
            found.append(("ambiguous letter", f"{gold!r} is a letter and another option's text"))
    known = read_gold(gold, canonical_kind(kind) if not choices else "")
    if known.kind == "unreadable":
        found.append(("unreadable", known.problem))
    if any(mark in gold for mark in ("\ufffd", "掳", "\x0c", "\x08")):
        found.append(
            ("damaged characters", f"{gold[:60]!r} holds characters of a broken encoding or a lost backslash")
        )
    verdict = verify(gold, gold, kind=kind, choices=choices, spec=spec, aliases=aliases)
    if not verdict.is_right:
        found.append(("does not match itself", str(verdict)))
    return found


@dataclass
class MutationReport:
    """Accepted mutants and rejected rewrites, counted by the change."""

    tried: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, gold: str, mutant: Mutant, right: bool, reason: str) -> None:
        """Count one mutant's verdict."""
        self.tried[mutant.name] += 1
        if right != mutant.same:
            self.failed[mutant.name] += 1
            if len(self.examples) < 200:
                self.examples.append((mutant.name, gold, mutant.text, reason))


def mutate_golds(
    golds: Iterable[tuple[str, str | None, Mapping[str, Any] | None]],
) -> tuple[MutationReport, MutationReport]:
    """Verdicts on mutants (must be wrong) and on rewrites (must be right) of (gold, kind, spec) triples."""
    wrong, right = MutationReport(), MutationReport()
    for gold, kind, spec in golds:
        for report, made in ((wrong, mutants(gold)), (right, rewrites(gold))):
            for mutant in made:
                if mutant.text.strip() == gold.strip() and not mutant.same:
                    continue
                verdict = verify(gold, as_text(mutant.text), kind=kind, spec=spec)
                report.add(gold, mutant, verdict.is_right, str(verdict))
    return wrong, right
