"""A benchmark as a manifest: where its records are, which columns mean what, how it is asked and scored.

>>> load_benchmark("mathvista").items
1000

A new multiple choice benchmark takes a manifest alone. What a manifest cannot say (a prompt with hints, a filter,
a metric over several questions) is a small module in `cogito_eval/benchmarks/`, named by the key `module`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cogito_core.console import CogitoError, UsageError
from cogito_core.manifest import Manifest, load_manifest, manifest_names, manifest_path
from cogito_core.plugins import is_file, load_module

Format = Literal["json", "jsonl", "csv", "tsv", "parquet", "zip", "answers"]
GoldForm = Literal["text", "letter", "letters", "index", "parenthesised", "flag"]
ChoicesForm = Literal["list", "python", "columns", "semicolons", "in_problem", "in_picture"]


class Columns(Manifest):
    """Which column of a record means what; a dotted path reaches inside (`metadata.source`).

    `pictures` lists columns that hold a path, a list of paths, encoded bytes or the Hub's image feature; a value
    with `{` is a template filled from the record (`images/{index}.jpg`). An empty `id` takes the key of the record
    in its file, else its position. `choices_optional` says that records without options are asked too: free answers
    among choices, or options that some pictures hold.
    """

    id: str = ""
    problem: str = "question"
    context: str = ""
    pictures: tuple[str, ...] = ()
    gold: str = "answer"
    gold_form: GoldForm = "text"
    choices: str = ""
    choices_form: ChoicesForm = "list"
    choices_optional: bool = False

    @field_validator("choices", mode="before")
    @classmethod
    def _choices_is_one_column(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            raise ValueError(
                "`choices` names the one column that holds a list of options; where every option has a column of its "
                "own (A, B, C, ...), leave it out and write `choices_form: columns`"
            )
        return value


class Hub(Manifest):
    """Where the benchmark is on the Hugging Face Hub, and which of its Parquet files hold the split.

    `archive` is a zip with the pictures that the records name, `revision` a branch, tag or commit; `columns` differ
    from upstream's own files on many hub copies.
    """

    id: str
    configs: tuple[str, ...] = ()
    split: str
    revision: str = "main"
    files: tuple[str, ...] = ()
    format: Format = "parquet"
    archive: str = ""
    columns: Columns | None = None
    where: dict[str, str | int | bool] = Field(default_factory=dict)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of the Parquet files, one for each configuration."""
        if self.files:
            return self.files
        return tuple(f"{config}/{self.split}-*.parquet" for config in self.configs) or (f"**/{self.split}-*.parquet",)


class Layout(Manifest):
    """One way in which the records lie on disk: `files` are patterns below the benchmark's folder.

    Pictures lie below `pictures_in`, or in the zip `archive` beside the records if they are not unpacked.
    """

    name: str
    files: tuple[str, ...] = Field(min_length=1)
    format: Format
    columns: Columns | None = None
    pictures_in: str = ""
    archive: str = ""
    part_from: Literal["", "file", "folder"] = ""
    items: int | None = None
    where: dict[str, str | int | bool] = Field(default_factory=dict)
    upstream: str = ""
    lacks: str = ""


class PromptSpec(Manifest):
    """The benchmark's own prompt: `{problem}` is the question, `{choices}` the lettered options."""

    own: str = ""
    default: Literal["eval", "train", "nano", "own"] = "eval"


class Official(Manifest):
    """The released scoring rule: its name in `cogito_core.verify.official`, and what it reads of a record."""

    rule: str
    row: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    known_faults: tuple[str, ...] = ()


class Published(Manifest):
    """Published scores in percent, with the place they were read from."""

    source: str
    scores: dict[str, float]


class Benchmark(Manifest):
    """An evaluation set: one file in `manifests/benchmarks/`."""

    name: str
    title: str
    description: str = ""
    licence: str
    folder: str = ""
    hub: Hub | None = None
    items: int | None = None
    category: str
    layouts: tuple[Layout, ...] = ()
    columns: Columns = Columns()
    kind: str = ""
    kinds: dict[str, str] = Field(default_factory=dict)
    kind_column: str = ""
    policy: str = "exact"
    spec: dict[str, Any] = Field(default_factory=dict)
    prompt: PromptSpec = PromptSpec()
    official: Official | None = None
    breakdowns: dict[str, str] = Field(default_factory=dict)
    cluster: str = ""
    headline: Literal["accuracy", "macro"] = "accuracy"
    macro_of: str = ""
    module: str = ""
    published: tuple[Published, ...] = ()
    notes: tuple[str, ...] = ()
    beside: str = Field(default="", exclude=True)
    """The folder of the manifest, set by `load_benchmark`."""

    @model_validator(mode="after")
    def _headline_has_a_breakdown(self) -> Benchmark:
        if self.headline == "macro" and self.macro_of not in self.breakdowns:
            raise ValueError(f"macro_of '{self.macro_of}' is no breakdown of {self.name}")
        return self

    def hook(self, name: str) -> Callable[..., Any] | None:
        """The function `name` of the benchmark's module, if it has one."""
        if not self.module:
            return None
        return getattr(_module(self.module, self.beside), name, None)

    def published_for(self, model: str) -> float | None:
        """The first published score of a model, in percent."""
        for table in self.published:
            if model in table.scores:
                return table.scores[model]
        return None


def _module(name: str, beside: str) -> ModuleType:
    if is_file(name):
        return load_module(name, beside=Path(beside))
    try:
        return importlib.import_module(f"cogito_eval.benchmarks.{name}")
    except ModuleNotFoundError as error:
        raise CogitoError(f"there is no module cogito_eval/benchmarks/{name}.py, which a manifest names") from error


def load_benchmark(name: str | Path) -> Benchmark:
    """A benchmark that ships, or the path of a manifest, whose `module` may be a file beside it.

    Raises CogitoError for an unknown name or key.
    """
    found = load_manifest(name, "benchmarks", Benchmark)
    return found.model_copy(update={"beside": str(manifest_path("benchmarks", name).resolve().parent)})


def benchmark_names() -> list[str]:
    """The benchmarks that ship, sorted."""
    return manifest_names("benchmarks")


def parse_names(text: str) -> list[str]:
    """`a,b` or `all` as a list of names, each once. Raises UsageError where nothing is named."""
    if text.strip() == "all":
        return benchmark_names()
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError("--bench names no benchmark; `cogito-eval list` shows them")
    return names
