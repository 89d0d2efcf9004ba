"""Difficulty: stopping early gives the verdict of all trials, and every trial is the one all trials would have had."""

from __future__ import annotations

import doctest
import itertools
from collections.abc import Callable, Iterable, Iterator

import pytest
from pydantic import ValidationError

from cogito_core.engines.base import Answer, Request, Result
from cogito_core.sample import Sample
from cogito_data import difficulty, noise
from cogito_data.difficulty import Item, StopRule, bounds, measure, pass_rate
from cogito_data.recipe import Difficulty
from tests.data.making import sample

RULES = [StopRule(8, 0, 4), StopRule(16, 1, 15), StopRule(6, 2, 4), StopRule(5, 0, 5), StopRule(1, 0, 0)]


def run_of(outcomes: tuple[int, ...], rule: StopRule) -> int:
    """How many trials are asked: the first ones together, then one at a time."""
    done = max(1, rule.first)
    while rule.verdict(sum(outcomes[:done]), done) is None:
        done += 1
    return done


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.trials <= 8])
def test_stopping_early_never_changes_the_verdict(rule: StopRule) -> None:
    for outcomes in itertools.product((0, 1), repeat=rule.trials):
        done = run_of(outcomes, rule)
        assert rule.verdict(sum(outcomes[:done]), done) == (rule.low <= sum(outcomes) <= rule.high)


@pytest.mark.parametrize("rule", RULES)
def test_no_trial_could_have_been_spared(rule: StopRule) -> None:
    """Wherever the rule goes on, both verdicts are still possible."""
    for done in range(rule.trials):
        for right in range(done + 1):
            finals = {rule.low <= right + more <= rule.high for more in range(rule.trials - done + 1)}
            assert (rule.verdict(right, done) is None) == (len(finals) == 2)


def test_the_paper_stops_at_five_right_or_four_wrong() -> None:
    rule = StopRule(8, 0, 4)
    assert rule.first == 4
    for outcomes in itertools.product((0, 1), repeat=8):
        done = run_of(outcomes, rule)
        right = sum(outcomes[:done])
        assert right == 5 or done - right == 4


def _expected_rate(p: float, rule: StopRule) -> float:
    """Exact expectation of the estimate over all outcomes."""
    total = 0.0
    for outcomes in itertools.product((0, 1), repeat=rule.trials):
        done = run_of(outcomes, rule)
        total += p ** sum(outcomes) * (1 - p) ** (rule.trials - sum(outcomes)) * pass_rate(sum(outcomes[:done]), done, rule)
    return total


@pytest.mark.parametrize("p", [0.05, 0.1, 0.3, 0.5, 0.7, 0.8, 0.95])
@pytest.mark.parametrize("rule", [StopRule(8, 0, 4), StopRule(8, 4, 8), StopRule(8, 0, 0), StopRule(8, 0, 8)])
def test_with_one_bound_the_estimate_is_all_but_unbiased(p: float, rule: StopRule) -> None:
    exact = StopRule(8, 0, 8) == rule  # no verdict can stop it: all trials are asked
    found = p if exact else _expected_rate(p, rule)
    assert found == pytest.approx(p, abs=0.02)


@pytest.mark.parametrize("rule", [StopRule(8, 0, 4), StopRule(8, 4, 8), StopRule(8, 1, 7), StopRule(10, 1, 9), StopRule(8, 2, 5)])
def test_the_estimate_is_a_share_and_agrees_with_the_verdict(rule: StopRule) -> None:
    for outcomes in itertools.product((0, 1), repeat=rule.trials):
        done = run_of(outcomes, rule)
        right = sum(outcomes[:done])
        rate = pass_rate(right, done, rule)
        low, high = bounds(right, done, rule.trials)
        assert 0 <= rate <= 1
        if rule.verdict(right, done):
            assert rate > 0 or rule.low == 0
            assert rate < 1 or rule.high == rule.trials
            assert low <= sum(outcomes) / rule.trials <= high


def test_bounds_hold_whatever_the_trials_not_asked_would_have_been() -> None:
    for outcomes in itertools.product((0, 1), repeat=8):
        done = run_of(outcomes, StopRule(8, 0, 4))
        low, high = bounds(sum(outcomes[:done]), done, 8)
        assert low <= sum(outcomes) / 8 <= high


