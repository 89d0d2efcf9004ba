"""Our own typed pairs: `suite.txt` holds a gold, its right answers and its wrong answers on each line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """One labelled pair; `line` is its place in suite.txt."""

    kind: str | None
    choices: tuple[str, ...]
    gold: str
    answer: str
    right: bool
    line: int


def load() -> list[Pair]:
    """All pairs of suite.txt, in order."""
    pairs: list[Pair] = []
    for number, line in enumerate(
        (Path(__file__).parent / "suite.txt").read_text(encoding="utf-8").splitlines(), start=1
    ):
        if not line.strip() or line.startswith("#"):
            continue
        head, gold, right, wrong = _columns(line)
        kind, _, options = head.partition(" A=")
        for answers, is_right in ((right, True), (wrong, False)):
            for answer in answers.split(" ;; "):
                pairs.append(
                    Pair(
                        None if kind == "-" else kind,
                        tuple(options.split("^")) if options else (),
                        gold,
                        answer.strip(),
                        is_right,
                        number,
                    )
                )
    return pairs


def _columns(line: str) -> list[str]:
    """The four columns: a bar with spaces around it parts them; bars inside maths have no space on one side."""
    parts = [part.strip() for part in line.split(" | ")]
    assert len(parts) == 4, line
    return parts
