"""Items of a benchmark from a folder in upstream's layout, from the Hub's Parquet files, or from our own shards.

What cannot be asked is counted and said: pictures that are not there, records without a question or a gold, a copy
that holds more or fewer items than the benchmark has.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cogito_core.console import CogitoError
from cogito_eval.benchmark import Benchmark, Columns, Layout
from cogito_eval.item import LETTERS, Item, PictureRef
from cogito_eval.options import options_in_problem, read_options
from cogito_eval.records import KEY, Record, lookup, read_records


@dataclass
class ItemSet:
    """The items of one benchmark and what was wrong with the copy they came from.

    `absent` lists items whose pictures are not there, `unusable` those that cannot be read, each with the reason.
    """

    benchmark: Benchmark
    layout: str
    items: list[Item] = field(default_factory=list)
    expected: int | None = None
    found: int = 0
    absent: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    lacks: str = ""

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
    benchmark: Benchmark, root: Path | None, *, limit: int | None = None, blind: bool = False
) -> ItemSet:
    """The items of a benchmark below `root` (`root/<name>` or `root` itself), or from the Hub without `root`.

    `blind` asks every question without its pictures (a check of how far the text alone leads). `limit` keeps the
    first items that can be asked.

    Raises:
        CogitoError: no layout of the benchmark is found, a file is damaged, or nothing can be asked.
    """
    loader = benchmark.hook("load")
    if loader is not None:
        found: ItemSet = loader(benchmark, root)
    else:
        layout, base = find_layout(benchmark, root)
        found = _read_layout(benchmark, layout, base, blind=blind)
    if not found.items:
        raise CogitoError(f"nothing can be asked: {found.sentence()}")
    if limit is not None:
        found.items = found.items[:limit]
    return found


def find_layout(benchmark: Benchmark, root: Path | None) -> tuple[Layout, Path]:
    """The first layout whose files are there, and the folder it was found in.

    Raises CogitoError where none is: the sentence names what was looked for.
    """
    layouts = [*benchmark.layouts, *_hub_layout(benchmark)]
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
    return [Layout(name="hub", files=hub.patterns, format="parquet", columns=hub.columns, part_from=part,
                   where=hub.where)]


def _download(benchmark: Benchmark) -> Path:
    """The Hub's files of a benchmark in the local cache, fetched once."""
    if benchmark.hub is None:
        raise CogitoError(f"{benchmark.name} is on no hub: give its folder with --from")
    from huggingface_hub import snapshot_download

    try:
        patterns = [pattern.replace("**/", "*") for pattern in benchmark.hub.patterns]
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
        item = build_item(out.benchmark, record, columns, id=id, part=part, base=base / layout.pictures_in)
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
        item = _without_pictures(item)
    out.items.append(item)


def _without_pictures(item: Item) -> Item:
    problem, choices = _place_marks(item.problem, item.choices, 0)
    return replace(item, pictures=(), problem=problem, choices=choices)


def _identity(record: Record, columns: Columns, part: str, position: int) -> str:
    if "{" in columns.id:
        return _fill(columns.id, record)
    if columns.id:
        found = lookup(record, columns.id)
        if found is not None:
            return str(found)
    name = str(position) if record[KEY] is None else str(record[KEY])
    return f"{part}/{name}" if part else name


def _fill(template: str, record: Record) -> str:
    try:
        return template.format_map(record)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise CogitoError(f"the manifest's template '{template}' does not fit the record: {error}") from error


def build_item(benchmark: Benchmark, record: Record, columns: Columns, *, id: str, part: str, base: Path) -> Item:
    """One record as an item. Raises ValueError with a reason where it cannot be asked or judged."""
    problem = _problem(record, columns)
    choices, shown = _choices(record, columns, problem)
    raw_gold = lookup(record, columns.gold)
    gold, aliases, kind = _gold(raw_gold, choices, columns, benchmark, record)
    pictures = tuple(_pictures(record, columns, base))
    problem, choices = _place_marks(problem, choices, len(pictures))
    tags = {name: _tag(lookup(record, path)) for name, path in benchmark.breakdowns.items()}
    cluster = _fill(benchmark.cluster, record) if benchmark.cluster else _picture_cluster(pictures) or id
    official = _official_row(benchmark, record, columns, id, raw_gold, choices)
    spec = dict(benchmark.spec)
    hook = benchmark.hook("spec")
    if hook is not None:
        spec.update(hook(record))
    policy = str(spec.pop("policy", benchmark.policy))
    return Item(id=id, problem=problem, gold=gold, kind=kind, pictures=pictures, choices=choices,
                shown_choices=shown, aliases=aliases, policy=policy, spec=spec, official=official, tags=tags,
                cluster=cluster, part=part, record=record)


def _problem(record: Record, columns: Columns) -> str:
    text = lookup(record, columns.problem)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the record has no question in '{columns.problem}'")
    context = lookup(record, columns.context) if columns.context else None
    whole = f"{context}\n{text}" if isinstance(context, str) and context.strip() else text
    return whole.replace("\r\n", "\n").strip()


_MARK = re.compile(r"<image(?:[ _]?(\d+))?>")


