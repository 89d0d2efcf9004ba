"""An item: one question of a benchmark, ready to be asked and judged, its pictures read only when needed."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cogito_core.archives import read_member
from cogito_core.console import CogitoError
from cogito_core.sample import Picture

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class PictureRef:
    """A picture in a file, in a zip, or in a record; `read()` gives its encoded bytes."""

    path: Path | None = None
    data: bytes | None = None
    archive: Path | None = None

    @property
    def is_there(self) -> bool:
        """Whether the bytes can be had."""
        if self.archive is not None:
            return str(self.path) in _members(self.archive)
        return self.data is not None or (self.path is not None and self.path.is_file())

    def read(self) -> Picture:
        """The picture. Raises CogitoError where the file is gone."""
        if self.data is not None:
            return Picture(self.data, str(self.path) if self.path else None)
        if self.path is None:
            raise CogitoError("the record names no picture")
        try:
            if self.archive is not None:
                with zipfile.ZipFile(self.archive) as archive:
                    return Picture(read_member(archive, str(self.path)), self.path.name)
            return Picture(self.path.read_bytes(), self.path.name)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise CogitoError(f"{self.path}: the picture cannot be read ({error})") from error


@dataclass(frozen=True, slots=True)
class PicturePlaces:
    """Where the pictures that records name are looked for: a folder, then a zip."""

    folder: Path
    archive: Path | None = None

    def of(self, name: str) -> PictureRef:
        """The picture of that name; the folder's path where it is in neither place.

        Raises ValueError where the name leads out of the folder: a record must not pick a private file of this
        machine and have it sent to a server. Links are followed, as copies of the Hub consist of them.
        """
        if Path(name).is_absolute() or os.path.normpath(name).split(os.sep)[0] == os.pardir:
            raise ValueError(f"the picture '{name}' lies outside the folder of the records")
        path = self.folder / name
        if self.archive is None or path.is_file():
            return PictureRef(path)
        inside = Path(os.path.normpath(name))
        members = _members(self.archive)
        for name_inside in (str(inside), f"{self.archive.stem}/{inside.name}", inside.name):
            if name_inside in members:
                return PictureRef(Path(name_inside), archive=self.archive)
        return PictureRef(path)


@lru_cache(maxsize=8)
def _members(archive: Path) -> frozenset[str]:
    """Names in a zip; none where it is not there or no zip."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return frozenset(opened.namelist())
    except (OSError, zipfile.BadZipFile):
        return frozenset()


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
