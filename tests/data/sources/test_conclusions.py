"""The answer of a conclusion or a worked solution: read where its words are certain, refused where they are not."""

from __future__ import annotations

import time

import pytest

from cogito_core.verify import verify
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.shapes.conclusions import conclusion, final_answer

ROW = Row("file.json, row 3", {})
QUESTION = "Find the value of x. 求∠AOB的度数"


@pytest.mark.parametrize(("text", "answer", "kind", "unit"), [
    ("The answer is St. Louis.", "St. Louis", "text", None),
    ("The answer is Dr. Smith", "Dr. Smith", "text", None),
    ("The final answer is the U.S. Virgin Islands.", "the U.S. Virgin Islands", "text", None),
    ("The answer is the U.S. It is large.", "the U.S.", "text", None),
    ("The answer is Jan. 5, 2010.", "Jan. 5, 2010", "text", None),
    ("The answer is J. Smith.", "J. Smith", "text", None),
    ("The answer is red. It is the colour of the car.", "red", "text", None),
    ("The answer is Paris. Many people live there.", "Paris", "text", None),
    ("The Statue of Liberty", "The Statue of Liberty", "text", None),
    ("a red car.", "a red car", "text", None),
    (r"\(\boxed{\frac{12!}{20}}\).", r"\frac{12!}{20}", "expression", None),
    (r"\boxed{5!}", "5!", "text", None),
    ("The answer is brown! It is.", "brown", "text", None),
    (r"\boxed{None of the above choices}", "None of the above choices", "text", None),
    ("<think>\nThe answer is 7.\n</think>\n<answer>\n5\n</answer>", "5", "number", None),
    ("The answer is Isosceles so far", "Isosceles so far", "text", None),
    ("Three", "3", "number", None),
    ("The answer is: yes", "yes", "yes_no", None),
    ("The answer is therefore 3.5 cm.", "3.5", "number", "cm"),
    ("The answer is 30°.", "30", "number", "°"),
    (r"\boxed{30^\circ}", "30", "number", "°"),
    ("The answer is $4,500.", "4500", "number", "$"),
    ("The answer is 45%", "45", "number", "%"),
    ("The answer is 12 square feet.", "12", "number", "square feet"),
    ("The length is 5 cm.", "5", "number", "cm"),
    (r"\boxed{5\text{ cm}}", "5", "number", "cm"),
    (r"\boxed{5\,\mathrm{cm}^2}", "5", "number", "cm^2"),
    (r"\boxed{12{,}345}", "12345", "number", None),
    (r"\boxed{1} then \boxed{2}", "2", "number", None),
    (r"\boxed{2}, that is \boxed{2}", "2", "number", None),
    (r"The answer is $\frac{1}{2}$ cm.", r"\frac{1}{2}", "expression", "cm"),
    (r"\boxed{\text{isosceles}}", "isosceles", "text", None),
    ("The answer is 5. This answer is correct.", "5", "number", None),
    ("解：所以角度为30°。答案是30°", "30", "number", "°"),
    ("答案为：12平方厘米。", "12", "number", "平方厘米"),
    (r"故答案为：$2\sqrt{3}$", r"2\sqrt{3}", "expression", None),
    ("故答案为：平行四边形", "平行四边形", "text", None),
    ("答案为30°，因为两直线平行。", "30", "number", "°"),
    ("解：由题意得 x+2=7，∴x=5。", "5", "number", None),
    ("所以∠AOB=30°。", "30", "number", "°"),
    ("因此面积为 12 cm²", "12", "number", "cm²"),
    ("等腰三角形", "等腰三角形", "text", None),
    ("x = 5cm", "5", "number", "cm"),
    (r"\boxed{x=5}", "5", "number", None),
    ("$x=5$", "5", "number", None),
])
def test_what_is_stated_is_the_gold(text: str, answer: str, kind: str, unit: str | None) -> None:
    gold = conclusion(ROW, text, (), QUESTION)
    assert (gold.answer, gold.kind, gold.spec.get("unit")) == (answer, kind, unit)