def _place_marks(problem: str, choices: tuple[str, ...], pictures: int) -> tuple[str, tuple[str, ...]]:
    """Upstream's picture marks (`<image_1>`, `<image 1>`, `<image1>`) as plain `<image>` marks.

    Where the marks do not name each picture once and in order, they become words ("picture 2") and the pictures
    go first.
    """
    texts = (problem, *choices)
    named = [mark.group(1) for text in texts for mark in _MARK.finditer(text)]
    in_order = [str(i + 1) for i in range(len(named))]
    if len(named) == pictures and (named == in_order or not any(named)):
        placed = [_MARK.sub("<image>", text) for text in texts]
    else:
        placed = [_MARK.sub(lambda mark: f"[picture {mark.group(1) or 1}]", text) for text in texts]
    return placed[0], tuple(placed[1:])


def _choices(record: Record, columns: Columns, problem: str) -> tuple[tuple[str, ...], bool]:
    if columns.choices_form == "in_problem":
        return options_in_problem(problem), True
    if columns.choices_form == "in_picture":
        return (), True
    if columns.choices_form == "columns":
        found = [lookup(record, letter) for letter in LETTERS[:10]]
        return tuple(str(text).strip() for text in found if text not in (None, "")), False
    if not columns.choices:
        return (), False
    return read_options(lookup(record, columns.choices), columns.choices_form), False


def _gold(raw: Any, choices: tuple[str, ...], columns: Columns, benchmark: Benchmark,
          record: Record) -> tuple[str, tuple[str, ...], str]:
    """The strict gold, its aliases and the answer kind."""
    kind = benchmark.kinds.get(str(lookup(record, benchmark.kind_column)), "") if benchmark.kind_column else ""
    kind = kind or benchmark.kind
    values = [str(value).strip() for value in raw] if isinstance(raw, list) else [_plain(raw)]
    gold = values[0] if values else ""
    if not gold:
        raise ValueError(f"the record has no gold in '{columns.gold}'")
    form = columns.gold_form
    if form == "flag":
        return ("yes" if gold.casefold() in ("1", "true", "yes") else "no"), (), kind or "yes_no"
    if not choices and (columns.choices_form != "in_picture" or form == "text"):
        return gold, tuple(values[1:]), kind
    if form == "index":
        letters = [LETTERS[_index(gold, len(choices))]]
    elif form == "text":
        letters = [_letter_of(gold, choices)]
    else:
        letters = _letters(gold) or ([_letter_of(gold, choices)] if choices else [])
        if not letters:
            return gold, tuple(values[1:]), kind
    beyond = [letter for letter in letters if choices and LETTERS.index(letter) >= len(choices)]
    if beyond:
        raise ValueError(f"the gold is option {beyond[0]}, but there are {len(choices)} options")
    if len(letters) > 1:
        return ", ".join(sorted(letters)), (), "choices"
    return letters[0], _twins(letters[0], choices), "choice"


_LETTER_LIST = re.compile(r"\(?([A-J])\)?(?:[\s,;]+(?:and\s+)?\(?([A-J])\)?)*\.?", re.IGNORECASE)


def _letters(gold: str) -> list[str]:
    """The option letters that a gold consists of (`B`, `(B)`, `A, C`); empty if it is anything else."""
    if _LETTER_LIST.fullmatch(gold.strip()) is None:
        return []
    return list(dict.fromkeys(re.findall(r"\b[A-J]\b", gold.upper())))


def _plain(raw: Any) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw).strip()


def _index(text: str, options: int) -> int:
    if not text.lstrip("-").isdigit() or not 0 <= int(text) < max(options, 1):
        raise ValueError(f"the gold index {text!r} is none of the {options} options")
    return int(text)


def _letter_of(text: str, choices: tuple[str, ...]) -> str:
    folded = [choice.casefold() for choice in choices]
    if text in choices:
        return LETTERS[choices.index(text)]
    if text.casefold() in folded:
        return LETTERS[folded.index(text.casefold())]
    raise ValueError(f"the gold {text[:40]!r} is none of the {len(choices)} options")


def _twins(letter: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Other letters whose option reads the same: choosing them is choosing the gold."""
    if not choices:
        return ()
    text = choices[LETTERS.index(letter)]
    return tuple(LETTERS[i] for i, other in enumerate(choices) if other == text and LETTERS[i] != letter)


def _pictures(record: Record, columns: Columns, base: Path) -> Iterator[PictureRef]:
    for name in columns.pictures:
        value = _fill(name, record) if "{" in name else lookup(record, name)
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, Mapping):
                data, path = one.get("bytes"), one.get("path")
                if data is not None or path:
                    yield PictureRef(base / path if path and data is None else None, data)
            elif isinstance(one, bytes):
                yield PictureRef(None, one)
            elif isinstance(one, str) and one.strip():
                yield PictureRef(base / one)


def _picture_cluster(pictures: tuple[PictureRef, ...]) -> str:
    """Questions on the same first picture belong together."""
    if not pictures:
        return ""
    first = pictures[0]
    if first.data is not None:
        return hashlib.sha256(first.data).hexdigest()[:16]
    # The last folders name the picture within the benchmark, wherever its copy lies.
    return "/".join(first.path.parts[-3:]) if first.path is not None else ""


def _tag(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, list | tuple):
        return tuple(str(part) for part in value)
    return (str(value),)


def _official_row(benchmark: Benchmark, record: Record, columns: Columns, id: str, gold: Any,
                  choices: tuple[str, ...]) -> dict[str, Any]:
    if benchmark.official is None:
        return {}
    hook = benchmark.hook("official_row")
    row: dict[str, Any] = {"id": id, "gold": gold, "choices": list(choices) or None}
    row |= {name: lookup(record, path) for name, path in benchmark.official.row.items()}
    return row | (hook(record, choices) if hook is not None else {})