class Scripted:
    """An engine whose answer depends on the seed alone, and that takes requests `window` at a time."""

    name = "scripted"

    def __init__(self, right: Callable[[str, int], bool], window: int) -> None:
        self.right = right
        self.window = window
        self.asked: list[tuple[str, int]] = []

    def generate(self, requests: Iterable[Request], on_done: object = None) -> Iterator[Result]:
        source = iter(requests)
        while batch := list(itertools.islice(source, self.window)):
            for request in reversed(batch):
                answers = []
                for seed in request.seeds:
                    self.asked.append((request.id, seed))
                    text = r"\boxed{3}" if self.right(request.id, seed) else r"\boxed{5}"
                    answers.append(Answer(text, (1, 2), None, "stop", 2 + seed % 5, 9, seed))
                yield Result(request.id, tuple(answers))

    def close(self) -> None:
        pass


def items(count: int) -> list[Item]:
    return [Item(i, sample(f"q{i}", f"What is {i}?", "3")) for i in range(count)]


def measured(window: int, order: int = 1, **settings: object) -> tuple[dict[int, list[str]], Scripted]:
    engine = Scripted(lambda name, seed: seed % 10 < int(name) % 10, window)
    found = measure(iter(items(40)[::order]), engine, Difficulty(model="m", drop_above=0.5, **settings), seed=0)  # type: ignore[arg-type]
    return {item.row: [trial.outcome for trial in item.trials] for item in found}, engine


def test_early_stopped_trials_are_a_prefix_of_all_trials() -> None:
    all_of_them, _ = measured(7, exact_rate=True)
    rule = StopRule(8, 0, 4)
    for window, order in ((1, 1), (7, 1), (64, 1), (7, -1)):
        some, engine = measured(window, order)
        assert some.keys() == all_of_them.keys() == set(range(40))
        for row, outcomes in some.items():
            assert outcomes == all_of_them[row][: len(outcomes)]
            assert len(outcomes) == run_of(tuple(o == "right" for o in all_of_them[row]), rule)
        assert len(engine.asked) == len(set(engine.asked)) == sum(map(len, some.values()))


def test_the_first_trials_are_asked_together() -> None:
    counts: dict[str, list[int]] = {}

    class Counting(Scripted):
        def generate(self, requests: Iterable[Request], on_done: object = None) -> Iterator[Result]:
            def noted() -> Iterator[Request]:
                for request in requests:
                    counts.setdefault(request.id, []).append(len(request.seeds))
                    yield request

            return super().generate(noted(), on_done)

    list(measure(iter(items(20)), Counting(lambda name, seed: seed % 2 == 0, 4), Difficulty(model="m", drop_above=0.5), 0))
    assert all(sizes[0] == 4 and set(sizes[1:]) <= {1} for sizes in counts.values())


def test_without_a_rule_every_trial_is_asked() -> None:
    engine = Scripted(lambda name, seed: seed % 2 == 0, 4)
    found = list(measure(iter(items(6)), engine, Difficulty(model="m", trials=5), 0))
    assert [len(item.trials) for item in found] == [5] * 6


def test_a_question_that_cannot_be_asked_does_not_end_the_others() -> None:
    class Refusing(Scripted):
        def generate(self, requests: Iterable[Request], on_done: object = None) -> Iterator[Result]:
            for request in requests:
                if request.id == "3":
                    yield Result("3", (), "the picture is too narrow")
                else:
                    yield from super().generate([request])

    found = {item.row: item for item in measure(iter(items(8)), Refusing(lambda name, seed: True, 1), Difficulty(model="m", drop_above=0.5), 0)}
    assert found.keys() == set(range(8))
    assert (found[3].error, found[3].trials) == ("the picture is too narrow", [])
    assert all(len(item.trials) == 5 and not item.error for row, item in found.items() if row != 3)


def test_the_same_content_has_the_same_seeds_under_any_id() -> None:
    def seeds(row: Sample) -> list[int]:
        engine = Scripted(lambda name, seed: True, 4)
        list(measure(iter([Item(0, row)]), engine, Difficulty(model="m", drop_above=0.5), 0))
        return [seed for _, seed in engine.asked]

    assert seeds(sample("a", "What is 1?")) == seeds(sample("b", "What is 1?"))
    assert seeds(sample("a", "What is 1?")) != seeds(sample("a", "What is 2?"))


@pytest.mark.parametrize(("trials", "keys", "expected"), [
    (8, {"drop_above": 0.5}, (0, 4)),
    (16, {"keep_between": (0.0625, 0.9375)}, (1, 15)),
    (10, {"keep_between": (0.1, 0.9)}, (1, 9)),
    (8, {}, (0, 8)),
])
def test_recipes_of_others(trials: int, keys: dict[str, object], expected: tuple[int, int]) -> None:
    assert Difficulty(model="m", trials=trials, **keys).keep_counts == expected  # type: ignore[arg-type]


def test_a_rule_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="no number of right answers"):
        Difficulty(model="m", trials=2, keep_between=(0.6, 0.9))


@pytest.mark.parametrize("module", [difficulty, noise])
def test_examples_in_the_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
