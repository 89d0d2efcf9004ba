"""Grids written as plain lines, where the gold is a list of rows."""

from __future__ import annotations

import doctest

import pytest

from cogito_core.verify import grids, judge, verify

GOLD = "[[1, 2, 3], [4, 5, 6]]"
RIGHT = ["1 2 3\n4 5 6", "1,2,3\n4,5,6", "[1 2 3]\n[4 5 6]", "| 1 | 2 | 3 |\n|---|---|---|\n| 4 | 5 | 6 |", "123\n456", GOLD]
OTHERS = ["1 2\n3 4\n5 6", "1 2 3 4 5 6", "1 2 3\n4 5 7", "4 5 6\n1 2 3", "1 2 3\n4 5", "[[1, 2], [3, 4], [5, 6]]", "12\n34\n56"]


@pytest.mark.parametrize("answer", RIGHT)
def test_the_same_grid_in_other_writings(answer):
    assert verify(GOLD, answer, kind="list").outcome == "right"
    assert judge(f"<think>7 7 7\n7 7 7</think><answer>\n{answer}\n</answer>", GOLD, kind="list").outcome == "right"


@pytest.mark.parametrize("answer", OTHERS)
def test_another_grid_or_shape(answer):
    assert verify(GOLD, answer, kind="list").outcome != "right"
    assert judge(f"<think>1 2 3\n4 5 6</think><answer>\n{answer}\n</answer>", GOLD, kind="list").outcome != "right"


def test_the_last_fenced_block_counts_and_thinking_does_not():
    block = "```\n1 2 3\n4 5 6\n```"
    assert judge(f"Input:\n```\n9 9\n9 9\n```\nSo the output is\n{block}", GOLD, kind="list").outcome == "right"
    assert judge(f"<think>{block}</think>I do not know.", GOLD, kind="list").outcome != "right"
    assert judge(f"{block}\nNo:\n```\n1 2 3\n4 5 7\n```", GOLD, kind="list").outcome == "wrong"


def test_cells_of_several_digits_stay_whole_in_a_column():
    assert verify("[[12], [34]]", "12\n34", kind="list").outcome == "right"


def test_other_golds_are_read_as_before():
    assert grids.as_rows("1, 2, 3", "1\n2\n3") == "1\n2\n3"
    assert grids.rows_in("<answer>1\n2</answer>", "1, 2") is None


def test_examples():
    assert doctest.testmod(grids).failed == 0
