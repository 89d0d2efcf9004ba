"""Sections of the card on the labels: what was rewritten, how hard the questions are, and the noise of both."""

from __future__ import annotations

from collections import Counter

from cogito_core.prompts import PROMPTS
from cogito_core.sample import Sample
from cogito_data.noise import NOTE_ON_REWRITES, chance_of_keep, upper_bound_of_none
from cogito_data.publish.facts import Facts
from cogito_data.publish.markdown import block, code, inline, table

SHOWN_CHARACTERS = 160
BAR = 40


def rewrites(facts: Facts, examples: dict[str, list[Sample]]) -> str:
    """Rules with counts over all rows that came in, and published examples of each."""
    counts: Counter[str] = Counter()
    for per_source in facts.summary.get("rewrites", {}).values():
        for rule, n in per_source.items():
            # What follows the rule's name is a reason with words of the single row.
            counts[": ".join(rule.split(": ")[:2])] += n
    if not counts:
        return "Nothing was rewritten."
    text = (
        "Multiple choice is opened by rule where the question still has one answer without its options. Each rewrite "
        "made a round trip: the verifier accepts the gold in its new and old writing and refuses every distractor. "
        "Counts are of all rows that came in; `none:` rows stay as they were."
    )
    rows = [[code(rule), n] for rule, n in sorted(counts.items())]
    parts = [text, NOTE_ON_REWRITES, table(["rule", "rows"], rows)]
    for rule, samples in examples.items():
        shown = [
            [
                inline(one.original_problem, SHOWN_CHARACTERS) + _options(one),
                inline(one.original_answer, 60),
                inline(one.problem.replace("<image>", ""), SHOWN_CHARACTERS),
                inline(one.answer, 60),
            ]
            for one in samples
        ]
        parts += [f"{code(rule)}:", table(["before", "gold", "after", "gold"], shown)]
    return "\n\n".join(parts)


def _options(sample: Sample) -> str:
    return f" ({inline(' / '.join(sample.choices), SHOWN_CHARACTERS)})" if sample.choices else ""


def difficulty(facts: Facts) -> str:
    """Who measured, how, the histogram, and how noisy the label is."""
    settings = facts.recipe.difficulty
    found = facts.summary.get("difficulty") or {}
    if settings is None or not settings.enabled or not found:
        return "Difficulty was not measured: `pass_rate` is null."
    low, high = settings.keep_counts
    revision = facts.config.get("model_revision")
    rows = [
        ["model", inline(settings.model) + (f", weights {inline(revision)}" if revision else "")],
        [
            "sampling",
            f"temperature {settings.temperature:g}, top-p {settings.top_p:g}, at most {settings.max_tokens:,} tokens",
        ],
        ["trials", f"{settings.trials} per question; kept with {low} to {high} right"],
        ["stop rule", _stop_rule(facts)],
        ["asked", f"{found['trials_asked']:,} answers for {found['questions']:,} questions"],
    ]
    prompt = PROMPTS[settings.prompt]
    parts = [
        table(["", ""], rows),
        f"Prompt `{settings.prompt}`:",
        block("\n\n".join(text for text in (prompt.system, prompt.user) if text), "text"),
        "Right answers of the questions that were measured, before selection"
        + (":" if settings.exact_rate else "; asking stops once the verdict is certain, so these are lower bounds:"),
        _histogram(found["right_answers"], "right"),
    ]
    if facts.rates:
        rates = {f"{rate:.2f}": n for rate, n in facts.rates.items()}
        parts += ["Pass rate of the training rows:", _histogram(rates, "rate")]
    parts.append(_noise(settings.trials, low, high))
    return "\n\n".join(parts)


def _stop_rule(facts: Facts) -> str:
    assert facts.recipe.difficulty is not None
    if facts.recipe.difficulty.exact_rate:
        return "none: all trials for every question"
    return (
        "asked until the verdict is certain: it is that of all trials whatever the rest had been; `pass_rate` is an "
        "estimate (`docs/data.md` says how), `meta.pass_rate_bounds` what all trials could have shown"
    )


def _histogram(counts: dict[str, int], name: str) -> str:
    total = sum(counts.values()) or 1
    widest = max(counts.values(), default=1)
    ordered = sorted(counts.items(), key=lambda one: float(one[0]))
    lines = [f"{value:>6} {n:>9,} {n / total:>6.1%} {'#' * round(BAR * n / widest)}".rstrip() for value, n in ordered]
    return block("\n".join([f"{name:>6} {'questions':>9} {'share':>6}", *lines]), "text")


def _noise(trials: int, low: int, high: int) -> str:
    kept = [f"{chance_of_keep(rate, trials, low, high):.0%} of one with {rate:g}" for rate in (0.2, 0.4, 0.6, 0.8)]
    return (
        f"A share of {trials} trials is noisy. The rule keeps {', '.join(kept)} true pass rate (binomial); no right "
        f"answer of {trials} bounds the true rate at {upper_bound_of_none(trials):.0%} (one-sided, 95 %). A guesser "
        "solves half of all yes/no questions: compare rates within one answer format (`meta.chance`)."
    )
