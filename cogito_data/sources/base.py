"""What a source is: its manifest, its adapter, the layouts it comes in, and the problem an adapter makes of a row."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import field_validator, model_validator

from cogito_core.console import CogitoError
from cogito_core.manifest import Manifest, file_hash, load_manifest, manifest_names, manifest_path
from cogito_core.plugins import is_file, load_object
from cogito_core.sample import ANSWER_KINDS, CATEGORIES, Picture
from cogito_data.sources.rows import UNFORESEEN, BadRow, Row, unforeseen


class Licence(Manifest):
    """Terms of the data (not of the code that came with it)."""

    name: str
    """SPDX identifier where there is one, `unstated` where upstream names none."""
    link: str
    redistribution: bool
    """Whether the terms allow publishing rows with their pictures."""
    confirmed: bool
    """Whether the terms were read in upstream's own files or page; if not, check before publishing."""
    note: str = ""


class Hub(Manifest):
    """Where the source is on the Hugging Face Hub."""

    repo: str
    config: str | None = None
    split: str
    revision: str = "main"
    """A commit, or a branch: a branch is resolved once a run and the commit is recorded in every row."""
    columns: tuple[str, ...]
    """The columns the adapter reads; a copy that lacks one is refused before the first row."""
    layout: str = ""
    """For a repository of upstream's own files: the layout that they have."""
    files: tuple[str, ...] = ()
    """For such a repository: patterns of the files with the rows, which are fetched whole."""
    archives: tuple[str, ...] = ()
    """For such a repository: the archive with the pictures, or the parts it was cut into, read in place."""

    @model_validator(mode="after")
    def _whole(self) -> Hub:
        if len({bool(self.layout), bool(self.files), bool(self.archives)}) > 1:
            raise ValueError("layout, files and archives belong together")
        return self


class Paper(Manifest):
    """Table 4 of arXiv 2507.22607: rows in the training set, share of questions the filter removed."""

    size: int
    filter_rate: float


