"""The rows of a large JSON file one at a time: FigureQA's and DVQA's files would fill gigabytes as Python objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from cogito_core.console import CogitoError

CHUNK = 1 << 20
"""Characters read at a time."""

_AFTER = (" ", "\t", "\r", "\n", ",", ":", "]", "}")
_decode = json.JSONDecoder().raw_decode


class _Scanner:
    """A position in a JSON text of which only a window is in memory."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._text = ""
        self._at = 0

    def _fill(self) -> bool:
        # Reading as much again as is held keeps the retries of one large value linear in sum.
        held = self._text[self._at :]
        chunk = self._handle.read(max(CHUNK, len(held)))
        self._text, self._at = held + chunk, 0
        return bool(chunk)

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._fill():
                return ""

    def take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            raise json.JSONDecodeError(f"expected '{expected}', found {found or 'the end'!r}", self._text, self._at)
        self._at += 1

    def value(self) -> Any:
        """The next whole value."""
        self.peek()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._fill():
                    continue
                raise
            # A number may go on behind the window: `0.` reads as 0 until its decimals are there.
            if self._text[end : end + 1] not in _AFTER and self._fill():
                continue
            self._at = end
            return value


def stream_list(path: Path, key: str | None) -> Iterator[Any]:
    """The values of a JSON list, or of the list under `key` of a JSON object.

    Raises:
        CogitoError: the file is missing, no JSON from some row on, or holds no such list.
    """
    scanner, done = None, 0
    try:
        with path.open(encoding="utf-8-sig") as handle:
            scanner = _Scanner(handle)
            if key is not None:
                _enter(scanner, key, path)
            if scanner.peek() != "[":
                raise CogitoError(f"{path} should hold a list of rows{f' under {key!r}' if key else ''}")
            for value in _items(scanner, "[", "]"):
                yield value
                done += 1
    except (OSError, ValueError, RecursionError) as error:
        raise _sentence(path, error, f"row {done}") from error


def stream_pairs(path: Path) -> Iterator[tuple[str, Any]]:
    """The (key, value) pairs of a JSON object in file order. Raises CogitoError as stream_list does."""
    last = "the start"
    try:
        with path.open(encoding="utf-8-sig") as handle:
            scanner = _Scanner(handle)
            if scanner.peek() != "{":
                raise CogitoError(f"{path} should hold an object of rows by id")
            for key in _items(scanner, "{", "}"):
                scanner.take(":")
                yield key, scanner.value()
                last = f"row '{key}'"
    except (OSError, ValueError, RecursionError) as error:
        raise _sentence(path, error, f"after {last}") from error


def _items(scanner: _Scanner, opening: str, closing: str) -> Iterator[Any]:
    scanner.take(opening)
    if scanner.peek() == closing:
        scanner.take(closing)
        return
    while True:
        yield scanner.value()
        if scanner.peek() == closing:
            scanner.take(closing)
            return
        scanner.take(",")


def _enter(scanner: _Scanner, key: str, path: Path) -> None:
    """Stop before the value of `key` of the top object; what stands before it is read and dropped."""
    if scanner.peek() != "{":
        raise CogitoError(f"{path} should hold an object with the key '{key}'")
    for found in _items(scanner, "{", "}"):
        scanner.take(":")
        if found == key:
            return
        scanner.value()
    raise CogitoError(f"{path} lacks the key '{key}'")


def _sentence(path: Path, error: Exception, where: str) -> CogitoError:
    if isinstance(error, FileNotFoundError):
        return CogitoError(f"there is no file {path}")
    if isinstance(error, UnicodeDecodeError):
        return CogitoError(f"{path} is not UTF-8 text ({where})")
    if isinstance(error, json.JSONDecodeError):
        return CogitoError(f"{path} is not valid JSON ({where}: {error.msg})")
    if isinstance(error, RecursionError):
        return CogitoError(f"{path} is nested too deeply to be read ({where})")
    return CogitoError(f"{path} cannot be read ({where}: {error})")
