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
        BadRow: there are fewer than two options or more than 26, an option is empty, the position is outside, or the
            gold's option stands twice.
    """
    check_choices(row, choices)
    if not 0 <= index < len(choices):
        raise row.fail("gold_not_in_choices", f"the gold {original!r} points at none of the {len(choices)} options")
    if [" ".join(choice.split()) for choice in choices].count(" ".join(choices[index].split())) > 1:
        raise row.fail("bad_choices", f"the gold's option {choices[index]!r} stands twice, so two letters are right")
    return Gold(LETTERS[index], "choice", original)


def choice_by_letter(row: Row, choices: Sequence[str], letter: str) -> Gold:
    """Gold given as a letter in any of the forms `b`, `B`, `(B)`, `B.`, `B) text`.

    What stands behind the letter must not point elsewhere: `A, B` names two options, `A. green` where B is green
    contradicts itself.

    Raises:
        BadRow: as by index, or the gold names no letter, or more than one option.
    """
    match = _LETTER.match(letter)
    if match is None:
        reason = "gold_not_in_choices" if letter.strip() else "empty_gold"
        raise row.fail(reason, f"the gold {letter!r} is no option letter")
    found, rest = match.group(1).upper(), _folded(match.group(2) or "").rstrip(".。")
    texts = [_folded(choice).rstrip(".。") for choice in choices]
    index = LETTERS.index(found)
    if rest and not (index < len(texts) and texts[index] == rest):
        if rest in texts:
            raise row.fail("gold_not_in_choices", f"the gold {letter!r} names option {found} and the text of another")
        if _names_another(match.group(2), len(choices) or len(LETTERS)):
            raise row.fail("gold_not_in_choices", f"the gold {letter!r} names more than one option")
    return choice_by_index(row, choices, index, letter)


def choice_as_written(row: Row, choices: Sequence[str], gold: str) -> Gold:
    """Gold given as a letter or as an option's text. Raises BadRow as the two do."""
    return (choice_by_letter if _LETTER.match(gold) else choice_by_text)(row, choices, gold)


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


_LETTER = re.compile(r"^\s*[(（\[]?\s*([A-Za-z])\s*(?:[)）\].．:：,，、]\s*(.*)|)$", re.DOTALL)
_FURTHER = re.compile(r"^[\W_]*(?:(?:and|or|和|或|与)[\W_]+)?([A-Z])(?![^\W_]|[ '’.-]*[a-z])")
_SMALL = re.compile(r"[\W_]*(?:and[\W_]+)?[a-z](?:[\W_]+(?:and[\W_]+)?[a-z])*[\W_]*")


def read_letter(text: str) -> str | None:
    """The option letter, upper case, that a gold names; None where it names none or more than one.

    A bare letter, a letter in brackets, or a letter with a mark behind it and possibly the option's text.
    """
    match = _LETTER.match(text)
    if match is None or _names_another(match.group(2), len(LETTERS)):
        return None
    return match.group(1).upper()


def _names_another(rest: str | None, options: int) -> bool:
    """Whether what stands behind an option's letter goes on with another of so many letters: `, B`, `), (C)`."""
    if not rest or not rest.strip():
        return False
    further = _FURTHER.match(rest)
    if further is not None:
        return further.group(1) in LETTERS[:options]
    return _SMALL.fullmatch(rest) is not None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


_LABEL = r"(?:[(（]\s?([A-Z])\s?[)）]|([A-Z])\s?[.．、:：)）])\s*"
_OPTION_LINE = re.compile(rf"^\s*{_LABEL}(.*)$")
_INLINE = re.compile(rf"(?<![^\s。？！?!:：;；_＿)）]){_LABEL}")

_REQUEST = re.compile(
    r"^\s*(?:please\b|answer\b|choose\b|select\b|give\b|respond\b|reply\b|provide\b|first\b|hint\b|"
    r"your (?:answer|response)\b|.*\b(?:option'?s?|correct|the) letter\b)",
    re.IGNORECASE,
)


