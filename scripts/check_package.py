"""Build wheel and sdist, look into both, install the wheel into clean environments and use it from an empty folder.

    python scripts/check_package.py [--local] PYTHON [PYTHON ...]

`--local` also installs torch and transformers and lets nano write answers. `scripts/check-package.sh` finds the
Pythons of this machine. Nothing is written outside a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("cogito_core", "cogito_nano", "cogito_data", "cogito_train", "cogito_eval")
TORCH = "torch==2.13.0"

RECIPE = """
name: smoke
data:
  mix:
    - {source: nano, limit: 60}
  hold_out: {validation: 12, when: after_selection}
"""

MEASURED = RECIPE.replace("smoke", "measured") + """
  difficulty: {model: nano, prompt: nano, trials: 2, max_tokens: 48, drop_above: 0.9}
"""

LOAD = """
import sys
from datasets import load_dataset
import cogito_core
assert "site-packages" in cogito_core.__file__, cogito_core.__file__
rows = load_dataset("parquet", data_files={"train": "run/data/train-*.parquet"}, cache_dir="cache")["train"]
assert len(rows) == 48 and rows[0]["images"][0].size[0] > 0 and rows[0]["answer"], rows[0]
"""


class Failed(Exception):
    """A check that did not hold."""


def main() -> int:
    """Exit code 0 if everything held on every Python that was named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--local", action="store_true", help="also with torch: nano answers")
    parser.add_argument("pythons", nargs="+", help="interpreters to install for")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cogito-package-") as name:
        folder = Path(name)
        try:
            wheel = build(folder / "dist")
            for python in arguments.pythons:
                started = time.monotonic()
                version = _run([python, "-c", "import platform; print(platform.python_version())"]).strip()
                smoke(python, wheel, folder / f"python-{version}", local=arguments.local)
                print(f"Python {version}: installed and used, {time.monotonic() - started:.0f} s", flush=True)
        except Failed as failure:
            print(f"failed: {failure}", file=sys.stderr)
            return 1
    return 0


