"""Options in every form that upstream ships them in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_eval.item import LETTERS
from cogito_eval.options import options_in_problem, read_options


@pytest.mark.parametrize(
    ("value", "form", "options"),
    [
        (["4", "8"], "list", ("4", "8")),
        ([1.0, 2.5, 3], "list", ("1", "2.5", "3")),
        ({"B": "two", "A": "one"}, "list", ("one", "two")),
        ("['red', \"it's\"]", "python", ("red", "it's")),
        ('["a", "b"]', "python", ("a", "b")),
        ("[['A', 'B', 'neither']]", "python", ("A", "B", "neither")),
        ("A. 3, 5;B. 4; C. neither.", "semicolons", ("3, 5", "4", "neither.")),
        ("A. ①;B．②;C. ③", "semicolons", ("①", "②", "③")),
        ("A. 45° B. 60° ;C. 120°", "semicolons", ("45°", "60°", "120°")),
        ("A. to make shape ;C.; B. to make shape ;C.; C. none", "semicolons",
         ("to make shape C.", "to make shape C.", "none")),
        (None, "list", ()),
        ("", "python", ()),
    ],
)
def test_forms(value, form, options):
    assert read_options(value, form) == options


@pytest.mark.parametrize("value", ["__import__('os').system('true')", "['a'", "7", "(" * 4000])
def test_what_is_no_list_is_refused_and_never_run(value):
    with pytest.raises(ValueError, match="printed list"):
        read_options(value, "python")


@pytest.mark.parametrize(
    ("problem", "options"),
    [
        ("Find CED ()\nChoices:\nA:40°\nB:60°\nC:120°", ("40°", "60°", "120°")),
        ("Which?\nOptions: A: New York, B: Washington, D.C., C: Boston", ("New York", "Washington, D.C.", "Boston")),
        ("Who?\nOptions: A: Team A and Team B., B: Team A and Team C.", ("Team A and Team B.", "Team A and Team C.")),
        ("Which point?\nOptions: A: (A), B: (B), C: (C)", ("(A)", "(B)", "(C)")),
        ("Pick.\nA. Hydrogen\nB. Oxygen\nAnswer with the letter.", ("Hydrogen", "Oxygen")),
        ("Next?\nChoices:\n(A) A\n(B) B", ("A", "B")),
        ("Bearing?\nChoice:\nA. 090^\\circ T\nB. 180^\\circ T", ("090^\\circ T", "180^\\circ T")),
        ("Triangle ABC has A. Find B.", ()),
        ("No options here", ()),
    ],
)
def test_options_inside_the_question(problem, options):
    assert options_in_problem(problem) == options


_words = st.text(alphabet="abcdefghij 0123456789", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(st.lists(_words, min_size=2, max_size=8))
def test_lettered_lines_are_read_back(options):
    text = "Which one?\nChoices:\n" + "\n".join(f"({LETTERS[i]}) {text}" for i, text in enumerate(options))
    assert options_in_problem(text) == tuple(options)


@given(st.text(max_size=300))
def test_any_text_gives_options_or_none(text):
    assert isinstance(options_in_problem(text), tuple)


def test_copies_keep_options_in_other_forms():
    for form in ("list", "python", "semicolons"):
        assert read_options(["x", "y"], form) == ("x", "y")
        assert read_options({"B": "y", "A": "x"}, form) == ("x", "y")
        assert read_options("['x', 'y']", form) == ("x", "y")
        assert read_options([["x", "y"]], form) == ("x", "y")
    assert read_options(["x", "y", None], "list") == ("x", "y")
