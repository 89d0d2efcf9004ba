"""The worst a string can do. `bench/hostile.py` measures the time (the bound is 50 ms); here it only must not run away."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogito_core.verify import verify

from .hostile import CALLS, HEAVY, HOSTILE, LENGTH, REPEATED, heavy_calls, texts
from .test_robust import GOLDS

RUNAWAY_S = 1.5
"""CPU seconds of one call. Work that grows with the square of 100,000 characters takes minutes; what is bounded takes
a few hundredths, so that a slow machine does not fail here."""


def _runs_away(call: Callable[[], object]) -> bool:
    start = time.thread_time()
    call()
    return time.thread_time() - start > RUNAWAY_S


@pytest.mark.parametrize("name", CALLS)
def test_hostile_inputs_are_answered(name: str) -> None:
    assert [text[:30] for text in texts() if _runs_away(lambda text=text: CALLS[name](text))] == []  # type: ignore[misc]


_TOKENS = st.one_of(
    st.text(min_size=1, max_size=3),
    st.sampled_from(REPEATED),
    st.tuples(*[st.sampled_from(REPEATED)] * 2).map("".join),
)


@settings(max_examples=60, deadline=None)
@given(_TOKENS, st.sampled_from(list(CALLS)))
def test_any_short_text_repeated_is_answered(token: str, name: str) -> None:
    assert not _runs_away(lambda: CALLS[name]((token * (LENGTH // len(token) + 1))[:LENGTH]))


@pytest.mark.parametrize(("gold", "answer"), HEAVY)
def test_many_comparisons_stay_within_the_budget(gold: str, answer: str) -> None:
    assert not any(_runs_away(call) for call in heavy_calls(gold, answer))


def test_hostile_inputs_are_not_accepted() -> None:
    for text in HOSTILE:
        for gold in GOLDS:
            verdict = verify(gold, text)
            assert not verdict.is_right, (text[:40], gold, str(verdict))
