"""What the released scorers read of a row, and the verdict they give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cogito_core.verify.verdict import Extraction, Outcome, Verdict

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Row = Mapping[str, Any]


def text_of(row: Row, *names: str) -> str:
    """The first field that is there, as text; "" where none is."""
    for name in names:
        value = row.get(name)
        if value is not None:
            return value if isinstance(value, str) else str(value)
    return ""


def golds(row: Row) -> list[str]:
    """All golds of the row: MMMU has several for some open questions."""
    value = row.get("gold")
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]


def options(row: Row) -> list[str]:
    """The option texts in the order of their letters: from a list, a letter-to-text object, or the text of a list."""
    value = row.get("choices")
    if value is None:
        value = row.get("index2ans")
    if isinstance(value, str):
        value = _listed(value)
    if isinstance(value, Mapping):
        return [str(value[key]) for key in sorted(value, key=str)]
    if isinstance(value, Sequence):
        return [str(one) for one in value]
    return []


def _listed(text: str) -> list[str]:
    """The strings of a printed Python or JSON list, read by quotes alone."""
    return [
        m.group(2).replace("\\'", "'").replace('\\"', '"')
        for m in re.finditer(r"(['\"])((?:\\.|(?!\1).)*)\1(?=\s*[,\]])", text)
    ]


def gold_letter(row: Row) -> str:
    """The gold as an upper-case letter, from "B", "(B)", "b." or an option's text; "" where it is none."""
    text = (golds(row) or [""])[0].strip()
    match = re.fullmatch(r"\(?\s*([A-Za-z])\s*\)?\.?", text)
    if match:
        return match.group(1).upper()
    texts = options(row)
    return LETTERS[texts.index(text)] if text in texts and texts.index(text) < 26 else ""


def given(row: Row) -> tuple[str, bool]:
    """The answer to judge and whether it was extracted already."""
    if row.get("extraction") is not None:
        return text_of(row, "extraction"), True
    return text_of(row, "response"), False


def handed_over(found: Extraction) -> str:
    """What a release's extractor would hand over: the text, and the letter where other words contradict it.

    The releases look no further than the letter; our own verifier calls such a reply undecidable.
    """
    if found.text is not None:
        return found.text
    letter = re.match(r"the letter ([A-Z]) against", found.conflict)
    return letter.group(1) if letter else ""


def verdict(
    bench: str,
    right: bool,
    gold: str,
    answer: str | None,
    *,
    extracted: str | None = None,
    reason: str = "",
    expectation: float | None = None,
    rule: str = "",
) -> Verdict:
    """The verdict of a released rule. With an `expectation` the script would guess; the outcome is then
    undecidable."""
    outcome: Outcome = "undecidable" if expectation is not None else "right" if right else "wrong"
    said = reason or f"{answer!r} {'equals' if right else 'is not'} {gold!r}"
    return Verdict(
        outcome,
        "official",
        rule or bench,
        gold[:400],
        (answer or "")[:400],
        answer if extracted is None else extracted,
        None,
        f"official {bench}",
        said,
        expectation,
    )
