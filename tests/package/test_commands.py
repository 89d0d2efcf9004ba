"""`--version` and shell completion of the three programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cogito_core import __version__
from cogito_core.sample import SCHEMA_VERSION

PROGRAMS = ("cogito-data", "cogito-train", "cogito-eval")
BIN = Path(sys.executable).parent


def run(*command: str, cwd: Path | None = None, **env: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, **env}, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_version_names_program_schema_and_commit(program: str, repository: Path) -> None:
    said = run(str(BIN / program), "--version").strip()
    assert said.startswith(f"{program} {__version__} (schema {SCHEMA_VERSION}")
    if (repository / ".git").exists():
        commit = run("git", "rev-parse", "HEAD", cwd=repository).strip()
        assert f", commit {commit[:12]}" in said


def test_the_commit_of_somebody_elses_repository_is_not_ours(tmp_path: Path, repository: Path) -> None:
    """An environment often lies inside the user's own repository."""
    run("git", "init", "-q", str(tmp_path))
    run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path)
    shutil.copytree(repository / "cogito_core", tmp_path / "site" / "cogito_core", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from cogito_core.version import git_state, version_line; print(git_state(), version_line('x'))"
    said = run(sys.executable, "-c", code, cwd=tmp_path / "site", PYTHONPATH=str(tmp_path / "site"))
    assert said.strip() == f"None x {__version__} (schema {SCHEMA_VERSION})"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(program: str, shell: str) -> None:
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    script = run(str(BIN / program), **{variable: f"source_{shell}"})
    assert program in script and variable in script


@pytest.mark.parametrize(("words", "wanted"), [
    ("cogito-data bu", {"build"}),
    ("cogito-data build --rec", {"--recipe"}),
    ("cogito-train pl", {"plan"}),
    ("cogito-eval com", {"compare"}),
    ("cogito-eval doc", {"doctor"}),
    ("cogito-data sources geo", {"geometry3k", "geomverse", "geoqa_plus", "geos"}),
    ("cogito-data build --recipe na", {"nano"}),
    ("cogito-train plan --recipe vl", {"vl-cogito"}),
    ("cogito-eval --bench mathvista,logi", {"mathvista,logicvista"}),
])
def test_words_are_completed(words: str, wanted: set[str]) -> None:
    program = words.split()[0]
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    count = str(len(words.split()) - 1)
    said = run(str(BIN / program), **{variable: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count})
    assert set(said.split()) == wanted


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_completion_works_in_a_real_bash(tmp_path: Path) -> None:
    """`--install-completion` writes into the home folder; a new shell then completes."""
    home = {"HOME": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}"}
    said = run("bash", "-c", "cogito-data --install-completion; true", **home)
    assert "bash completion installed" in said
    (script,) = tmp_path.rglob("*cogito-data*")
    ask = f"source {script}; COMP_WORDS=(cogito-data expl); COMP_CWORD=1; _cogito_data_completion cogito-data; echo ${{COMPREPLY[@]}}"
    assert run("bash", "-c", ask, **home).split() == ["explain"]


def failure(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60)
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr.strip()


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_help_names_the_way_to_a_traceback(program: str) -> None:
    assert "--debug" in run(str(BIN / program), "--help", COLUMNS="120")


def test_a_recipe_can_be_made_small_on_the_command_line(tmp_path: Path) -> None:
    build = [str(BIN / "cogito-data"), "build", "--recipe", "nano", "-o", "run", "--set"]
    said = run(*build, "mix.0.limit=60", "--set", "hold_out={validation: 6}", "--set", "difficulty=null", cwd=tmp_path)
    assert "nano: 60 of 60 rows kept" in said and "54 train, 6 validation" in said
    assert "unknown key 'mix.0.limt' (did you mean 'limit'?)" in failure(*build, "mix.0.limt=60", cwd=tmp_path)


def test_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    """A file in place of the run directory, a limit on file sizes, a recipe that is not there."""
    data = str(BIN / "cogito-data")
    (tmp_path / "taken").write_text("")
    assert failure(data, "ingest", "nano", "--limit", "30", "-o", "taken", cwd=tmp_path) == (
        "error: there is a file at taken, where a folder should be"
    )
    said = failure("bash", "-c", f"ulimit -f 8; {data} ingest nano --limit 300 -o run", cwd=tmp_path)
    assert said.startswith("error: the file would be larger than this system allows at run/")
    assert failure(data, "build", "--recipe", "rec", cwd=tmp_path) == "error: there is no recipe 'rec'; known: nano, vl-cogito"
    assert "did you mean 'nano'?" in failure(data, "build", "--recipe", "nan", cwd=tmp_path)
