"""Rows, options, golds and pictures: the parts that adapters share, each against cases written by hand."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from source_makers import jpeg, png

from cogito_core.images import PictureError
from cogito_core.verify import verify
from cogito_data.sources.assemble import problem_text
from cogito_data.sources.pictures import check_picture
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.shapes.cauldron import cauldron_row, split_question
from cogito_data.sources.shapes.conclusions import final_answer, without_full_stop
from cogito_data.sources.shapes.golds import free_form, split_unit
from cogito_data.sources.shapes.hub import numbered
from cogito_data.sources.shapes.options import (
    bare_options,
    choice_as_written,
    choice_by_index,
    choice_by_letter,
    choice_by_text,
    options_in_text,
    read_letter,
    strip_option_labels,
)

ROW = Row("file.json, row 3", {})


@pytest.mark.parametrize(("text", "letter"), [
    ("B", "B"), ("b", "B"), ("(C)", "C"), ("[D]", "D"), ("A.", "A"), ("A) 12 cm", "A"), ("B: red", "B"), (" E ", "E"),
    ("", None), ("AB", None), ("A blue line", None), ("Answer: B", None), ("12", None), ("None", None), ("Ä", None),
])
def test_read_letter(text: str, letter: str | None) -> None:
    assert read_letter(text) == letter


def test_golds_by_index_letter_and_text_agree() -> None:
    options = ("red", "green", "blue")
    for i, option in enumerate(options):
        letter = "ABC"[i]
        assert choice_by_index(ROW, options, i, str(i)).answer == letter
        assert choice_by_letter(ROW, options, letter.lower()).answer == letter
        assert choice_by_text(ROW, options, f" {option.upper()} ").answer == letter


@pytest.mark.parametrize(("call", "reason"), [
    (lambda: choice_by_index(ROW, ("a", "b"), 2, "2"), "gold_not_in_choices"),
    (lambda: choice_by_index(ROW, ("a", "b"), -1, "-1"), "gold_not_in_choices"),
    (lambda: choice_by_letter(ROW, ("a", "b"), "C"), "gold_not_in_choices"),
    (lambda: choice_by_letter(ROW, ("a", "b"), ""), "empty_gold"),
    (lambda: choice_by_text(ROW, ("a", "b"), ""), "empty_gold"),
    (lambda: choice_by_text(ROW, ("a", "b"), "c"), "gold_not_in_choices"),
    (lambda: choice_by_text(ROW, ("9", "9", "8"), "9"), "bad_choices"),
    (lambda: choice_by_index(ROW, ("a",), 0, "0"), "bad_choices"),
    (lambda: choice_by_index(ROW, ("a", " "), 0, "0"), "bad_choices"),
    (lambda: choice_by_index(ROW, ("x",) * 27, 0, "0"), "bad_choices"),
])
def test_impossible_golds_are_refused(call, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadRow) as caught:
        call()
    assert caught.value.reason == reason
    assert str(caught.value).startswith("file.json, row 3: ")


def test_equal_but_for_case_prefers_the_exact_option() -> None:
    assert choice_by_text(ROW, ("us", "US"), "US").answer == "B"


@pytest.mark.parametrize(("text", "question", "options"), [
    ("Which?\nA. x\nB. y", "Which?", ("x", "y")),
    ("Which?\n(A) x\n(B) y\n(C) z", "Which?", ("x", "y", "z")),
    ("Which?\nA:40°\nB:60°", "Which?", ("40°", "60°")),
    ("Which?\nA. x\nB. y\nAnswer with the option's letter from the given choices directly.", "Which?", ("x", "y")),
    ("Close?\nA. With love,\nKevin\nB. with love,\nKevin", "Close?", ("With love,\nKevin", "with love,\nKevin")),
    ("What is A?\nA. C\nB. B\nC. E\nD. G", "What is A?", ("C", "B", "E", "G")),
    ("A. Smith wrote it.\nWho?\nA. x\nB. y", "A. Smith wrote it.\nWho?", ("x", "y")),
    ("No options here?", "No options here?", ()),
    ("已知 x.\nA．1\nB．2\nC．3\nD．4", "已知 x.", ("1", "2", "3", "4")),
    ("面积（　　）\nA、1\nB、2", "面积（　　）", ("1", "2")),
    ("选哪个？\n（A）1\n（B）2", "选哪个？", ("1", "2")),
    ("角度为（  ）A．1 B．2 C．3 D．4", "角度为（  ）", ("1", "2", "3", "4")),
    ("多少？\nA．1    B．2\nC．3    D．4", "多少？", ("1", "2", "3", "4")),
    ("What? (A) cat (B) dog (C) cow", "What?", ("cat", "dog", "cow")),
    ("Angles (A), (B) and (C) are equal?", "Angles (A), (B) and (C) are equal?", ()),
    ("Is it by A. Smith, B. Jones or C. Brown?", "Is it by A. Smith, B. Jones or C. Brown?", ()),
    ("Only\nA. one", "Only\nA. one", ()),
    ("Out of order\nB. y\nA. x", "Out of order\nB. y\nA. x", ()),
])
def test_options_in_text(text: str, question: str, options: tuple[str, ...]) -> None:
    assert options_in_text(text) == (question, options)


words = st.text("abcdefgh ", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(words, st.lists(words, min_size=2, max_size=8))
def test_options_written_out_are_read_back(question: str, options: list[str]) -> None:
    written = problem_text(f"q {question}?", 0, tuple(options))
    assert options_in_text(written) == (f"q {question}?", tuple(options))


@pytest.mark.parametrize(("options", "bare"), [
    (("A) 1", "B) 2"), ("1", "2")),
    (("(A) x", "(B) y"), ("x", "y")),
    (("A) 1", "2"), ("A) 1", "2")),
    (("B) 1", "A) 2"), ("B) 1", "A) 2")),
    (("C", "B"), ("C", "B")),
])
def test_labels_go_only_if_every_option_has_its_own(options: tuple[str, ...], bare: tuple[str, ...]) -> None:
    assert strip_option_labels(options) == bare


@pytest.mark.parametrize(("options", "bare"), [
    (("A) 1", "B) 2"), ("1", "2")), (("- A) 1", "B) 2"), ("1", "2")), (("A．1", "B、2"), ("1", "2")),
    (("A. Einstein", "N. Bohr"), ("A. Einstein", "N. Bohr")), (("C", "B"), ("C", "B")),
    (("B) B", "A) A"), None), (("A) 1", "B) 2", "3"), None),
])
def test_options_with_letters_of_another_order_are_refused(options: tuple[str, ...], bare: tuple[str, ...]) -> None:
    if bare is None:
        with pytest.raises(BadRow) as caught:
            bare_options(ROW, options)
        assert caught.value.reason == "bad_choices"
        return
    assert bare_options(ROW, options) == bare


@pytest.mark.parametrize(("gold", "letter"), [
    ("B", "B"), ("B) green", "B"), ("C. blue", "C"), ("b) GREEN.", "B"), ("B, because A is wrong", "B"), ("red", "A"),
    ("A. A man", "A"), ("[B]", "B"), ("A, B", None), ("(A), (C)", None), ("A) and B)", None), ("A) green", None),
    ("a, b", None), ("A，B", None), ("C: B", None), ("A/B", None), ("AB", None), ("B and C", None), ("D", None),
])
def test_a_gold_that_names_two_options_is_refused(gold: str, letter: str | None) -> None:
    choices = ("red", "green", "blue")
    if letter is None:
        with pytest.raises(BadRow) as caught:
            choice_as_written(ROW, choices, gold)
        assert caught.value.reason == "gold_not_in_choices"
        return
    assert choice_as_written(ROW, choices, gold).answer == letter


def test_an_option_that_is_another_letter_is_its_text() -> None:
    assert choice_as_written(ROW, ("C", "B", "A"), "A. C").answer == "A"


@pytest.mark.parametrize(("value", "answer", "kind"), [
    ("14", "14", "number"), ("4,656", "4656", "number"), ("-1,234.50", "-1234.50", "number"), (3, "3", "number"),
    (0.5, "0.5", "number"), (1e-7, "0.0000001", "number"), (2.0, "2", "number"), ("−3", "-3", "number"),
    (".5", ".5", "number"), (True, "yes", "yes_no"), (False, "no", "yes_no"), ("Yes", "yes", "yes_no"),
    ("3/10", "3/10", "expression"), ("2√{3}", r"2\sqrt{3}", "expression"), ("9π", r"9\pi", "expression"),
    ("12*sqrt(3)", "12*sqrt(3)", "expression"), ("180*acos(13/15)/pi", "180*acos(13/15)/pi", "expression"),
    ("3*pi/4", "3*pi/4", "expression"), ("[2013, 2016]", "[2013, 2016]", "list"), ("red", "red", "text"),
    ("$5.00", "5.00", "number"), ("$4,500", "4500", "number"), ("12 million", "12000000", "number"),
    ("$1.2 billion", "1200000000", "number"), ("8e3", "8000", "number"), ("½", "0.5", "number"),
    ("1.2M", "1.2M", "text"), ("a million", "a million", "text"), ("$A", "$A", "text"),
    ("4,65", "4,65", "text"), ("1,2,3", "1,2,3", "text"), ("pizza 2/3 eaten", "pizza 2/3 eaten", "text"),
    ("half of them", "half of them", "text"), ("U.S.", "U.S.", "text"), ("1.2.3", "1.2.3", "text"),
])
def test_free_form(value: object, answer: str, kind: str) -> None:
    gold = free_form(ROW, value)
    assert (gold.answer, gold.kind) == (answer, kind)


@pytest.mark.parametrize(("value", "reason"), [("", "empty_gold"), ("  ", "empty_gold"), (None, "empty_gold"),
                                               ([], "wrong_type"), ({}, "wrong_type")])
def test_a_gold_that_is_no_value_is_refused(value: object, reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        free_form(ROW, value)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("text", "value", "unit"), [
    ("16cm", "16", "cm"), ("140°", "140", "°"), ("4.40米", "4.40", "米"), ("27cm^{2}", "27", "cm^{2}"),
    (r"9\pi cm^{2}", r"9\pi", "cm^{2}"), (r"\frac{1}{2}cm²", r"\frac{1}{2}", "cm²"),
    (r"2\sqrt{15}米", r"2\sqrt{15}", "米"), ("5cm^2^", "5", "cm^2"),
    ("50m", "50", "m"), (r"16\pi平方米", r"16\pi", "平方米"), ("12", "12", None), ("red", "red", None),
    (r"5\pi", r"5\pi", None), ("item 3m", "item 3m", None), ("x", "x", None), (r"45^\circ", "45", "°"),
])
def test_split_unit(text: str, value: str, unit: str | None) -> None:
    assert split_unit(text) == (value, unit)


def test_a_slash_is_a_name_where_there_are_no_formulas() -> None:
    assert free_form(ROW, "2006/07", prose=True).kind == "text"
    assert free_form(ROW, "83%", prose=True).spec == {"unit": "%"}


def test_tolerance_is_kept_for_numbers_only() -> None:
    policy = {"policy": "relative(0.05)"}
    assert free_form(ROW, "12", spec=policy).spec == policy
    assert free_form(ROW, "red", spec=policy).spec == {}


@pytest.mark.parametrize(("value", "question", "answer", "unit"), [
    ("$3.30b", "What is it worth?", "3300000000", "$"), ("£44.2k", "What do they earn?", "44200", "£"),
    ("$367bn", "", "367000000000", "$"), ("902k", "How many items were sold?", "902000", None),
    ("48K", "What is the number of links?", "48000", None), ("1.2M", "How many parameters has it?", "1200000", None),
    ("902k", "How far is it?", None, None), ("5m", "How many metres is it?", None, None),
    ("1.2M", "What is the concentration?", None, None), ("3D", "How many dimensions?", None, None),
])
def test_a_letter_is_a_scale_where_it_can_be_no_unit(
    value: str, question: str, answer: str | None, unit: str | None
) -> None:
    gold = free_form(ROW, value, prose=True, question=question)
    if answer is None:
        assert (gold.answer, gold.kind) == (value, "text")
        return
    assert (gold.answer, gold.kind, gold.spec.get("unit"), gold.original) == (answer, "number", unit, value)
    for said in (value, f"{int(answer):,}"):
        assert verify(gold.answer, said, kind=gold.kind, aliases=gold.aliases, spec=gold.spec).is_right
    for said in (value.rstrip("kKMbn"), value.strip("$£kKMbn"), f"{value.rstrip('kKMbn')}T"):
        assert not verify(gold.answer, said, kind=gold.kind, aliases=gold.aliases, spec=gold.spec).is_right


@pytest.mark.parametrize("value", ["-", "N/A", "null", "?", "  n/a "])
def test_a_placeholder_is_no_gold(value: str) -> None:
    with pytest.raises(BadRow, match="missing one"):
        free_form(ROW, value)
    assert free_form(ROW, "none").answer == "none", "an answer of VQA's people"


@pytest.mark.parametrize(("user", "assistant", "kept"), [
    ("Which?\nChoices:\nA. x\nA. y", "A", False), ("Which?\nA. x\nC. y", "Answer: A", False),
    ("Which?\nChoices:\nA. x", "(A)", False), ("Which label shows the root?", "A", True),
    ("Which?\nA. x\nC. y", "green", True),
])
def test_a_letter_without_readable_options_is_no_open_answer(user: str, assistant: str, kept: bool) -> None:
    values = {"images": [{"bytes": b"x", "path": None}], "texts": [{"user": user, "assistant": assistant}]}
    (problem,) = cauldron_row(numbered(values, "train", 0, "repo"))
    assert (problem.fault is None) is kept
    if problem.fault is not None:
        assert problem.fault.reason == "bad_choices"


def test_an_option_that_stands_twice_is_no_gold() -> None:
    with pytest.raises(BadRow, match="stands twice"):
        choice_by_index(ROW, ("1", "2", " 1"), 0, "A")
    assert choice_by_index(ROW, ("1", "2", "1"), 1, "B").answer == "B"
    assert choice_by_letter(ROW, ("Bb", "bb"), "A").answer == "A", "genotypes differ by case alone"


@pytest.mark.parametrize(("options", "bare"), [
    (("A) 1", "A) 2"), None), (("(B) 1", "(C) 2"), None), (("A. Smith", "J. Doe"), ("A. Smith", "J. Doe")),
    (("(A) 1", "(B) 2"), ("1", "2")), (("A)", "A) 2"), ("A)", "A) 2")),
])
def test_letters_that_are_not_those_of_their_places(options: tuple[str, ...], bare: tuple[str, ...] | None) -> None:
    if bare is None:
        with pytest.raises(BadRow, match="another order"):
            bare_options(ROW, options)
    else:
        assert bare_options(ROW, options) == bare


@pytest.mark.parametrize(("solution", "answer"), [
    (r"So x = 3. Thus \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
    (r"\boxed{1} then \boxed{2}", "2"),
    ("Adding up. Therefore the final answer is 14.08.", "14.08"),
    ("Answer: C", "C"),
    ("The answer is 5. We are done.", "5"),
    ("23", "23"),
])
def test_final_answer(solution: str, answer: str) -> None:
    assert final_answer(ROW, solution) == answer


def test_a_solution_without_an_answer_is_refused() -> None:
    with pytest.raises(BadRow, match="states no final answer"):
        final_answer(ROW, "We first look at the triangle and then think for a while about its angles.")


@pytest.mark.parametrize(("user", "question", "options"), [
    ("Question: What?\nChoices:\nA. x\nB. y\nAnswer with the letter.", "What?", ("x", "y")),
    ("How many?\nKeep it short and to the point.", "How many?", ()),
    ("How many?\nGive a very brief answer.", "How many?", ()),
    ("How many?\nAnswer briefly.", "How many?", ()),
    ("Which?\nChoices: A. x B. y", "Which?", ("x", "y")),
    ("Two lines\nof one question about a short man, what is he doing there in the rain today?",
     "Two lines\nof one question about a short man, what is he doing there in the rain today?", ()),
])
def test_cauldron_questions(user: str, question: str, options: tuple[str, ...]) -> None:
    assert split_question(user) == (question, options)


@pytest.mark.parametrize(("text", "bare"), [("14.", "14"), ("3.5", "3.5"), ("U.S.", "U.S."), ("Blue.", "Blue"),
                                            ("and so on...", "and so on...")])
def test_full_stop(text: str, bare: str) -> None:
    assert without_full_stop(text) == bare


@pytest.mark.parametrize(("question", "pictures", "shown"), [
    ("What?", 1, "<image>\nWhat?"), ("What?", 0, "What?"), ("What?", 2, "<image><image>\nWhat?"),
    ("See <image> here", 1, "See <image> here"), ("<image>\nWhat?", 0, "What?"),
    ("<image>What?", 2, "<image><image>\nWhat?"),
])
def test_picture_marks(question: str, pictures: int, shown: str) -> None:
    assert problem_text(question, pictures, ()) == shown


WHOLE = {"png": png(), "jpeg": jpeg(size=(40, 30))}
for name in ("GIF", "BMP", "WEBP"):
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(buffer, name)
    WHOLE[name.lower()] = buffer.getvalue()


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_pictures_pass(kind: str) -> None:
    check_picture(WHOLE[kind], "here")


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_every_truncation_is_seen(kind: str) -> None:
    data = WHOLE[kind]
    for length in range(len(data) - 2):
        with pytest.raises(PictureError, match="^here: "):
            check_picture(data[:length], "here")


def test_every_changed_byte_of_a_png_is_seen() -> None:
    data = WHOLE["png"]
    for at in range(8, len(data)):
        changed = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        with pytest.raises(PictureError):
            check_picture(changed, "here")


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    import struct
    import zlib

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(PictureError, match="too many"):
        check_picture(data, "here")
