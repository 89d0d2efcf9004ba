"""VQA's consensus against the formula written out, hand-made cases, and the two ways to give the ten answers."""

from __future__ import annotations

import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_core.verify import judge, verify
from cogito_core.verify.official import OFFICIAL
from cogito_core.verify.vqa import consensus, processed

TEN = ["red"] * 4 + ["dark red"] * 2 + ["maroon"] + ["Red."] * 2 + ["the red"]


def by_subsets(answer: str, people: list[str]) -> float:
    """Mean over all subsets of n - 1 people of min(1, matches / 3): the definition, on answers already processed."""
    subsets = list(combinations(people, len(people) - 1))
    return sum(min(1.0, sum(one == answer for one in subset) / 3) for subset in subsets) / len(subsets)


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=10), st.sampled_from("bcde"))
def test_consensus_is_the_mean_over_the_subsets(people: list[str], answer: str) -> None:
    words = [f"word{one}" for one in people]
    assert float(consensus(f"word{answer}", words)) == pytest.approx(by_subsets(f"word{answer}", words))


@pytest.mark.parametrize(("matches", "share"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
def test_the_well_known_values_for_ten_people(matches: int, share: float) -> None:
    people = ["yes"] * matches + [f"other {n}" for n in range(10 - matches)]
    assert float(consensus("yes", people)) == pytest.approx(share)
    verdict = verify(people, "yes", kind="vqa")
    assert verdict.kind == "vqa" and verdict.is_right is (share >= 0.9)
    row = OFFICIAL["vqa"]({"answers": people, "extraction": "yes"})
    assert row.score == pytest.approx(share) and row.is_right is (share >= 0.9)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The Cat", "cat"),
        ("an apple.", "apple"),
        ("two", "2"),
        ("none", "0"),
        ("dont know", "don't know"),
        ("it's", "it's"),
        ("10:30", "10:30"),
        ("3.5", "3.5"),
        ("100,978", "100978"),
        ("black/white", "black white"),
        ("black / white", "black white"),
        ("t-shirt", "t shirt"),
        ("yes!", "yes"),
        ("a b\nc", "b c"),
    ],
)
def test_processing(text: str, form: str) -> None:
    assert processed(text) == form


def test_the_ten_answers_may_be_the_gold_its_json_or_the_spec() -> None:
    for gold, spec in ((TEN, None), (json.dumps(TEN), None), ("red", {"answers": TEN})):
        assert verify(gold, "Red", kind="vqa", spec=spec).is_right
        assert not verify(gold, "dark red", kind="vqa", spec=spec).is_right
        assert judge("The answer is red.", gold, kind="vqa", spec=spec).is_right
    assert OFFICIAL["vqa"]({"gold": TEN, "response": "The answer is dark red."}).score == pytest.approx(0.6)
    assert verify([], "red", kind="vqa").outcome == "undecidable"
    assert verify(TEN, "", kind="vqa").outcome == "undecidable"


@pytest.mark.parametrize(
    ("people", "response", "right"),
    [
        (["2"] * 8 + ["two", "3"], "There are two dogs.", True),
        (["2"] * 8 + ["two", "3"], "There are 3 dogs.", False),
        (["yes"] * 9 + ["no"], "Yes, it is.", True),
        (["yes"] * 9 + ["no"], "No, it is not.", False),
        (["red"] * 6 + ["dark red"] * 4, "The car is red, not blue.", True),
        (["red"] * 6 + ["dark red"] * 4, "The car is blue.", False),
    ],
)
def test_a_whole_reply_is_read_in_the_form_of_what_people_said(people: list[str], response: str, right: bool) -> None:
    assert judge(response, people[0], kind="vqa", spec={"answers": people}).is_right is right
