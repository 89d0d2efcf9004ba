"""OK-VQA (Marino et al. 2019): VQA's pair of files; golds also in LXMERT's and ChartAst's derived files."""

from __future__ import annotations

from pathlib import Path

from cogito_data.sources.base import Adapter, Layout, Problem
from cogito_data.sources.rows import Row
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.files import check_readable, json_list, picture_path
from cogito_data.sources.shapes.golds import free_form
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.people import scored_gold
from cogito_data.sources.shapes.vqa import coco_folders, vqa_pairs, vqa_questions

_LXMERT = "testdev.json"
_CHARTAST = "okvqa_val.json"


def _scored(row: Row, base: Path) -> Problem:
    """Soft labels: an answer's score is min(1, people / 3), so 1 means three or more people."""
    check_readable(row)
    return Problem(
        upstream_id=row.text("question_id"),
        split="val2014",
        question=row.text("sent"),
        pictures=(picture_path(row, base, f"{row.text('img_id')}.jpg", coco_folders("val2014")),),
        gold=scored_gold(row, "label"),
        meta={"answer_scores": dict(row.mapping("label"))},
    )


def _single(row: Row, base: Path) -> Problem:
    check_readable(row)
    return Problem(
        upstream_id=row.text("question_id"),
        split="val2014",
        question=row.text("question"),
        pictures=(picture_path(row, base, Path(row.text("image_path")).name, coco_folders("val2014")),),
        gold=free_form(row, row.need("gt_answers"), prose=True),
    )


_hub_row = cauldron_hub()

ADAPTER = Adapter(
    (
        vqa_pairs(),
        Layout("lxmert", (_LXMERT,), lambda base: json_list(base / _LXMERT), _scored),
        Layout("chartast", (_CHARTAST,), lambda base: json_list(base / _CHARTAST), _single),
        parquet_layout(_hub_row),
        vqa_questions(),
    ),
    _hub_row,
)
