"""Items of a benchmark from a folder in upstream's layout, from the Hub's Parquet files, or from our own shards.

What cannot be asked is counted and said: pictures that are not there, records without a question or a gold, a copy
that holds more or fewer items than the benchmark has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cogito_core.console import CogitoError
from cogito_eval.benchmark import Benchmark, Columns, Layout
from cogito_eval.building import build_item, without_pictures
from cogito_eval.item import Item, PicturePlaces
from cogito_eval.records import KEY, Record, fill_template, lookup, read_records


@dataclass
class ItemSet:
    """The items of one benchmark and what was wrong with the copy they came from.

    `absent` lists items whose pictures are not there, `unusable` those that cannot be read, each with the reason.
    `revision` is the Hub's commit they came from, empty for a local copy.
    """

    benchmark: Benchmark
    layout: str
    items: list[Item] = field(default_factory=list)
    expected: int | None = None
    found: int = 0
    absent: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    lacks: str = ""
    revision: str = ""

    def sentence(self) -> str:
        """One line for the user: how many items there are, how many should be, what is missing."""
        text = f"{self.benchmark.name}: {self.found} records in the {self.layout} layout"
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
        found: ItemSet = loader(benchmark, root)
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
    from huggingface_hub import snapshot_download

    try:
        patterns = [pattern.replace("**/", "*") for pattern in benchmark.hub.patterns]
        patterns += [benchmark.hub.archive] if benchmark.hub.archive else []
        return Path(snapshot_download(benchmark.hub.id, repo_type="dataset", revision=benchmark.hub.revision,
                                      allow_patterns=patterns))
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
    adapt = benchmark.hook("adapt")
    seen: set[str] = set()
    counts: dict[str, int] = {}
    for path in _files(layout, base):
        part = {"file": path.stem, "folder": path.parent.name}.get(layout.part_from, "")
        for record in read_records(path, layout.format):
            record.setdefault("_file", path.stem)
            if adapt is not None:
                record = adapt(record, path)
            if record is None or any(lookup(record, name) != value for name, value in layout.where.items()):
                continue
            out.found += 1
            counts[part] = counts.get(part, -1) + 1
            _take(out, record, columns, layout, base, part, counts[part], seen, blind)
    return out


def _take(out: ItemSet, record: Record, columns: Columns, layout: Layout, base: Path, part: str, position: int,
          seen: set[str], blind: bool) -> None:
    """Add the item of one record to `out`, or the reason why it cannot be asked."""
    id = _identity(record, columns, part, position)
    try:
        archive = base / layout.archive if layout.archive else None
        places = PicturePlaces(base / layout.pictures_in, archive)
        item = build_item(out.benchmark, record, columns, id=id, part=part, places=places)
    except ValueError as error:
        out.unusable.append((id, str(error)))
        return
    if id in seen:
        out.unusable.append((id, "the id occurs twice"))
        return
    seen.add(id)
    gone = [ref for ref in item.pictures if not ref.is_there]
    if gone and not blind:
        out.absent.append((id, f"{gone[0].path or 'no picture in the record'}"))
        return
    if blind:
        item = without_pictures(item)
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
