"""Grids as golds: one form for every writing, and another shape is another answer."""

from __future__ import annotations

from typing import Any

import pytest

from cogito_core.verify import verify
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.shapes.grids import grid_gold

ROW = Row("train.jsonl, row 3", {})
WRITINGS: list[Any] = [
    [[1, 2, 3], [4, 5, 6]], [["1", "2", "3"], ["4", "5", "6"]], "[[1,2,3],[4,5,6]]", "[[1, 2, 3],\n [4, 5, 6]]",
    "1 2 3\n4 5 6", "```\n1  2 3\n4 5 6\n```", "1,2,3\n4,5,6", "[1 2 3]\n[4 5 6]", "| 1 | 2 | 3 |\n| 4 | 5 | 6 |", "123\n456",
]


@pytest.mark.parametrize("value", WRITINGS)
def test_a_grid_has_one_form(value: Any) -> None:
    gold = grid_gold(ROW, value)
    assert (gold.answer, gold.kind) == ("[[1, 2, 3], [4, 5, 6]]", "list")


@pytest.mark.parametrize(("value", "answer", "kind"), [
    ("5", "5", "number"), ("red", "red", "text"), ("12", "12", "number"), ([[5]], "[[5]]", "list"), ("1 2", "[[1, 2]]", "list"),
    ([[1], [2]], "[[1], [2]]", "list"), ("1\n2", "[[1], [2]]", "list"),
])
def test_small_grids_and_single_values(value: Any, answer: str, kind: str) -> None:
    gold = grid_gold(ROW, value)
    assert (gold.answer, gold.kind) == (answer, kind)


@pytest.mark.parametrize(("value", "reason"), [
    ("", "empty_gold"), ([], "empty_gold"), ("```\n```", "empty_gold"), ([[]], "unclear_gold"), ([[1, 2], [3]], "unclear_gold"),
    ("1 2\n3", "unclear_gold"), ("the grid is blue", "unclear_gold"), (5, "wrong_type"), ([1, 2], "wrong_type"),
    ({"grid": [[1]]}, "wrong_type"), ([[1, None]], "unclear_gold"), ([[[1]]], "unclear_gold"),
])
def test_what_is_no_grid_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        grid_gold(ROW, value)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("answer", "right"), [
    ("[[1,2,3],[4,5,6]]", True), ("[[1, 2, 3],\n [4, 5, 6]]", True),
    (r"\begin{bmatrix}1&2&3\\4&5&6\end{bmatrix}", True),
    ("1 2\n3 4\n5 6", False), ("1 2 3 4 5 6", False), ("[[1,2],[3,4],[5,6]]", False), ("[1,2,3,4,5,6]", False),
    ("[[4,5,6],[1,2,3]]", False), ("[[1,2,3],[4,5,7]]", False), ("[[1,4],[2,5],[3,6]]", False),
])
def test_the_verifier_tells_shapes_apart(answer: str, right: bool) -> None:
    gold = grid_gold(ROW, WRITINGS[0])
    assert verify(gold.answer, answer, kind=gold.kind).is_right is right
