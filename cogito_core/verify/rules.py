"""One gold, one answer: pick the rule by the gold's kind and put the verdict into a sentence."""

from __future__ import annotations

import re
from typing import NamedTuple

from cogito_core.verify import meter
from cogito_core.verify.choice import CACHED_CHARS, LETTERS, Pick, pick_many, pick_one, several_letters
from cogito_core.verify.clean import fold, strip_dress
from cogito_core.verify.compare import Context, Result, same
from cogito_core.verify.golds import read_gold
from cogito_core.verify.kinds import NO, YES, Gold, readings_of
from cogito_core.verify.moments import read_date, read_time, same_time
from cogito_core.verify.policy import Policy
from cogito_core.verify.spellings import says_none
from cogito_core.verify.tree import Node, show
from cogito_core.verify.units import parse_unit
from cogito_core.verify.verdict import Outcome, Verdict
from cogito_core.verify.vqa import consensus, enough, people_of, processed
from cogito_core.verify.words import number_words

MAX_SHOWN = 120


class Question(NamedTuple):
    """What the sample says about its answer."""

    kind: str
    choices: tuple[str, ...]
    policy: Policy
    units: str
    unit: str
    people: tuple[str, ...] = ()
    """What several people answered, for VQA's consensus."""


@meter.budgeted
def decide(gold: str, answer: str, question: Question) -> Verdict:
    """The verdict on one answer against one gold."""
    kind = question.kind
    if kind == "vqa":
        return _consensus(gold, answer, question)
    if not strip_dress(gold):
        return _verdict(
            "undecidable", kind or "unread", "empty gold", gold, answer, answer, question, "the gold is empty"
        )
    if len(gold) > 300 and gold.strip() == answer.strip():
        return _verdict(
            "right", kind or "unread", "same text", gold.strip(), answer.strip(), answer, question, "the same text"
        )
    if kind == "choices" or (kind in ("", "choice") and question.choices and several_letters(gold, question.choices)):
        return _choices(gold, answer, question)
    if kind == "choice" or (not kind and question.choices):
        return _choice(gold, answer, question)
    known = read_gold(gold, kind)
    if known.kind == "choice":
        return _choice(gold, answer, question)
    if not strip_dress(answer):
        return _verdict("undecidable", known.kind, "empty", known.text, "", answer, question, "the answer is empty")
    if kind == "list" and _WORDS.fullmatch(known.text):
        return _word_list(known, answer, question)
    if known.kind == "yes_no":
        return _yes_no(known, answer, question)
    if known.kind in ("time", "date"):
        return _moment(known, answer, question)
    if known.readings:
        return _maths(known, answer, question)
    return _text(known, answer, question)


def _verdict(
    outcome: Outcome, kind: str, rule: str, gold: str, answer: str, extracted: str, question: Question, reason: str
) -> Verdict:
    return Verdict(outcome, kind, rule, gold[:400], answer[:400], extracted, None, question.policy.name, reason)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _consensus(gold: str, answer: str, question: Question) -> Verdict:
    people = question.people or people_of(gold)
    said = strip_dress(answer)
    right = enough(said, people)
    shown = "; ".join(sorted({processed(one) for one in people}))
    share = float(consensus(said, people))
    reason = f"{_short(said)!r} has a consensus of {share:.2f} among {len(people)} answers"
    if not people or not said:
        reason = "the gold is empty" if not people else "the answer is empty"
        return _verdict("undecidable", "vqa", "empty", shown, processed(said), answer, question, reason)
    return _verdict(
        "right" if right else "wrong", "vqa", "consensus", shown, processed(said), answer, question, reason
    )


# choice


