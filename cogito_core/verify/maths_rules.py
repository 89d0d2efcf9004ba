"""Maths: every reading of the answer against every reading of the gold, and the verdict in a sentence."""

from __future__ import annotations

import re

from cogito_core.verify.clean import strip_dress
from cogito_core.verify.compare import Context, Result, same
from cogito_core.verify.kinds import Gold, readings_of
from cogito_core.verify.naming import constant_of, renamed
from cogito_core.verify.policy import EXACT, parse_policy
from cogito_core.verify.question import Question, conclude, short
from cogito_core.verify.remarks import is_unit, rounded, with_remark, without_name
from cogito_core.verify.tree import Node, show, symbols
from cogito_core.verify.units import parse_unit
from cogito_core.verify.verdict import Outcome, Verdict
from cogito_core.verify.words import number_words


def equal(known: Gold, readings: tuple[Node, ...], answer: str, question: Question) -> Result:
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
            constant = constant_of(gold), constant_of(reading)
            if all(constant) and constant[0] != constant[1] and constant[0] not in symbols(reading):
                reading = renamed(reading, constant[1], constant[0])
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
    if gold.op == "add" and all(part.op == "quantity" and part.value.dims for part in gold.args):
        return True  # 2 m 30 cm is a sum, never a product
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
        and (gold.value == "and" or all(member.op in ("sym", "mul", "text") for member in answer.args))
        and all(member.op != "rel" for member in answer.args)
    )


FULL_TURN = 7
"""A bare number above it is no angle in radians."""


def _with_unit(node: Node, question: Question, of_answer: bool = False) -> Node:
    """The gold in the unit the question states; the answer keeps what it says."""
    if question.kind == "angle" and not of_answer and node.op == "num" and abs(node.value) >= FULL_TURN:
        return Node("deg", None, (node,), node.start, node.end)
    if not question.unit or node.op not in ("num", "neg", "div", "mul", "add", "root", "pow"):
        return node
    if question.unit.strip() in ("%", "percent") and not of_answer:
        return Node("percent", None, (node,), node.start, node.end)
    if question.unit.strip() in ("%", "percent"):
        return Node("percent", None, (node,), node.start, node.end)
    if question.unit.strip().lower() in ("°", "degree", "degrees", "deg", "^\\circ", "度"):
        return node if of_answer else Node("deg", None, (node,), node.start, node.end)
    unit = parse_unit(question.unit)
    if unit is None or of_answer or unit.noun or (not unit.dims and unit.factor != 1):
        return node
    return Node("quantity", unit, (node,), node.start, node.end)


_SHARE = (re.compile(r"^(\d{1,9})\s+(?:out\s+of|in)\s+(\d{1,9})$"), r"\1/\2")
_OTHER_FORMS = {
    "complex": ((re.compile(r"(?<![A-Za-z\\])j(?![A-Za-z])"), "i"),),
    "ratio": ((re.compile(r"\s+to\s+|\s*比\s*"), ":"), _SHARE),
    "decimal": ((re.compile(r"^([+-]?\d+),(\d{1,3})$"), r"\1.\2"), _SHARE),
    "rational": (_SHARE,),
    "percent": (_SHARE,),
}
"""What only a gold of that kind gives away: j for i, "3 to 4", a decimal comma before one digit, "3 out of 5"."""


def _read_towards(known: Gold, text: str) -> tuple[tuple[Node, ...], str]:
    """The readings of an answer, with the one that the gold's kind suggests."""
    readings, problem = readings_of(text)
    if _two_numbers(text):
        readings, problem = (), "two numbers side by side"
    for pattern, replacement in _OTHER_FORMS.get(known.kind, ()):
        changed = pattern.sub(replacement, text)
        if changed != text and (known.kind != "decimal" or readings[:1] == () or readings[0].op == "list"):
            readings = (*readings, *readings_of(changed)[0])
    more = _beside_the_value(text, bool(readings))
    if readings and more:  # the first two are the readings with and without units
        readings = (*readings, *readings[-1:] * (2 - len(readings)))
    return (*readings, *more), "" if readings or more else problem


def _two_numbers(text: str) -> bool:
    """Whether a number stands in brackets behind another one: a remark, not a factor."""
    remark = with_remark(text)
    return remark is not None and all(
        bool(_PLAIN.fullmatch(part)) or number_words(part.lower()) is not None for part in remark
    )


