"""Extraction: ranks, conflicts, thinking, letters, prose."""

from __future__ import annotations

import pytest

from cogito_core.verify import extract, judge


@pytest.mark.parametrize(
    ("response", "kind", "text"),
    [
        ("<think>\\boxed{1}</think> \\boxed{42}", "number", "42"),
        ("<think>\\boxed{42}</think> I give up.", "number", None),
        ("<think>the answer is 42", "number", None),
        ("work 99</think>Final: \\boxed{42}", "number", "42"),
        ("<answer>\\boxed{\\frac{1}{2}}</answer>", "number", "\\frac{1}{2}"),
        ("<answer> 84 </answer>", "number", "84"),
        ("<CONCLUSION> (B) </CONCLUSION>", "choice", "B"),
        ('{"answer": "42"}', "number", "42"),
        ("6 * 7 = 42\n#### 42", "number", "42"),
        ("Answer: 41 was a wrong guess.\nAnswer: 42", "number", "42"),
        ("The answer is 42 because geometry proves it", "number", "42"),
        ("So Chase will spend 0.9 * $3 = $2.7.", "number", "$2.7"),
        ("There are three objects in the picture.", "number", "3"),
        ("The area is 5 x 6 = 30. I hope this helps!", "number", "30"),
        ("It costs between 40 and 60 dollars.", "number", None),
        ("The image does not provide enough information to determine the age.", "number", None),
        ("Therefore, the domain is [-4, 0).", "interval", "[-4, 0)"),
        ("Therefore, the answer is $x=1$ or $x=-3$.", "list", "$x=1$ or $x=-3$"),
        ("\\boxed{1} and \\boxed{-2}", "list", "1, -2"),
        ("\\boxed{10} and then \\boxed{42}", "number", None),
        ("First \\boxed{10}.\nTherefore, the final answer is \\boxed{42}.", "number", "42"),
        ("Yes, because it is red.", "yes_no", "Yes"),
        ("The figure shows a cat.", "yes_no", None),
        ("因此，答案是42。", "number", "42"),
        ("$\\boxed{28}$ pct", "number", "28 %"),
    ],
)
def test_values(response: str, kind: str, text: str | None) -> None:
    assert extract(response, kind=kind).text == text


OPTIONS = ["red", "green", "blue", "yellow"]


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("b", "B"),
        ("**B**", "B"),
        ("\\boxed{B}", "B"),
        ("\\boxed{\\text{(B) green}}", "B"),
        ("The correct answer is (B) green.", "B"),
        ("Answer: B", "B"),
        ("I think it's B.", "B"),
        ("Option B is correct.", "B"),
        ("It is not A, therefore I think it's B", "B"),
        ("The answer is green.", "B"),
        ("green", "B"),
        ("B\n\nBecause the leaf is green.", "B"),
        ("The leaf is bright.\n\nB", "B"),
        ("D. it can't be A or B", "D"),
        ("The answer is A. Wait, no. The answer is C.", "C"),
        ("A. red\nB. green\nC. blue\nD. yellow\n\nAnswer: C", "C"),
        ("The answer is (B) blue.", None),
        ("The answer is A or B.", None),
        ("It is not B.", None),
        ("(A) red\n(B) green\n(C) blue\n(D) yellow", None),
        ("I'm sorry, I cannot answer this question.", None),
        ("The answer is E.", None),
        ("None of the options is correct.", None),
        ("\\boxed{A}\\boxed{B}", None),
        ("", None),
        (
            "If it is red, the answer is (A). If not, the answer is (B). Without the image I cannot determine it.",
            None,
        ),
        ("The answer is A dog.", None),
        ("I know the answer.", None),
        ("<think>B</think>", None),
    ],
)
def test_letters(response: str, letter: str | None) -> None:
    found = extract(response, kind="choice", choices=OPTIONS)
    assert found.text == letter, found
    if letter is None:
        assert found.conflict


def test_several_letters() -> None:
    assert extract("The answers are A and C.", kind="choices", choices=OPTIONS).text == "A, C"
    assert extract("\\boxed{A, C}", kind="choices", choices=OPTIONS).text == "A, C"


def test_the_span_is_the_place_in_the_whole_response() -> None:
    response = "<think>\\boxed{7}</think>\n  So \\boxed{42} it is."
    found = extract(response, kind="number")
    assert found.span is not None and response[found.span[0] : found.span[1]] == "42"
    assert all(response[c.span[0] : c.span[1]].strip() == c.text for c in found.candidates)
    verdict = judge(response, "42")
    assert verdict.span == found.span and verdict.extracted == "42"


@pytest.mark.parametrize(
    ("response", "gold", "outcome"),
    [
        ("\\boxed{A}\\boxed{B}", "B", "undecidable"),
        ("42 or 43", "42", "wrong"),
        ("I do not know", "None", "wrong"),
        ("The answer is \\boxed{42 \\text{ or } 7}", "42", "wrong"),
        ("", "42", "undecidable"),
        ("<think>42</think>", "42", "undecidable"),
        ("10%", "10", "wrong"),
        ("The share is 80%.", "80", "right"),
        ("The capital is Paris.", "Paris", "right"),
        ("The capital is Paris or Lyon.", "Paris", "wrong"),
        ("The capital is not Paris.", "Paris", "wrong"),
    ],
)
def test_judging(response: str, gold: str, outcome: str) -> None:
    assert judge(response, gold).outcome == outcome


def test_long_responses_are_read_at_their_end() -> None:
    filler = "We compute more. " * 20_000
    assert extract(filler + "The answer is 42.", kind="number").text == "42"
    assert extract("\\boxed{42} " + filler, kind="number").text == "42"
