"""Answers in words: yes or no, times and dates, texts, lists of words, and what several people said."""

from __future__ import annotations

import re

from cogito_core.verify.clean import fold, strip_dress
from cogito_core.verify.kinds import NO, YES, Gold, readings_of
from cogito_core.verify.maths_rules import maths
from cogito_core.verify.moments import read_date, read_time, same_time
from cogito_core.verify.question import Question, conclude, short
from cogito_core.verify.spellings import says_none
from cogito_core.verify.synonyms import canonical
from cogito_core.verify.verdict import Verdict
from cogito_core.verify.vqa import consensus, enough, people_of, processed


def people(gold: str, answer: str, question: Question) -> Verdict:
    """What several people answered: right where three of them said it."""
    people = question.people or people_of(gold)
    said = strip_dress(answer)
    right = enough(said, people)
    shown = "; ".join(sorted({processed(one) for one in people}))
    share = float(consensus(said, people))
    reason = f"{short(said)!r} has a consensus of {share:.2f} among {len(people)} answers"
    if not people or not said:
        reason = "the gold is empty" if not people else "the answer is empty"
        return conclude("undecidable", "vqa", "empty", shown, processed(said), answer, question, reason)
    return conclude(
        "right" if right else "wrong", "vqa", "consensus", shown, processed(said), answer, question, reason
    )


_SPOKEN = {"yep": "yes", "yeah": "yes", "nope": "no", "nah": "no"}


def yes_no(known: Gold, answer: str, question: Question) -> Verdict:
    """Yes or no, by the first word; both are a conflict."""
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
        return conclude(
            "undecidable",
            "yes_no",
            "conflict" if conflict else "no answer",
            name,
            "",
            answer,
            question,
            conflict or f"{short(answer)!r} says neither yes nor no",
        )
    right = given == wanted
    shown = "yes" if given else "no"
    return conclude(
        "right" if right else "wrong",
        "yes_no",
        "first word",
        name,
        shown,
        answer,
        question,
        f"{shown} {'as' if right else 'where it is'} {name}" if not right else shown,
    )


def moment(known: Gold, answer: str, question: Question) -> Verdict:
    """Clock times and dates, read to numbers."""
    text = strip_dress(answer)
    if fold(text) == fold(known.text):
        return conclude(
            "right", known.kind, "same form", known.text, text, answer, question, f"{short(text)} as written"
        )
    if known.kind == "time":
        gold_time, answer_time = read_time(known.text), read_time(text)
        if gold_time is None or answer_time is None:
            readings, given = readings_of(known.text)[0], readings_of(text)[0]
            # 7:32 may be a ratio and then equals 7/32; another ratio such as 14:64 is another time.
            if not question.kind and readings and readings[0].op == "ratio" and given and given[0].op != "ratio":
                return maths(Gold("ratio", known.text, readings), answer, question)
            return words(known, answer, question)
        if gold_time.half and not answer_time.half and text.startswith("0"):  # 09:05 is written in 24 hours
            answer_time = answer_time._replace(half="a")
        right = same_time(gold_time, answer_time)
    else:
        gold_date, answer_date = read_date(known.text), read_date(text)
        if gold_date is None or answer_date is None:
            return words(known, answer, question)
        right = gold_date == answer_date
    return conclude(
        "right" if right else "wrong",
        known.kind,
        known.kind,
        known.text,
        text,
        answer,
        question,
        f"{short(text)} {'is' if right else 'is not'} {known.text}",
    )


MAX_WORDS = 300
"""Longer texts are compared as they are, not in other words."""


def words(known: Gold, answer: str, question: Question) -> Verdict:
    """Text against text: case, articles, punctuation and number words folded."""
    text = strip_dress(answer)
    one, other = fold(known.text), fold(text)
    if not one or not other:
        same_form = known.text.strip() == text.strip()
        return conclude(
            "right" if same_form and text else "wrong",
            known.kind,
            "same form",
            known.text,
            text,
            answer,
            question,
            f"{short(text)!r} against {short(known.text)!r}",
        )
    right = one == other
    if not right and len(one) <= MAX_WORDS and len(other) <= MAX_WORDS:
        right = canonical(one) == canonical(other) or _joined(known.text) == _joined(text)
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
    return conclude(
        "right" if right else "wrong",
        known.kind,
        "text",
        one,
        other,
        answer,
        question,
        f"{short(text)!r} {'is' if right else 'is not'} {short(known.text)!r}",
    )


def _joined(text: str) -> str:
    """A text whose hyphened words are one word: north-east is northeast."""
    return fold(re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", "", text))


def formula(known: Gold, answer: str, question: Question, right: bool) -> Verdict:
    """A chemical formula against another one."""
    text = strip_dress(answer)
    return conclude(
        "right" if right else "wrong",
        known.kind,
        "chemical formula",
        known.text,
        text,
        answer,
        question,
        f"{short(text)!r} {'is' if right else 'is not'} the formula {short(known.text)!r}",
    )


_BRACKETS = "[](){}'\" "
_PHRASE = r"[A-Za-z][A-Za-z' -]*[A-Za-z]"
_WORDS = re.compile(rf"{_PHRASE}(?:(?:\s*[,;]\s*(?:and\s+)?|\s+and\s+){_PHRASE})+")


def names_words(gold: str) -> bool:
    """Whether a gold lists words: "red, green", "['red', 'green']"."""
    return bool(_WORDS.fullmatch(re.sub(r"['\"](?=\s*[,\]])|(?<=[\[,])\s*['\"]", "", gold).strip(_BRACKETS)))


def word_list(known: Gold, answer: str, question: Question) -> Verdict:
    """A list of words in any order: "red, green" and "Green and red", but not "red or green"."""
    text = strip_dress(answer).strip(_BRACKETS)
    if re.search(r"\bor\b|或", text):
        return conclude(
            "undecidable", "list", "conflict", known.text, text, answer, question, f"{short(text)!r} is an either-or"
        )
    wanted, given = (
        sorted(
            canonical(fold(part.strip(_BRACKETS)))
            for part in re.split(r"\s*(?:[,;，、；]|\band\b|和)\s*", one)
            if part.strip()
        )
        for one in (known.text, text)
    )
    right = wanted == given
    return conclude(
        "right" if right else "wrong",
        "list",
        "words",
        ", ".join(wanted),
        ", ".join(given),
        answer,
        question,
        f"{short(text)!r} {'names' if right else 'does not name'} the words {short(known.text)!r}",
    )
