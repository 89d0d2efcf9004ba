"""Follow a page of the documentation literally: write its files, run its commands, look for what it says comes out.

A fenced block with a title is a file of that name. A block `sh` without a title is run by bash in the page's folder.
A block titled `output` holds what the commands above it must print: each of its lines, in this order, as a part of a
line. A block titled `not run here` is skipped, and the reader sees so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<language>[\w+-]*)(?: +title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<code>.*?)^```$", re.M | re.S)

NOT_RUN = "not run here"
OUTPUT = "output"


@dataclass(frozen=True)
class Block:
    """One fenced block; `title` is empty where it has none."""

    language: str
    title: str
    code: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page in order."""
    return [Block(m["language"], m["title"] or "", m["code"]) for m in _FENCE.finditer(text)]


def follow(page: Path, folder: Path) -> int:
    """Follow `page` in `folder`; returns how many commands and outputs were checked.

    Raises AssertionError with all that was printed where a command fails or a promised line does not come.
    """
    printed, done = "", 0
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.title == NOT_RUN:
            continue
        if block.title == OUTPUT:
            _expect(block.code, printed, page)
            done += 1
        elif block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
        elif block.language == "sh":
            printed = _run(block.code, folder)
            done += 1
    return done


def _run(code: str, folder: Path) -> str:
    env = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "140",
        "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
    }
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, f"{code}\n--> exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def _expect(wanted: str, printed: str, page: Path) -> None:
    lines = printed.splitlines()
    at = 0
    for want in filter(None, map(str.strip, wanted.splitlines())):
        found = next((i for i in range(at, len(lines)) if want in lines[i]), None)
        assert found is not None, f"{page.name} promises '{want}', printed was:\n{printed}"
        at = found
