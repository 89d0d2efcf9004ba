"""Which program this is: version, schema version, git commit. `--version` of the three commands."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cogito_core import __version__


def git_state() -> dict[str, Any] | None:
    """Commit of the checkout that this code runs from, and whether tracked files differ from it.

    None outside a checkout; an installation inside somebody else's repository is none either.
    """
    package = Path(__file__).resolve().parent
    try:
        _git("ls-files", "--error-unmatch", "__init__.py", cwd=package)
        commit = _git("rev-parse", "HEAD", cwd=package)
        changed = _git("status", "--porcelain", "--untracked-files=no", cwd=package)
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "dirty": bool(changed)}


def _git(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def version_line(program: str) -> str:
    """`cogito-data 0.1.0 (schema 1, commit 0123456789ab, modified)`, the commit only where it is known."""
    from cogito_core.sample import SCHEMA_VERSION

    state = git_state()
    commit = f", commit {state['commit'][:12]}" if state else ""
    modified = ", modified" if state and state["dirty"] else ""
    return f"{program} {__version__} (schema {SCHEMA_VERSION}{commit}{modified})"


def version_option(program: str) -> Any:
    """The option `--version` of a typer command: prints the line and ends the program."""
    import typer

    def show(wanted: bool) -> None:
        if wanted:
            print(version_line(program))
            raise typer.Exit

    callback: Callable[[bool], None] = show
    return typer.Option("--version", callback=callback, is_eager=True, help="Version, schema version, git commit.")