@pytest.mark.parametrize(("text", "sentence"), [
    ("Yes, the answer is not clear but red.", "is prose"),
    ("A man is riding a horse", "is prose"),
    ("The answer is cat. Dogs bark.", "not certain where the answer ends"),
    ("The answer is Main St. The road ends.", "not certain where the answer ends"),
    ("The answer is approximately 3.5 cm.", "approximate"),
    ("所以面积约为3.14", "approximate"),
    ("The answer is 3 or 4.", "prose"),
    ("答案是3或4", "prose"),
    (r"\boxed{3} or \boxed{4}", "two answers"),
    ("A man is riding a horse.", "states no final answer"),
    ("这个三角形是直角三角形。", "prose"),
    ("答：小明有5个苹果。", "prose"),
    ("故选：B", "shows no options"),
    (r"\boxed{A}", "shows no options"),
    ("So y = 3.", "does not ask for y"),
    ("The picture was taken on a rainy day at the old market in town", "states no final answer"),
    ("This answer is correct.", "states no final answer"),
    ("The function starts decreasing at 1.", "states no final answer"),
    ("The answer is (B) no.", "shows no options"),
    ("Thus, the answer is D (2).", "shows no options"),
    ("The answer is 180.</think>", "prose"),
    ("The answer is 5!", "factorial"),
    ("The answer is A, yes.", "shows no options"),
    ("the correct answer is None (D).", "shows no options"),
    ("the answer is definitely **(A) Yes**.", "shows no options"),
])
def test_what_is_not_certain_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadRow, match=sentence) as caught:
        conclusion(ROW, text, (), QUESTION)
    assert caught.value.reason == "unclear_gold"


@pytest.mark.parametrize(("question", "text", "answer"), [
    ("What is the length of $AB$?", "AB=5", "5"),
    ("如图，AB的长为（  ）", "AB=5", "5"),
    (r"Find the measure of $\angle A$.", r"\angle A = 30^\circ", "30"),
    ("Find CD.", "AB = CD = 5", "5"),
    ("Find the equation of the axis of symmetry", "x=5", "x=5"),
    ("Find y in terms of x", r"\boxed{y=2x+1}", "y=2x+1"),
    ("In the figure AB is a diameter. Find CD.", "AB=5", None),
])
def test_a_named_value_is_the_value_only_if_it_is_asked_for(question: str, text: str, answer: str | None) -> None:
    if answer is None:
        with pytest.raises(BadRow, match="does not ask for AB"):
            conclusion(ROW, text, (), question)
        return
    assert conclusion(ROW, text, (), question).answer == answer


@pytest.mark.parametrize(("text", "letter"), [
    ("B", "B"), ("The answer is B.", "B"), ("The correct answer is B. dog", "B"), ("The answer is dog.", "B"),
    ("(B) dog", "B"), ("B: dog", "B"), ("**B**", "B"), ("The correct option is B.", "B"), ("故选：B", "B"),
    ("答案：C", "C"), ("由此可知，选C.", "C"), ("故选（C）", "C"), ("答案是B，故选B", "B"), ("因此选项B正确。", "B"),
    ("选项B是错的，故选A", "A"), ("The answer is B. Dogs bark.", "B"), ("The answer is dog. It barks.", "B"),
    (r"\boxed{dog}", "B"), ("So the answer is option C.", "C"),
    ("cow", "C"), ("A. 错误，不是猫。\nB. 正确。\n故选：B", "B"), ("A. It is no cat.\nB. It is a dog.", None),
    ("D", None), ("The answer is A dog", None), ("The answer is B or C", None), ("A, B", None), ("B. cow", None),
    ("The dog is B", None), ("选项B错误", None),
])
def test_the_option_that_is_named(text: str, letter: str | None) -> None:
    choices = ("cat", "dog", "cow")
    if letter is None:
        with pytest.raises(BadRow):
            conclusion(ROW, text, choices, "Which?")
        return
    assert conclusion(ROW, text, choices, "Which?").answer == letter


@pytest.mark.parametrize("text", ["can't tell", "is raining", "not clear", "A man is riding a horse."])
def test_short_answers_of_people_are_any_words(text: str) -> None:
    assert final_answer(ROW, text, label=True) == text


@pytest.mark.parametrize(("text", "right"), [
    ("x = 5cm", ("5", "5 cm", "x = 5", "50 mm")), ("The answer is 30°.", ("30", "30°", r"30^\circ")),
    (r"\boxed{12{,}345}", ("12345", "12,345")), ("答案为：12平方厘米。", ("12", "12 cm^2", "12平方厘米")),
    ("The answer is $4,500.", ("4500", "$4,500", "4,500 dollars")),
])
def test_right_answers_are_right_against_the_gold(text: str, right: tuple[str, ...]) -> None:
    gold = conclusion(ROW, text, (), QUESTION)
    for answer in right:
        assert verify(gold.answer, answer, kind=gold.kind, spec=gold.spec).is_right, answer


@pytest.mark.parametrize("text", [
    "the answer is " * 20_000, "a" * 200_000, r"\boxed{" * 20_000, "= " * 50_000, "A. " * 30_000, "12 " * 50_000 + "cm",
    "答案是" * 50_000,
])
def test_a_long_text_is_refused_without_reading_it_many_times(text: str) -> None:
    started = time.process_time()
    for choices in ((), ("cat", "dog")):
        with pytest.raises(BadRow):
            conclusion(ROW, text, choices, text)
    assert time.process_time() - started < 30, "quadratic in the length of the text: it takes milliseconds else"
