"""Multiple choice: one option or several, by letter, by text or by value."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from cogito_core.verify.choice import (
    CACHED_CHARS,
    LETTERS,
    MAX_OPTION,
    Pick,
    pick_many,
    pick_one,
    text_behind_letter,
)
from cogito_core.verify.clean import fold, strip_dress
from cogito_core.verify.golds import read_gold
from cogito_core.verify.kinds import Gold, readings_of
from cogito_core.verify.ladder import bounds
from cogito_core.verify.maths_rules import equal
from cogito_core.verify.question import Question, conclude, short
from cogito_core.verify.verdict import Outcome, Verdict

NEAR = Fraction(1, 20)
"""A number behind a letter may be the option's value rounded, no coarser than this."""


def choice(gold: str, answer: str, question: Question, decide: Callable[[str, str, Question], Verdict]) -> Verdict:
    """One option asked for. `decide` judges a gold that is outside the options."""
    options = question.choices
    wanted = pick_one(gold, options, 26 if not options else 0, gold_side=True)
    if not wanted.picked:
        known = read_gold(gold, "")
        if options and known.kind not in ("choice", "unreadable"):
            free = question._replace(choices=(), kind="text" if known.kind == "text" else "")
            verdict = decide(gold, answer, free)
            return conclude(
                verdict.outcome,
                "choice",
                "gold outside the options",
                verdict.gold_norm,
                verdict.answer_norm,
                answer,
                question,
                f"the gold {short(gold)!r} names no option; as {known.kind}: {verdict.reason}",
            )
        return conclude(
            "undecidable",
            "choice",
            "gold outside the options",
            gold,
            "",
            answer,
            question,
            f"the gold {short(gold)!r} names no option",
        )
    name = " = ".join(LETTERS[index] for index in sorted(wanted.picked))
    given = pick_one(answer, options, 26 if not options else 0)
    if given.conflict:
        return conclude("undecidable", "choice", "conflict", name, "", answer, question, given.conflict)
    behind = text_behind_letter(answer) if given.picked and given.how == "letter" and options else ""
    other = _by_value(behind, options, question).picked if behind else frozenset()
    if behind and not other and _another_number(behind, [options[index] for index in given.picked]):
        said = f"the letter {LETTERS[min(given.picked)]} against the value {short(behind)!r}"
        return conclude("undecidable", "choice", "conflict", name, "", answer, question, said)
    if other and not other & given.picked:
        named, valued = (LETTERS[min(indices)] for indices in (given.picked, other))
        said = f"the letter {named} against the value of option {valued}"
        return conclude("undecidable", "choice", "conflict", name, "", answer, question, said)
    if not given.picked and options:
        given = _by_value(answer, options, question)
    if not given.picked:
        several = pick_many(answer, options)
        if len(several.picked) > 1 or several.conflict:
            return conclude(
                "undecidable", "choice", "conflict", name, "", answer, question, several.conflict or "several letters"
            )
        if not options and "." not in gold.strip()[1:3] and len(strip_dress(gold)) > 3:
            rest = re.sub(r"^\(?[A-Z]\)?\s*[.:)]?\s*", "", strip_dress(gold))
            if rest and fold(rest) == fold(strip_dress(answer)):
                return conclude(
                    "right",
                    "choice",
                    "option text",
                    name,
                    fold(rest),
                    answer,
                    question,
                    f"{short(answer)!r} is the text of option {name}",
                )
        outcome: Outcome = "undecidable" if not strip_dress(answer) or not options else "wrong"
        return conclude(
            outcome, "choice", "no option", name, "", answer, question, f"{short(answer)!r} names no option"
        )
    shown = " = ".join(LETTERS[index] for index in sorted(given.picked))
    texts = {_same_option(options[index]) for index in wanted.picked} if options else set()
    right = bool(wanted.picked & given.picked) or any(
        _same_option(options[index]) in texts for index in given.picked if options
    )
    return conclude(
        "right" if right else "wrong",
        "choice",
        given.how,
        name,
        shown,
        answer,
        question,
        f"option {shown} {'is' if right else 'where it is'} {name}" if not right else f"option {shown}",
    )


def _same_option(text: str) -> str:
    """What makes two options one: every sign but the spaces. Case and roots tell options apart."""
    return "".join(text.split())


def _another_number(text: str, options: list[str]) -> bool:
    """Whether `text` is a number far from that of every one of the options."""
    readings = readings_of(strip_dress(text))[0]
    said = bounds(readings[0]) if readings else None
    values = [bounds(found[0]) if (found := readings_of(strip_dress(option))[0]) else None for option in options]
    if said is None or any(value is None for value in values):
        return False
    return all(value is not None and abs(said[0] - value[0]) > NEAR * abs(value[0]) for value in values)


def _by_value(answer: str, choices: tuple[str, ...], question: Question) -> Pick:
    """An option whose value the answer equals, where exactly one does: 0.5 for the option 1/2."""
    readings, _ = readings_of(strip_dress(answer)) if len(answer) <= MAX_OPTION else ((), "")
    if not readings:
        return Pick(frozenset(), "none")
    texts = [strip_dress(choice) for choice in choices if len(choice) <= CACHED_CHARS]
    if len(texts) < len(choices):
        return Pick(frozenset(), "none")
    known = [Gold("", text, readings_of(text)[0]) for text in texts]
    found = [
        index for index, one in enumerate(known) if one.readings and equal(one, readings, answer, question).equal
    ]
    if not found:
        return Pick(frozenset(), "none")
    if len(found) > 1 and len({_same_option(choices[index]) for index in found}) > 1:
        return Pick(frozenset(), "none")
    return Pick(frozenset(found), "option value")


def choices(gold: str, answer: str, question: Question) -> Verdict:
    """Several options asked for: the same set."""
    wanted, given = pick_many(gold, question.choices, 26), pick_many(answer, question.choices, 26)
    name, shown = (", ".join(LETTERS[index] for index in sorted(pick.picked)) for pick in (wanted, given))
    if not wanted.picked:
        return conclude(
            "undecidable",
            "choices",
            "gold outside the options",
            gold,
            "",
            answer,
            question,
            f"the gold {short(gold)!r} names no options",
        )
    if not given.picked:
        return conclude(
            "undecidable",
            "choices",
            "conflict" if given.conflict else "no option",
            name,
            "",
            answer,
            question,
            given.conflict or f"{short(answer)!r} names no option",
        )
    right = wanted.picked == given.picked
    return conclude(
        "right" if right else "wrong",
        "choices",
        given.how,
        name,
        shown,
        answer,
        question,
        f"options {shown}" if right else f"options {shown} where they are {name}",
    )
