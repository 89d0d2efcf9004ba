"""Shards as other trainers want their columns: the same rows and picture bytes, with another chat in `prompt`.

EasyR1 and TRL take our shards as they are. verl reads a chat whose texts hold `<image>`, and `data_source`,
`reward_model`, `extra_info` for its reward function. For TRL the export puts the words of one of our prompts around
the question, such as the system text that asks for <think> and <answer>.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cogito_core.chat_column import PROMPT, parts
from cogito_core.console import CogitoError, UsageError
from cogito_core.engines.base import IMAGE_MARK
from cogito_core.files import replace_file
from cogito_core.prompts import build_chat
from cogito_core.sample import SCHEMA
from cogito_core.shards import PICTURE_BYTES, codecs, file_schema, shard_folder, shard_paths

_CHAT = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_GOLD = pa.struct([("style", pa.string()), ("ground_truth", pa.string())])
_EXTRA = pa.struct(
    [
        ("index", pa.int64()),
        ("id", pa.string()),
        ("answer_kind", pa.string()),
        ("answer_spec", pa.string()),
        ("answer_aliases", pa.list_(pa.string())),
        ("choices", pa.list_(pa.string())),
    ]
)

Maker = Callable[[dict[str, Any], int, str], dict[str, Any]]


def _verl(row: dict[str, Any], index: int, prompt: str) -> dict[str, Any]:
    # verl refuses rows where the marks and the pictures differ in number.
    missing = row["n_images"] - row["problem"].count(IMAGE_MARK)
    asked = build_chat(prompt, IMAGE_MARK * missing + row["problem"], ())
    extra = {name: row[name] for name in ("id", "answer_kind", "answer_spec", "answer_aliases", "choices")}
    return {
        "prompt": [{"role": message.role, "content": message.text} for message in asked.messages],
        "data_source": row["source"],
        "ability": row["category"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {"index": index, **extra},
    }


def _trl(row: dict[str, Any], index: int, prompt: str) -> dict[str, Any]:
    messages = build_chat(prompt, row["problem"], ()).messages
    pictures = {"user": row["n_images"]}
    return {"prompt": [{"role": one.role, "content": parts(one.text, pictures.get(one.role, 0))} for one in messages]}


FORMATS: dict[str, tuple[Maker, list[pa.Field]]] = {
    "verl": (
        _verl,
        [
            pa.field("prompt", _CHAT), pa.field("data_source", pa.string()), pa.field("ability", pa.string()),
            pa.field("reward_model", _GOLD), pa.field("extra_info", _EXTRA),
        ],
    ),
    "trl": (_trl, [PROMPT]),
}  # fmt: skip
"""Format -> what makes its columns of a row, and those columns; they take the place of the shard's own `prompt`."""


def export_shards(directory: Path, form: str, out: Path, *, prompt: str = "train") -> dict[str, int]:
    """Write every shard of `directory` (a run, a snapshot of a published set, or a folder of shards) into `out`.

    Returns split -> rows. A shard is written whole or not at all.

    Raises:
        UsageError: there is no such format. CogitoError: no shards, or no such prompt.
    """
    if form not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not '{form}' (EasyR1 and TRL need none)")
    data = shard_folder(directory)
    shards = shard_paths(data)
    if not shards:
        raise CogitoError(f"{data} holds no shard")
    rows: dict[str, int] = {}
    for shard in shards:
        split = shard.name.rpartition("-")[0]
        rows[split] = rows.get(split, 0) + _export_shard(shard, out / shard.name, form, rows.get(split, 0), prompt)
    return rows


def _export_shard(shard: Path, target: Path, form: str, start: int, prompt: str) -> int:
    maker, fields = FORMATS[form]
    schema = file_schema(fields)
    count = 0
    with (
        pq.ParquetFile(shard, memory_map=True, read_dictionary=[PICTURE_BYTES]) as opened,
        replace_file(target) as aside,
        pq.ParquetWriter(
            aside, schema, compression=codecs(schema), use_dictionary=[PICTURE_BYTES],
            dictionary_pagesize_limit=64 * 2**20,
        ) as writer,
    ):  # fmt: skip
        lacking = [name for name in SCHEMA.names if name not in opened.schema_arrow.names]
        if lacking:
            raise CogitoError(f"{shard} lacks the column '{lacking[0]}': it is no shard of a build")
        for group in range(opened.num_row_groups):
            table = opened.read_row_group(group, columns=SCHEMA.names)
            made = [maker(row, start + count + i, prompt) for i, row in enumerate(_text_rows(table))]
            images = table.column("images").cast(SCHEMA.field("images").type)
            table = table.set_column(table.schema.get_field_index("images"), SCHEMA.field("images"), images)
            for field in fields:
                table = table.append_column(field, pa.array([one[field.name] for one in made], field.type))
            writer.write_table(table.cast(schema.remove_metadata()).replace_schema_metadata(schema.metadata))
            count += len(made)
    return count


def _text_rows(table: pa.Table) -> list[dict[str, Any]]:
    names = ["id", "source", "category", "problem", "answer", "answer_kind", "answer_spec", "answer_aliases",
             "choices"]  # fmt: skip
    counts = pc.fill_null(pc.list_value_length(table.column("images")), 0).to_pylist()
    rows: list[dict[str, Any]] = table.select(names).to_pylist()
    return [{**row, "n_images": n} for row, n in zip(rows, counts, strict=True)]
