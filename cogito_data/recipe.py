"""The `data:` section of a recipe: what to mix, how to filter, what to hold out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cogito_core.console import CogitoError
from cogito_core.manifest import Manifest, apply_overrides, load_recipe, validate


class SourceMix(Manifest):
    """One source of the mix: one that ships, or the path of a manifest `NAME.yaml`.

    `limit` stops reading after that many rows; `sample` draws at most so many by the seed, before difficulty is
    measured, so that a source with millions of questions does not cost as many answers; `cap` bounds what is kept
    after the filters.
    `reformulate: false` leaves multiple choice as it is (ScienceQA in the paper). `entities_visible` says that what
    the options name can always be seen in this source's pictures, as in charts and tables. `pictures_only` drops
    questions without a picture (half of ScienceQA). An `optional` source that is neither below ROOT nor on the Hub is
    left out with a warning and named in the report.
    """

    source: str
    limit: int | None = Field(default=None, ge=1)
    sample: int | None = Field(default=None, ge=0)
    cap: int | None = Field(default=None, ge=0)
    reformulate: bool = True
    entities_visible: bool = False
    pictures_only: bool = False
    optional: bool = False

    @property
    def name(self) -> str:
        """The source's name, as rows and folders bear it."""
        return Path(self.source).stem if self.source.endswith((".yaml", ".yml")) else self.source


class Deduplicate(Manifest):
    """How near two pictures must be, in grey levels of 0-255, to count as the same (see cogito_data.likeness)."""

    enabled: bool = True
    nominate_bits: int = Field(default=4, ge=0, le=12)
    mean_difference: float = Field(default=4.0, ge=0)
    local_difference: float = Field(default=24.0, ge=0)


class ProbeHub(Manifest):
    """Where a benchmark is on the Hub: `files` are globs, `revision` a branch, tag or commit."""

    repo: str
    files: tuple[str, ...] = Field(min_length=1)
    revision: str = "main"


