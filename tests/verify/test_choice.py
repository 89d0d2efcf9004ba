"""Multiple choice: options that look alike are told apart; two printed alike are one answer."""

from __future__ import annotations

import pytest

from cogito_core.verify import extract, verify


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


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("The answer is (B).\n\nSo ∠D = ∠COD + ∠DOC = 180° = **(B)**.", "B"),  # the bold letter is no other value
        ("The answer is (B).\n\n**Proof:** see above.", "B"),
        ("The answer is (B).\n\nTherefore the angle is **25°**.", None),
    ],
)
def test_a_bold_text_contradicts_a_letter_only_by_another_value(response: str, letter: str | None) -> None:
    assert extract(response, kind="choice", choices=["25°", "40°", "50°", "65°"]).text == letter


def test_a_bold_option_without_a_number_contradicts_another_letter() -> None:
    assert extract("The answer is (A).\n\nSo the value is **k**.", kind="choice", choices=["2k", "k"]).text is None


ANIMALS = ["crickets", "deer", "snakes", "hawks"]


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("A is incorrect. B is incorrect. C is incorrect. Therefore D.", "D"),
        ("Crickets (A) would increase while deer (B) stay the same. So A.", "A"),
        ("Eliminating A, B, and C leaves D.", "D"),
        ("Eliminating D leaves A, B and C.", None),
        ("So the answer would be B... no, it should be A.", "A"),
        ("The answer is crickets, not deer.", "A"),
        ("Deer rather than crickets.", "B"),
        ("It is the deer, and not the snakes or the hawks.", "B"),
        ("Option C might look right at first, but the right one is D.", "D"),
        ("A: the rabbit eats plants... actually the answer is B", "B"),
        ("At first glance A is correct, but on closer inspection it is B.", "B"),
        ("My best guess is C.", "C"),
        ("So C must be right.", "C"),
        ("D is the one that fits.", "D"),
        ("Only C is consistent with the figure.", "C"),
        ("I initially chose C but B fits better.", "B"),
        ("Not C, but B.", "B"),
        ("It can't be C. It is B.", "B"),
        ("It is a deer.", "B"),
        ("Eliminate C. Answer B", "B"),
        ("Among the options A, B, C and D, B fits.", "B"),
        ("Answer: C? No, D.", None),
        ("Answer - C", "C"),
        ("=> C", "C"),
        ("$\\therefore$ C", "C"),
        ("Probably C.", "C"),
        ("B would be wrong, so C", "C"),
        ("(C) is incorrect.", None),
        ("(C) is incorrect; (B) is correct.", "B"),
        ("C. snakes is wrong because they have none.", None),
        ("(A) First we note that the animal has four legs, so that it is no snake. The answer is C.", "C"),
        ("Options:\nA. crickets\nB. deer\nC. snakes\nD. hawks", None),
        ("The options are: (A) crickets (B) deer (C) snakes (D) hawks.", None),
        ("The answer is neither crickets nor deer.", None),
        ("Triangle ABC is isosceles, so A = B.", None),
    ],
)
def test_curt_conclusions_and_what_is_ruled_out(response: str, letter: str | None) -> None:
    assert extract(response, kind="choice", choices=ANIMALS).text == letter


@pytest.mark.parametrize(
    ("response", "letter"),
    [("The answer is (C) -1.", "C"), ("The answer is (D) -1.", None), ("The answer is C - 1", None)],
)
def test_a_sign_behind_a_letter_is_the_values(response: str, letter: str | None) -> None:
    assert extract(response, kind="choice", choices=["0", "2", "-1", "1"]).text == letter
