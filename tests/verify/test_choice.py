"""Multiple choice: options that look alike are told apart; two printed alike are one answer."""

from __future__ import annotations

import pytest

from cogito_core.verify import verify


@pytest.mark.parametrize(
    ("choices", "gold", "answer", "outcome"),
    [
        (("Dear ms. Allen,", "Dear Ms. Allen,"), "B", "A", "wrong"),
        (("Dear ms. Allen,", "Dear Ms. Allen,"), "B", "Dear Ms. Allen,", "right"),
        (("Dear ms. Allen,", "Dear Ms. Allen,"), "B", "Dear ms. Allen,", "wrong"),
        (("Dear ms. Allen,", "Dear Ms. Allen,"), "B", "DEAR MS. ALLEN,", "undecidable"),
        (("√{3}", "√{6}", "3", "6"), "C", "A", "wrong"),
        (("√{3}", "√{6}", "3", "6"), "C", "√{3}", "wrong"),
        (("√{3}", "√{6}", "3", "6"), "A", "√{3}", "right"),
        (("red", "blue", "red"), "A", "C", "right"),
    ],
)
def test_options_that_look_alike_are_told_apart(
    choices: tuple[str, ...], gold: str, answer: str, outcome: str
) -> None:
    assert verify(gold, answer, kind="choice", choices=choices).outcome == outcome
