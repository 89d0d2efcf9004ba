"""MMMU's and MMMU-Pro's parsers (eval/eval_utils.py and mmmu-pro/evaluate.py of MMMU-Benchmark/MMMU).

Where the scripts guess at random, the verdict is undecidable and carries the guess's expectation, so a run's
score does
not depend on the order of its rows.
"""

from __future__ import annotations

import re

from cogito_core.verify.official.row import LETTERS, Row, given, golds, options, text_of, verdict
from cogito_core.verify.verdict import Verdict

_TRIVIAL = frozenset([":", ",", ".", "!", "?", ";", "'"])
_TAILS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")


def _last(places: dict[str, int]) -> str:
    """The letter whose place is last; the first letter where all places are equal (as numpy's argmax)."""
    best = max(places.values())
    return next(letter for letter, place in places.items() if place == best)


def parse_choice(response: str, texts: list[str], *, pro: bool) -> str | None:
    """The letter the script reads, or None where it guesses."""
    letters = list(LETTERS[: len(texts)])
    if pro:
        place = response.rfind("Answer:")
        if place != -1:
            tail = response[place + len("Answer:") :].strip()
            hits = [letter for letter in letters if letter in tail]
            if len(hits) == 1:
                return hits[0]
    for char in (",", ".", "!", "?", ";", ":", "'"):
        response = response.strip(char)
    response = f" {response} "
    bracketed = [letter for letter in letters if f"({letter})" in response]
    if bracketed:
        return _last({letter: response.rfind(f"({letter})") for letter in bracketed})
    token = "{} " if pro else " {} "
    bare = [letter for letter in letters if token.format(letter) in response]
    if not bare and pro:
        bare = [letter for letter in letters if f"{letter}." in response]
    if len(bare) == 1:
        return bare[0]
    if bare:
        # The Pro script looks for " X " also for letters that it found in another form: those count as place -1.
        return _last({letter: response.rfind(f" {letter} ") for letter in bare})
    if len(response.split()) > 5:
        lower = response.lower()
        named = {
            letter: lower.rfind(text.lower())
            for letter, text in zip(letters, texts, strict=True)
            if text.lower() in lower
        }
        if named:
            return _last(named)
    return None


def _number(text: str) -> float | None:
    try:
        return round(float(text.replace(",", "")), 2)
    except ValueError:
        return None


def _normal(text: str) -> list[str | float]:
    text = text.strip()
    value = _number(text)
    if value is not None:
        return [value]
    text = text.lower()
    return [f" {text}", f"{text} "] if len(text) == 1 else [text]


def parse_open(response: str) -> list[str | float]:
    """The clauses and numbers that the script compares with an open question's gold."""
    response = response.strip().strip(".").lower()
    clauses = re.split(r"\.\s(?=[A-Z])|\n", response)
    kept: list[str] = []
    for index, clause in enumerate(clauses):
        tails = (*_TAILS, "=") if index == len(clauses) - 1 else _TAILS
        shortest = ""
        for tail in tails:
            if tail in clause:
                rest = clause.split(tail)[-1].strip()
                if not shortest or len(rest) < len(shortest):
                    shortest = rest
        if shortest and shortest not in _TRIVIAL:
            kept.append(shortest)
    kept = kept or [response]
    found: list[str] = list(kept)
    for clause in kept:
        found += re.findall(r"-?\b\d{1,3}(?:,\d{3})+\b", clause)
        found += re.findall(r"-?\d+(?:\.\d+)?[eE][+-]?\d+", clause)
        found += re.findall(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])", clause)
    return [one for text in found for one in _normal(text)]


def open_is_right(wanted: list[str], said: list[str | float]) -> bool:
    """Whether a gold string is part of a clause or a gold number is among the numbers."""
    forms = [form for gold in wanted for form in _normal(gold)]
    for one in said:
        if isinstance(one, str):
            if any(isinstance(form, str) and form in one for form in forms):
                return True
        elif one in forms:
            return True
    return False


def _choice(bench: str, row: Row, pro: bool) -> Verdict:
    texts = options(row)
    wanted = golds(row)
    shown = ", ".join(wanted)
    answer, ready = given(row)
    if ready and answer.strip() in LETTERS and len(answer.strip()) == 1:
        letter: str | None = answer.strip()
    else:
        letter = parse_choice(answer, texts, pro=pro)
    if letter is None:
        chance = len(set(wanted) & set(LETTERS[: len(texts)])) / len(texts) if texts else 0.0
        return verdict(
            bench,
            False,
            shown,
            None,
            extracted="",
            expectation=chance,
            rule=f"{bench}, guess",
            reason=f"no option is found; the script guesses one of {len(texts)}",
        )
    return verdict(bench, letter in wanted, shown, letter)


def mmmu(row: Row) -> Verdict:
    """MMMU: multiple choice by parser, open questions by containment or equal numbers at two decimals."""
    if text_of(row, "question_type").replace("_", "-") in ("open", "short-answer", "free-form") or not options(row):
        answer, _ = given(row)
        wanted = golds(row)
        right = open_is_right(wanted, parse_open(answer))
        return verdict("mmmu", right, ", ".join(wanted), answer.strip()[-200:], rule="mmmu open")
    return _choice("mmmu", row, False)


def mmmu_pro(row: Row) -> Verdict:
    """MMMU-Pro: the only letter after the last "Answer:", else MMMU's steps with looser word boundaries.

    One record ships its options as a list within a list: the script takes it for a single option, A.
    """
    shipped = row.get("choices")
    if isinstance(shipped, str) and shipped.lstrip().startswith("[["):
        row = {**row, "choices": [shipped]}
    return _choice("mmmu_pro", row, True)
