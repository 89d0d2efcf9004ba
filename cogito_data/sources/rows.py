"""A raw upstream row with typed access: what is missing or of the wrong type is said in one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cogito_core.console import CogitoError

REASONS = {
    "missing_field": "a field that the layout promises is not there",
    "wrong_type": "a field holds another JSON type than the layout promises",
    "unreadable": "the file or line cannot be parsed",
    "empty_question": "the question has no text",
    "empty_gold": "there is no gold answer",
    "unclear_gold": "a conclusion is there, but which of its words are the gold is not certain",
    "no_consensus": "the people who were asked do not agree on an answer",
    "gold_not_in_choices": "the gold is none of the options",
    "bad_choices": "the options cannot be used",
    "bad_id": "the row's id is empty or holds a control character",
    "duplicate_id": "another row of this source has the same id",
    "no_picture": "the source lives by its pictures and this row names none",
    "picture_missing": "the row names a picture that is not there",
    "picture_damaged": "the picture is truncated or not a picture",
    "unsafe_path": "the row points outside the folder it came in",
}
"""Why a row is refused at ingest, as it stands in the ledger."""


class BadRow(CogitoError):
    """A row that cannot be used. `reason` is one of REASONS, the message one sentence with the field."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


_WHOLE = re.compile(r"[-+]?\d{1,100}")


UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an adapter raises on values that its writer did not think of: one bad row, not the end of a night's run."""


def unforeseen(where: str, error: Exception) -> BadRow:
    """The refusal of a row on which the adapter itself failed."""
    sentence = f"{where}: the adapter does not understand this row ({type(error).__name__}: {error})"
    return BadRow("unreadable", " ".join(sentence.split())[:500])


class Row:
    """One upstream row as it was read.

    Attributes:
        where: file and position, for people: `problems.json, row '17'`.
        values: the raw fields.
    """

    __slots__ = ("values", "where")

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self.where = where
        self.values = values

    def fail(self, reason: str, sentence: str) -> BadRow:
        """A BadRow that names this row's file and position."""
        return BadRow(reason, f"{self.where}: {sentence}")

    def get(self, field: str) -> Any:
        """The raw value, None where the field is absent."""
        return self.values.get(field)

    def need(self, field: str) -> Any:
        """The raw value. Raises BadRow where the field is absent (null counts as a value)."""
        try:
            return self.values[field]
        except KeyError:
            near = ", ".join(sorted(map(str, self.values))[:12])
            raise self.fail("missing_field", f"field '{field}' is missing (the row has: {near})") from None

    def text(self, field: str) -> str:
        """A string, stripped; a number is accepted as its decimal text.

        Raises:
            BadRow: the field is absent, null, or neither text nor number.
        """
        value = self.need(field)
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return plain(value)
        raise self._wrong(field, "text", value)

    def gold(self, field: str) -> Any:
        """The raw value of a gold. Raises BadRow where the field is absent, or null: nothing to check against."""
        value = self.need(field)
        if value is None:
            raise self.fail("empty_gold", f"the gold (field '{field}') is null")
        return value

    def gold_text(self, field: str) -> str:
        """As `text`, for the field of a gold."""
        self.gold(field)
        return self.text(field)

    def gold_integer(self, field: str) -> int:
        """As `integer`, for the field of a gold."""
        self.gold(field)
        return self.integer(field)

    def gold_mapping(self, field: str) -> Mapping[str, Any]:
        """As `mapping`, for the field of a gold."""
        self.gold(field)
        return self.mapping(field)

    def integer(self, field: str) -> int:
        """A whole number, also as text. Raises BadRow where it is none."""
        value = self.need(field)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise self._wrong(field, "a whole number", value)

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of strings; numbers in it are accepted as their text. Raises BadRow for anything else."""
        value = self.need(field)
        if not isinstance(value, list | tuple):
            raise self._wrong(field, "a list of texts", value)
        out = []
        for i, item in enumerate(value):
            if isinstance(item, str):
                out.append(item.strip())
            elif isinstance(item, int | float) and not isinstance(item, bool):
                out.append(plain(item))
            else:
                raise self._wrong(f"{field}[{i}]", "text", item)
        return tuple(out)

    def mapping(self, field: str) -> Mapping[str, Any]:
        """A JSON object. Raises BadRow where it is none."""
        value = self.need(field)
        if not isinstance(value, Mapping):
            raise self._wrong(field, "an object", value)
        return value

    def rows(self, field: str) -> list[Row]:
        """A list of JSON objects as rows. Raises BadRow where it is none."""
        value = self.need(field)
        if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
            raise self._wrong(field, "a list of objects", value)
        return [Row(f"{self.where}, {field}[{i}]", item) for i, item in enumerate(value)]

    def _wrong(self, field: str, expected: str, value: Any) -> BadRow:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return self.fail("wrong_type", f"field '{field}' should be {expected}, not {_type_name(value)} ({shown})")


def plain(value: int | float) -> str:
    """A JSON number as people write it: 3, 0.5, never 3.0 or 1e-05."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(Decimal(repr(value)), "f")
    return str(value)


_TYPE_NAMES = {
    "NoneType": "null", "bool": "true/false", "str": "text", "int": "a number", "float": "a number",
    "list": "a list", "dict": "an object",
}


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value).__name__, type(value).__name__)