class SourceManifest(Manifest):
    """`manifests/sources/<name>.yaml`."""

    name: str
    title: str
    category: str
    licence: Licence
    citation: str
    """BibTeX."""
    homepage: str
    hub: Hub | None = None
    no_hub: str = ""
    """Why there is no Hub copy to stream, in one sentence for the user."""
    adapter: str
    layouts: dict[str, str]
    """Layout name -> what it looks like on disk; the names are those of the adapter."""
    training_splits: tuple[str, ...]
    """Upstream splits that may be trained on; the others are for evaluation."""
    answer_kind: str
    """The usual kind of gold; single rows may differ."""
    language: str = "en"
    paper: Paper | None = None
    notes: str = ""

    @field_validator("category")
    @classmethod
    def _category(cls, value: str) -> str:
        if value not in CATEGORIES:
            raise ValueError(f"'{value}' is none of {', '.join(CATEGORIES)}")
        return value

    @field_validator("answer_kind")
    @classmethod
    def _answer_kind(cls, value: str) -> str:
        if value not in ANSWER_KINDS:
            raise ValueError(f"'{value}' is none of {', '.join(ANSWER_KINDS)}")
        return value


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold answer in canonical form.

    Attributes:
        answer: canonical: no thousands commas, no unit, a letter for multiple choice.
        kind: one of ANSWER_KINDS.
        original: as upstream wrote it, as text.
        spec: what the verifier needs: unit, policy, tolerance.
        aliases: other accepted answers.
    """

    answer: str
    kind: str
    original: str
    spec: dict[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


OPTIONS_IN_PICTURE = "options_in_picture"
"""Key of `Problem.meta`: true where the picture shows the options as well, so that no rewriting takes them away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What an adapter makes of one row: still without pixels, prompt form and provenance.

    Attributes:
        upstream_id: unique within (source, split).
        question: upstream's words, options not included.
        pictures: files still to be read, or pictures that came with the row.
        choices: the options as upstream gave them, empty if none.
        language: ISO 639-1 where it differs from the manifest's.
        fault: why this one of a row's several problems cannot be used (see `one_of`).
    """

    upstream_id: str
    split: str
    question: str
    gold: Gold
    pictures: tuple[Path | Picture, ...] = ()
    choices: tuple[str, ...] = ()
    language: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    fault: BadRow | None = None


def one_of(row: Row, upstream_id: str, split: str, make: Callable[[], Problem]) -> Problem:
    """One of the several problems of a row. If it cannot be made it bears its `fault`, and the others go on."""
    try:
        return make()
    except BadRow as error:
        fault = error
    except UNFORESEEN as error:
        fault = unforeseen(row.where, error)
    return Problem(upstream_id=upstream_id, split=split, question="", gold=Gold("", "text", ""), fault=fault)


RowReader = Callable[[Path], Iterator[Row]]
ProblemMaker = Callable[[Row, Path], Problem | Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Layout:
    """One way a source lies on disk.

    Attributes:
        name: as in the manifest.
        needs: glob patterns below the base folder; each must match something; ` or ` parts alternatives.
        read: the raw rows in a fixed order, cheaply; it opens no picture.
        problem: pure: (row, base folder) -> problem, or several. Raises BadRow.
    """

    name: str
    needs: tuple[str, ...]
    read: RowReader
    problem: ProblemMaker


HubMaker = Callable[[Row], Problem | Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a module in `adapters/` exports as ADAPTER.

    Attributes:
        layouts: tried in order.
        hub_row: pure: a row of the manifest's Hub copy -> problem, or several. Raises BadRow. None where there
            is no Hub copy to stream.
    """

    layouts: tuple[Layout, ...]
    hub_row: HubMaker | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest with the adapter it names."""

    manifest: SourceManifest
    adapter: Adapter


def source_names() -> list[str]:
    """Names of all sources, sorted."""
    return manifest_names("sources")


def load_source(name: str | Path) -> Source:
    """The manifest of a source, validated, with its adapter.

    `name` is a source that ships, or the path of a manifest, whose `adapter` may be a file beside it (`NAME.py`).

    Raises:
        CogitoError: no such source (the nearest name is given), a bad manifest, or an adapter that is not there.
    """
    path = manifest_path("sources", name)
    manifest = load_manifest(name, "sources", SourceManifest)
    if manifest.name != path.stem:
        raise CogitoError(f"{path}: the source is called '{manifest.name}', so its file must be {manifest.name}.yaml")
    if is_file(manifest.adapter):
        adapter = load_object(f"{manifest.adapter}:ADAPTER", beside=path.parent)
        if not isinstance(adapter, Adapter):
            raise CogitoError(f"{path.parent / manifest.adapter}: ADAPTER is no cogito_data.sources.base.Adapter")
        return Source(manifest, adapter)
    try:
        module = importlib.import_module(f"cogito_data.sources.adapters.{manifest.adapter}")
    except ModuleNotFoundError as error:
        raise CogitoError(f"source {manifest.name}: there is no adapter '{manifest.adapter}'") from error
    return Source(manifest, module.ADAPTER)


def adapter_hash(name: str | Path, manifest: SourceManifest) -> str | None:
    """Hash of an adapter that is a file of the user's own; None for one that ships, whose code has a version."""
    if not is_file(manifest.adapter):
        return None
    return file_hash(manifest_path("sources", name).parent / manifest.adapter)


@dataclass(frozen=True, slots=True)
class Found:
    """A layout that was recognised and the folder it starts in."""

    layout: Layout
    base: Path


MAX_FOLDERS_SEARCHED = 300
"""Folders looked into below the one given, at most two levels deep."""


def find_layouts(source: Source, root: Path) -> list[Found]:
    """Which of the source's layouts lie at `root` or up to two levels below, in the adapter's order.

    A folder of the source's own name goes before the others: several sources in one root share names of files.

    Raises:
        CogitoError: `root` is no folder, or no layout is there; the sentence says which files were looked for.
    """
    if not root.is_dir():
        raise CogitoError(f"--from {root}: there is no such folder")
    own = root / source.manifest.name
    folders = sorted(_folders(root), key=lambda folder: not folder.is_relative_to(own))
    found = []
    for layout in source.adapter.layouts:
        bases = (base for base in folders if all(_any_match(base, pattern) for pattern in layout.needs))
        if (base := next(bases, None)) is not None:
            found.append(Found(layout, base))
    if not found:
        looked = "; ".join(f"{layout.name}: {' and '.join(layout.needs)}" for layout in source.adapter.layouts)
        raise CogitoError(f"{root} holds none of the layouts of {source.manifest.name}; looked for {looked}")
    return found


def _any_match(base: Path, pattern: str) -> bool:
    return any(next(iter(base.glob(part)), None) is not None for part in pattern.split(" or "))


def _folders(root: Path) -> list[Path]:
    found = [root]
    level = [root]
    for _ in range(2):
        below = [Path(name) for folder in level for name in sorted(e.path for e in os.scandir(folder) if e.is_dir())]
        room = MAX_FOLDERS_SEARCHED - len(found)
        level = below[:room]
        found += level
    return found
