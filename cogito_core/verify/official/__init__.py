"""The benchmarks' released scoring rules, written from their descriptions: `OFFICIAL[name](row) -> Verdict`.

A row has the keys of `cogito-eval grade` (gold, choices, response or extraction, question_type, answer_type,
precision, unit) plus what one benchmark needs (index2ans, gt_content, precise_value).
`compat` is the paper's reward, for comparison. No rule raises on any row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cogito_core.verify.official import (
    compat,
    dynamath,
    letters,
    mathvista,
    mmmu,
    olympiadbench,
    puzzles,
    tables,
    values,
    vqa,
)
from cogito_core.verify.official.row import text_of, verdict
from cogito_core.verify.verdict import Verdict

Rule = Callable[[Mapping[str, Any]], Verdict]


def _safe(name: str, rule: Rule) -> Rule:
    """The rule, with an undecidable verdict where a row's types are not what any release writes."""

    def score(row: Mapping[str, Any]) -> Verdict:
        try:
            return rule(row)
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
            return verdict(
                name,
                False,
                text_of(row, "gold"),
                None,
                extracted=text_of(row, "extraction", "response")[:400],
                expectation=0.0,
                rule=f"{name}, unreadable row",
                reason=f"the row cannot be read by the rule: {type(error).__name__}",
            )

    score.__name__ = name
    score.__doc__ = rule.__doc__
    return score


OFFICIAL: dict[str, Rule] = {
    name: _safe(name, rule)
    for name, rule in {
        "mathvista": mathvista.score,
        "mathvista_truncating": mathvista.score_truncating,
        "mathvision": values.mathvision,
        "mathverse": values.mathverse,
        "logicvista": letters.logicvista,
        "geometry3k": values.geometry3k,
        "scienceqa": letters.scienceqa,
        "mmmu": mmmu.mmmu,
        "mmmu_pro": mmmu.mmmu_pro,
        "emma": values.emma,
        "chartqa": tables.chartqa,
        "tabmwp": tables.tabmwp,
        "mmstar": letters.mmstar,
        "wemath": letters.wemath,
        "dynamath": dynamath.score,
        "olympiadbench": olympiadbench.score,
        "ai2d": letters.ai2d,
        "blink": letters.blink,
        "hallusionbench": letters.hallusionbench,
        "puzzlevqa": puzzles.puzzlevqa,
        "visulogic": puzzles.visulogic,
        "mm_iq": puzzles.mm_iq,
        "vqa": vqa.score,
        "compat": compat.score,
    }.items()
}

__all__ = ["OFFICIAL", "Rule"]
