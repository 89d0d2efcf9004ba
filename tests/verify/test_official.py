"""The released rules on cases whose outcome their scripts are known to give, faults included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogito_core.verify import Verdict
from cogito_core.verify.official import OFFICIAL
from cogito_core.verify.official.mathvista import edit_distance

NAMES = (
    "mathvista mathverse mathvision logicvista geometry3k scienceqa mmmu emma chartqa mmstar wemath dynamath olympiadbench "
    "mmmu_pro ai2d blink hallusionbench puzzlevqa visulogic mm_iq tabmwp"
).split()


def test_every_benchmark_has_its_rule() -> None:
    assert set(NAMES) <= set(OFFICIAL)


def _mv(extraction: object, gold: str, **more: Any) -> dict[str, Any]:
    return {
        "extraction": extraction,
        "gold": gold,
        "question_type": "free_form",
        "answer_type": "integer",
        "choices": None,
        "precision": None,
        **more,
    }


def _short(answer: str) -> str:
    return '{"solution": "steps", "short answer": "' + answer + '"}'


CHOICES = {"question_type": "multi_choice", "answer_type": "text", "choices": ["yes", "no", "maybe so"]}


@pytest.mark.parametrize(
    ("name", "row", "right"),
    [
        # MathVista: integers by int(x), floats rounded to the precision, options by letter or edit distance
        ("mathvista", _mv("14", "14"), True),
        ("mathvista", _mv("14.0", "14"), False),
        ("mathvista_truncating", _mv("14.9", "14"), True),
        ("mathvista", _mv("fourteen", "14"), False),
        ("mathvista", _mv("1.25", "1.2", answer_type="float", precision=1), True),
        ("mathvista", _mv("1.34", "1.3", answer_type="float", precision=1.0), True),
        ("mathvista", _mv("1.36", "1.3", answer_type="float", precision=1), False),
        ("mathvista", _mv("[2007, 2008]", "[2007, 2008]", answer_type="list"), True),
        ("mathvista", _mv("(B) no", "no", **CHOICES), True),
        ("mathvista", _mv("B", "no", **CHOICES), True),
        ("mathvista", _mv("b", "no", **CHOICES), True),
        ("mathvista", _mv("", "no", **CHOICES), True),  # the shortest option is nearest to nothing
        ("mathvista", _mv("maybe", "maybe so", **CHOICES), True),
        ("mathvista", _mv(None, "no", **CHOICES), True),  # Python's "None" is nearest to "no"
        ("mathvista", {"response": "So the answer is 14.", "gold": "14", "answer_type": "integer"}, True),
        ("mathvista", {"response": "The correct option is (B).", "gold": "no", **CHOICES}, True),
        # MATH-Vision: two decimals, letter or the option's text
        ("mathvision", {"gold": "0", "extraction": "0.001"}, True),
        ("mathvision", {"gold": "\\frac{63}{400}", "extraction": "0.16"}, True),
        ("mathvision", {"gold": "B", "choices": ["1", "2"], "extraction": "2"}, True),
        ("mathvision", {"gold": "B", "choices": ["$2: 3$", "$3: 2$"], "extraction": "3:2"}, True),
        ("mathvision", {"gold": "B", "choices": ["$2: 3$", "$3: 2$"], "extraction": "3:1"}, False),
        ("mathvision", {"gold": "45", "extraction": "45°"}, False),
        ("mathvision", {"gold": "7", "response": "We get 3 + 4.\nThe final answer is 7"}, True),
        ("mathvision", {"gold": "\\frac{1}{2}", "response": "so \\boxed{\\frac12} holds, no: \\boxed{0.5}"}, True),
        ("mathvision", {"gold": "(1,2)", "extraction": "(1, 2)"}, True),
        # what latex2sympy reads of a text: the start, a quotient for a ratio, a product for a mixed number
        ("mathvision", {"gold": "1", "extraction": "1:1"}, True),
        ("mathvision", {"gold": "B", "choices": ["$2:3$", "$3:2$"], "extraction": "6:4"}, True),
        ("mathvision", {"gold": "20", "extraction": "20)20"}, True),
        ("mathvision", {"gold": "-100", "extraction": "[-100]"}, True),
        ("mathvision", {"gold": "x=5", "response": "x = 5"}, True),
        ("mathvision", {"gold": "3.5", "extraction": "3\\frac{1}{2}"}, False),
        ("mathvision", {"gold": "0.12", "extraction": "12\\%"}, True),
        ("mathvision", {"gold": "189", "extraction": '"189"'}, False),
        ("mathvision", {"gold": "A", "choices": ["$-\\!2$", "$0$"], "response": "-2"}, False),
        ("mathvision", {"gold": "0.5", "extraction": "\\frac12"}, False),
        ("mathvision", {"gold": "1234", "extraction": "1{,}234"}, False),
        ("mathvision", {"gold": "\\frac{27}{4}", "extraction": "\\frac{27}4"}, False),
        ("mathvision", {"gold": "A", "choices": ["$\\sqrt[3]{2}$", "1"], "response": "so \\boxed{\\sqrt[3]{2}}"}, False),
        ("mathvision", {"gold": "A", "choices": ["$\\frac{\\sqrt2}2$", "1"], "response": "$\\frac{\\sqrt2}2$"}, False),
        ("mathvision", {"gold": "\\frac{1}{\\sqrt{2}}", "response": "\\boxed{\\frac{1}{\\sqrt2}}"}, True),
        ("mathvision", {"gold": "\\frac{7^3}{2^{12} 13^2}", "response": "\\boxed{\\frac{7^3}{2^{12} 13^2}}"}, True),
        ("mathvision", {"gold": "E", "choices": ["1", "2", "3", "4", "5"], "extraction": "[e]"}, False),
        # EMMA
        ("emma", {"gold": "A", "gt_content": "4 \\text{ m/s}", "response": "A: because"}, True),
        ("emma", {"gold": "5", "gt_content": "5", "response": "\\boxed{5.001}"}, True),
        ("emma", {"gold": "5", "response": "five"}, False),
        ("emma", {"gold": "5", "response": "the answer is five apples."}, True),
        ("emma", {"gold": "6", "extraction": "one of the five"}, True),
        ("emma", {"gold": "-2", "extraction": "minus two"}, False),
        ("emma", {"gold": "D", "gt_content": "$\\lambda $/4", "response": "\\boxed{\\frac{\\lambda}{4}}"}, False),
        # ChartQA
        ("chartqa", {"gold": "2010", "response": "1915"}, True),
        ("chartqa", {"gold": "12%", "response": "12"}, False),
        ("chartqa", {"gold": "1234", "response": "1,234"}, False),
        ("chartqa", {"gold": "0", "response": "0"}, True),
        ("chartqa", {"gold": "Yes", "response": "yes"}, True),
        ("chartqa", {"gold": "Yes", "response": "yes."}, False),
        # TabMWP
        ("tabmwp", {"gold": "1,000", "extraction": "$1000"}, True),
        ("tabmwp", {"gold": "48/103", "extraction": "0.466"}, True),
        ("tabmwp", {"gold": "18", "response": "281 − 263 = 18. The answer is 18."}, True),
        ("tabmwp", {"gold": "5 kg", "unit": "kg", "extraction": "5 kg"}, True),
        (
            "tabmwp",
            {"gold": "surplus", "choices": ["shortage", "surplus"], "response": "The answer is (B) surplus."},
            True,
        ),
        # "F" of Friday is one of the six letters and no option: the script draws one of the four
        (
            "tabmwp",
            {"gold": "Friday", "choices": ["Friday", "Saturday", "Sunday", "Monday"], "response": "The answer is Friday."},
            False,
        ),
        # ScienceQA (LLaVA)
        ("scienceqa", {"gold": "B", "response": "B"}, True),
        ("scienceqa", {"gold": "B", "response": "B. the leaf"}, True),
        ("scienceqa", {"gold": "B", "response": "The answer is B."}, True),
        ("scienceqa", {"gold": "B", "response": "(B)"}, False),
        # MMMU and MMMU-Pro
        ("mmmu", {"gold": "B", "choices": ["x", "y"], "response": "It is (A), no, (B)."}, True),
        ("mmmu", {"gold": "no", "question_type": "short-answer", "response": "I know the answer"}, True),
        ("mmmu", {"gold": "5", "question_type": "short-answer", "response": "5 or 6 or 7"}, True),
        ("mmmu", {"gold": "1,234", "question_type": "short-answer", "response": "so the total is 1234."}, True),
        ("mmmu_pro", {"gold": "C", "choices": ["x", "y", "z"], "response": "Answer: C"}, True),
        ("mmmu_pro", {"gold": "B", "choices": ["x", "y", "z"], "response": "Answer: **B**"}, True),
        # letters
        ("mmstar", {"gold": "A", "response": "Answer: B"}, True),
        ("mmstar", {"gold": "B", "response": "Because"}, True),
        ("mmstar", {"gold": "B", "response": "**B**"}, False),
        ("mmstar", {"gold": "B", "response": "the answer is B"}, True),
        ("blink", {"gold": "(B)", "response": "(B) the third image"}, True),
        ("blink", {"gold": "(B)", "extraction": "(Z)"}, False),
        ("logicvista", {"gold": "['a', 'c']", "extraction": "['c', 'a']"}, True),
        ("logicvista", {"gold": "['a', 'c']", "extraction": "['a']"}, False),
        ("ai2d", {"gold": "B", "response": "b."}, True),
        ("wemath", {"gold": "C", "response": "<Answer>: C. 12"}, True),
        ("wemath", {"gold": "C", "response": "Answer: c"}, False),
        ("mm_iq", {"gold": "B", "response": "A good look shows it. The answer is B."}, True),
        ("mm_iq", {"gold": "A", "response": "A look shows B"}, True),
        ("mm_iq", {"gold": "B", "response": "We see A\nso B, not C"}, True),
        ("mm_iq", {"gold": "B", "response": "b"}, False),
        ("visulogic", {"gold": "B", "response": "first \\boxed{A}, then \\boxed{\\text{B}}"}, True),
        ("visulogic", {"gold": "C", "response": "The answer is: c. It turns."}, True),
        ("visulogic", {"gold": "D", "response": "It must be (D)."}, True),
        ("visulogic", {"gold": "D", "response": "We choose option D because it turns"}, True),
        ("puzzlevqa", {"gold": "blue", "choices": ["red", "blue"], "extraction": "not (A) but (B)"}, True),
        ("puzzlevqa", {"gold": "red", "choices": ["red", "blue"], "extraction": "(D)"}, True),
        ("puzzlevqa", {"gold": "blue", "choices": ["red", "blue"], "extraction": "blue"}, False),
        ("puzzlevqa", {"gold": "blue", "choices": ["red", "blue"], "response": "The answer is blue."}, True),
        ("mmmu_pro", {"gold": "B", "choices": "[['A', 'B', 'Neither']]", "response": "Answer: B"}, False),
        ("hallusionbench", {"gold": "No", "response": "No, there is none."}, True),
        ("hallusionbench", {"gold": "0", "extraction": "No"}, True),
        ("hallusionbench", {"gold": "0", "category": "VS", "figure_id": "0", "response": "I cannot tell."}, True),
        ("hallusionbench", {"gold": "0", "category": "VS", "figure_id": "0", "response": "Yes."}, False),
        ("hallusionbench", {"gold": "0", "category": "VS", "figure_id": "1", "response": "I cannot tell."}, False),
        ("hallusionbench", {"gold": "0", "category": "VD", "figure_id": "0", "response": "I cannot tell."}, False),
        # DynaMath: the reply's JSON without backslashes; else its last line without the last character
        ("dynamath", {"gold": "6.283", "answer_type": "float", "response": _short("2π")}, True),
        ("dynamath", {"gold": "3.1416", "answer_type": "float", "response": _short("π")}, False),
        ("dynamath", {"gold": "2.5", "answer_type": "float", "response": _short("2.501 cm")}, True),
        ("dynamath", {"gold": "2.5", "answer_type": "float", "response": "```json\n" + _short("2.5") + "\n```"}, True),
        ("dynamath", {"gold": "0.5", "answer_type": "float", "response": _short("1/2")}, False),
        ("dynamath", {"gold": "2.5", "answer_type": "float", "extraction": "2.502"}, False),
        ("dynamath", {"gold": "2.5", "answer_type": "float", "response": "so\n2.5."}, True),
        ("dynamath", {"gold": "2.5", "answer_type": "float", "response": "so\n2.5"}, False),
        ("dynamath", {"gold": "2.5", "answer_type": "float", "response": "The answer is 2.5."}, False),
        ("dynamath", {"gold": "B", "answer_type": "multiple choice", "response": _short("(B) 12")}, True),
        ("dynamath", {"gold": "B", "answer_type": "multiple choice", "response": _short("b")}, False),
        ("dynamath", {"gold": "Even", "answer_type": "text", "response": _short("It is Even.")}, True),
        ("dynamath", {"gold": "Even", "answer_type": "text", "response": _short("it is even")}, False),
        ("dynamath", {"gold": "3", "answer_type": "int", "response": _short("13")}, True),
        ("geometry3k", {"gold": "B", "precise_value": [1.0, 2.0, 3.0, 4.0], "extraction": "2.2"}, True),
        ("geometry3k", {"gold": "B", "precise_value": [1.0, 2.0, 3.0, 4.0], "extraction": "1.5"}, True),  # a tie
        ("geometry3k", {"gold": "B", "precise_value": [1.0, 2.0, None, 4.0], "extraction": "2"}, False),
        # OlympiadBench
        ("olympiadbench", {"gold": "x=1", "extraction": "1"}, True),
        ("olympiadbench", {"gold": "x=1", "extraction": '"x=1"'}, False),
        ("olympiadbench", {"gold": "x=1", "extraction": "one"}, False),
        ("olympiadbench", {"gold": "x=1", "extraction": "(x=1)"}, False),
        ("olympiadbench", {"gold": "x=1", "extraction": "x=1.0"}, False),
        ("olympiadbench", {"gold": "(2,4)", "extraction": "y=(2,4)"}, False),
        ("olympiadbench", {"gold": "5", "response": "First \\boxed{3}.\nSo the final answer is \\boxed{5}."}, True),
        ("olympiadbench", {"gold": "5", "response": "So the final answer is 5."}, True),
        ("olympiadbench", {"gold": "5", "response": "综上，\\boxed{3}。所以最终答案是$5$。"}, True),
        ("olympiadbench", {"gold": "5", "response": "First \\boxed{3}, then \\boxed{5}."}, False),
        ("olympiadbench", {"gold": "(1,2)", "precision": "0.5", "answer_type": "Tuple", "response": "$(1.2,2)$"}, False),
        ("olympiadbench", {"gold": "0.6", "extraction": "60%"}, True),
        ("olympiadbench", {"gold": "x^2+y^2=1", "extraction": "\\boxed{2x^{2}+2y^2=2}"}, True),
        ("olympiadbench", {"gold": "x^2+y^2=1", "extraction": "\\boxed{x^{2}-y^{2}=1}"}, False),
        (
            "olympiadbench",
            {"gold": "(-\\infty,1]\\cup[10,+\\infty)", "extraction": "(-\\infty,1)\\cup[10,+\\infty)"},
            False,
        ),
        (
            "olympiadbench",
            {"gold": "7 \\times 10^{35}", "precision": "1e+34", "extraction": "7.1 \\cdot 10^{35}"},
            True,
        ),
        ("olympiadbench", {"gold": "\\pm 2", "extraction": "-2, 2"}, True),
        ("olympiadbench", {"gold": "x+1, 37.29", "extraction": "x+1, 37.295", "precision": ",1e-2"}, True),
        ("olympiadbench", {"gold": "x+1, 37.29", "extraction": "x+1, 37.32", "precision": ",1e-2"}, False),
        ("olympiadbench", {"gold": "4, x+1", "extraction": "4.4, x+1", "precision": "0.5,"}, True),
        ("olympiadbench", {"gold": "2.5, 37.29", "extraction": "2.505, 37.29", "precision": ",1e-2"}, False),
    ],
)
def test_known_cases(name: str, row: dict[str, Any], right: bool) -> None:
    verdict = OFFICIAL[name](row)
    assert verdict.is_right is right, verdict
    assert verdict.policy == f"official {name.split('_trunc')[0]}"


def test_a_guess_is_an_expectation() -> None:
    verdict = OFFICIAL["mmmu"]({"gold": "B", "choices": ["x", "y", "z", "w"], "response": "\\boxed{B}"})
    assert verdict.outcome == "undecidable" and verdict.expectation == 0.25 and verdict.score == 0.25
    none = OFFICIAL["mmmu"]({"gold": "F", "choices": ["x", "y"], "response": "hm"})
    assert none.expectation == 0.0
    geometry = OFFICIAL["geometry3k"]({"gold": "A", "precise_value": [1, 2, 3, 4], "response": "I cannot tell"})
    assert geometry.expectation == 0.25


@settings(max_examples=60)
@given(st.text(alphabet="abc", max_size=4), st.text(alphabet="abc", max_size=4))
def test_edit_distance_against_its_definition(one: str, other: str) -> None:
    def naive(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(naive(a[1:], b) + 1, naive(a, b[1:]) + 1, naive(a[1:], b[1:]) + (a[0] != b[0]))

    assert edit_distance(one, other) == naive(one, other) == edit_distance(other, one)


_VALUES = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.text(max_size=5), max_size=4),
    st.dictionaries(st.text(max_size=2), st.text(max_size=5), max_size=3),
)


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(OFFICIAL)),
    st.fixed_dictionaries(
        {},
        optional={
            name: _VALUES
            for name in (
                "gold",
                "choices",
                "response",
                "extraction",
                "question_type",
                "answer_type",
                "precision",
                "unit",
                "index2ans",
                "gt_content",
                "precise_value",
                "answer",
            )
        },
    ),
)
def test_no_row_raises(name: str, row: dict[str, Any]) -> None:
    assert isinstance(OFFICIAL[name](row), Verdict)


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("2\\sqrt{3}", "\\boxed{2\\sqrt{3}}", True),
        ("day", "\\boxed{hour}", True),
        ("cell", "\\boxed{ }", True),
        ("5 cm", "\\boxed{5 km}", True),
        ("1,23", "\\boxed{12,3}", True),
        ("None", "I do not know", True),
        ("May 2010", "\\boxed{June 2010}", True),
        ("42", "\\boxed{43}", False),
        ("A", "A.", False),
    ],
)
def test_the_papers_reward_keeps_its_faults(gold: str, answer: str, right: bool) -> None:
    assert (
        OFFICIAL["compat"]({"gold": gold, "response": f"<think>x</think><answer>{answer}</answer>"}).is_right is right
    )
    assert not OFFICIAL["compat"]({"gold": gold, "response": answer}).is_right