_PLAIN = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
_PER_UNIT = re.compile(r"([+-]?\d[\d,]{0,20}(?:\.\d{1,20})?)\s?(?:1\s?)?/\s?([A-Za-zμΩ]{1,6})")
_SCALED = re.compile(r"([$€£¥]?\s?\d[\d,]{0,20}\.?\d{0,20})\s?(k|K|M|mn|B|bn|T)")
_SCALE = {"k": "thousand", "K": "thousand", "M": "million", "mn": "million", "B": "billion", "bn": "billion"}
_SCALE["T"] = "trillion"


def _beside_the_value(text: str, read: bool) -> tuple[Node, ...]:
    """Readings of an answer that says more than its value: 2.5M, "Area = 12", "12 (twelve)", "about 12"."""
    scaled = _SCALED.fullmatch(text)
    if scaled:
        return readings_of(f"{scaled.group(1)} {_SCALE[scaled.group(2)]}")[0]
    inverse = _PER_UNIT.fullmatch(text)
    if inverse:
        return readings_of(f"{inverse.group(1)} {inverse.group(2)}^{{-1}}")[0]
    remark = with_remark(text)
    if remark is not None:
        if is_unit(remark[1]):
            return readings_of(f"{remark[0]} {remark[1]}")[0]
        restated = rounded(remark[1]) or remark[1]
        value, again = readings_of(remark[0])[0], readings_of(restated)[0]
        places = len(restated.partition(".")[2]) if re.fullmatch(r"-?\d+\.\d{1,15}", restated) else 0
        policy = parse_policy(f"rounded({places})") if places else EXACT
        said_twice = value and again and not symbols(value[0]) and same(value[0], again[0], Context(policy)).equal
        return value if said_twice else ()
    if read:
        return ()
    return readings_of(without_name(text) or rounded(text) or " ")[0]


_DOTS = re.compile(r"\\[lc]?dots[cb]?(?![A-Za-z])|…|\.\.\.")
_SPACING = re.compile(r"\s|\\[,;:! ]|\\(?:left|right)(?![A-Za-z])")


def _squashed(text: str) -> str:
    return _SPACING.sub("", re.sub(r"(?<=\w)\s+(?=\w)", "|", _DOTS.sub("…", text)))


def maths(known: Gold, answer: str, question: Question) -> Verdict:
    """An answer read towards a gold that is maths: units with units, letters with letters, policy last."""
    text = strip_dress(answer)
    readings, problem = _read_towards(known, text)
    gold_form = show(known.readings[0])
    if not readings:
        return _unreadable(known, text, answer, question, problem, gold_form)
    result = equal(known, readings, text, question)
    if _alternatives_of_names(known, readings):
        result = Result(None, "conflict", "an either-or")
    if not result.equal and _squashed(text) == _squashed(known.text):
        result = Result(True, "same form", "as written")
    note = result.note
    outcome: Outcome
    if result.equal is None:
        outcome, reason = "undecidable", f"{short(text)} against {short(known.text)}: {note or 'not settled'}"
    elif result.equal:
        outcome, reason = "right", f"{short(text)} equals {short(known.text)}" + (f" ({note})" if note else "")
    elif " against " in note and (result.rule == "unit" or "factor" in note):
        outcome, reason = "wrong", note
    else:
        outcome, reason = "wrong", f"{short(text)} is not {short(known.text)}" + (f": {note}" if note else "")
    return conclude(outcome, known.kind, result.rule, gold_form, show(readings[0]), answer, question, reason)


def _unreadable(known: Gold, text: str, answer: str, question: Question, problem: str, gold_form: str) -> Verdict:
    """An answer that is no maths: right as written, wrong as mere words, undecidable where digits stand in it."""
    if _squashed(text) == _squashed(known.text):
        return conclude("right", known.kind, "same form", known.text, text, answer, question, "as written")
    limited = problem.startswith("limit")
    outcome: Outcome = "undecidable" if limited or any(char.isdigit() for char in text) else "wrong"
    reason = f"{short(text)!r} cannot be read as {known.kind} ({problem})"
    return conclude(
        outcome, known.kind, "limit" if limited else "unreadable", gold_form, "", answer, question, reason
    )
