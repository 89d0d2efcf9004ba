"""One gold, one answer: the rule is picked by the gold's kind."""

from __future__ import annotations

from cogito_core.verify import choice_rules, meter, word_rules
from cogito_core.verify.choice import several_letters
from cogito_core.verify.clean import strip_dress
from cogito_core.verify.formulas import same_formula
from cogito_core.verify.golds import read_gold
from cogito_core.verify.maths_rules import maths
from cogito_core.verify.question import Question, conclude
from cogito_core.verify.verdict import Verdict


@meter.budgeted(meter.MAX_STEPS)
def decide(gold: str, answer: str, question: Question) -> Verdict:
    """The verdict on one answer against one gold."""
    kind = question.kind
    if kind == "vqa":
        return word_rules.people(gold, answer, question)
    if not strip_dress(gold):
        return conclude(
            "undecidable", kind or "unread", "empty gold", gold, answer, answer, question, "the gold is empty"
        )
    if len(gold) > 300 and gold.strip() == answer.strip():
        return conclude(
            "right", kind or "unread", "same text", gold.strip(), answer.strip(), answer, question, "the same text"
        )
    if kind == "choices" or (kind in ("", "choice") and question.choices and several_letters(gold, question.choices)):
        return choice_rules.choices(gold, answer, question)
    if kind == "choice" or (not kind and question.choices):
        return choice_rules.choice(gold, answer, question, decide)
    known = read_gold(gold, kind)
    if known.kind == "choice":
        return choice_rules.choice(gold, answer, question, decide)
    said = strip_dress(answer)
    if not said:
        return conclude("undecidable", known.kind, "empty", known.text, "", answer, question, "the answer is empty")
    if kind == "list" and word_rules.names_words(known.text):
        return word_rules.word_list(known, answer, question)
    alike = same_formula(known.text, said)
    if alike or (alike is False and not known.readings):
        return word_rules.formula(known, answer, question, alike)
    if known.kind == "yes_no":
        return word_rules.yes_no(known, answer, question)
    if known.kind in ("time", "date"):
        return word_rules.moment(known, answer, question)
    if known.readings:
        return maths(known, answer, question)
    return word_rules.words(known, answer, question)
