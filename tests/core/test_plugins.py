"""Python of the user's own: found by file or module, and every fault in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.plugins import load_module, load_object, own_files


def test_a_file_is_found_beside_the_manifest_and_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("from dataclasses import dataclass\n@dataclass\nclass Thing:\n    x: int = 3\n")
    thing = load_object("mine.py:Thing", beside=tmp_path)
    assert thing().x == 3
    monkeypatch.chdir(tmp_path)
    assert load_object("./mine.py:Thing") is thing
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.py").write_text("Thing = 4\n")
    assert load_object("sub/mine.py:Thing") == 4  # another file of the same name is another module


def test_an_installed_module_is_found() -> None:
    assert load_object("fractions:Fraction")(1, 2) == 0.5
    assert load_module("json").loads("1") == 1


@pytest.mark.parametrize(("reference", "said"), [
    ("gone.py:f", "there is no file .*gone.py"),
    ("broken.py:f", r"broken\.py cannot be run \(ZeroDivisionError"),
    ("good.py:g", "good.py defines no 'g'"),
    ("no_such_module_xyz:f", "the module 'no_such_module_xyz' cannot be imported"),
    ("good.py", "is no reference of the form"),
    ("good.py:not a name", "is no reference of the form"),
])
def test_faults_are_sentences(tmp_path: Path, reference: str, said: str) -> None:
    (tmp_path / "good.py").write_text("f = 1\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(CogitoError, match=said):
        load_object(reference, beside=tmp_path)


def test_files_of_the_users_own_are_known_by_their_content(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("f = 1\n")
    before = own_files([f"{file}:f", "fractions:Fraction"])
    assert list(before) == [f"{file}:f"] and len(before[f"{file}:f"]) == 64
    file.write_text("f = 2\n")
    assert own_files([f"{file}:f"]) != before
