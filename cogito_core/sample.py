"""The Sample: one row, one question. Its Arrow schema is what the published Parquet files carry.

The columns `problem`, `answer` and `images` bear the names that EasyR1 reads; a shard adds `prompt`, derived from
them, for TRL. So it trains in both as it is.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from cogito_core.console import CogitoError

SCHEMA_VERSION = 2
"""Of the files. Version 2 has the derived column `prompt` beside the columns of version 1."""

REQUIRED = ("id", "source", "category", "split", "problem", "answer", "answer_kind")
"""Columns that every shard must have, without nulls."""

CATEGORIES = ("math", "logic", "counting", "science", "chart", "general")

ANSWER_KINDS = (
    "number",
    "expression",
    "choice",
    "choices",
    "text",
    "yes_no",
    "list",
    "interval",
    "quantity",
    "vqa",
)


@dataclass(frozen=True)
class Picture:
    """Encoded picture bytes as upstream gave them, and upstream's name for the file."""

    bytes: bytes
    path: str | None = None

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the encoded bytes."""
        return hashlib.sha256(self.bytes).hexdigest()


@dataclass(kw_only=True)
class Sample:
    """One question with its pictures, its gold and where it came from.

    Attributes:
        id: `<source>/<split>/<upstream id>`, stable over rebuilds.
        problem: the question as the model sees it, `<image>` where a picture goes.
        answer: the canonical gold; `answer_aliases` are other accepted golds.
        answer_kind: which verifier judges it, one of ANSWER_KINDS.
        answer_spec: what that verifier needs: policy, tolerance, unit, precision, choices.
        choices: the options as upstream gave them, empty if none.
        reformulation: the rule that rewrote the question, or `none` with the reason after a colon.
        pass_rate: share of right answers among n_trials, None before it was measured.
        mean_correct_tokens: mean length of the right answers in tokens, None if there were none.
        difficulty_model: model, revision and sampling settings that measured the pass rate.
        image_hash: content hash of the pictures, for deduplication, decontamination and lineage.
        problem_hash: content hash of the question's words, likewise.
        meta: whatever else upstream gave.
    """

    id: str
    source: str
    category: str
    split: str
    language: str = "en"
    problem: str
    images: tuple[Picture, ...] = ()
    answer: str
    answer_aliases: tuple[str, ...] = ()
    answer_kind: str
    answer_spec: dict[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    reformulation: str = "none"
    original_problem: str = ""
    original_answer: str = ""
    pass_rate: float | None = None
    n_correct: int | None = None
    n_trials: int | None = None
    mean_correct_tokens: float | None = None
    difficulty_model: str | None = None
    image_hash: str = ""
    problem_hash: str = ""
    license: str = ""
    upstream_url: str = ""
    upstream_id: str = ""
    upstream_revision: str = ""
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.images = tuple(self.images)
        self.answer_aliases = tuple(self.answer_aliases)
        self.choices = tuple(self.choices)
        # NFC only: NFKC would turn a superscript two into a plain digit.
        self.problem = unicodedata.normalize("NFC", self.problem)
        self.answer = unicodedata.normalize("NFC", self.answer)
        self.original_problem = self.original_problem or self.problem
        self.original_answer = self.original_answer or self.answer
        self.image_hash = self.image_hash or image_hash(self.images)
        self.problem_hash = self.problem_hash or problem_hash(self.problem)

    def faults(self) -> list[str]:
        """What is wrong with this sample, each as `field: sentence`; empty if it can be used."""
        found = []
        if not self.id:
            found.append("id: is empty")
        if self.category not in CATEGORIES:
            found.append(f"category: '{self.category}' is none of {', '.join(CATEGORIES)}")
        if self.answer_kind not in ANSWER_KINDS:
            found.append(f"answer_kind: '{self.answer_kind}' is none of {', '.join(ANSWER_KINDS)}")
        if not self.problem.replace("<image>", "").strip():
            found.append("problem: is empty")
        if not self.answer.strip():
            found.append("answer: is empty")
        marks = self.problem.count("<image>")
        if marks > len(self.images):
            found.append(f"problem: marks {marks} pictures but the row carries {len(self.images)}")
        return found


PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""A picture in Arrow, in the form of the Hub's image feature."""

