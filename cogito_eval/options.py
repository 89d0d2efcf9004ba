"""Options in the forms that benchmarks ship them: lists, strings that hold lists, text inside the question."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cogito_eval.item import LETTERS

_BLOCK = re.compile(r"(?:^|\n|\s)(?:Choices?|Options?)\s*:\s*", re.IGNORECASE)
_LINE_LABEL = re.compile(r"^[ \t]*(\(?)([A-J])([).:．、])[ \t]*", re.MULTILINE)
_INLINE_LABEL = re.compile(r"(?:^|(?<=[,;\s]))(\(?)([A-J])([).:．、])[ \t]*", re.MULTILINE)
_STYLE = {"．": ".", "、": "."}


def read_options(value: Any, form: str) -> tuple[str, ...]:
    """The option texts in `value`, which has the form that the manifest names.

    `list`: a list, or a dict of letter -> text. `python`: the printed form of a Python list, read as a literal
    (never evaluated). `semicolons`: one string `A. x;B. y`. Copies differ, so a list, a dict and a printed list are
    read under every form. Raises ValueError where the value has another form, or where there are more options than
    letters.
    """
    found = _read(value, form)
    if len(found) > len(LETTERS):
        raise ValueError(f"{len(found)} options, but there are only {len(LETTERS)} letters")
    return found


def _read(value: Any, form: str) -> tuple[str, ...]:
    if value is None or value == "" or value == []:
        return ()
    if isinstance(value, Mapping):
        return tuple(_text(option) for _, option in sorted(value.items()) if option not in (None, ""))
    is_printed = isinstance(value, str) and value.lstrip().startswith("[")
    if form == "python" or is_printed:
        return tuple(_text(option) for option in _literal_list(value))
    if form == "semicolons" and isinstance(value, str):
        return _labelled(value, _INLINE_LABEL, ";")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(_text(option) for option in _flat(value))
    raise ValueError(f"options must be a list, not {type(value).__name__}")


def options_in_problem(problem: str) -> tuple[str, ...]:
    """The options written inside a question; empty if no run of labels A, B, ... can be read.

    After a heading `Choices:` or `Options:` the labels may stand in one line, elsewhere each begins a line.
    """
    pieces = _BLOCK.split(problem)
    tail = pieces[-1]
    found = _labelled(tail, _LINE_LABEL, "\n")
    if found or len(pieces) == 1:
        return found
    return _labelled(tail, _INLINE_LABEL, "\n")


def _labelled(text: str, label: re.Pattern[str], end: str) -> tuple[str, ...]:
    """Option texts of the longest run of labels A, B, C, ... of one style; empty if fewer than two.

    A label with nothing behind it is a letter of the text before it ("obtain shape ;B.; C. ...").
    """
    marks = [mark for mark in label.finditer(text) if text[mark.end() : mark.end() + 1].strip(f"{end};")]
    best: list[re.Match[str]] = []
    for start, mark in enumerate(marks):
        if mark.group(2) != "A":
            continue
        run = [mark]
        for other in marks[start + 1 :]:
            if other.group(2) == LETTERS[len(run)] and _style(other) == _style(mark):
                run.append(other)
        if len(run) >= len(best):
            best = run
    return _between(text, best, end) if len(best) > 1 else ()


def _style(mark: re.Match[str]) -> tuple[str, str]:
    return mark.group(1), _STYLE.get(mark.group(3), mark.group(3))


def _between(text: str, marks: list[re.Match[str]], end: str) -> tuple[str, ...]:
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    pieces = [text[mark.end() : stop] for mark, stop in zip(marks, ends, strict=True)]
    if end == "\n":
        pieces[-1] = pieces[-1].split("\n")[0]
    return tuple(re.sub(r"\s*;\s*", " ", piece.strip().strip(",;")).strip() for piece in pieces)


def _literal_list(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return _flat(value)
    text = str(value).strip()
    for reader in (ast.literal_eval, json.loads):
        try:
            found = reader(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, list | tuple):
            return _flat(found)
    raise ValueError(f"options are not a printed list: {text[:60]!r}")


def _flat(options: Sequence[Any]) -> Sequence[Any]:
    """The options without a second list around them (one record of MMMU-Pro), and without empty ones at the end.

    Raises ValueError for an empty one between others: the letters behind it would be uncertain.
    """
    if len(options) == 1 and isinstance(options[0], list | tuple):
        options = options[0]
    end = len(options)
    while end and options[end - 1] is None:
        end -= 1
    if None in options[:end]:
        raise ValueError(f"option {LETTERS[options.index(None)]} is empty")
    return options[:end]


def _text(option: Any) -> str:
    if isinstance(option, float) and option.is_integer():
        return str(int(option))
    return str(option).strip()
