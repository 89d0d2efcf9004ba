"""GeoQA+ (Cao and Xiao 2022), Chinese exam geometry. Upstream ships pickles, which are never opened here.

Read instead: Geo170K's test files, R1-V's prompts, FormalGeo7k's re-annotation, the Hub copy of R1-V.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cogito_core.console import CogitoError
from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.formalgeo import FORMALGEO
from cogito_data.sources.shapes.geo170k import GEO170K, R1V_PROMPTS
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import hub_pictures, parquet_layout, row_id, row_split
from cogito_data.sources.shapes.mathvista import mathvista

_TAGS = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


def _hub_row(row: Row) -> Problem:
    solution = row.gold_text("solution")
    tagged = _TAGS.search(solution)
    return Problem(
        upstream_id=row_id(row),
        split=row_split(row),
        question=row.text("problem"),
        pictures=hub_pictures(row, "image"),
        gold=free_form(row, tagged.group(1) if tagged else solution, units=True),
    )


def _refuse(base: Path) -> Iterator[Row]:
    found = min(base.glob("*.pk"))
    raise CogitoError(
        f"{found} is a Python pickle: opening it could run any code, so it is never opened; "
        "take geoqa_plus from the Hub, or from Geo170K or FormalGeo7k files"
    )


_PICKLE = Layout("pickle", ("*.pk",), _refuse, lambda row, _: _hub_row(row))

ADAPTER = Adapter((GEO170K, R1V_PROMPTS, FORMALGEO, parquet_layout(_hub_row), mathvista("GeoQA+"), _PICKLE), _hub_row)