_STRING_LIST = pa.list_(pa.string())

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("category", pa.string()),
        ("split", pa.string()),
        ("language", pa.string()),
        ("problem", pa.string()),
        ("images", pa.list_(PICTURE)),
        ("answer", pa.string()),
        ("answer_aliases", _STRING_LIST),
        ("answer_kind", pa.string()),
        ("answer_spec", pa.string()),
        ("choices", _STRING_LIST),
        ("reformulation", pa.string()),
        ("original_problem", pa.string()),
        ("original_answer", pa.string()),
        ("pass_rate", pa.float64()),
        ("n_correct", pa.int32()),
        ("n_trials", pa.int32()),
        ("mean_correct_tokens", pa.float64()),
        ("difficulty_model", pa.string()),
        ("image_hash", pa.string()),
        ("problem_hash", pa.string()),
        ("license", pa.string()),
        ("upstream_url", pa.string()),
        ("upstream_id", pa.string()),
        ("upstream_revision", pa.string()),
        ("meta", pa.string()),
    ]
)
"""The Arrow schema of the rows, in column order. A shard has `prompt` (`cogito_core.chat_column`) beside it."""

_JSON_COLUMNS = frozenset({"answer_spec", "meta"})
_TUPLE_COLUMNS = frozenset({"answer_aliases", "choices"})


def _to_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def samples_to_table(samples: list[Sample]) -> pa.Table:
    """Samples as an Arrow table with SCHEMA, in the order given."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for sample in samples:
        for name, values in columns.items():
            value = getattr(sample, name)
            if name == "images":
                value = [{"bytes": picture.bytes, "path": picture.path} for picture in value]
            elif name in _JSON_COLUMNS:
                value = _to_json(value)
            elif name in _TUPLE_COLUMNS:
                value = list(value)
            values.append(value)
    arrays = [pa.array(columns[f.name], type=f.type) for f in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def row_to_sample(row: dict[str, Any], where: str = "") -> Sample:
    """One row, as Arrow's `to_pylist` gives it, as a Sample; missing columns keep their defaults, others are ignored.

    Raises:
        CogitoError: a cell that must be a text is null, one that must be a JSON object is none, or a picture has no
            bytes; the sentence names `where` the row stands and the column.
    """
    values = {name: row[name] for name in SCHEMA.names if name in row}
    place = f"{where or 'the shard'}, row {values.get('id')!r}"
    for name in REQUIRED:
        if name in values and values[name] is None:
            raise CogitoError(f"{place}: the column '{name}' is null")
    pictures = values.get("images") or ()
    if any(picture is None or picture.get("bytes") is None for picture in pictures):
        raise CogitoError(f"{place}: the column 'images' names a picture whose bytes are not in the shard")
    values["images"] = tuple(Picture(picture["bytes"], picture.get("path")) for picture in pictures)
    for name in _JSON_COLUMNS & values.keys():
        values[name] = json_cell(values[name], f"{place}: the column '{name}'")
    for name in _TUPLE_COLUMNS & values.keys():
        values[name] = tuple(values[name] or ())
    return Sample(**values)


def json_cell(text: str | None, where: str) -> dict[str, Any]:
    """The object in a JSON cell, empty where the cell is. Raises CogitoError beginning with `where`."""
    try:
        value = json.loads(text) if text else {}
    except ValueError as error:
        raise CogitoError(f"{where} holds no valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise CogitoError(f"{where} holds {type(value).__name__} where a JSON object is needed")
    return value


def table_to_samples(table: pa.Table) -> list[Sample]:
    """The rows of a table with SCHEMA (or a subset of its optional columns) as Samples."""
    return [row_to_sample(row) for row in table.to_pylist()]


def problem_hash(text: str) -> str:
    """Hash of the question's words: NFKC, case and white space folded, picture marks removed."""
    key = unicodedata.normalize("NFKC", text.replace("<image>", " ")).casefold()
    return hashlib.sha256(" ".join(key.split()).encode()).hexdigest()[:32]


def image_hash(pictures: tuple[Picture, ...]) -> str:
    """Hash of the encoded bytes of all pictures in order; empty if there are none."""
    if not pictures:
        return ""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(bytes.fromhex(picture.sha256))
    return digest.hexdigest()[:32]
