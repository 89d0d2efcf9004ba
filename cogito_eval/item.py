"""An item: one question of a benchmark, ready to be asked and judged, its pictures read only when needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.sample import Picture

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture on disk or in a record; `read()` gives its encoded bytes."""

    path: Path | None = None
    data: bytes | None = None

    @property
    def is_there(self) -> bool:
        """Whether the bytes can be had."""
        return self.data is not None or (self.path is not None and self.path.is_file())

    def read(self) -> Picture:
        """The picture. Raises CogitoError where the file is gone."""
        if self.data is not None:
            return Picture(self.data, str(self.path) if self.path else None)
        if self.path is None:
            raise CogitoError("the record names no picture")
        try:
            return Picture(self.path.read_bytes(), self.path.name)
        except OSError as error:
            raise CogitoError(f"{self.path}: the picture cannot be read ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Attributes:
        id: upstream's id, unique within the benchmark.
        problem: the question without its options, `<image>` where upstream marks a picture.
        gold: what the strict verifier compares with: a letter for `choice`, letters for `choices`.
        kind: answer kind of the strict verifier; empty means that the gold decides.
        choices: option texts in order; empty where the options are part of the picture or there are none.
        shown_choices: whether `problem` shows the options already.
        official: the row that the benchmark's released rule reads, all but the response.
        tags: breakdown name -> value(s).
        cluster: questions with the same cluster are not independent.
        part: setting, version or file that the item belongs to.
        record: upstream's record, for the benchmark's own prompt.
        rotation_of: the id of the item whose options were rotated; empty for the item itself.
    """

    id: str
    problem: str
    gold: str
    kind: str = ""
    pictures: tuple[PictureRef, ...] = ()
    choices: tuple[str, ...] = ()
    shown_choices: bool = False
    aliases: tuple[str, ...] = ()
    policy: str = "exact"
    spec: Mapping[str, Any] = field(default_factory=dict)
    official: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster: str = ""
    part: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    rotation_of: str = ""

    @property
    def lettered(self) -> str:
        """The options as lines `(A) text`; empty if there are none."""
        return "\n".join(f"({LETTERS[i]}) {text}" for i, text in enumerate(self.choices))

    @property
    def question(self) -> str:
        """The question as it is asked: with its options where upstream keeps them apart."""
        if self.choices and not self.shown_choices:
            return f"{self.problem}\nChoices:\n{self.lettered}"
        return self.problem
