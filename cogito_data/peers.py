"""Shards as other trainers want their columns: the same rows and picture bytes, with a chat beside the question.

EasyR1 takes our shards as they are (`problem`, `images`, `answer`). verl reads a chat in `prompt`, with `<image>`
in its text, and `data_source`, `reward_model`, `extra_info` for its reward function. TRL reads a chat in `prompt`,
before which it puts the pictures itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cogito_core.console import CogitoError, UsageError
from cogito_core.files import replace_file
from cogito_core.prompts import build_chat
from cogito_core.sample import SCHEMA
from cogito_core.shards import file_schema, shard_paths

_PICTURES = "images.list.element.bytes"
_MARK = "<image>"

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


def _messages(problem: str, prompt: str) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.text} for message in build_chat(prompt, problem, ()).messages]


def _marked(row: dict[str, Any]) -> str:
    """The question with a mark for every picture: verl refuses rows where the two counts differ."""
    missing = row["n_images"] - row["problem"].count(_MARK)
    return _MARK * missing + row["problem"]


def _verl(row: dict[str, Any], index: int, prompt: str) -> dict[str, Any]:
    extra = {name: row[name] for name in ("id", "answer_kind", "answer_spec", "answer_aliases", "choices")}
    return {
        "prompt": _messages(_marked(row), prompt),
        "data_source": row["source"],
        "ability": row["category"],
        "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        "extra_info": {"index": index, **extra},
    }


def _trl(row: dict[str, Any], index: int, prompt: str) -> dict[str, Any]:
    return {"prompt": _messages(row["problem"].replace(_MARK, "").strip(), prompt)}


FORMATS: dict[str, tuple[Maker, list[tuple[str, pa.DataType]]]] = {
    "verl": (
        _verl,
        [
            ("prompt", _CHAT), ("data_source", pa.string()), ("ability", pa.string()), ("reward_model", _GOLD),
            ("extra_info", _EXTRA),
        ],
    ),
    "trl": (_trl, [("prompt", _CHAT)]),
}  # fmt: skip


def export_shards(directory: Path, form: str, out: Path, *, prompt: str = "train") -> dict[str, int]:
    """Write every shard of `directory` (a run, a snapshot of a published set, or a folder of shards) into `out`.

    Returns split -> rows. A shard is written whole or not at all.

    Raises:
        UsageError: there is no such format. CogitoError: no shards, or no such prompt.
    """
    if form not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not '{form}' (EasyR1 needs none)")
    data = directory / "data" if (directory / "data").is_dir() else directory
    shards = shard_paths(data)
    if not shards:
        raise CogitoError(f"{data} holds no shard")
    rows: dict[str, int] = {}
    for shard in shards:
        split = shard.name.rpartition("-")[0]
        rows[split] = rows.get(split, 0) + _export_shard(shard, out / shard.name, form, rows.get(split, 0), prompt)
    return rows


def _export_shard(shard: Path, target: Path, form: str, start: int, prompt: str) -> int:
    maker, columns = FORMATS[form]
    schema = _schema(columns)
    count = 0
    with (
        pq.ParquetFile(shard, memory_map=True, read_dictionary=[_PICTURES]) as opened,
        replace_file(target) as aside,
        pq.ParquetWriter(
            aside, schema, compression={path: _codec(path) for path in _leaves(schema)},
            use_dictionary=[_PICTURES], dictionary_pagesize_limit=64 * 2**20,
        ) as writer,
    ):  # fmt: skip
        for group in range(opened.num_row_groups):
            table = opened.read_row_group(group)
            made = [maker(row, start + count + i, prompt) for i, row in enumerate(_text_rows(table))]
            images = table.column("images").cast(SCHEMA.field("images").type)
            table = table.set_column(table.schema.get_field_index("images"), SCHEMA.field("images"), images)
            for name, kind in columns:
                table = table.append_column(name, pa.array([one[name] for one in made], kind))
            writer.write_table(table.cast(schema.remove_metadata()).replace_schema_metadata(schema.metadata))
            count += len(made)
    return count


def _text_rows(table: pa.Table) -> list[dict[str, Any]]:
    names = ["id", "source", "category", "problem", "answer", "answer_kind", "answer_spec", "answer_aliases",
             "choices"]  # fmt: skip
    counts = table.column("images").combine_chunks().value_lengths().to_pylist() if table.num_rows else []
    rows: list[dict[str, Any]] = table.select(names).to_pylist()
    return [{**row, "n_images": n or 0} for row, n in zip(rows, counts, strict=True)]


def _schema(columns: list[tuple[str, pa.DataType]]) -> pa.Schema:
    """Our schema and the added columns, with the features that `datasets` reads."""
    metadata = dict(file_schema().metadata)
    info = json.loads(metadata[b"huggingface"])
    info["info"]["features"] |= {name: _feature(kind) for name, kind in columns}
    metadata[b"huggingface"] = json.dumps(info).encode()
    fields = [*SCHEMA, *(pa.field(name, kind) for name, kind in columns)]
    return pa.schema(fields, metadata=metadata)


def _feature(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {kind.field(i).name: _feature(kind.field(i).type) for i in range(kind.num_fields)}
    return {"dtype": str(kind), "_type": "Value"}


def _leaves(schema: pa.Schema) -> list[str]:
    found: list[str] = []

    def walk(path: str, kind: pa.DataType) -> None:
        if pa.types.is_list(kind):
            walk(f"{path}.list.element", kind.value_type)
        elif pa.types.is_struct(kind):
            for i in range(kind.num_fields):
                walk(f"{path}.{kind.field(i).name}", kind.field(i).type)
        else:
            found.append(path)

    for field in schema:
        walk(field.name, field.type)
    return found


def _codec(path: str) -> str:
    # Pictures are compressed already.
    return "none" if path == _PICTURES else "zstd"
