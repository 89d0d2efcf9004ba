"""Manifests: an unknown key names the nearest right one; overrides reach any depth."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from cogito_core.console import CogitoError
from cogito_core.manifest import Manifest, apply_overrides, load_manifest, manifest_path, validate


class _Stage(Manifest):
    name: str
    steps: int


class _Toy(Manifest):
    name: str
    learning_rate: float = 1e-6
    stages: list[_Stage] = []


def _load(tmp_path: Path, text: str) -> _Toy:
    path = tmp_path / "toy.yaml"
    path.write_text(text)
    return load_manifest(path, "recipes", _Toy)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: a\nlearning_rat: 1", "unknown key 'learning_rat' (did you mean 'learning_rate'?)"),
        ("name: a\nstages: [{name: x, step: 3}]", "unknown key 'stages.0.step' (did you mean 'steps'?)"),
        ("learning_rate: 1", "the key 'name' is missing"),
        ("name: a\nlearning_rate: fast", "'learning_rate': input should be a valid number"),
        ("name: a\nname: b", "the key 'name' is given twice"),
        ("- a", "must hold a mapping"),
        ("name: [", "is not valid YAML"),
    ],
)
def test_faults_are_one_sentence_with_file_and_key(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CogitoError) as caught:
        _load(tmp_path, text)
    assert sentence in str(caught.value) and "toy.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_what_is_there() -> None:
    with pytest.raises(CogitoError, match="there is no recipe 'nanno'.*did you mean 'nano'"):
        manifest_path("recipes", "nanno")


def test_overrides_copy_and_reach_lists() -> None:
    before = {"train": {"stages": [{"steps": 3}], "lr": 1}}
    after = apply_overrides(before, ["train.stages.0.steps=5", "train.lr=2e-5", "train.new.deep=[1, 2]"])
    assert after == {"train": {"stages": [{"steps": 5}], "lr": 2e-5, "new": {"deep": [1, 2]}}}
    assert before["train"]["lr"] == 1


@pytest.mark.parametrize("setting", ["novalue", "=3", "a.b=1", "l.9=1"])
def test_bad_overrides_are_refused(setting: str) -> None:
    with pytest.raises(CogitoError, match="--set"):
        apply_overrides({"a": 1, "l": []}, [setting])


def test_a_fault_inside_a_list_is_told_once() -> None:
    class Row(Manifest):
        source: str

    class Whole(Manifest):
        mix: tuple[Row, ...] = Field(min_length=1)

    with pytest.raises(CogitoError) as said:
        validate({"mix": [{"source": "x", "sorce": 1}]}, Whole, where="r.yaml")
    assert str(said.value) == "r.yaml: unknown key 'mix.0.sorce' (did you mean 'source'?)"
    with pytest.raises(CogitoError, match="'mix': input should be a valid list"):
        validate({"mix": "tabmwp"}, Whole, where="r.yaml")
    with pytest.raises(CogitoError, match="at least 1 item"):
        validate({"mix": []}, Whole, where="r.yaml")