def build(out: Path) -> Path:
    """The wheel, built from the sdist as installers do; both have been looked into."""
    tools = out.parent / "tools"
    _environment(sys.executable, tools)
    _run([str(tools / "bin/pip"), "install", "-q", "hatchling>=1.27"])
    _run([str(tools / "bin/hatchling"), "build", "-t", "sdist", "-d", str(out)], cwd=REPOSITORY)
    (sdist,) = out.glob("*.tar.gz")
    listed = _run(["tar", "-tzf", str(sdist)]).splitlines()
    check_sdist({name.split("/", 1)[1] for name in listed if not name.endswith("/")})
    _run([str(tools / "bin/pip"), "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out), str(sdist)])
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        check_wheel(set(archive.namelist()))
    for path in (sdist, wheel):
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    return wheel


def check_sdist(names: set[str]) -> None:
    """Every tracked file is in it, and nothing that git does not know.

    Where this is no checkout, as in an unpacked sdist, only the parts are counted.
    """
    if (REPOSITORY / ".git").exists():
        tracked = set(_run(["git", "ls-files"], cwd=REPOSITORY).splitlines())
        new = set(_run(["git", "ls-files", "--others", "--exclude-standard"], cwd=REPOSITORY).splitlines())
        _equal("files missing from the sdist", tracked - names, set())
        _equal("files in the sdist that git does not know", names - tracked - new - {"PKG-INFO"}, set())
    for folder in (*PACKAGES, "manifests", "tests", "docs"):
        if not any(name.startswith(f"{folder}/") for name in names):
            raise Failed(f"the sdist lacks {folder}/")


def check_wheel(names: set[str]) -> None:
    """Code, types, weights, manifests and licence, and nothing else."""
    wanted = {f"{package}/py.typed" for package in PACKAGES}
    wanted |= {f"cogito_nano/weights/{name}" for name in ("model.safetensors", "config.json", "tokenizer.json")}
    wanted |= {f"cogito_core/{path.relative_to(REPOSITORY)}" for path in (REPOSITORY / "manifests").rglob("*.yaml")}
    _equal("files missing from the wheel", wanted - names, set())
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    _equal("packages of the wheel", tops, set(PACKAGES))
    strange = {name for name in names if name.endswith((".pyc", ".log", ".parquet")) or "/test" in name}
    _equal("files that do not belong into a wheel", strange, set())
    if not any(name.endswith("licenses/LICENSE") for name in names):
        raise Failed("the wheel lacks the licence")


def smoke(python: str, wheel: Path, folder: Path, *, local: bool) -> None:
    """Install into a clean environment and use every program from an empty folder."""
    _environment(python, folder / "venv")
    pip = [str(folder / "venv/bin/pip"), "install", "-q", "--no-compile", "-c", str(REPOSITORY / "constraints.txt")]
    if local:
        _run([*pip, TORCH])  # by exact version and alone: a range would pull CUDA packages
    _run([*pip, f"{wheel}[local]" if local else str(wheel)])
    here = folder / "empty"
    here.mkdir()

    def program(name: str, *arguments: str, code: int = 0) -> str:
        return _run([str(folder / "venv/bin" / name), *arguments], cwd=here, code=code)

    for name in ("cogito-data", "cogito-train", "cogito-eval"):
        _contains(program(name, "--version"), f"{name} ")
        _contains(program(name, "--help"), "doctor")
    _contains(program("cogito-data", "sources"), "geometry3k")
    _contains(program("cogito-eval", "list"), "mathvista")
    _contains(program("cogito-eval", "verify", "explain", r"\frac{1}{2}", "0.5"), "right")
    answers = {"a": "So it is \\boxed{42}.", "b": "41"}
    rows = [{"id": id, "gold": "42", "response": response} for id, response in answers.items()]
    (here / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    program("cogito-eval", "grade", "--in", "rows.jsonl", "--out", "verdicts.jsonl")
    verdicts = [json.loads(line)["verdict"] for line in (here / "verdicts.jsonl").read_text().splitlines()]
    _equal("verdicts of grade", verdicts, [True, False])
    (here / "smoke.yaml").write_text(RECIPE)
    program("cogito-data", "build", "--recipe", "./smoke.yaml", "-o", "run")
    program("cogito-data", "inspect", "run")
    program("python", "-c", LOAD)
    found = {check["name"]: check["state"] for check in json.loads(program("cogito-data", "doctor", "--json"))}
    _equal("state of the base packages", found["base packages"], "ok")
    _equal("state of the embedded engine", found["engine transformers"], "ok" if local else "missing")
    if not local:
        said = program("cogito-eval", "--bench", "nano", "--limit", "1", "--model", "nano", code=1)
        _contains(said, "pip install 'cogito-vlm[local]'")
        return
    (here / "measured.yaml").write_text(MEASURED)
    program("cogito-data", "build", "--recipe", "./measured.yaml", "-o", "measured")
    program("cogito-eval", "--bench", "nano", "--limit", "4", "--model", "nano", "-o", "scores")
    _equal("answers of nano", len((here / "scores/results/nano.jsonl").read_text().splitlines()), 4)


def _environment(python: str, folder: Path) -> None:
    _run([python, "-m", "venv", str(folder)])


def _run(command: list[str], *, cwd: Path | None = None, code: int = 0) -> str:
    """Standard output and error of a command that must end with `code`."""
    # Without our own variables: PYTHONPATH would bring the repository in.
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "COGITO_DEBUG")}
    env |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "HF_HUB_OFFLINE": "1"}
    # pip says on standard error what it thinks of its own configuration, which is no part of an answer.
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env, timeout=900)
    if done.returncode != code:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stdout + done.stderr


def _equal(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Failed(f"{what}: {found}, expected {wanted}")


def _contains(text: str, wanted: str) -> None:
    if wanted not in text:
        raise Failed(f"'{wanted}' is not in: {text}")


if __name__ == "__main__":
    sys.exit(main())
