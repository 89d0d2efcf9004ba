"""Multiple choice in the forms upstreams write it: options by key, by index, by letter, inside the question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogito_data.sources.base import Gold
from cogito_data.sources.rows import Row

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def choice_by_index(row: Row, choices: Sequence[str], index: int, original: str) -> Gold:
    """Gold given as a position from 0.

    Raises:
        BadRow: there are fewer than two options or more than 26, an option is empty, or the position is outside.
    """
    check_choices(row, choices)
    if not 0 <= index < len(choices):
        raise row.fail("gold_not_in_choices", f"the gold {original!r} points at none of the {len(choices)} options")
    return Gold(LETTERS[index], "choice", original)


def choice_by_letter(row: Row, choices: Sequence[str], letter: str) -> Gold:
    """Gold given as a letter in any of the forms `b`, `B`, `(B)`, `B.`, `B) text`. Raises BadRow as by index."""
    found = read_letter(letter)
    if found is None:
        reason = "gold_not_in_choices" if letter.strip() else "empty_gold"
        raise row.fail(reason, f"the gold {letter!r} is no option letter")
    return choice_by_index(row, choices, LETTERS.index(found), letter)


def choice_by_text(row: Row, choices: Sequence[str], text: str) -> Gold:
    """Gold given as the text of an option: equal, else equal but for case and space.

    Raises:
        BadRow: it is none of them, or two options read the same and both fit.
    """
    check_choices(row, choices)
    if not text.strip():
        raise row.fail("empty_gold", "the gold is empty")
    for fold in (str, _folded):
        hits = [i for i, choice in enumerate(choices) if fold(choice) == fold(text)]
        if len(hits) > 1:
            raise row.fail("bad_choices", f"the gold {text!r} stands twice among the options")
        if hits:
            return Gold(LETTERS[hits[0]], "choice", text)
    raise row.fail("gold_not_in_choices", f"the gold {text!r} is none of the options {list(choices)}")


def check_choices(row: Row, choices: Sequence[str]) -> None:
    """Raise BadRow unless there are 2 to 26 options and none is empty."""
    if not 2 <= len(choices) <= len(LETTERS):
        raise row.fail("bad_choices", f"there are {len(choices)} options, 2 to {len(LETTERS)} are needed")
    for i, choice in enumerate(choices):
        if not choice.strip():
            raise row.fail("bad_choices", f"option {LETTERS[i]} is empty")


_LETTER = re.compile(r"^\s*[(\[]?\s*([A-Za-z])\s*(?:[)\].:,、]\s*.*|)$", re.DOTALL)


def read_letter(text: str) -> str | None:
    """The option letter, upper case, that a gold names; None where it names none.

    A bare letter, a letter in brackets, or a letter with a mark behind it and possibly the option's text.
    """
    match = _LETTER.match(text)
    return match.group(1).upper() if match else None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


_OPTION_LINE = re.compile(r"^\s*(?:\(([A-Z])\)|([A-Z])\s?[.:)])\s*(.*)$")


_REQUEST = re.compile(
    r"^\s*(?:please\b|answer\b|choose\b|select\b|give\b|respond\b|reply\b|provide\b|first\b|hint\b|"
    r"your (?:answer|response)\b|.*\b(?:option'?s?|correct|the) letter\b)",
    re.IGNORECASE,
)


def options_in_text(text: str) -> tuple[str, tuple[str, ...]]:
    """Split a question from the options at its end: `A. x`, `A: x`, `A) x` or `(A) x`, each on a line, from A on.

    An option may go on over several lines. A request to the reader behind the last option ("Answer with the
    letter") is dropped. Returns (question, options); no options where there are no two in order.
    """
    lines = text.strip().split("\n")
    for start in reversed([i for i, line in enumerate(lines) if _letter_of(line) == "A"]):
        options: list[list[str]] = []
        for line in lines[start:]:
            if len(options) < len(LETTERS) and _letter_of(line) == LETTERS[len(options)]:
                match = _OPTION_LINE.match(line)
                options.append([match.group(3) if match else line])
            else:
                options[-1].append(line)
        if len(options) >= 2:
            while len(options[-1]) > 1 and (not options[-1][-1].strip() or _REQUEST.match(options[-1][-1])):
                options[-1].pop()
            return "\n".join(lines[:start]).strip(), tuple("\n".join(option).strip() for option in options)
    return text.strip(), ()


def _letter_of(line: str) -> str | None:
    match = _OPTION_LINE.match(line)
    return (match.group(1) or match.group(2)) if match else None


def strip_option_labels(choices: Sequence[str]) -> tuple[str, ...]:
    """Options without the `A)`, `A.`, `(A)` that some upstreams write into them, if every one carries its own."""
    stripped = []
    for i, choice in enumerate(choices):
        match = _OPTION_LINE.match(choice)
        if i >= len(LETTERS) or match is None or (match.group(1) or match.group(2)) != LETTERS[i]:
            return tuple(choices)
        stripped.append(match.group(3).strip())
    return tuple(stripped)


def lettered(choices: Sequence[str]) -> str:
    """The options as lines `(A) text`."""
    return "\n".join(f"({LETTERS[i]}) {choice}" for i, choice in enumerate(choices))
