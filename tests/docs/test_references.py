"""What the pages name exists: files, symbols, commands and their options, benches, benchmarks."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

from .pages import blocks

PAGES = [*sorted((REPOSITORY / "docs").rglob("*.md")), REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]
SYMBOL = re.compile(r"`(cogito_\w+/[\w/]+\.py):([\w.]+)`")
FILE = re.compile(r"`((?:cogito_\w+|manifests|bench|scripts|tests|docs)/[\w./-]+)`")
PROGRAM = re.compile(r"(?:cogito-|\bcogito_)(data|train|eval)(?:\.cli)?(?=\s|$)")


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


@cache
def _symbols(path: Path) -> set[str]:
    """Top-level names of a module, and `Class.member` of its classes."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        found |= set(_defined(node))
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for inner in node.body for name in _defined(inner)}
    return found


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_symbols_and_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    gone = [f"{path}:{name}" for path, name in SYMBOL.findall(text) if name not in _symbols(REPOSITORY / path)]
    made = {block.title for block in blocks(text)}
    gone += [path for path in FILE.findall(text) if not _exists(path) and path not in made]
    assert gone == []


def _exists(path: str) -> bool:
    if any(part.isupper() for part in re.split(r"[/.]", path)):  # NAME stands for any name
        return True
    return (REPOSITORY / path).exists() or any(REPOSITORY.glob(path))


def test_the_algorithm_names_many_places() -> None:
    found = SYMBOL.findall((REPOSITORY / "docs" / "algorithm.md").read_text(encoding="utf-8"))
    assert len(set(found)) >= 25


@cache
def _command(program: str) -> Any:
    import typer

    return typer.main.get_command(importlib.import_module(f"cogito_{program}.cli").app)


def command_lines(text: str) -> Iterator[str]:
    """Every call of one of the programs: in fenced and indented blocks, and inside backticks."""
    joined = re.sub(r"\\\n\s*", " ", text)
    inside = re.findall(r"`([^`\n]+)`", joined)
    for line in (*joined.splitlines(), *inside):
        found = PROGRAM.search(line)
        # A call starts a line or follows a prompt, a pipe or a launcher; prose has words before it.
        if found and re.fullmatch(r"\s*(?:torchrun [-\w ]*-m |python3? -m |nohup )?", line[: found.start()]):
            yield line[found.start() :]


def faults(line: str) -> list[str]:
    """What is wrong with a call: a sub-command or an option that is not there."""
    line = re.split(r"\s[|&;>]|\s#|\s{3,}", line)[0]
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    found = PROGRAM.match(words[0])
    if found is None:
        return []
    command = _command(found[1])
    options = {option for parameter in command.params for option in parameter.opts} | {"--help", "--debug"}
    for word in words[1:]:
        if word.startswith("-") and not word.lstrip("-").replace(".", "").isdigit():
            if word.split("=")[0] not in options:
                return [f"{line}: there is no option {word}"]
        elif word in getattr(command, "commands", {}):
            command = command.commands[word]
            options |= {option for parameter in command.params for option in parameter.opts}
        elif getattr(command, "commands", None) and found[1] == "data" and re.fullmatch(r"[a-z]+", word):
            return [f"{line}: there is no command {word}"]
    return []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_and_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [fault for line in command_lines(text) for fault in faults(line)] == []


def test_the_first_hour_names_many_commands() -> None:
    lines = list(command_lines((REPOSITORY / "docs" / "first-hour.md").read_text(encoding="utf-8")))
    assert len(lines) >= 18


@pytest.mark.parametrize(("line", "said"), [
    ("cogito-data build --recipe nano --sed 3", "no option --sed"),
    ("cogito-data biuld --recipe nano", "no command biuld"),
    ("cogito_train.cli --recipes x", "no option --recipes"),
    ("cogito-eval verify explain 1 2 --polcy x", "no option --polcy"),
])
def test_a_wrong_call_is_found(line: str, said: str) -> None:
    assert len(faults(line)) == 1 and said in faults(line)[0]


def test_calls_are_seen_wherever_they_stand() -> None:
    text = "Use `cogito-data sources NAME` or\n\n    cogito-eval list\n\n```sh\ntorchrun --nproc-per-node 8 -m cogito_train.cli \\\n  --recipe x\n```\n"
    assert sorted(command_lines(text)) == ["cogito-data sources NAME", "cogito-eval list", "cogito_train.cli  --recipe x"]


def _validate(values: dict[str, Any]) -> int:
    """Validate what a YAML block holds by the model it belongs to; returns how many sections were checked."""
    from cogito_core.manifest import validate
    from cogito_data.recipe import DataRecipe
    from cogito_data.sources.base import SourceManifest
    from cogito_eval.benchmark import Benchmark
    from cogito_train.config import TrainRecipe

    if "columns" in values:
        validate(values, Benchmark, where="benchmark")
    elif "adapter" in values:
        validate(values, SourceManifest, where="source")
    else:
        for section, model in (("data", DataRecipe), ("train", TrainRecipe)):
            # The rewards of a page lie in a file of that page, which is not here.
            for stage in values.get(section, {}).get("stages", ()):
                stage.get("rewards", {}).pop("own", None)
            if section in values:
                validate(values[section], model, where=section)
    return 1


def test_every_yaml_block_is_valid() -> None:
    checked = 0
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.language == "yaml":
                checked += _validate(yaml.safe_load(block.code))
    assert checked >= 6


def test_every_bench_is_in_the_measurements() -> None:
    text = (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    helpers = {"data_peers.py", "picture_processor.py", "trl_worker.py"}
    missing = [path.name for path in (REPOSITORY / "bench").glob("*.py") if f"bench/{path.name}" not in text]
    assert set(missing) <= helpers


def test_the_protocols_page_is_what_the_manifests_say() -> None:
    done = subprocess.run([sys.executable, "scripts/protocols_page.py", "--check"], cwd=REPOSITORY)
    assert done.returncode == 0, "run: python scripts/protocols_page.py"