def options_in_text(text: str) -> tuple[str, tuple[str, ...]]:
    """Split a question from the options at its end: `A. x`, `A: x`, `A) x`, `(A) x`, `A．x`, `A、x`, from A on.

    Each starts a line and may go on over several; or several stand on a line, if there are three or more or
    `Choices:` stands before them. A request to the reader behind the last option ("Answer with the letter") is
    dropped. Returns (question, options); no options where there are no two in order.
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
            found = tuple("\n".join(option).strip() for option in options)
            # Two columns of options: the lines start with A and C, and B stands behind A.
            if not _holds_next(found):
                return _ANNOUNCED.sub("", "\n".join(lines[:start])).strip(), found
    return _options_in_line(text.strip())


_ANNOUNCED = re.compile(r"(?:^|(?<=[\s。？?]))(?:choices|options|选项)\s*[:：]\s*$", re.IGNORECASE)
_IN_A_SENTENCE = re.compile(r"^[,，、)）.]|(?:^|\s)(?:and|or)$|[,，、?？]$")


def _holds_next(options: tuple[str, ...]) -> bool:
    """Whether the last option holds the labels of further ones."""
    return any((match.group(1) or match.group(2)) == LETTERS[len(options)] for match in _INLINE.finditer(options[-1]))


def _options_in_line(text: str) -> tuple[str, tuple[str, ...]]:
    """Options that share lines: three or more labels A, B, C ... in order up to the text's end, each with text."""
    labels = [(match.group(1) or match.group(2), match) for match in _INLINE.finditer(text)]
    starts = [number for number, (letter, _) in enumerate(labels) if letter == "A"]
    if not starts:
        return text, ()
    run = labels[starts[-1] :]
    least = 2 if _ANNOUNCED.search(text[: run[0][1].start()]) else 3
    if len(run) < least or [letter for letter, _ in run] != list(LETTERS[: len(run)]):
        return text, ()
    ends = [match.start() for _, match in run[1:]] + [len(text)]
    parts = [text[match.end() : end].strip() for (_, match), end in zip(run, ends, strict=True)]
    last, newline, request = parts[-1].rpartition("\n")
    if newline and _REQUEST.match(request):
        parts[-1] = last.strip()
    # `the points A. B. C.`, `(A), (B) and (C)` and `by A. Smith, B. Jones or C. Brown?` are no options.
    if not all(parts) or any(_IN_A_SENTENCE.search(part) for part in parts):
        return text, ()
    return _ANNOUNCED.sub("", text[: run[0][1].start()]).strip(), tuple(parts)


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


def bare_options(row: Row, choices: Sequence[str]) -> tuple[str, ...]:
    """Options without the letters that upstream wrote into them, where these are the letters of their places.

    Raises:
        BadRow: the letters are in another order, or only some options have theirs: which option a gold's letter
            means is then not certain.
    """
    marked = [_BULLET.sub("", choice) for choice in choices]
    letters = [_letter_of(choice) for choice in marked]
    expected = list(LETTERS[: len(marked)])
    if letters == expected:
        return strip_option_labels(marked)
    if sorted(filter(None, letters)) == expected or all(map(_IN_BRACKETS.match, marked)):
        order = ", ".join(filter(None, letters))
        raise row.fail("bad_choices", f"the options are lettered in another order ({order})")
    if sum(letter == place for letter, place in zip(letters, expected, strict=False)) >= 2:
        raise row.fail("bad_choices", "some options carry their letter and others do not")
    return tuple(choices)


# `A)` is a label for certain, `A. Smith` may be a name.
_IN_BRACKETS = re.compile(r"\s*[(（]?\s?[A-Z]\s?[)）]\s*\S")
_BULLET = re.compile(r"^\s*[-*•]\s*(?=[(（]?[A-Z]\s?[.．、:：)）])")


def lettered(choices: Sequence[str]) -> str:
    """The options as lines `(A) text`."""
    return "\n".join(f"({LETTERS[i]}) {choice}" for i, choice in enumerate(choices))
