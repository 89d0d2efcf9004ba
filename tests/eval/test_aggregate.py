"""Scores of a benchmark: samples, breakdowns, released rules that guess, rotations, metrics over groups."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogito_eval.aggregate import majority_score, pass_at_k, score_rows
from cogito_eval.benchmark import Benchmark, load_benchmark
from cogito_eval.benchmarks.dynamath import metrics as dynamath_metrics
from cogito_eval.benchmarks.hallusionbench import three_accuracies
from cogito_eval.benchmarks.wemath import four_metrics, step_accuracies
from cogito_eval.results import by_question

from .conftest import result_row

PLAIN = Benchmark(name="x", title="X", licence="none", category="general", breakdowns={"colour": "colour"})


def official(outcome: str, expectation: float | None = None) -> dict[str, object]:
    found: dict[str, object] = {"outcome": outcome, "rule": "r", "extracted": None, "reason": "", "answer": ""}
    return found | ({"expectation": expectation} if expectation is not None else {})


@given(st.integers(1, 9), st.data())
def test_pass_at_k_is_the_share_of_subsets_with_a_right_answer(n, data):
    right, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    answers = [i < right for i in range(n)]
    subsets = list(itertools.combinations(answers, k))
    assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_of_nothing_is_refused():
    for n, right, k in ((3, 4, 1), (3, 1, 4), (3, 1, 0)):
        with pytest.raises(ValueError):
            pass_at_k(n, right, k)


def test_majority_counts_ties_as_their_mean():
    right, wrong = result_row("q"), result_row("q", outcome="wrong")
    other = result_row("q", outcome="wrong", answer="9")
    assert majority_score([right, right, wrong]) == 1
    assert majority_score([right, wrong]) == 0.5
    assert majority_score([right, wrong, other]) == pytest.approx(1 / 3)
    nothing = result_row("q", outcome="undecidable", strict={"outcome": "undecidable", "rule": "none",
                                                              "extracted": None, "reason": ""})
    assert majority_score([nothing, right]) == 1 and majority_score([nothing]) == 0


def test_scores_do_not_depend_on_the_order_of_rows():
    rows = [result_row(f"q{i}", s, "right" if (i + s) % 3 else "wrong") for i in range(9) for s in range(3)]
    one, other = score_rows(rows, PLAIN), score_rows(rows[::-1], PLAIN)
    for key in ("accuracy", "n", "samples", "counts"):
        assert one[key] == other[key]
    assert one["sampled"]["avg@3"]["accuracy"] == pytest.approx(one["accuracy"])
    assert one["sampled"]["pass@1"]["accuracy"] == pytest.approx(one["accuracy"])
    assert one["sampled"]["pass@3"]["accuracy"] >= one["sampled"]["pass@2"]["accuracy"] >= one["accuracy"]


def test_breakdowns_count_a_question_under_each_of_its_values():
    rows = [result_row("a", tags={"colour": ["red", "blue"]}),
            result_row("b", outcome="wrong", tags={"colour": ["red"]})]
    by = score_rows(rows, PLAIN)["by"]["colour"]
    assert by["red"]["accuracy"] == 0.5 and by["red"]["n"] == 2
    assert by["blue"]["accuracy"] == 1 and by["blue"]["n"] == 1


def test_random_guesses_count_as_expectation_and_show_their_range():
    rows = [result_row("a", official=official("right")), result_row("b", official=official("undecidable", 0.25)),
            result_row("c", official=official("wrong")), result_row("d", official=official("undecidable", 0.25))]
    found = score_rows(rows, PLAIN)["official"]
    assert found["accuracy"] == pytest.approx((1 + 0.25 + 0.25) / 4)
    assert found["guessed"] == 2 and found["range"] == [0.25, 0.75]


def test_circular_accuracy_needs_every_rotation():
    rows = [result_row("a"), result_row("a#r1", rotation_of="a"), result_row("b"),
            result_row("b#r1", outcome="wrong", rotation_of="b")]
    found = score_rows(rows, PLAIN)
    assert found["accuracy"] == 1 and found["n"] == 2
    assert found["circular_accuracy"]["accuracy"] == 0.5


def test_macro_headline_weights_every_task_alike():
    macro = PLAIN.model_copy(update={"headline": "macro", "macro_of": "colour"})
    rows = [result_row(f"r{i}", tags={"colour": ["red"]}) for i in range(9)]
    rows.append(result_row("b", outcome="wrong", tags={"colour": ["blue"]}))
    found = score_rows(rows, macro)
    assert found["accuracy"] == 0.9 and found["headline"]["accuracy"] == 0.5


def test_wemath_metrics_follow_their_definitions():
    cases = [((True, True), True), ((True, True), False), ((False, True), False), ((False, True), True),
             ((False, False), True), ((False, False, False), False), ((True, True, True), True)]
    found = four_metrics(cases)
    n = len(cases)
    assert found["IG"] == 1 / n and found["IK"] == 2 / n
    assert found["CM strict"] == 2 / n and found["RM strict"] == 2 / n
    assert found["CM loose"] == 3 / n and found["RM loose"] == 1 / n
    for name in ("strict", "loose"):
        assert found["IG"] + found["IK"] + found[f"CM {name}"] + found[f"RM {name}"] == pytest.approx(1)
        # The paper's other way to write the score.
        paper = (n - 0.5 * found["IG"] * n - found[f"RM {name}"] * n - found["IK"] * n) / n
        assert found[f"score {name}"]["accuracy"] == pytest.approx(paper)
    assert found["RM rate strict"] == pytest.approx(2 / 4)


def test_wemath_steps_and_domains():
    def row(id, step, concept, outcome):
        return result_row(id, outcome=outcome, cluster="2steps/1", tags={"steps": [step], "concept": [concept]})

    rows = [row("a", "2steps_1", "Rotation", "right"), row("b", "2steps_1", "Rotation", "right"),
            row("c", "2steps_2", "Translation", "wrong"), row("d", "2steps_multi", "Rotation, Translation", "wrong"),
            row("e", "3steps_multi", "Rotation, Rotation, Rotation", "right")]
    found = step_accuracies(by_question(rows), "strict")
    assert (found["S1"]["accuracy"], found["S2"]["accuracy"], found["S3"]["accuracy"]) == (2 / 3, 0, 1)
    # Mean of the concepts' means (1 and 0), not of the three questions.
    assert found["Basic Transformations of Figures"] == 0.5 and "Position" not in found


def test_hallusionbench_accuracies():
    right = {"VD_a_0_0_0": True, "VD_a_0_0_1": True, "VD_a_0_1_0": True, "VD_a_0_1_1": False, "VS_b_0_0_0": True}
    found = three_accuracies(right)
    assert found["aAcc"]["accuracy"] == 4 / 5
    assert found["fAcc"]["accuracy"] == 1 / 2  # figures: VD 0/0 right, VD 0/1 wrong; figure 0 of VS is no figure
    assert found["qAcc"]["accuracy"] == 2 / 3  # groups: VD q0 right, VD q1 wrong, VS q0 right
    assert three_accuracies({"VS_b_0_0_0": True}).keys() == {"aAcc", "qAcc"}


def test_dynamath_worst_case_needs_every_variant():
    rows = [result_row(f"v{v}/{q}", outcome="wrong" if (q, v) == (1, 2) else "right", cluster=str(q))
            for q in range(3) for v in range(4)]
    found = dynamath_metrics(by_question(rows))
    assert found["worst case, verifiers"]["accuracy"] == pytest.approx(2 / 3)
    assert "worst case, official" not in found


def test_questions_of_one_picture_widen_the_interval():
    rows = [result_row(f"q{i}", outcome="right" if i // 4 % 2 else "wrong") for i in range(80)]
    shared = [{**row, "cluster": str(i // 4)} for i, row in enumerate(rows)]
    alone, together = score_rows(rows, PLAIN), score_rows(shared, PLAIN)
    assert together["clusters"] == 20
    assert together["ci95"][1] - together["ci95"][0] > 1.7 * (alone["ci95"][1] - alone["ci95"][0])


def test_published_figures_stand_beside_the_score():
    found = score_rows([result_row("a")], load_benchmark("mathvista"))
    assert found["published"][0]["scores"]["VL-Cogito 7B"] == 74.8
