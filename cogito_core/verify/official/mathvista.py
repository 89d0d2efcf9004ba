"""MathVista's scorer (evaluation/calculate_score.py of lupantech/MathVista, with the precision cast of commit
e999481).

An extracted answer is normalised and compared as a string. Multiple choice: the first parenthesised letter, a bare
letter, else the option with the smallest edit distance (the earliest of equals). Integer: int(float(x)). Float:
round(float(x), precision). Everything else: equal strings.
"""

from __future__ import annotations

import re

from cogito_core.verify.extract import extract
from cogito_core.verify.official.row import LETTERS, Row, golds, handed_over, options, text_of, verdict
from cogito_core.verify.verdict import Verdict

_LETTER = re.compile(r"\(([a-zA-Z])\)")
MAX_DISTANCE_TEXT = 3_000


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions cost 1.

    Myers' bit vectors (JACM 46, 1999) in the form of Hyyroe (2001): a column of the table is two integers, whose bits
    say where it rises and falls, so each character of the longer text costs a few operations.
    """
    if len(one) < len(other):
        one, other = other, one
    if not other:
        return len(one)
    places: dict[str, int] = {}
    for index, char in enumerate(other):
        places[char] = places.get(char, 0) | 1 << index
    last = 1 << (len(other) - 1)
    every = (last << 1) - 1
    up, down, distance = every, 0, len(other)
    for char in one:
        match = places.get(char, 0)
        diagonal = (((match & up) + up) ^ up) | match | down
        rise = down | ~(diagonal | up) & every
        fall = up & diagonal
        distance += bool(rise & last) - bool(fall & last)
        rise = (rise << 1 | 1) & every
        fall = fall << 1 & every
        up = fall | ~(diagonal | rise) & every
        down = rise & diagonal
    return distance


def nearest(text: str, texts: list[str]) -> str:
    """The option nearest to `text` by edit distance, the earliest of equals."""
    distances = [edit_distance(text[:MAX_DISTANCE_TEXT], one) for one in texts]
    return texts[distances.index(min(distances))]


def normalise(
    extraction: str,
    texts: list[str],
    question_type: str,
    answer_type: str,
    precision: int | None,
    truncate: bool = False,
) -> str | None:
    """The extraction in the form of the gold; None where it has no such form."""
    if question_type == "multi_choice" and texts:
        extraction = extraction.strip()
        letter = _LETTER.findall(extraction)
        if letter:
            extraction = letter[0].upper()
        index = LETTERS.find(extraction) if len(extraction) == 1 else -1
        return texts[index] if 0 <= index < len(texts) else nearest(extraction, texts)
    try:
        if answer_type == "integer":
            return str(int(float(extraction)) if truncate else int(extraction))
        if answer_type == "float":
            return None if precision is None else str(round(float(extraction), precision))
    except (ValueError, OverflowError):
        return None
    return extraction


def quick_extraction(response: str, texts: list[str], question_type: str, answer_type: str) -> str | None:
    """The release's step before its language model: the reply itself where it already has the right form."""
    if question_type == "multi_choice" and response in texts:
        return response
    try:
        if answer_type == "integer":
            return str(int(response))
        if answer_type == "float":
            return str(float(response))
    except ValueError:
        return None
    return None


def score_truncating(row: Row) -> Verdict:
    """The rule of the later script, which truncates integers: "2.9" is 2."""
    return score(row, truncate=True)


def score(row: Row, truncate: bool = False) -> Verdict:
    """The verdict on `extraction`; without one the reply is extracted by our rules in place of the release's GPT."""
    gold = (golds(row) or [""])[0]
    texts = options(row)
    question_type = text_of(row, "question_type").replace("-", "_") or ("multi_choice" if texts else "free_form")
    answer_type = text_of(row, "answer_type") or "text"
    try:
        precision = None if row.get("precision") is None else int(float(text_of(row, "precision")))
    except (ValueError, OverflowError):
        precision = None
    rule = "mathvista"
    if ("extraction" in row and row.get("extraction") is not None) or row.get("response") is None:
        extraction = text_of(row, "extraction") if row.get("extraction") is not None else "None"
    else:
        response = text_of(row, "response").strip()
        quick = quick_extraction(response, texts, question_type, answer_type)
        if quick is None:
            kind = "choice" if texts else {"integer": "number", "float": "number", "list": "list"}.get(answer_type)
            found = extract(response, kind=kind, choices=texts)
            quick, rule = handed_over(found), f"mathvista, {found.rule} in place of GPT"
            quick = _plain_number(quick) if answer_type in ("integer", "float") else quick
        extraction = quick
    prediction = normalise(extraction, texts, question_type, answer_type, precision, truncate)
    return verdict(
        "mathvista",
        prediction == gold,
        gold,
        prediction,
        extracted=extraction,
        rule=rule,
        reason="" if prediction is not None else f"{extraction[:80]!r} has no {answer_type} form",
    )


def _plain_number(text: str) -> str:
    """A number without dress, as the release's GPT would return it: "$1,200" is 1200, "50%" is 50."""
    from cogito_core.verify.clean import strip_dress

    match = re.search(
        r"-?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?", strip_dress(text).replace("−", "-").replace("{,}", ",")
    )
    return match.group().replace(",", "") if match else text
