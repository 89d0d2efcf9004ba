"""Our own labelled pairs, mutants of golds, and what must hold for every pair. CI fails when false accepts rise."""

from __future__ import annotations

import pytest

from cogito_core.verify import verify
from cogito_core.verify.lint import lint_gold, mutate_golds
from cogito_core.verify.policy import parse_policy

from .suite import Pair, load

PAIRS = load()
MAX_FALSE_ACCEPTS = 0.001
MAX_FALSE_REJECTS = 0.003


def _faults(pairs: list[Pair]) -> list[str]:
    found = []
    for pair in pairs:
        verdict = verify(pair.gold, pair.answer, kind=pair.kind, choices=pair.choices)
        if verdict.is_right != pair.right:
            found.append(f"suite.txt line {pair.line}: gold {pair.gold!r}, answer {pair.answer!r}: {verdict}")
    return found


def test_the_suite_is_large_and_half_of_it_is_negative() -> None:
    assert len(PAIRS) >= 1000
    assert sum(not pair.right for pair in PAIRS) >= len(PAIRS) / 2


def test_wrong_answers_are_not_accepted() -> None:
    wrong = [pair for pair in PAIRS if not pair.right]
    faults = _faults(wrong)
    assert len(faults) <= MAX_FALSE_ACCEPTS * len(wrong), "\n".join(faults)


def test_right_answers_are_not_rejected() -> None:
    right = [pair for pair in PAIRS if pair.right]
    faults = _faults(right)
    assert len(faults) <= MAX_FALSE_REJECTS * len(right), "\n".join(faults)


def test_every_gold_matches_itself() -> None:
    faults = []
    for pair in {(p.gold, p.kind, p.choices): p for p in PAIRS}.values():
        verdict = verify(pair.gold, pair.gold, kind=pair.kind, choices=pair.choices)
        if not verdict.is_right:
            faults.append(f"line {pair.line}: {verdict}")
    assert not faults, "\n".join(faults)


def test_every_verdict_explains_itself() -> None:
    for pair in PAIRS[::5]:
        verdict = verify(pair.gold, pair.answer, kind=pair.kind, choices=pair.choices)
        assert verdict.kind and verdict.rule and verdict.policy == "exact"
        assert str(verdict).startswith(f"{verdict.outcome}: ") and len(str(verdict)) > len(verdict.outcome) + 2


def test_mutants_of_the_golds() -> None:
    golds = sorted({pair.gold for pair in PAIRS if not pair.choices and pair.kind in (None, "list")})
    wrong, right = mutate_golds((gold, None, None) for gold in golds)
    assert sum(wrong.tried.values()) > 200
    assert not wrong.failed["hedge"] and not wrong.failed["hedge in text"] and not wrong.failed["prefix"]
    assert sum(wrong.failed.values()) <= MAX_FALSE_ACCEPTS * sum(wrong.tried.values()), wrong.examples
    assert sum(right.failed.values()) <= MAX_FALSE_REJECTS * sum(right.tried.values()), right.examples


# The verifier pairs of vl-cogito.md 3.5 (12-17), with the verdicts a reader would give.
@pytest.mark.parametrize(
    ("gold", "answer", "kind", "right"),
    [
        ("None", "I do not know", "text", False),
        ("day", "hour", "text", False),
        ("meter", "second", "text", False),
        ("cell", "", "text", False),
        ("10 cm", "10 m", None, False),
        ("10 kg", "10 km", None, False),
        ("1,23", "12,3", None, False),
        ("(1,2)", "(12)", None, False),
        ("a and b", "ab", "text", False),
        ("no", "not enough", "text", False),
        ("May 2010", "June 2010", None, False),
        ("Q1 2015", "Q3 2015", "text", False),
        ("Group 3", "Class 3", "text", False),
        ("2 red 3 blue", "3", "text", False),
        ("A", "A.", None, True),
        ("A", "(A)", None, True),
        ("A", "a", None, True),
        ("A", "\\text{A}", None, True),
        ("cat", "the cat", "text", True),
        ("-3", "−3", None, True),
        ("0.5", "50\\%", None, True),
        ("\\frac{1}{2}", "\\frac{2}{4}", None, True),
        ("2^{100}", "2^{101}", None, False),
        ("6.02e23", "6.02e22", None, False),
        ("correct", "incorrect", "text", False),
        ("China", "Spain", "text", False),
    ],
)
def test_the_paper_rewards_traps(gold: str, answer: str, kind: str | None, right: bool) -> None:
    assert verify(gold, answer, kind=kind).is_right is right


@pytest.mark.parametrize(
    ("policy", "gold", "answer", "right"),
    [
        ("exact", "1/3", "0.333", False),
        ("significant(3)", "1/3", "0.333", True),
        ("rounded(2)", "3\\sqrt{2}", "4.24", True),
        ("rounded(2)", "3\\sqrt{2}", "4.25", False),
        ("rounded(1)", "2.5", "2.54", True),
        ("rounded(1)", "2.5", "2.55", False),
        ("relative(5%)", "100", "104.9", True),
        ("relative(5%)", "100", "105.1", False),
        ("relative(0.05)", "2010", "1915", True),
        ("relative(0.05,years)", "2010", "1915", False),
        ("relative(0.05,years)", "2010.5", "1915", True),
        ("relative(0.05,years,counts)", "20", "21", False),
        ("absolute(0.001)", "3.1416", "\\pi", True),
        ("absolute(0.001)", "3.14", "\\pi", False),
        ("mathvista(0)", "5", "5.9", True),
        ("mathvista(1)", "1.2", "1.24", True),
    ],
)
def test_policies(policy: str, gold: str, answer: str, right: bool) -> None:
    verdict = verify(gold, answer, policy=policy)
    assert verdict.is_right is right
    assert verdict.policy == parse_policy(policy).name


def test_spec_chooses_the_policy_and_the_unit() -> None:
    assert verify("1.2", "1.24", spec={"precision": 1}).is_right
    assert verify("100", "104", spec={"policy": "relative", "tolerance": 0.05}).is_right
    assert verify("1.50", "1.504", spec={"policy": "absolute", "tolerance": 0.005}).is_right
    assert verify("1000", "1 kg", spec={"unit": "g"}).is_right
    assert not verify("1000", "1000 kg", spec={"unit": "g"}).is_right
    assert verify("10", "10%", spec={"unit": "%"}).is_right
    assert not verify("5 cm", "5", spec={"units": "require"}).is_right
    assert verify("5 cm", "5 m", spec={"units": "ignore"}).is_right
    assert verify("100m", "100", kind="quantity").is_right and not verify("100m", "100").is_right


def test_aliases_are_other_golds() -> None:
    assert verify("couch", "sofa", kind="text", aliases=["sofa", "settee"]).is_right
    assert not verify("couch", "chair", kind="text", aliases=["sofa", "settee"]).is_right


def test_lint_finds_what_makes_a_gold_doubtful() -> None:
    assert lint_gold("42") == []
    assert [rule for rule, _ in lint_gold("")] == ["empty gold"]
    assert "double options" in [rule for rule, _ in lint_gold("A", "choice", ["red", "Red", "blue"])]
    assert "gold outside the options" in [rule for rule, _ in lint_gold("green", "choice", ["red", "blue"])]
    assert "ambiguous letter" in [rule for rule, _ in lint_gold("B", "choice", ["B", "A"])]
    assert "damaged characters" in [rule for rule, _ in lint_gold("\x0crac{36}{13}")]
