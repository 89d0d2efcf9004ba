"""GeomVerse (Kazemi et al. 2023): JSON lines `question, cot, label, image_path` a split, or The Cauldron's rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_lines, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import parquet_layout

# Labels come from steps that were each rounded to two decimals, so an exact calculation ends near them, not on them.
ROUNDED = {"policy": "relative(0.03)"}
_PLACE = "__place__"
_PATTERN = "T*/**/*.jsonl"


def _read(base: Path) -> Iterator[Row]:
    for path in sorted(base.glob(_PATTERN)):
        name = path.relative_to(base).as_posix()
        for number, row in enumerate(json_lines(path)):
            yield Row(f"{name}, row {number}", {**row.values, _PLACE: name, "__number__": number})


def _gold(row: Row) -> Gold:
    gold = free_form(row, row.need("label"), units=True, spec=ROUNDED)
    if gold.kind not in ("number", "expression"):
        raise row.fail("wrong_type", f"field 'label' should be a number, not {gold.original[:60]!r}")
    return gold


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    place = Path(row.text(_PLACE))
    image = row.text("image_path")
    folders = ("", str(place.parent), str(place.parent / "images"))
    return Problem(
        # Upstream gives no id, and several questions may stand on one picture.
        upstream_id="-".join((*place.with_suffix("").parts[1:], row.text("__number__"))),
        split=place.parts[0].lower(),
        question=row.text("question"),
        pictures=(picture_path(row, base, image, folders),),
        gold=_gold(row),
        meta={"cot": row.get("cot"), "part": place.as_posix()},
    )


_hub_row = cauldron_hub(spec=ROUNDED)

ADAPTER = Adapter((Layout("original", (_PATTERN,), _read, _problem), parquet_layout(_hub_row)), _hub_row)
