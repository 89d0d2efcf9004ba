"""Items of a benchmark from a folder in upstream's layout, from the Hub's Parquet files, or from our own shards.

What cannot be asked is counted and said: pictures that are not there, records without a question or a gold, a copy
that holds more or fewer items than the benchmark has.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cogito_core.console import CogitoError
from cogito_core.hub import fetch_files
from cogito_eval.benchmark import Benchmark, Columns, Layout
from cogito_eval.building import build_item, has_mark, without_pictures
from cogito_eval.item import Item, PicturePlaces
from cogito_eval.records import KEY, Record, fill_template, holds, lookup, read_records


@dataclass
class ItemSet:
    """The items of one benchmark and what was wrong with the copy they came from.

    `absent` lists items whose pictures are not there, `unusable` those that cannot be read, each with the reason.
    `left_out` counts the records of another part of the data (the layout's `where`), as `data_type train`.
    `revision` is the Hub's commit they came from, empty for a local copy.
    """

    benchmark: Benchmark
    layout: str
    items: list[Item] = field(default_factory=list)
    expected: int | None = None
    found: int = 0
    absent: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    lacks: str = ""
    revision: str = ""

    def sentence(self) -> str:
        """One line for the user: how many items there are, how many should be, what is missing."""
        text = f"{self.benchmark.name}: {self.found} records in the {self.layout} layout"
        if self.left_out:
            others = ", ".join(f"{count} of {name}" for name, count in self.left_out.most_common(3))
            text += f" ({others} left out)"
        if self.expected is not None and self.found != self.expected:
            kind = "partial" if self.found < self.expected else "another edition"
            text += f", but the benchmark has {self.expected}: this copy is {kind}"
        if self.absent:
            text += f"; {len(self.absent)} left out because their pictures are not there ({self.absent[0][1]})"
        if self.unusable:
            text += f"; {len(self.unusable)} unusable (first: {self.unusable[0][0]}, {self.unusable[0][1]})"
        if self.lacks:
            text += f"; {self.lacks}"
        return f"{text}; {len(self.items)} to ask"


def load_items(
    benchmark: Benchmark, root: Path | None, *, limit: int | None = None, blind: bool = False,
    layout: str | None = None,
) -> ItemSet:
    """The items of a benchmark below `root` (`root/<name>` or `root` itself), or from the Hub without `root`.

    `blind` asks every question without its pictures (a check of how far the text alone leads). `limit` keeps the
    first items that can be asked, `layout` names the one to read where a folder holds several.

    Raises:
        CogitoError: no layout of the benchmark is found, a file is damaged, or nothing can be asked.
    """
    loader = benchmark.hook("load")
    if loader is not None:
        if layout is not None:
            raise CogitoError(f"{benchmark.name} has no layout '{layout}': its questions are made, not read")
        found: ItemSet = loader(benchmark, root)
        if blind:
            found.items = [without_pictures(item) for item in found.items]
    else:
        chosen, base = find_layout(benchmark, root, layout)
        found = _read_layout(benchmark, chosen, base, blind=blind)
        found.revision = base.name if root is None else ""  # the Hub's cache names a snapshot by its commit
    if not found.items:
        raise CogitoError(f"nothing can be asked: {found.sentence()}")
    if limit is not None:
        found.items = found.items[:limit]
    return found


def find_layout(benchmark: Benchmark, root: Path | None, name: str | None = None) -> tuple[Layout, Path]:
    """The first layout (or the one called `name`) whose files are there, and the folder it was found in.

    Raises CogitoError where none is: the sentence names what was looked for.
    """
    layouts = [*benchmark.layouts, *_hub_layout(benchmark)]
    if name is not None:
        known = ", ".join(layout.name for layout in layouts)
        layouts = [layout for layout in layouts if layout.name == name]
        if not layouts:
            raise CogitoError(f"{benchmark.name} has no layout '{name}'; it has: {known or 'none'}")
    if root is None:
        return layouts[-1], _download(benchmark)
    if not root.is_dir():
        raise CogitoError(f"--from {root} is no folder")
    for folder in (root / benchmark.name, root / (benchmark.folder or benchmark.name), root):
        for layout in layouts:
            if any(True for _ in _files(layout, folder)):
                return layout, folder
    wanted = "; ".join(f"{layout.name}: {', '.join(layout.files)}" for layout in layouts)
    raise CogitoError(f"{root} holds no records of {benchmark.name}; looked for {wanted}")


def _hub_layout(benchmark: Benchmark) -> list[Layout]:
    hub = benchmark.hub
    if hub is None:
        return []
    part: Literal["", "folder"] = "folder" if len(hub.configs) > 1 else ""
    return [Layout(name="hub", files=hub.patterns, format=hub.format, columns=hub.columns, part_from=part,
                   where=hub.where, archive=hub.archive)]


def _download(benchmark: Benchmark) -> Path:
    """The Hub's files of a benchmark in the local cache, fetched once."""
    if benchmark.hub is None:
        raise CogitoError(f"{benchmark.name} is on no hub: give its folder with --from")
    archive = [benchmark.hub.archive] if benchmark.hub.archive else []
    try:
        return fetch_files(benchmark.hub.id, [*benchmark.hub.patterns, *archive], benchmark.hub.revision)
    except Exception as error:  # The hub client raises its own, httpx's and OSError's types.
        raise CogitoError(
            f"{benchmark.name} cannot be fetched from the Hub ({benchmark.hub.id}: {type(error).__name__}); "
            "give a local copy with --from"
        ) from error


def _files(layout: Layout, folder: Path) -> Iterator[Path]:
    for pattern in layout.files:
        yield from sorted(folder.glob(pattern))


def _read_layout(benchmark: Benchmark, layout: Layout, base: Path, *, blind: bool) -> ItemSet:
    expected = layout.items if layout.items is not None else benchmark.items
    out = ItemSet(benchmark, layout.name, expected=expected, lacks=layout.lacks)
    columns = layout.columns or benchmark.columns
    reader = _Reader(out, layout, columns, base, blind)
    for path in _files(layout, base):
        reader.file(path)
    if not blind and not layout.lacks:
        reader.check_picture_columns(base)
    return out


@dataclass
class _Reader:
    """The files of one layout, record by record, into `out`."""

    out: ItemSet
    layout: Layout
    columns: Columns
    base: Path
    blind: bool
    seen: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)

    def file(self, path: Path) -> None:
        """Read one file; a record that cannot be read costs itself alone and keeps its place in the count."""
        part = {"file": path.stem, "folder": path.parent.name}.get(self.layout.part_from, "")
        adapt = self.out.benchmark.hook("adapt")

        def broken(place: str, reason: str) -> None:
            self._count(part)
            self.out.unusable.append((place, reason))

        for raw in read_records(path, self.layout.format, broken):
            raw.setdefault("_file", path.stem)
            try:
                record = adapt(raw, path) if adapt is not None else raw
            except ValueError as error:
                broken(self._place(raw, path), str(error))
                continue
            except (KeyError, TypeError, AttributeError, IndexError) as error:
                broken(self._place(raw, path), f"does not have the form of this benchmark ({error!r})")
                continue
            if record is None:
                continue
            others = [f"{name} {lookup(record, name)}" for name, value in self.layout.where.items()
                      if lookup(record, name) != value]
            if others:
                self.out.left_out[others[0]] += 1
                continue
            self._note_columns(record)
            self._take(record, part, self._count(part))

    def _count(self, part: str) -> int:
        """The position of the next record within its part, from 0."""
        self.out.found += 1
        self.counts[part] += 1
        return self.counts[part] - 1

    def _place(self, record: Record, path: Path) -> str:
        key = lookup(record, self.columns.id) if self.columns.id and "{" not in self.columns.id else record[KEY]
        return f"{path.name} record {self.out.found if key is None else key}"

    def _note_columns(self, record: Record) -> None:
        self.names.update(record)
        self.held.update(name for name in self.columns.pictures if name not in self.held and holds(record, name))

    def check_picture_columns(self, base: Path) -> None:
        """A picture column that no record has is a mistake of the manifest, unless the others bring the pictures.

        Raises CogitoError naming the column and the nearest one that the records have: asked without its pictures
        a benchmark would give a score that means something else.
        """
        wanted = [name for name in self.columns.pictures if "{" not in name]
        alone = not self.held and len(wanted) == len(self.columns.pictures)
        for name in [name for name in wanted if name not in self.held] if self.names else []:
            free = sorted(self.names - self.held - {KEY, "_file"})
            # Beside columns that are there, a spare one (image_7) is no mistake; only a near miss is.
            close = difflib.get_close_matches(name, free, n=1, cutoff=0.6 if alone else 0.8)
            if close or alone:
                nearest = f"; the nearest is '{close[0]}'" if close else f"; they have {', '.join(free)[:200]}"
                raise CogitoError(f"{self.out.benchmark.name}: no record in {base} has the picture column '{name}'"
                                  f"{nearest}")

    def _take(self, record: Record, part: str, position: int) -> None:
        """Add the item of one record to `out`, or the reason why it cannot be asked."""
        out, layout = self.out, self.layout
        id = f"{part}/{position}" if part else str(position)
        try:
            id = _identity(record, self.columns, part, position)
            archive = self.base / layout.archive if layout.archive else None
            places = PicturePlaces(self.base / layout.pictures_in, archive)
            item = build_item(out.benchmark, record, self.columns, id=id, part=part, places=places)
        except (ValueError, CogitoError) as error:
            out.unusable.append((id, str(error)))
            return
        if id in self.seen:
            out.unusable.append((id, "the id occurs twice"))
            return
        self.seen.add(id)
        if self.blind:
            out.items.append(without_pictures(item))
            return
        gone = [ref for ref in item.pictures if not ref.is_there]
        if gone:
            out.absent.append((id, f"{gone[0].path or 'no picture in the record'}"))
        elif not item.pictures and has_mark(record, self.columns):
            out.absent.append((id, "the question marks a picture, the record has none"))
        else:
            out.items.append(item)


def _identity(record: Record, columns: Columns, part: str, position: int) -> str:
    if "{" in columns.id:
        return fill_template(columns.id, record)
    if columns.id:
        found = lookup(record, columns.id)
        if found is not None:
            return str(found)
    name = str(position) if record[KEY] is None else str(record[KEY])
    return f"{part}/{name}" if part else name
