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


# What an unprejudiced reader tried: values cut out of their phrase, options found inside formulas, run-on replies.
@pytest.mark.parametrize(
    ("response", "gold", "kind", "outcome"),
    [
        ("Thus the area is 24 cm.", "24 cm^2", "quantity", "wrong"),
        ("Thus the area is 24 cm².", "24 cm^2", "quantity", "right"),
        ("The mass is 3000 grams.", "3 kg", "quantity", "right"),
        ("So she needs €15.50.", "$15.50", "money", "wrong"),
        ("The answer is at least 12.", "12", "integer", "undecidable"),
        ("The answer is 12√2.", "12", "integer", "wrong"),
        ("Thus, x > 12.", "12", "integer", "undecidable"),
        ("Thus, the total is twice 12.", "12", "integer", "undecidable"),
        ("The sum cannot be 36.", "36", "integer", "undecidable"),
        ("So 48 tiles are not enough.", "48", "integer", "undecidable"),
        ("The answer is 12, not 15.", "12", "integer", "right"),
        ("The answer is not 10 but 12.", "12", "integer", "right"),
        ("The result is minus 2.5.", "2.5", "decimal", "wrong"),
        ("The result is minus 2.5.", "-2.5", "decimal", "right"),
        ("So we get 12 million.", "12000000", "integer", "right"),
        ("The area is 9π.", "9\\pi", None, "right"),
        ("So AC is 2√7.", "2\\sqrt{7}", None, "right"),
        ("The equation is y = 2x - 3.", "y=2x-3", "equation", "right"),
        ("First, 6 × 4 = 24. Then we subtract the area of the triangle, which is", "24", "integer", "undecidable"),
        ("#### 12\n\nQuestion: Sam has 3 apples and buys 4. How many?\nAnswer: 7\n#### 7", "12", "integer", "right"),
        ("<answer>12</answer><answer>15</answer>", "15", "integer", "undecidable"),
        ("The answer is yes or no.", "yes", "yes_no", "undecidable"),
    ],
)
def test_a_value_counts_with_what_stands_around_it(response: str, gold: str, kind: str | None, outcome: str) -> None:
    verdict = judge(response, gold, kind=kind)
    assert verdict.outcome == outcome, str(verdict)


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("\\boxed{\\frac{2}{3}}", None),
        ("\\boxed{\\frac{1}{2}}", "C"),
        ("\\boxed{2\\sqrt{3}}", None),
        ("So the value is $\\frac{3}{2}$.", None),
        ("So x = 12.", "B"),
        ("\\boxed{\\textbf{(B)}\\ 12}", "B"),
        ("\\boxed{12 \\text{ (D)}}", None),
        ("The answer is 12 (option C).", None),
        ("Option B is incorrect. D is correct.", "D"),
        ("Option A is not the answer.", None),
        ("The answer is A, or D.", None),
        ("The answer is B. No, C.", None),
        ("由此可得，故选B。", "B"),
        ("Answer: A\nAnswer: B\nAnswer: C\nAnswer: D", None),
        ("A. 2\nB. 12\nC. 1/2\nD. -2", None),
        ("If x > 0, then the answer is (A). Otherwise it is (B). It is not possible to determine x.", None),
        ("The answer is B.\n\nQuestion: How many blocks are there?\nAnswer: C", "B"),
    ],
)
def test_options_that_are_values(response: str, letter: str | None) -> None:
    found = extract(response, kind="choice", choices=["2", "12", "1/2", "-2"])
    assert (found.text if found.text in ("A", "B", "C", "D") else None) == letter, found


def test_several_letters_and_options_that_decline() -> None:
    many = ["p", "q", "r", "s"]
    for reply in ("Answer: AC", "故选AC。", "The correct statements are A and C.", "Thus A and C are correct."):
        assert judge(reply, "AC", kind="choices", choices=many).is_right, reply
    none = ["5", "6", "7", "None of the above"]
    assert extract("I count 9 cubes. None of the above.", kind="choice", choices=none).text == "D"


@pytest.mark.parametrize(
    ("gold", "response", "outcome"),
    [
        ("(2, 3)", "The intersection point is at x = 2 and y = 3.", "right"),
        ("(2, 3)", "They meet where x = 3 and y = 2.", "wrong"),
        ("(1, -2, 4)", "So the point has $x = 1$, $y = -2$ and $z = 4$.", "right"),
        ("10:30", "The clock shows half past ten.", "right"),
        ("10:30", "The time is 10:30 AM.", "right"),
        ("10:30", "The clock shows half past eleven.", "wrong"),
        ("7:45", "It is a quarter to eight.", "right"),
        ("1:2", "The ratio is 1 to 2.", "right"),
        ("1:2", "The ratio is 2 to 1.", "wrong"),
        ("6.02e23", "It is 6.02 \\times 10^{23}.", "right"),
        ("3", "I first thought it was 4, but it's actually 3.", "right"),
        ("0", "There are no red objects left.", "right"),
        ("0", "There is no way to tell.", "undecidable"),
        ("3", "There are no red objects left.", "wrong"),
    ],
)
def test_values_that_a_sentence_says_in_its_own_way(gold: str, response: str, outcome: str) -> None:
    assert judge(response, gold).outcome == outcome


