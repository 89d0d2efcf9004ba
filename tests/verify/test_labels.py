"""Agreement with real verdicts. The thresholds are those of issue 3; what differs is listed in docs/verifier-audit.md."""

from __future__ import annotations

import pytest

from . import measure
from .conftest import Loader

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("mathvista", 0.999),
        ("tabmwp", 0.999),
        ("scienceqa", 0.999),
        ("mathvision", 0.995),
        ("olympiadbench_examples", 1.0),
        ("emma", 0.99),
        ("mmmu_pro", 0.999),
        ("blink", 0.999),
        ("logicvista", 0.999),
        ("mmstar", 0.995),
        ("hallusionbench", 0.999),
    ],
)
def test_the_released_rules_give_the_stored_verdicts(labels: Loader, name: str, least: float) -> None:
    found = measure.official(labels(name), measure.OFFICIAL_FILES[name])
    assert found.rate >= least, str(found)


@pytest.mark.parametrize(
    ("name", "least", "most_false_accepts"),
    [
        ("tabmwp", 0.998, 0.001),
        ("mathcoder", 0.985, 0.004),
        ("superclevr", 1.0, 0.0),
        ("qwen25math", 0.995, 0.002),
        ("geoqa", 0.96, 0.0),
    ],
)
def test_our_own_rules_on_given_extractions(
    labels: Loader, name: str, least: float, most_false_accepts: float
) -> None:
    found = measure.strict(labels(name))
    assert found.rate >= least, str(found)
    assert len(found.false_accepts) <= most_false_accepts * found.rows, str(found)


@pytest.mark.parametrize(
    ("name", "kind", "least"),
    [
        ("emma", None, 0.985),
        ("mmmu_pro", None, 0.975),
        ("blink", "choice", 0.97),
        ("mmstar", "choice", 0.99),
        ("mathvision", None, 0.975),
        ("hallusionbench", "yes_no", 0.995),
    ],
)
def test_raw_responses(labels: Loader, name: str, kind: str | None, least: float) -> None:
    found = measure.raw(labels(name), kind)
    assert found.rate >= least, str(found)


def test_mathvista_prose(labels: Loader) -> None:
    rows = labels("mathvista")
    found = measure.mathvista_prose(rows)
    used = [
        row
        for row in rows
        if row["question_type"] == "free_form"
        and "code" not in row["run"]
        and len(row["response"] or "") >= measure.MIN_PROSE
    ]
    assert found.rate >= 0.985 and measure.balanced(found, used) >= 0.96, str(found)


def test_letters_from_prose(labels: Loader) -> None:
    found = measure.letters(measure.letter_rows(labels))
    assert found.recovered >= 0.85 and found.agreement >= 0.97, str(found)
    assert found.inventions <= 0.05, str(found)


def test_the_peers_suites(labels: Loader) -> None:
    rows = labels("peer_suites")
    differing = measure.peer_suites(rows)
    counted = measure.peer_rows(rows)
    assert len(differing) <= 0.05 * len(counted), [
        (row["gold"], row["pred"], str(verdict)) for row, verdict in differing
    ]
