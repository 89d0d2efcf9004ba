"""VQA v2 (Goyal et al. 2017): pairs of question and annotation files over COCO pictures, ten answers a question."""

from cogito_data.sources.base import Adapter
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.hub import parquet_layout
from cogito_data.sources.shapes.mathvista import mathvista
from cogito_data.sources.shapes.vqa import annotated_jsonl, vqa_pairs, vqa_questions

_hub_row = cauldron_hub()

ADAPTER = Adapter(
    (
        vqa_pairs(),
        annotated_jsonl("vqav2_*.jsonl", "val2014"),
        parquet_layout(_hub_row),
        vqa_questions(),
        mathvista("VQA2.0"),
    ),
    _hub_row,
)