@pytest.mark.parametrize(
    ("gold", "response", "outcome"),
    [
        ("30", "The clock shows 5:30.", "undecidable"),
        ("30", "The clock shows 5:30, so 30 minutes have passed.", "right"),
        ("3", "three (3)", "right"),
        ("12", "There are twelve (12) apples.", "right"),
        ("12", "There are twelve (13) apples.", "wrong"),
        ("3\\times10^8 m/s", "The speed is 3×10⁸ m/s.", "right"),
        ("3\\times10^8 m/s", "The speed is 3×10⁷ m/s.", "wrong"),
        ("March 5, 2020", "It took place on 5 March 2020.", "right"),
        ("12", "Ans: 12", "right"),
        ("2", "On May 20th", "undecidable"),
        ("1", "The 15th floor", "undecidable"),
        ("8", "3 out of 8", "wrong"),
        ("85", "85 of 100 students", "right"),
        ("5", "Three of the five bars", "wrong"),
        ("3", "Three of the five bars", "right"),
        ("0", "No cars are visible.", "right"),
        ("12", "The sum is $12bn.", "wrong"),
        ("$12 billion", "The sum is $12bn.", "right"),
        ("1.234", "It is 1.234.567.", "undecidable"),
        ("1", "The values are 1,2,3.", "undecidable"),
        ("12", "Answer - 12", "right"),
        ("-12", "The answer is -12", "right"),
        ("3", "x^2 = 9, so x = 3", "right"),
        ("9", "x^2 = 9, so x = 3", "wrong"),
        ("5", "AB = 3, BC = 4, so AC = 5", "right"),
        ("3/8", "The fraction is 3 out of 8.", "right"),
        ("8", "The fraction is 3 out of 8.", "wrong"),
        ("15", "The answer is 15 (not 12).", "right"),
        ("12", "The answer is 15 (not 12).", "wrong"),
        ("March 5, 2020", "It took place on March 6, 2020.", "wrong"),
    ],
)
def test_parts_of_times_and_numbers_said_twice(gold: str, response: str, outcome: str) -> None:
    assert judge(response, gold).outcome == outcome


@pytest.mark.parametrize(
    ("gold", "response", "outcome"),
    [
        ("red", "The car is red, not blue.", "right"),
        ("café", "The word is café.", "right"),
        ("café", "cafe\u0301", "right"),
        ("naïve", "It is native.", "wrong"),
        ("blue", "The car is red, not blue.", "wrong"),
        ("Paris", "The city in the picture is **Paris**, the capital of France.", "right"),
        ("South Africa", "South Africa has the highest value (54%), followed by Kenya.", "right"),
        ("Kenya", "South Africa has the highest value (54%), followed by Kenya.", "wrong"),
        ("Germany", "Germany has a lower value than France.", "wrong"),
        ("Germany", "Germany has the highest value, but not in 2020.", "wrong"),
        ("Germany", "Germany and France have the highest value.", "wrong"),
        ("increase", "The population would most likely increase.", "right"),
        ("increase", "It will not increase.", "wrong"),
        ("decrease", "It will increase, not decrease.", "wrong"),
        ("no", "The statement is false, so no.", "right"),
        ("yes", "The statement is false, so no.", "wrong"),
    ],
)
def test_a_sentence_around_a_text(gold: str, response: str, outcome: str) -> None:
    assert judge(response, gold).outcome == outcome


@pytest.mark.parametrize(
    ("gold", "response", "outcome"),
    [
        ("3:4", "The ratio is not 3:4.", "undecidable"),
        ("3:45", "It is not 3:45.", "undecidable"),
        ("3:45", "It is before 3:45.", "undecidable"),
        ("July 4, 1776", "It was signed before July 4, 1776.", "undecidable"),
        ("16", "Answer: 16 percent of 50", "undecidable"),
        ("yes", "I would not say yes.", "undecidable"),
        ("0", "There is no image attached to your message. Could you upload it again?", "undecidable"),
        ("4", "The answer is <b>4</b>.", "right"),
        ("5/6", "Probability = 5/6 ≈ 0.833", "right"),
        ("2\\sqrt{3}", "So x = \\sqrt{12} ≈ 3.46.", "right"),
        ("19.5°", "By Snell's law, so sin θ₂ = sin 30° · (1.0/1.5) = 0.333 and θ₂ ≈ 19.5°.", "right"),
        ("30°", "Thus the angle is $\\frac{\\pi}{6}$.", "right"),
    ],
)
def test_denials_bounds_and_statements(gold: str, response: str, outcome: str) -> None:
    assert judge(response, gold).outcome == outcome
