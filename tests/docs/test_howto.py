"""Every how-to page, followed literally."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

from .pages import blocks, follow

PAGES = sorted((REPOSITORY / "docs" / "howto").glob("*.md"))
IN_A_CHECKOUT = {"verifier.md"}


def test_each_extension_has_its_page() -> None:
    assert [page.stem for page in PAGES] == ["benchmark", "engine", "reward", "source", "stage", "verifier"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_works_as_written(page: Path, tmp_path: Path) -> None:
    if page.name in IN_A_CHECKOUT:
        for part in ("cogito_core", "cogito_nano", "cogito_data", "cogito_train", "cogito_eval", "manifests"):
            shutil.copytree(REPOSITORY / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    assert follow(page, tmp_path) >= 2


def test_the_benchmark_page_names_every_function_of_a_module() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "cogito_eval").glob("*.py"))
    page = (REPOSITORY / "docs" / "howto" / "benchmark.md").read_text(encoding="utf-8")
    assert set(re.findall(r'hook\("(\w+)"\)', code)) == set(re.findall(r"^\| `(\w+)\(", page, re.M))


def test_a_promise_that_is_not_kept_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('```sh\necho one; echo two\n```\n\n```text title="output"\none\ntwo\n```\n')
    assert follow(page, tmp_path) == 2
    for said, message in (("two\none", "promises 'one'"), ("three", "promises 'three'")):
        page.write_text(f'```sh\necho one; echo two\n```\n\n```text title="output"\n{said}\n```\n')
        with pytest.raises(AssertionError, match=message):
            follow(page, tmp_path)
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match="exit code 1"):
        follow(page, tmp_path)


def test_blocks_are_read_with_their_titles() -> None:
    found = blocks('```yaml title="a/b.yaml"\nx: 1\n```\ntext\n```sh\nls\n```\n')
    assert [(b.language, b.title, b.code) for b in found] == [("yaml", "a/b.yaml", "x: 1\n"), ("sh", "", "ls\n")]
