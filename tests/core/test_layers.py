"""Imports point one way: core <- nano <- data <- eval, core <- nano <- train; and nothing heavy at start-up."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ALLOWED = {
    "cogito_core": set(),
    "cogito_nano": {"cogito_core"},
    "cogito_data": {"cogito_core", "cogito_nano"},
    "cogito_train": {"cogito_core", "cogito_nano"},
    "cogito_eval": {"cogito_core", "cogito_nano", "cogito_data"},
}


def _imports(path: Path) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            # For the type checker alone: it never runs, so it orders nothing.
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from package import module` depends on the module; which of the names are modules is seen later.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_point_one_way(repository: Path, package: str) -> None:
    for path in (repository / package).rglob("*.py"):
        packages = {name.split(".")[0] for name in _imports(path)} & ALLOWED.keys()
        assert packages - {package} <= ALLOWED[package], f"{path} imports {packages - {package}}"


def test_there_is_no_cycle_between_files(repository: Path) -> None:
    """Imports inside functions count too: that is how a cycle would be hidden."""
    graph: dict[str, set[str]] = {}
    for package in ALLOWED:
        for path in (repository / package).rglob("*.py"):
            parts = path.relative_to(repository).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            graph[name] = _imports(path)

    def module(target: str) -> str:
        return target if target in graph else target.rpartition(".")[0]

    modules = {name: {module(t) for t in targets} & graph.keys() - {name} for name, targets in graph.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' -> '.join([*trail[trail.index(name):], name])}"
        if name not in done:
            for target in modules[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in modules:
        visit(name, ())


@pytest.mark.parametrize("package", ["cogito_data", "cogito_train", "cogito_eval"])
def test_help_imports_little(package: str) -> None:
    """Counted, not timed: torch alone would be some 1,500 modules, numpy 150."""
    script = str(Path(sys.executable).parent / package.replace("_", "-"))
    command = [sys.executable, "-X", "importtime", script, "--help"]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Usage" in out.stdout
    imported = [line.rsplit("|", 1)[1].strip() for line in out.stderr.splitlines() if line.count("|") == 2]
    assert "typer" in imported and len(imported) < 700
    assert not {"numpy", "pyarrow", "PIL"} & set(imported)


@pytest.mark.parametrize("package", ["cogito_data", "cogito_train", "cogito_eval"])
def test_start_up_imports_nothing_heavy(package: str) -> None:
    heavy = ("torch", "transformers", "vllm", "ray", "datasets")
    code = f"import sys, {package}.cli; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "[]"
