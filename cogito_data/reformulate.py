"""Reformulation: multiple choice becomes an open question where that is safe, and says so where it is not.

Every rewrite makes a round trip through the verifier: it must accept the gold and refuse every distractor.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cogito_core.sample import Sample, problem_hash
from cogito_core.verify import verify
from cogito_data.rules import Item, Ruling, rule_on
from cogito_data.rules.wording import names_options, normal
from cogito_data.sources.assemble import MARK, problem_text
from cogito_data.sources.base import OPTIONS_IN_PICTURE
from cogito_data.sources.shapes.options import LETTERS, lettered, strip_option_labels

CHANCE_OF_KIND = {"yes_no": 0.5}
"""Share of right answers of a guesser, by answer kind; for multiple choice it is one over the options."""


class Unverifiable(Exception):
    """The sample cannot be trained on: its own verifier does not accept its gold. The message says why."""


def reformulate(sample: Sample, *, enabled: bool = True, visible: bool = False) -> Sample:
    """The sample in the form it is trained on, with `reformulation` and `meta["chance"]` set.

    Args:
        enabled: False keeps multiple choice as it is.
        visible: what the options name can always be seen in this source's pictures.

    Raises:
        Unverifiable: the verifier refuses the gold, or the gold is none of the options.
    """
    if sample.answer_kind != "choice" and not sample.choices:
        _must_accept(sample)
        # What people answered to a yes-no question is of the kind vqa.
        kind = "yes_no" if normal(sample.answer) in ("yes", "no") else sample.answer_kind
        return _finish(sample, "none: it is an open question", CHANCE_OF_KIND.get(kind, 0.0))
    options = strip_option_labels(sample.choices)
    if len(options) < 2:
        chance = 1 / max(len(options), 4)
        return _finish(sample, "none: labels: the options are in the picture", chance)
    gold = gold_position(sample, options)
    if gold is None:
        raise Unverifiable(f"the gold {sample.answer!r} is none of the {len(options)} options")
    question = bare_question(sample)
    if not enabled:
        return _as_choice(sample, question, options, gold, "the recipe leaves this source as it is")
    if sample.meta.get(OPTIONS_IN_PICTURE):
        return _as_choice(sample, question, options, gold, "printed: the picture shows the options as well")
    item = Item(question.replace(MARK, " ").strip(), options, gold, visible)
    ruling = rule_on(item)
    if ruling.opened:
        fault = round_trip(item, ruling)
        if fault:
            ruling = Ruling(ruling.rule, opened=False, reason=fault)
    if not ruling.opened:
        return _as_choice(sample, question, options, gold, f"{ruling.rule}: {ruling.reason}")
    problem = _with_marks(question, item.question, ruling.question, len(sample.images))
    opened = replace(
        sample,
        problem=problem,
        problem_hash=problem_hash(problem),
        answer=ruling.answer,
        answer_kind=ruling.kind,
        answer_aliases=ruling.aliases,
        answer_spec=ruling.spec,
        choices=options,
    )
    return _finish(opened, ruling.rule, ruling.chance or 0.0)


def round_trip(item: Item, ruling: Ruling, *, shortest: int | None = None) -> str:
    """What is wrong with a rewrite, as one sentence; empty if nothing is. `shortest` is the least length of the new
    question in characters, by default that of the old one: rules only append.

    The verifier must accept the gold in its new and its old writing and refuse every distractor; no trace of the
    options may be left in the question, and its length must stay in bounds.
    """

    def is_right(answer: str) -> bool:
        return verify(ruling.answer, answer, kind=ruling.kind, aliases=ruling.aliases, spec=ruling.spec).is_right

    for own in (ruling.answer, item.answer):
        if not is_right(own):
            return f"the verifier refuses the gold {own!r}"
    for other in item.distractors:
        if is_right(other):
            return f"the verifier accepts the distractor {other!r}"
    if names_options(ruling.question):
        return "the new question still speaks of options"
    least = len(item.question) if shortest is None else shortest
    if not least <= len(ruling.question) <= 2 * len(item.question) + 80:
        return "the new question is too long"
    return ""


def bare_question(sample: Sample) -> str:
    """The question without its option list; picture marks stay where they are."""
    tail = "\n" + lettered(sample.choices)
    if not sample.choices or not sample.problem.endswith(tail):
        return sample.problem
    return re.sub(r"\n(?:Choices|Options):$", "", sample.problem.removesuffix(tail))


def gold_position(sample: Sample, options: tuple[str, ...]) -> int | None:
    """Which option is the gold: by letter for the kind `choice`, else the only option that reads the same."""
    if sample.answer_kind == "choice":
        letter = sample.answer.strip("(). ").upper()
        if len(letter) == 1 and letter in LETTERS[: len(options)]:
            return LETTERS.index(letter)
    hits = [i for i, option in enumerate(options) if normal(option) == normal(sample.answer)]
    return hits[0] if len(hits) == 1 else None


def gold_text(sample: Sample) -> str:
    """What the gold says: the option's text where the gold is a letter."""
    options = sample.answer_spec.get("choices") or sample.choices
    if sample.answer_kind == "choice" and sample.answer in LETTERS[: len(options)]:
        return str(options[LETTERS.index(sample.answer)])
    return sample.answer


def _must_accept(sample: Sample) -> None:
    verdict = verify(
        sample.answer, sample.answer, kind=sample.answer_kind, aliases=sample.answer_aliases, spec=sample.answer_spec
    )
    if not verdict.is_right:
        raise Unverifiable(
            f"the verifier for '{sample.answer_kind}' does not accept the gold itself: {verdict.reason}"
        )


def _as_choice(sample: Sample, question: str, options: tuple[str, ...], gold: int, reason: str) -> Sample:
    as_given = sample.problem.endswith("\n" + lettered(options))
    problem = sample.problem if as_given else problem_text(question, len(sample.images), options)
    spec = {**sample.answer_spec, "choices": list(options)}
    kept = replace(
        sample,
        problem=problem,
        problem_hash=problem_hash(problem),
        answer=LETTERS[gold],
        answer_kind="choice",
        answer_spec=spec,
        choices=options,
    )
    return _finish(kept, f"none: {reason}", 1 / len(options))


def _finish(sample: Sample, reformulation: str, chance: float) -> Sample:
    return replace(sample, reformulation=reformulation, meta={**sample.meta, "chance": round(chance, 4)})


def _with_marks(marked: str, bare: str, rewritten: str, n_pictures: int) -> str:
    """The rewritten words with picture marks as before: rules only ever append to a question."""
    hint = rewritten[len(bare) :] if rewritten.startswith(bare) else None
    if hint is None:
        return problem_text(rewritten, n_pictures, ())
    return re.sub(r"\s+$", "", marked) + hint