def _choice(gold: str, answer: str, question: Question) -> Verdict:
    choices = question.choices
    wanted = pick_one(gold, choices, 26 if not choices else 0, gold_side=True)
    if not wanted.picked:
        known = read_gold(gold, "")
        if choices and known.kind not in ("choice", "unreadable"):
            free = question._replace(choices=(), kind="text" if known.kind == "text" else "")
            verdict = decide(gold, answer, free)
            return _verdict(
                verdict.outcome,
                "choice",
                "gold outside the options",
                verdict.gold_norm,
                verdict.answer_norm,
                answer,
                question,
                f"the gold {_short(gold)!r} names no option; as {known.kind}: {verdict.reason}",
            )
        return _verdict(
            "undecidable",
            "choice",
            "gold outside the options",
            gold,
            "",
            answer,
            question,
            f"the gold {_short(gold)!r} names no option",
        )
    name = " = ".join(LETTERS[index] for index in sorted(wanted.picked))
    given = pick_one(answer, choices, 26 if not choices else 0)
    if given.conflict:
        return _verdict("undecidable", "choice", "conflict", name, "", answer, question, given.conflict)
    if not given.picked and choices:
        given = _by_value(answer, choices, question)
    if not given.picked:
        several = pick_many(answer, choices)
        if len(several.picked) > 1 or several.conflict:
            return _verdict(
                "undecidable", "choice", "conflict", name, "", answer, question, several.conflict or "several letters"
            )
        if not choices and "." not in gold.strip()[1:3] and len(strip_dress(gold)) > 3:
            rest = re.sub(r"^\(?[A-Z]\)?\s*[.:)]?\s*", "", strip_dress(gold))
            if rest and fold(rest) == fold(strip_dress(answer)):
                return _verdict(
                    "right",
                    "choice",
                    "option text",
                    name,
                    fold(rest),
                    answer,
                    question,
                    f"{_short(answer)!r} is the text of option {name}",
                )
        outcome: Outcome = "undecidable" if not strip_dress(answer) or not choices else "wrong"
        return _verdict(
            outcome, "choice", "no option", name, "", answer, question, f"{_short(answer)!r} names no option"
        )
    shown = " = ".join(LETTERS[index] for index in sorted(given.picked))
    texts = {_same_option(choices[index]) for index in wanted.picked} if choices else set()
    right = bool(wanted.picked & given.picked) or any(
        _same_option(choices[index]) in texts for index in given.picked if choices
    )
    return _verdict(
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


def _by_value(answer: str, choices: tuple[str, ...], question: Question) -> Pick:
    """An option whose value the answer equals, where exactly one does: 0.5 for the option 1/2."""
    readings, _ = readings_of(strip_dress(answer))
    if not readings:
        return Pick(frozenset(), "none")
    texts = [strip_dress(choice) for choice in choices if len(choice) <= CACHED_CHARS]
    if len(texts) < len(choices):
        return Pick(frozenset(), "none")
    known = [Gold("", text, readings_of(text)[0]) for text in texts]
    equal = [
        index for index, one in enumerate(known) if one.readings and _equal(one, readings, answer, question).equal
    ]
    if not equal:
        return Pick(frozenset(), "none")
    if len(equal) > 1 and len({_same_option(choices[index]) for index in equal}) > 1:
        return Pick(frozenset(), "none")
    return Pick(frozenset(equal), "option value")


def _choices(gold: str, answer: str, question: Question) -> Verdict:
    wanted, given = pick_many(gold, question.choices, 26), pick_many(answer, question.choices, 26)
    name, shown = (", ".join(LETTERS[index] for index in sorted(pick.picked)) for pick in (wanted, given))
    if not wanted.picked:
        return _verdict(
            "undecidable",
            "choices",
            "gold outside the options",
            gold,
            "",
            answer,
            question,
            f"the gold {_short(gold)!r} names no options",
        )
    if not given.picked:
        return _verdict(
            "undecidable",
            "choices",
            "conflict" if given.conflict else "no option",
            name,
            "",
            answer,
            question,
            given.conflict or f"{_short(answer)!r} names no option",
        )
    right = wanted.picked == given.picked
    return _verdict(
        "right" if right else "wrong",
        "choices",
        given.how,
        name,
        shown,
        answer,
        question,
        f"options {shown}" if right else f"options {shown} where they are {name}",
    )


# yes or no, moments, text


_SPOKEN = {"yep": "yes", "yeah": "yes", "nope": "no", "nah": "no"}


def _yes_no(known: Gold, answer: str, question: Question) -> Verdict:
    wanted = known.text.strip().lower().rstrip(".") in YES
    words = re.findall(r"[a-z]+(?:'[a-z]+)?|[\u3400-\u9fff]+", strip_dress(answer).lower())
    words = [_SPOKEN.get(word, word) for word in words]
    given: bool | None = None
    conflict = ""
    if words and (words[0] in YES or words[0] in NO):
        given = words[0] in YES
        opposite = NO if given else YES
        rest = " ".join(words[1:])
        if (
            re.search(r"\bbut (?:no|yes)\b", " ".join(words))
            or any(word in opposite - {"true", "false", "no", "不"} for word in words[1:])
            or re.match(r"(?:or|and|/)\b", rest)
        ):
            given, conflict = None, "both yes and no"
    name = "yes" if wanted else "no"
    if given is None:
        return _verdict(
            "undecidable",
            "yes_no",
            "conflict" if conflict else "no answer",
            name,
            "",
            answer,
            question,
            conflict or f"{_short(answer)!r} says neither yes nor no",
        )
    right = given == wanted
    shown = "yes" if given else "no"
    return _verdict(
        "right" if right else "wrong",
        "yes_no",
        "first word",
        name,
        shown,
        answer,
        question,
        f"{shown} {'as' if right else 'where it is'} {name}" if not right else shown,
    )


def _moment(known: Gold, answer: str, question: Question) -> Verdict:
    text = strip_dress(answer)
    if fold(text) == fold(known.text):
        return _verdict(
            "right", known.kind, "same form", known.text, text, answer, question, f"{_short(text)} as written"
        )
    if known.kind == "time":
        gold_time, answer_time = read_time(known.text), read_time(text)
        if gold_time is None or answer_time is None:
            readings, given = readings_of(known.text)[0], readings_of(text)[0]
            # 7:32 may be a ratio and then equals 7/32; another ratio such as 14:64 is another time.
            if not question.kind and readings and readings[0].op == "ratio" and given and given[0].op != "ratio":
                return _maths(Gold("ratio", known.text, readings), answer, question)
            return _text(known, answer, question)
        right = same_time(gold_time, answer_time)
    else:
        gold_date, answer_date = read_date(known.text), read_date(text)
        if gold_date is None or answer_date is None:
            return _text(known, answer, question)
        right = gold_date == answer_date
    return _verdict(
        "right" if right else "wrong",
        known.kind,
        known.kind,
        known.text,
        text,
        answer,
        question,
        f"{_short(text)} {'is' if right else 'is not'} {known.text}",
    )


def _text(known: Gold, answer: str, question: Question) -> Verdict:
    text = strip_dress(answer)
    one, other = fold(known.text), fold(text)
    if not one or not other:
        same_form = known.text.strip() == text.strip()
        return _verdict(
            "right" if same_form and text else "wrong",
            known.kind,
            "same form",
            known.text,
            text,
            answer,
            question,
            f"{_short(text)!r} against {_short(known.text)!r}",
        )
    right = one == other or _words_as_numbers(one) == _words_as_numbers(other)
    right = right or (says_none(known.text) and says_none(text))
    if not right and one.isascii() and other.isascii():
        # A plural s or a closing "s'" is spelling, numbers and all other letters are not.
        right = (
            len(one) > 3
            and (one == other + "s" or other == one + "s")
            and not one[-1].isdigit()
            and not other[-1].isdigit()
            and not (one.endswith("ss") or other.endswith("ss"))
        )
    return _verdict(
        "right" if right else "wrong",
        known.kind,
        "text",
        one,
        other,
        answer,
        question,
        f"{_short(text)!r} {'is' if right else 'is not'} {_short(known.text)!r}",
    )


_WORDS = re.compile(r"[A-Za-z][A-Za-z' -]*[A-Za-z](?:\s*[,;]\s*(?:and\s+)?[A-Za-z][A-Za-z' -]*[A-Za-z])+")


def _word_list(known: Gold, answer: str, question: Question) -> Verdict:
    """A list of words in any order: "red, green" and "Green and red", but not "red or green"."""
    text = strip_dress(answer).strip("[](){} ")
    if re.search(r"\bor\b|或", text):
        return _verdict(
            "undecidable", "list", "conflict", known.text, text, answer, question, f"{_short(text)!r} is an either-or"
        )
    wanted, given = (
        sorted(fold(part) for part in re.split(r"\s*(?:[,;，、；]|\band\b|和)\s*", one) if part.strip())
        for one in (known.text, text)
    )
    right = wanted == given
    return _verdict(
        "right" if right else "wrong",
        "list",
        "words",
        ", ".join(wanted),
        ", ".join(given),
        answer,
        question,
        f"{_short(text)!r} {'names' if right else 'does not name'} the words {_short(known.text)!r}",
    )


def _words_as_numbers(text: str) -> str:
    return " ".join(str(value) if (value := number_words(word)) is not None else word for word in text.split())


# maths


def _equal(known: Gold, readings: tuple[Node, ...], answer: str, question: Question) -> Result:
    """The best result over the readings: units with units, letters with letters, then the rest."""
    ctx = Context(
        question.policy,
        question.units,
        question.kind or known.kind,
        known.text,
        answer,
        question.kind in ("number", "quantity") or bool(question.unit),
    )
    worst: Result | None = None
    for gold_index, gold in enumerate(known.readings):
        for answer_index, reading in enumerate(readings):
            if (
                len(known.readings) > 1
                and len(readings) > 1
                and gold_index != answer_index
                and max(gold_index, answer_index) < 2
            ):
                continue
            if gold_index == 1 and _only_unit(known, answer, question.kind == "quantity"):
                continue
            result = same(_with_unit(gold, question), _with_unit(reading, question, of_answer=True), ctx)
            if result.equal:
                return result
            if worst is None or (worst.equal is False and result.equal is None):
                worst = result
    return worst or Result(None, "unread")


def _only_unit(known: Gold, answer: str, declared: bool) -> bool:
    """Whether the gold's unit is certain: then mN is not the product of m and N. One written apart from its number
    is, but for single letters in the same order (2 m g and 2mg)."""
    gold = known.readings[0]
    if gold.op != "quantity" or not gold.value.dims or not gold.value.clear:
        return False
    letters = all(len(word) == 1 for word in re.findall(r"[^\W\d_]+", gold.value.name))
    one, other = ("".join(re.findall(r"\w", text)) for text in (known.text, answer))
    apart = declared or bool(re.search(r"\d(?:\s|\\[,; ]|~|\\(?:text|mathrm))", known.text))
    return apart and (declared or not letters or one != other)


def _alternatives_of_names(known: Gold, readings: tuple[Node, ...]) -> bool:
    """Whether "a or b" answers a list of bare names: then it is an either-or, not the list."""
    gold, answer = known.readings[0], readings[0]
    return (
        gold.op == answer.op == "list"
        and answer.value == "or" != gold.value
        and all(member.op in ("sym", "mul", "text") for member in answer.args)
    )


def _with_unit(node: Node, question: Question, of_answer: bool = False) -> Node:
    """The gold in the unit the question states; the answer keeps what it says."""
    if not question.unit or node.op not in ("num", "neg", "div", "mul", "add", "root", "pow"):
        return node
    if question.unit.strip() in ("%", "percent") and not of_answer:
        return Node("percent", None, (node,), node.start, node.end)
    if question.unit.strip() in ("%", "percent"):
        return Node("percent", None, (node,), node.start, node.end)
    unit = parse_unit(question.unit)
    if unit is None or of_answer or unit.noun or (not unit.dims and unit.factor != 1):
        return node
    return Node("quantity", unit, (node,), node.start, node.end)


_OTHER_FORMS = {
    "complex": (re.compile(r"(?<![A-Za-z\\])j(?![A-Za-z])"), "i"),
    "ratio": (re.compile(r"\s+to\s+|\s*比\s*"), ":"),
    "decimal": (re.compile(r"^([+-]?\d+),(\d{1,3})$"), r"\1.\2"),
}
"""What only a gold of that kind gives away: j for i, "3 to 4", a decimal comma before one digit."""


def _read_towards(known: Gold, text: str) -> tuple[tuple[Node, ...], str]:
    """The readings of an answer, with the one that the gold's kind suggests."""
    readings, problem = readings_of(text)
    if known.kind in _OTHER_FORMS:
        pattern, replacement = _OTHER_FORMS[known.kind]
        changed = pattern.sub(replacement, text)
        if changed != text and (known.kind != "decimal" or readings[:1] == () or readings[0].op == "list"):
            readings = (*readings, *readings_of(changed)[0])
    return readings, problem


def _squashed(text: str) -> str:
    return re.sub(r"\s|\\[,;:! ]|\\left|\\right", "", re.sub(r"(?<=\w)\s+(?=\w)", "|", text))


def _maths(known: Gold, answer: str, question: Question) -> Verdict:
    text = strip_dress(answer)
    gold_form = show(known.readings[0])
    readings, problem = _read_towards(known, text)
    if not readings:
        if _squashed(text) == _squashed(known.text):
            return _verdict("right", known.kind, "same form", known.text, text, answer, question, "as written")
        digits = any(char.isdigit() for char in text)
        outcome: Outcome = "undecidable" if problem.startswith("limit") or digits else "wrong"
        return _verdict(
            outcome,
            known.kind,
            "limit" if problem.startswith("limit") else "unreadable",
            gold_form,
            "",
            answer,
            question,
            f"{_short(text)!r} cannot be read as {known.kind} ({problem})",
        )
    result = _equal(known, readings, text, question)
    shown = show(readings[0])
    if _alternatives_of_names(known, readings):
        result = Result(None, "conflict", "an either-or")
    if result.equal is None:
        return _verdict(
            "undecidable",
            known.kind,
            result.rule,
            gold_form,
            shown,
            answer,
            question,
            f"{_short(text)} against {_short(known.text)}: {result.note or 'not settled'}",
        )
    if result.equal:
        note = f" ({result.note})" if result.note else ""
        return _verdict(
            "right",
            known.kind,
            result.rule,
            gold_form,
            shown,
            answer,
            question,
            f"{_short(text)} equals {_short(known.text)}{note}",
        )
    if result.rule == "unit" and " against " in result.note:
        return _verdict("wrong", known.kind, result.rule, gold_form, shown, answer, question, result.note)
    note = f": {result.note}" if result.note else ""
    if "against" in result.note and "factor" in result.note:
        return _verdict("wrong", known.kind, result.rule, gold_form, shown, answer, question, result.note)
    return _verdict(
        "wrong",
        known.kind,
        result.rule,
        gold_form,
        shown,
        answer,
        question,
        f"{_short(text)} is not {_short(known.text)}{note}",
    )
