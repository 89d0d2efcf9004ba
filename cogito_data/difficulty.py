"""Difficulty: how often a model answers a question right, measured until the verdict is certain.

With 8 trials and "keep up to 4 right", four trials are asked at once, then one at a time, and none after the
fifth right or the fourth wrong answer: whatever the rest had been, the verdict would be the same. Trials are
counted in their own order, so the verdict is that of all 8, and asking costs 29-38 % fewer generations
(reference/curation.md 2c; bench/early_stop.py measures it on real pass rates).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cogito_core.engines.base import Answer, Engine, Request, Result, Sampling, seed_of
from cogito_core.prompts import build_chat
from cogito_core.sample import Sample
from cogito_core.verify import judge
from cogito_data.recipe import Difficulty


@dataclass(frozen=True)
class StopRule:
    """When the verdict of `trials` trials is certain: kept if and only if `low` <= right answers <= `high`."""

    trials: int
    low: int
    high: int

    def verdict(self, right: int, done: int) -> bool | None:
        """True kept, False dropped, None while the trials still to come could change it.

        >>> rule = StopRule(8, 0, 4)
        >>> rule.verdict(5, 5), rule.verdict(0, 4), rule.verdict(4, 7)
        (False, True, None)
        """
        left = self.trials - done
        if right > self.high or right + left < self.low:
            return False
        if right >= self.low and right + left <= self.high:
            return True
        return None

    @property
    def first(self) -> int:
        """The fewest trials that can decide: they are asked at once, for none of them could be spared.

        >>> StopRule(8, 0, 4).first, StopRule(16, 1, 15).first
        (4, 2)
        """
        return next(done for done in range(self.trials + 1)
                    if any(self.verdict(right, done) is not None for right in range(done + 1)))


@dataclass(frozen=True)
class Trial:
    """One answer and its verdict."""

    number: int
    answer: Answer
    outcome: str
    rule: str
    extracted: str | None


@dataclass
class Item:
    """A question under measurement; `error` says why the model could not be asked it."""

    row: int
    sample: Sample
    trials: list[Trial] = field(default_factory=list)
    error: str = ""

    @property
    def right(self) -> int:
        return sum(trial.outcome == "right" for trial in self.trials)


def grade(sample: Sample, number: int, answer: Answer) -> Trial:
    """Judge one answer of the model."""
    verdict = judge(
        answer.text, sample.answer, kind=sample.answer_kind, aliases=sample.answer_aliases, spec=sample.answer_spec,
        choices=sample.choices if sample.answer_kind in ("choice", "choices") else (),
    )
    return Trial(number, answer, verdict.outcome, verdict.rule, verdict.extracted)


def measure(items: Iterator[Item], engine: Engine, settings: Difficulty, seed: int) -> Iterator[Item]:
    """Ask until every item is decided (or has all its trials, where the settings ask for all); yields items as they
    are done, those that the model cannot be asked with their `error`.

    Follow-up trials go before new questions, so that a server still holds their picture and prefix. The engine
    takes requests as it has room, which keeps it full with many questions rather than many trials of one.
    """
    rule = StopRule(settings.trials, *settings.keep_counts)
    waiting: deque[Item] = deque()
    open_items: dict[str, Item] = {}

    def requests() -> Iterator[Request]:
        while True:
            item = waiting.popleft() if waiting else next(items, None)
            if item is None:
                return
            done = len(item.trials)
            count = settings.trials if settings.asks_all else 1 if done else max(1, rule.first)
            name = str(item.row)
            open_items[name] = item
            yield _request(name, item.sample, range(done, done + count), settings, seed)

    while True:
        started = False
        for result in engine.generate(requests()):
            started = True
            item = open_items.pop(result.id)
            _take(item, result)
            if _is_done(item, rule, settings):
                yield item
            else:
                waiting.append(item)
        if not started:
            return


def _request(name: str, sample: Sample, numbers: range, settings: Difficulty, seed: int) -> Request:
    # Seeds hang on the content, not on the id or place: the same question is never asked twice.
    seeds = tuple(seed_of("difficulty", seed, sample.image_hash, sample.problem_hash, number) for number in numbers)
    chat = build_chat(settings.prompt, sample.problem, sample.images)
    sampling = Sampling(temperature=settings.temperature, top_p=settings.top_p, max_tokens=settings.max_tokens)
    return Request(name, chat, seeds, sampling)


def _take(item: Item, result: Result) -> None:
    if result.error is not None:
        item.error = result.error
    for answer in result.answers:
        item.trials.append(grade(item.sample, len(item.trials), answer))


def _is_done(item: Item, rule: StopRule, settings: Difficulty) -> bool:
    done = len(item.trials)
    if item.error or done >= settings.trials:
        return True
    return not settings.asks_all and rule.verdict(item.right, done) is not None


def pass_rate(right: int, done: int, rule: StopRule) -> float:
    """An estimate of the pass rate from trials in their own order.

    With all trials asked it is right / done. Stopped early, the plain share is biased. Where the rule has one bound,
    (k - 1) / (done - 1) is not, if the k-th right answer stopped it, nor 1 - (k - 1) / (done - 1) if the k-th wrong
    one did (inverse binomial sampling, Haldane 1945); what is left is at most 0.02, from the full trials. A rule with
    two bounds may stop at the first right and the first wrong answer: the unbiased estimate would then be 0 or 1 for
    rows it keeps, so the plain share stands, drawn to the middle; only `exact_rate` measures such rates.

    >>> rule = StopRule(8, 0, 4)
    >>> pass_rate(5, 6, rule), pass_rate(0, 4, rule), pass_rate(4, 8, rule)
    (0.8, 0.0, 0.5)
    >>> pass_rate(1, 4, StopRule(16, 1, 15)), pass_rate(4, 4, StopRule(8, 4, 8))
    (0.25, 1.0)
    """
    if done >= rule.trials or done < 2 or (rule.low > 0 and rule.high < rule.trials):
        return right / done
    stopped_by_right = right > rule.high if rule.high < rule.trials else right >= rule.low
    if stopped_by_right:
        return (right - 1) / (done - 1)
    return 1 - (done - right - 1) / (done - 1)


def bounds(right: int, done: int, trials: int) -> tuple[float, float]:
    """The lowest and highest share that all `trials` trials could have shown.

    >>> bounds(0, 4, 8)
    (0.0, 0.5)
    """
    return right / trials, (right + trials - done) / trials


def measured_columns(right: int, tokens: int, done: int, rule: StopRule, described: str) -> dict[str, Any]:
    """What a row carries of its measurement; `tokens` is the length of its right answers together."""
    low, high = bounds(right, done, rule.trials)
    return {
        "pass_rate": round(pass_rate(right, done, rule), 6),
        "n_correct": right,
        "n_trials": done,
        "mean_correct_tokens": round(tokens / right, 3) if right else None,
        "difficulty_model": described,
        "meta": {"pass_rate_bounds": [round(low, 6), round(high, 6)]},
    }
