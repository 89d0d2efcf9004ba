"""One upstream record as an item: its question, options, gold in a form the verifier reads, pictures, breakdowns."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cogito_eval.benchmark import Benchmark, Columns
from cogito_eval.item import LETTERS, Item, PicturePlaces, PictureRef
from cogito_eval.options import options_in_problem, read_options
from cogito_eval.records import Record, fill_template, lookup


def build_item(benchmark: Benchmark, record: Record, columns: Columns, *, id: str, part: str,
               places: PicturePlaces) -> Item:
    """One record as an item. Raises ValueError with a reason where it cannot be asked or judged."""
    problem = _problem(record, columns)
    choices, shown = _choices(record, columns, problem)
    raw_gold = lookup(record, columns.gold)
    people = _people(raw_gold, columns) if benchmark.kind == "vqa" else ()
    gold, aliases, kind = (Counter(people).most_common(1)[0][0], (), "vqa") if people else _gold(
        raw_gold, choices, columns, benchmark, record)
    pictures = tuple(_pictures(record, columns, places))
    problem, choices = _place_marks(problem, choices, len(pictures))
    tags = {name: _tag(lookup(record, path)) for name, path in benchmark.breakdowns.items()}
    cluster = fill_template(benchmark.cluster, record) if benchmark.cluster else _picture_cluster(pictures) or id
    official = _official_row(benchmark, record, columns, id, raw_gold, choices)
    spec = dict(benchmark.spec)
    if people:
        # The consensus is over all of them; the gold that is shown is what most people said.
        spec["answers"] = list(people)
        official |= {"answers": list(people)} if official else {}
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


def has_mark(record: Record, columns: Columns) -> bool:
    """Whether upstream marks a picture in the question or in an option."""
    problem = _problem(record, columns)
    return any(_MARK.search(text) for text in (problem, *_choices(record, columns, problem)[0]))


def _choices(record: Record, columns: Columns, problem: str) -> tuple[tuple[str, ...], bool]:
    if columns.choices_form == "in_problem":
        # Where the question itself is in the picture, the record may hold its text elsewhere.
        return options_in_problem(str(record.get("_options_text") or problem)), True
    if columns.choices_form == "in_picture":
        return (), True
    if columns.choices_form == "columns":
        found = [lookup(record, letter) for letter in LETTERS[:10]]
        return tuple(str(text).strip() for text in found if text not in (None, "")), False
    if not columns.choices:
        return (), False
    shown = bool(record.get("_options_in_picture"))
    return read_options(lookup(record, columns.choices), columns.choices_form), shown


def _gold(raw: Any, choices: tuple[str, ...], columns: Columns, benchmark: Benchmark,
          record: Record) -> tuple[str, tuple[str, ...], str]:
    """The strict gold, its aliases and the answer kind."""
    kind = benchmark.kinds.get(str(lookup(record, benchmark.kind_column)), "") if benchmark.kind_column else ""
    kind = kind or benchmark.kind
    values = [_plain(value) for value in raw] if isinstance(raw, list) else [_plain(raw)]
    gold = values[0] if values else ""
    if not gold:
        raise ValueError(f"the record has no gold in '{columns.gold}'")
    form = columns.gold_form
    if form == "flag":
        if gold.casefold() not in _FLAGS:
            raise ValueError(f"the gold {gold[:40]!r} is neither yes nor no")
        return _FLAGS[gold.casefold()], (), kind or "yes_no"
    if not choices:
        _check_free(gold, columns)
    if not choices and (columns.choices_form != "in_picture" or form == "text"):
        return gold, tuple(values[1:]), kind
    if form == "index":
        letters = [LETTERS[_index(gold, len(choices))]]
    elif form == "text":
        letters = [_letter_of(gold, choices)]
    else:
        letters = _letters(gold, len(choices)) or ([_letter_of(gold, choices)] if choices else [])
        if not letters:
            return gold, tuple(values[1:]), kind
    beyond = [letter for letter in letters if choices and LETTERS.index(letter) >= len(choices)]
    if beyond:
        raise ValueError(f"the gold is option {beyond[0]}, but there are {len(choices)} options")
    if len(letters) > 1:
        return ", ".join(sorted(letters)), (), "choices"
    others = [letter for value in values[1:] for letter in _letters(value, len(choices))]
    return letters[0], tuple(dict.fromkeys((*_twins(letters[0], choices), *others))), "choice"


def _people(raw: Any, columns: Columns) -> tuple[str, ...]:
    """What the asked people said: texts, or VQA v2's objects with the key `answer`.

    Raises ValueError where the gold is no list of answers.
    """
    said = [one.get("answer") if isinstance(one, Mapping) else one for one in raw] if isinstance(raw, list) else []
    people = tuple(str(one).strip() for one in said if isinstance(one, str | int | float) and str(one).strip())
    if not people or len(people) != len(said):
        raise ValueError(f"'{columns.gold}' is no list of people's answers")
    return people


def _check_free(gold: str, columns: Columns) -> None:
    """A gold that points at an option needs options; raises ValueError where there are none.

    Without options `60` is a free answer, but `D` or an index can only mean an option. Where free answers may be
    letters too, or options stand in some pictures, the manifest says so with `choices_optional`.
    """
    shown = columns.choices_form in ("in_problem", "in_picture")
    apart = not shown and bool(columns.choices or columns.choices_form == "columns")
    lettered = columns.gold_form in ("letter", "letters", "parenthesised") and bool(_letters(gold, 0))
    if apart and not columns.choices_optional and (lettered or columns.gold_form == "index"):
        where = f"in '{columns.choices}'" if columns.choices else "in the columns A, B, C, ..."
        raise ValueError(f"no options {where}, but the gold {gold!r} names one")


_LETTER_LIST = re.compile(r"\(?([A-Z])\)?(?:[\s,;]+(?:and\s+)?\(?([A-Z])\)?)*\.?", re.IGNORECASE)
_FLAGS = {"1": "yes", "true": "yes", "yes": "yes", "0": "no", "false": "no", "no": "no"}
_UNSEEN = 10
"""How many options are thought of where they are in the picture: letters beyond J are answers of another kind."""


def _letters(gold: str, options: int) -> list[str]:
    """The option letters that a gold consists of (`B`, `(B)`, `A, C`); empty if it is anything else."""
    if _LETTER_LIST.fullmatch(gold.strip()) is None:
        return []
    found = list(dict.fromkeys(re.findall(r"\b[A-Z]\b", gold.upper())))
    return found if all(LETTERS.index(letter) < max(options, _UNSEEN) for letter in found) else []


def _plain(raw: Any) -> str:
    """A gold as text. Raises ValueError for an object or a list within a list."""
    if raw is None:
        return ""
    if isinstance(raw, Mapping | list | tuple):
        raise ValueError(f"the gold is {'an object' if isinstance(raw, Mapping) else 'a list in a list'}, not a text")
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


def _pictures(record: Record, columns: Columns, places: PicturePlaces) -> Iterator[PictureRef]:
    for name in columns.pictures:
        value = fill_template(name, record) if "{" in name else lookup(record, name)
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, Mapping):
                data, path = one.get("bytes"), one.get("path")
                if data is not None or path:
                    yield PictureRef(None, data) if data is not None else places.of(str(path))
            elif isinstance(one, bytes):
                yield PictureRef(None, one)
            elif isinstance(one, str) and one.strip():
                yield places.of(one)


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
    if columns.gold_form == "index":
        gold = LETTERS[_index(_plain(gold), len(choices))]
    row: dict[str, Any] = {"id": id, "gold": gold, "choices": list(choices) or None}
    row |= {name: lookup(record, path) for name, path in benchmark.official.row.items()}
    more = hook(record, choices) if hook is not None else {}
    return {} if more is None else row | more


def without_pictures(item: Item) -> Item:
    """The item as it is asked blind: its picture marks become words."""
    problem, choices = _place_marks(item.problem, item.choices, 0)
    return replace(item, pictures=(), problem=problem, choices=choices)