class Probe(Manifest):
    """A benchmark to keep out of training, read from the files of its own release or of its Hub copy.

    `files` are globs below ROOT/<name> (JSON, JSONL, CSV or Parquet); where none is there, those of `hub` are
    fetched. `question`, `answer` and `picture` are columns, or lists of which the first that a row has counts, for
    release and Hub copy may name them differently. A picture is a path below ROOT/<name>/<pictures_in>, encoded
    bytes, or a list of either. `shared_pictures: drop` also removes other questions on a benchmark picture; `flag`
    only reports them (right for collections as large as COCO).
    """

    name: str
    files: tuple[str, ...] = ()
    question: tuple[str, ...] = ("question",)
    answer: tuple[str, ...] = ("answer",)
    choices: str | None = "choices"
    picture: tuple[str, ...] = ("image",)
    pictures_in: str = ""
    id: str | None = None
    hub: ProbeHub | None = None
    shared_pictures: Literal["drop", "flag"] = "drop"

    @field_validator("question", "answer", "picture", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return () if value is None else (value,) if isinstance(value, str) else value


class Decontaminate(Manifest):
    """Which benchmarks to compare with; one that can be read nowhere is an error unless `optional`."""

    against: tuple[Probe, ...] = ()
    optional: bool = False
    similar_question: float = Field(default=0.8, gt=0, le=1)


class Difficulty(Manifest):
    """Pass rates of a model over sampled answers, and which of them are kept.

    Either `drop_above` (keep rates up to and including it) or `keep_between` (both ends included).
    """

    enabled: bool = True
    model: str
    engine: str = "transformers"
    prompt: str = "train"
    trials: int = Field(default=8, ge=1, le=1024)
    temperature: float = Field(default=1.0, gt=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=2048, ge=1)
    drop_above: float | None = Field(default=None, ge=0, le=1)
    keep_between: tuple[float, float] | None = None
    exact_rate: bool = False

    @model_validator(mode="after")
    def _one_rule(self) -> Difficulty:
        if self.drop_above is not None and self.keep_between is not None:
            raise ValueError("give either drop_above or keep_between, not both")
        low, high = self.keep_counts
        if low > high:
            raise ValueError(f"no number of right answers out of {self.trials} lies in {self.keep_between}")
        return self

    @property
    def keep_counts(self) -> tuple[int, int]:
        """The smallest and the largest number of right answers that is kept, of `trials`."""
        if self.keep_between is not None:
            low, high = self.keep_between
        else:
            low, high = 0.0, 1.0 if self.drop_above is None else self.drop_above
        # As decimal fractions: 0.1 of 10 trials is 1, whatever the binary rounding of 0.1.
        exact_low, exact_high = (Fraction(str(bound)) * self.trials for bound in (low, high))
        return -(-exact_low.numerator // exact_low.denominator), exact_high.numerator // exact_high.denominator

    @property
    def asks_all(self) -> bool:
        """Whether every trial is asked: by wish, or because no verdict could stop them and only the rate counts."""
        low, high = self.keep_counts
        return self.exact_rate or (low <= 0 and high >= self.trials)

    @property
    def description(self) -> str:
        """Model and sampling settings, as the column `difficulty_model` stores them."""
        return f"{self.model} T={self.temperature:g} top_p={self.top_p:g} max={self.max_tokens} prompt={self.prompt}"


class Rewriting(Manifest):
    """A model that rewrites multiple choice which no rule can open; off unless the recipe has it.

    The first of `attempts` sampled replies that passes the round trip is taken.
    """

    model: str
    engine: str = "transformers"
    attempts: int = Field(default=2, ge=1, le=16)
    temperature: float = Field(default=0.7, gt=0)
    max_tokens: int = Field(default=256, ge=16)


class HoldOut(Manifest):
    """Rows that are split off by picture: no picture is in two splits.

    `before_difficulty`: taken from the unfiltered rows, so that they show the whole range of difficulty.
    `after_selection`: taken from the final training rows, as the paper does with its 1,000.
    """

    validation: int = Field(default=0, ge=0)
    heldout: int = Field(default=0, ge=0)
    when: Literal["before_difficulty", "after_selection"] = "before_difficulty"


class Select(Manifest):
    """Caps by category, applied after the caps by source; rows are chosen by the recipe's seed."""

    category_caps: dict[str, int] = {}

    @field_validator("category_caps")
    @classmethod
    def _known_categories(cls, caps: dict[str, int]) -> dict[str, int]:
        from cogito_core.sample import CATEGORIES

        for name, cap in caps.items():
            if name not in CATEGORIES:
                raise ValueError(f"'{name}' is no category; known: {', '.join(CATEGORIES)}")
            if cap < 0:
                raise ValueError(f"the cap of '{name}' must be at least 0")
        return caps


class DataRecipe(Manifest):
    """Everything `cogito-data build` needs to know.

    `any_split: true` also takes upstream's validation and test splits, which is right for trying things out only.
    """

    seed: int = 0
    any_split: bool = False
    mix: tuple[SourceMix, ...] = Field(min_length=1)
    deduplicate: Deduplicate = Deduplicate()
    decontaminate: Decontaminate = Decontaminate()
    reformulate: Rewriting | None = None
    difficulty: Difficulty | None = None
    select: Select = Select()
    hold_out: HoldOut = HoldOut()

    @field_validator("mix")
    @classmethod
    def _each_source_once(cls, mix: tuple[SourceMix, ...]) -> tuple[SourceMix, ...]:
        names = [part.name for part in mix]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the source '{name}' is listed twice")
        return mix


def load_data_recipe(
    name: str | Path,
    overrides: dict[str, Any] | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
) -> tuple[str, DataRecipe]:
    """Name and `data:` section of a recipe that ships, or of a YAML file.

    `overrides` replaces keys of `difficulty`, and `seed` the seed; `settings` are `key=value` for the section, dotted
    keys reach inside (`mix.0.limit=100`).

    Raises:
        CogitoError: there is no such recipe, it has no data section, or a key is unknown or wrong.
    """
    recipe = load_recipe(name)
    if not recipe.data:
        raise CogitoError(f"the recipe '{name}' has no data: section")
    values = apply_overrides(recipe.data, settings)
    if seed is not None:
        values["seed"] = seed
    if overrides and values.get("difficulty"):
        values["difficulty"] = {**values["difficulty"], **overrides}
    return recipe.name, validate(values, DataRecipe, where=f"recipe {recipe.name}, data section")
