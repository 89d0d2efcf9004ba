"""The rule ladder: each rule on questions of its kind, and what must hold for every rewrite."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogito_core.verify import verify
from cogito_data.reformulate import Unverifiable, reformulate, round_trip
from cogito_data.rules import Item, ladder, numeric, rule_on, wording
from tests.data.making import encoded, noise_picture, sample

KEPT = [
    ("labels", "Which shape completes the pattern?", ("A", "B", "C", "D")),
    ("labels", "What does the picture show?", ("Figure 1", "Figure 2", "Figure 3")),
    ("labels", "According to the chart, which option is cheaper?", ("bus", "train")),
    ("meta_answer", "How long is AC?", ("none of these", "4", "5")),
    ("meta_answer", "Who is taller?", ("It cannot be determined", "Ann", "Ben")),
    ("meta_answer", "Which lines are parallel?", ("Both A and B", "a and b", "c and d")),
    ("leaning", "Which of the following is a mammal?", ("whale", "shark", "trout")),
    ("leaning", "Select the best estimate.", ("3", "30", "300")),
    ("leaning", "What is the closest planet in size?", ("Venus", "Mars", "Pluto")),
    ("leaning", "What animal does not eat meat?", ("cow", "lion", "wolf")),
    ("leaning", "Opposite angles of a parallelogram are ( ).", ("equal", "unequal", "right")),
    ("leaning", "下列说法正确的是", ("等腰", "直角", "钝角")),
    ("numeric", "How long is a truck?", ("8 feet", "8 yards", "8 miles")),
    ("numeric", "Which number is prime?", ("4", "6", "7")),
    ("numeric", "What are the lengths of the diagonals?", ("13", "26", "52")),
    ("leaning", "If frogs were removed, what animal would see more of its kind?", ("crickets", "deer", "hawks")),
    ("short_words", "How many days does it take to hatch?", ("1-2", "3-4", "10-12")),
    ("short_words", "Which country is this?", ("Chad", "Mali", "Niger")),
    ("short_words", "What is the largest city of the state?", ("Reno", "Elko", "Ely")),
    ("short_words", "What is on the table?", ("a cup", "a fork", "a knife")),
    ("short_words", "What colour is it?", ("red", "dark red", "green")),
    ("phrases", "When did the travellers rest?",
     ("as soon as the sun was down", "when they had crossed the pass", "before the bridge was built")),
    ("leaning", "What happens to the rabbits when the foxes leave?", ("increase", "decrease", "nothing")),
    ("leaning", "What feeds on mice?", ("owls", "rabbits", "trees")),
    ("leaning", "How is the owl related to the mouse?", ("predator", "prey", "producer")),
    ("leaning", "In what ways are whales and bats alike?", ("mammals", "birds", "fish")),
    ("leaning", "What is shown in the diagram?", ("moon phases", "seasons", "tides")),
    ("leaning", "What does this picture illustrate?", ("erosion", "melting", "cooling")),
    ("leaning", "What would happen if the krill died out?", ("fewer whales", "more whales", "more krill")),
    ("labels", "Where is the nucleus?", ("Letter A", "Letter B", "Letter C")),
    ("labels", "When are the eggs laid?", ("Stage B", "Stage C", "Stage D")),
]


@pytest.mark.parametrize(("rule", "question", "options"), KEPT)
def test_doubtful_questions_keep_their_options(rule: str, question: str, options: tuple[str, ...]) -> None:
    ruling = rule_on(Item(question, options, 0))
    assert (ruling.rule, ruling.opened) == (rule, False)
    assert ruling.reason


OPENED = [
    ("numeric", "What is the value of x?", ("35", "40"), 0, "What is the value of x?", "35", "number"),
    ("numeric", "How far is it?", ("3 km", "4 km"), 1, "How far is it? Give the answer in km.", "4", "number"),
    ("numeric", "How many km is it?", ("3 km", "4 km"), 1, "How many km is it?", "4", "number"),
    ("numeric", "Find the area", ("9π", "12π"), 0, "Find the area. Give the exact value in terms of pi.", r"9\pi", "expression"),
    ("numeric", "What part is red?", ("1/2", "1/3"), 1, "What part is red? Give the answer as a fraction.", "1/3", "expression"),
    ("numeric", "The radius is 7 and the angle AOB is 100. How long is arc AB?", ("9", "12"), 1,
     "The radius is 7 and the angle AOB is 100. How long is arc AB? Round the answer to the nearest whole number.", "12", "number"),
    ("numeric", "What is the measure of arc AB?", ("90°", "120°"), 1, "What is the measure of arc AB? Give the answer in degrees.", "120", "number"),
    ("numeric", "Find AB.", ("5.31", "8.25"), 1, "Find AB. Round the answer to 2 decimal places.", "8.25", "number"),
    ("numeric", "Find AB to the nearest tenth.", ("5.3", "8.2"), 1, "Find AB to the nearest tenth.", "8.2", "number"),
    ("numeric", "What is the measure of angle A?", ("60°", "75°"), 0, "What is the measure of angle A?", "60", "number"),
    ("numeric", "How many cats?", ("1,200", "900", "cannot be determined"), 0, "How many cats?", "1200", "number"),
    ("yes_no", "Is it red", ("yes", "no"), 1, "Is it red. Answer yes or no.", "no", "yes_no"),
    ("yes_no", "True or false: cats fly.", ("true", "false"), 1, "True or false: cats fly.", "false", "yes_no"),
    ("numeric", "How many animals eat mice?", ("3", "4", "5"), 0, "How many animals eat mice?", "3", "number"),
    ("numeric", "How far did the ship sail?", ("7√{2}海里", "7海里"), 1,
     "How far did the ship sail? Give the answer in nautical miles. Give the exact value.", "7", "number"),
    ("short_words", "What is shown at letter B?", ("pupa", "egg", "larva"), 0, "What is shown at letter B?", "pupa", "text"),
    ("short_words", "What does the label H represent?", ("heart", "lung", "liver"), 0, "What does the label H represent?", "heart", "text"),
    ("two_way", "Is it linear or nonlinear?", ("linear", "nonlinear"), 1, "Is it linear or nonlinear?", "nonlinear", "text"),
    ("two_way", "What is it made of?", ("silk", "glass"), 1, "What is it made of? Answer silk or glass.", "glass", "text"),
    ("short_words", "What is the capital of Ohio?", ("Reno", "Columbus", "Dover"), 1, "What is the capital of Ohio?",
     "Columbus", "text"),
]


@pytest.mark.parametrize(("rule", "question", "options", "gold", "new", "answer", "kind"), OPENED)
def test_safe_questions_are_opened(
    rule: str, question: str, options: tuple[str, ...], gold: int, new: str, answer: str, kind: str
) -> None:
    item = Item(question, options, gold)
    ruling = rule_on(item)
    assert (ruling.rule, ruling.opened, ruling.question, ruling.answer, ruling.kind) == (rule, True, new, answer, kind)
    assert round_trip(item, ruling) == ""


def test_two_equal_options_keep_their_letters() -> None:
    ruling = rule_on(Item("What is half of one?", ("0.50", "0.5", "2"), 0))
    assert (ruling.rule, ruling.opened) == ("twins", False)


def test_which_is_safe_where_the_candidates_are_visible() -> None:
    question, options = "Which club has the fewest members?", ("chess", "drama", "judo")
    assert not rule_on(Item(question, options, 1)).opened
    assert rule_on(Item(question, options, 1, visible=True)).opened


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-999, 999), min_size=2, max_size=5, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_options_does_not_matter(values: list[int], random: object) -> None:
    options = [str(value) for value in values]
    shuffled = list(options)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = rule_on(Item("What is the value of x?", tuple(options), 0))
    other = rule_on(Item("What is the value of x?", tuple(shuffled), shuffled.index(options[0])))
    assert one == other
    assert one.opened
    for option in options:
        assert verify(one.answer, option, kind=one.kind, spec=one.spec).is_right == (option == options[0])


def test_a_row_is_rewritten_with_its_history() -> None:
    row = sample("q", "How far is it?", "B", kind="choice", choices=("3 km", "4 km"), pictures=[encoded(noise_picture(1))])
    out = reformulate(row)
    assert out.problem == "<image>\nHow far is it? Give the answer in km."
    assert (out.answer, out.answer_kind, out.reformulation) == ("4", "number", "numeric")
    assert (out.original_problem, out.original_answer, out.choices) == ("How far is it?", "B", ("3 km", "4 km"))
    assert out.meta["chance"] == 0.0
    assert out.problem_hash != row.problem_hash


def test_a_kept_row_shows_its_options_once() -> None:
    row = sample("q", "Which of these is a bird?", "A", kind="choice", choices=("owl", "cat", "dog", "cow"))
    out = reformulate(row)
    assert out.problem == row.problem
    assert out.answer == "A"
    assert out.answer_spec["choices"] == ["owl", "cat", "dog", "cow"]
    assert out.meta["chance"] == 0.25
    assert out.reformulation == "none: leaning: the question leans on its list (these)"


def test_labels_inside_the_options_are_not_shown_twice() -> None:
    row = sample("q", "Which of these is a bird?", "B", kind="choice", choices=("A) cat", "B) owl"))
    out = reformulate(row)
    assert out.problem == "Which of these is a bird?\n(A) cat\n(B) owl"


def test_a_recipe_may_leave_a_source_as_it_is() -> None:
    row = sample("q", "What is x?", "A", kind="choice", choices=("3", "4"))
    out = reformulate(row, enabled=False)
    assert (out.problem, out.answer, out.answer_kind) == (row.problem, "A", "choice")


def test_a_gold_outside_the_options_is_unverifiable() -> None:
    with pytest.raises(Unverifiable, match="none of the 2 options"):
        reformulate(sample("q", "What is x?", "E", kind="choice", choices=("3", "4")))


@pytest.mark.parametrize("module", [wording, numeric, ladder])
def test_examples_in_the_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
