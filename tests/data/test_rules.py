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
    ("leaning", "Which of the following graphs has a slope of 2?", ("the red one", "the blue one", "neither")),
    ("leaning", "Consider the following. What is red?", ("the sofa", "the lamp", "the wall")),
    ("numeric", "What distance is shown?", ("1.2M", "2.4M", "3.6M")),
    ("numeric", "What is the temperature?", ("10K", "20K", "30K")),
    ("numeric", "How many parameters has it?", ("600K", "1.2M", "2.4M")),
    ("leaning", "What would the impact of fewer mackerel be?", ("fewer sharks", "more krill", "more tuna")),
    ("leaning", "What change could help the trout?", ("more insects", "fewer rivers", "more herons")),
    ("leaning", "How would fewer owls affect the mice?", ("increase", "decrease", "nothing")),
    ("leaning", "What provides energy to the bass?", ("shrimp", "clams", "crabs")),
    ("leaning", "What would be impacted by more owls?", ("mice", "grass", "sun")),
    ("leaning", "What is this diagram demonstrating?", ("leaf shapes", "tree size", "flower weight")),
    ("short_words", "What is the deer in this picture?", ("herbivore", "carnivore", "producer")),
    ("short_words", "How long does it take to hatch?", ("1-3 weeks", "2-4 months", "1-2 days")),
    ("short_words", "When is the solstice?", ("June 20-22", "June 13-15", "July 13-15")),
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
    ("two_way", "Look at the following schedule. Where does the bus stop at 9.15?", ("Elm Street", "Main Street"), 0,
     "Look at the following schedule. Where does the bus stop at 9.15? Answer Elm Street or Main Street.", "Elm Street",
     "text"),
    ("numeric", "What did it cost in the following year?", ("$3", "$5"), 1, "What did it cost in the following year?", "5",
     "number"),
    ("numeric", "How many users has it?", ("1.2M", "2.4M"), 0,
     "How many users has it? Give the answer in millions. Round the answer to 1 decimal place.", "1.2", "number"),
    ("numeric", "Find the measure of the arc x.", ("25", "50"), 1, "Find the measure of the arc x.", "50", "number"),
    ("numeric", "What was the revenue?", ("$3 billion", "$12 billion"), 1,
     "What was the revenue? Give the answer in billions of dollars.", "12", "number"),
    ("short_words", "How soon can she get there?", ("2:30 P.M.", "4:00 P.M.", "5:15 P.M."), 0,
     "How soon can she get there? Give a time of day.", "2:30 P.M.", "text"),
    ("numeric", "Find PT.", ("6", "20/3", "7"), 1, "Find PT. Give the exact value.", "20/3", "expression"),
    ("numeric", "What part is red?", ("½", "¼"), 1, "What part is red? Give the answer as a fraction.", "1/4", "expression"),
    ("numeric", "What is x?", ("１２", "１３"), 0, "What is x?", "12", "number"),
    ("numeric", "What is the learning rate?", ("1e-4", "1e-3"), 0, "What is the learning rate?", "1e-4", "expression"),
    ("numeric", "What is the temperature?", ("10 K", "20 K"), 1, "What is the temperature? Give the answer in K.", "20",
     "number"),
]


@pytest.mark.parametrize(("rule", "question", "options", "gold", "new", "answer", "kind"), OPENED)
def test_safe_questions_are_opened(
    rule: str, question: str, options: tuple[str, ...], gold: int, new: str, answer: str, kind: str
) -> None:
    item = Item(question, options, gold)
    ruling = rule_on(item)
    assert (ruling.rule, ruling.opened, ruling.question, ruling.answer, ruling.kind) == (rule, True, new, answer, kind)
    assert round_trip(item, ruling) == ""


@pytest.mark.parametrize(("said", "right"), [
    ("1.2", True), ("1.2 million", True), ("1,200,000", True), ("1.2M", True), ("2.4", False), ("2400000", False),
    ("1200", False),
])
def test_a_scale_may_be_written_in_any_way(said: str, right: bool) -> None:
    ruling = rule_on(Item("How many users has it?", ("1.2M", "2.4M"), 0))
    assert verify(ruling.answer, said, kind=ruling.kind, aliases=ruling.aliases, spec=ruling.spec).is_right is right


@pytest.mark.parametrize(("question", "options", "aliases"), [
    ("Which class begins first?", ("Ballet class", "Chess class", "Judo class"), ("Ballet",)),
    ("What begins first?", ("Ballet class", "Chess class", "Judo class"), ()),
    ("When does it begin?", ("2:55 P.M.", "3:10 P.M.", "4:00 P.M."), ("2:55 PM",)),
    ("At what time P.M.?", ("2:55 p.m.", "3:10 p.m.", "4:00 p.m."), ("2:55 pm",)),
])
def test_a_name_may_leave_out_what_the_question_says(
    question: str, options: tuple[str, ...], aliases: tuple[str, ...]
) -> None:
    ruling = rule_on(Item(question, options, 0, visible=True))
    assert (ruling.rule, ruling.opened, ruling.aliases) == ("short_words", True, aliases)


def test_options_that_the_picture_shows_are_kept() -> None:
    row = sample("q", "What is x?", "B", kind="choice", choices=("3", "4"))
    row.meta["options_in_picture"] = True
    out = reformulate(row)
    assert (out.problem, out.answer, out.answer_kind) == (row.problem, "B", "choice")
    assert out.reformulation == "none: printed: the picture shows the options as well"


def test_people_who_say_yes_or_no_are_guessed_half_of_the_time() -> None:
    row = sample("q", "Is it red?", "yes", kind="vqa")
    row.answer_spec = {"answers": ["yes"] * 9 + ["no"]}
    assert reformulate(row).meta["chance"] == 0.5
    row.answer_spec, row.answer = {"answers": ["red"] * 9 + ["no"]}, "red"
    assert reformulate(row).meta["chance"] == 0.0


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
