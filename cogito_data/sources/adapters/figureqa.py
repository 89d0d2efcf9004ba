"""FigureQA (Kahou et al. 2018): `<split>/qa_pairs.json` beside `<split>/png/`; the gold is 1 (yes) or 0 (no)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cogito_data.sources.base import Adapter, Gold, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.folders import problem_files
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista

_DEMO = "*_qas.json"


def _read(base: Path) -> Iterator[Row]:
    for path in problem_files(base, "qa_pairs.json", "*/qa_pairs.json"):
        yield from _numbered(json_list(path, "qa_pairs"), path, "png")


def _read_demo(base: Path) -> Iterator[Row]:
    for path in problem_files(base, _DEMO):
        yield from _numbered(json_list(path), path, "")


def _numbered(rows: Iterator[Row], path: Path, folder: str) -> Iterator[Row]:
    """Upstream's question_id is a template: a question is known by its picture and its place among its questions."""
    seen: Counter[str] = Counter()
    for row in rows:
        picture = str(row.get("image_index"))
        place = {"__number__": seen[picture], "__folder__": str(path.parent / folder), "__split__": path.parent.name}
        seen[picture] += 1
        yield Row(f"{path.parent.name}/{row.where}", {**row.values, **place})


def _problem(row: Row, base: Path) -> Problem:
    check_readable(row)
    index, answer = row.integer("image_index"), row.gold_integer("answer")
    if answer not in (0, 1):
        raise row.fail("gold_not_in_choices", f"the gold {answer} is neither 1 (yes) nor 0 (no)")
    return Problem(
        upstream_id=f"{index}-{row.integer('__number__')}",
        split=row.text("__split__"),
        question=row.text("question_string"),
        pictures=(picture_path(row, Path(row.text("__folder__")), f"{index}.png"),),
        gold=Gold("yes" if answer else "no", "yes_no", str(answer)),
        meta={"template": row.get("question_id")},
    )


_hub_row = cauldron_hub()

_ORIGINAL = Layout("original", ("qa_pairs.json or */qa_pairs.json",), _read, _problem)
_DEMO_LAYOUT = Layout("demo", (_DEMO,), _read_demo, _problem)

ADAPTER = Adapter((_ORIGINAL, _DEMO_LAYOUT, parquet_layout(_hub_row), mathvista("FigureQA")), _hub_row)
