"""GEOS (Seo et al. 2015): `<set>/NNN.json` beside `<set>/NNN.png`; the gold is a key of the options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import OPTIONS_IN_PICTURE, Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.files import check_readable
from cogito_data.sources.shapes.folders import FILE, json_files
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.options import choice_by_index

SETS = ("aaai", "official", "practice")
PAGES = ("official", "practice")
"""Sets of clippings from printed pages: the pictures of 78 of their 93 questions with options show these too."""


def _read(base: Path) -> Iterator[Row]:
    return json_files(base, *(f"{name}/[0-9]*.json" for name in SETS))


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    file = Path(row.text(FILE))
    options = row.mapping("choices")
    keys = sorted(options, key=lambda key: (len(key), key))
    choices = tuple(str(options[key]).strip() for key in keys)
    return Problem(
        # The field `key` is given twice upstream; the file name is unique.
        upstream_id=file.stem,
        split=file.parent.name,
        question=row.text("text"),
        pictures=((base / file).with_suffix(".png"),),
        gold=_gold(row, keys, choices),
        choices=choices,
        meta={"key": row.get("key"), **({OPTIONS_IN_PICTURE: True} if choices and file.parent.name in PAGES else {})},
    )


def _gold(row: Row, keys: list[str], choices: tuple[str, ...]) -> Gold:
    answer = row.gold_text("answer")
    if not choices:
        return free_form(row, answer)
    if not answer:
        raise row.fail("empty_gold", "the gold is empty")
    if answer not in keys:
        raise row.fail("gold_not_in_choices", f"the gold {answer!r} is none of the option keys {', '.join(keys)}")
    return choice_by_index(row, choices, keys.index(answer), answer)


_NEEDS = " or ".join(f"{name}/[0-9]*.json" for name in SETS)

ADAPTER = Adapter((Layout("original", (_NEEDS,), _read, _problem), mathvista("GEOS")))
