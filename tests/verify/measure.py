"""What the audit reports: agreement with real verdicts, letters, prose. `python -m tests.verify.measure` prints it."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cogito_core.verify import Verdict, extract, judge, verify
from cogito_core.verify.choice import pick_one
from cogito_core.verify.official import OFFICIAL

Row = dict[str, Any]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MIN_PROSE = 25
"""Shorter responses are bare answers, not prose."""

OFFICIAL_FILES = {
    "mathvista": "mathvista",
    "mathvision": "mathvision",
    "tabmwp": "tabmwp",
    "scienceqa": "scienceqa",
    "olympiadbench_examples": "olympiadbench",
    "emma": "emma",
    "mmmu_pro": "mmmu_pro",
    "blink": "blink",
    "logicvista": "logicvista",
    "mmstar": "mmstar",
    "hallusionbench": "hallusionbench",
}


class Agreement(NamedTuple):
    """Counts against stored verdicts; the lists hold the rows with our verdict."""

    rows: int
    false_accepts: list[tuple[Row, Verdict]]
    false_rejects: list[tuple[Row, Verdict]]

    @property
    def rate(self) -> float:
        return 1 - (len(self.false_accepts) + len(self.false_rejects)) / max(1, self.rows)

    def __str__(self) -> str:
        return (
            f"{self.rows} rows, {100 * self.rate:.2f} % agree, {len(self.false_accepts)} false accepts, "
            f"{len(self.false_rejects)} false rejects"
        )


def _agreement(pairs: Iterator[tuple[Row, Verdict]]) -> Agreement:
    rows, accepts, rejects = 0, [], []
    for row, verdict in pairs:
        rows += 1
        if verdict.is_right and not row["verdict"]:
            accepts.append((row, verdict))
        elif row["verdict"] and not verdict.is_right:
            rejects.append((row, verdict))
    return Agreement(rows, accepts, rejects)


def official(rows: list[Row], name: str) -> Agreement:
    """The released rule against the stored verdicts, given the official extraction where there is one."""
    return _agreement((row, OFFICIAL[name](row)) for row in rows if row.get("verdict") is not None)


def strict(rows: list[Row]) -> Agreement:
    """Our own verification of the stored extraction."""

    def judged() -> Iterator[tuple[Row, Verdict]]:
        for row in rows:
            if row.get("verdict") is not None and row.get("extraction") is not None:
                spec = {key: row[key] for key in ("precision", "unit") if row.get(key)}
                yield row, verify(row["gold"], row["extraction"], choices=options(row), spec=spec)

    return _agreement(judged())


def raw(rows: list[Row], kind: str | None = None) -> Agreement:
    """Our own extraction and verification of the raw response."""

    def judged() -> Iterator[tuple[Row, Verdict]]:
        for row in rows:
            if row.get("verdict") is not None and row.get("response") is not None:
                spec = {key: row[key] for key in ("precision", "unit") if row.get(key)}
                yield row, judge(row["response"], row["gold"], kind=kind, choices=options(row), spec=spec)

    return _agreement(judged())


def options(row: Row) -> list[str]:
    """The option texts of a row, however they are stored."""
    value = row.get("choices") or row.get("index2ans") or []
    if isinstance(value, str):
        value = ast.literal_eval(value)
    if isinstance(value, dict):
        return [str(text) for _, text in sorted(value.items())]
    return [str(text) for text in value]


def mathvista_prose(rows: list[Row]) -> Agreement:
    """Free-form MathVista replies as given (programs left out), on all rows."""
    return raw(
        [
            row
            for row in rows
            if row["question_type"] == "free_form"
            and "code" not in row["run"]
            and len(row["response"] or "") >= MIN_PROSE
        ]
    )


def balanced(found: Agreement, rows: list[Row]) -> float:
    """Accuracy if right and wrong replies were equally many, as the reference's sample of 500 and 500."""
    right = sum(bool(row["verdict"]) for row in rows)
    wrong = len(rows) - right
    return 1 - (len(found.false_rejects) / max(1, right) + len(found.false_accepts) / max(1, wrong)) / 2


class Letters(NamedTuple):
    """Letters read from prose against the letter that the benchmark's extractor named."""

    named: int
    found: int
    same: int
    nameless: int
    invented: int

    @property
    def recovered(self) -> float:
        return self.same / max(1, self.named)

    @property
    def agreement(self) -> float:
        return self.same / max(1, self.found)

    @property
    def inventions(self) -> float:
        return self.invented / max(1, self.nameless)

    def __str__(self) -> str:
        return (
            f"{self.named} named, recovered {100 * self.recovered:.1f} %, agreement {100 * self.agreement:.1f} %, "
            f"invented {self.invented} of {self.nameless} ({100 * self.inventions:.1f} %)"
        )


def named_letter(row: Row, texts: list[str]) -> str | None:
    """The letter the stored extraction names: as a letter, as an option's text or by its value."""
    said = str(row["extraction"]).strip()
    match = re.fullmatch(r"\(?([A-Z])\)?[.)]?", said)
    if match:
        return None if match.group(1) == "Z" else match.group(1)
    picked = pick_one(said, texts).picked if texts else frozenset()
    if not picked:  # named by its value: 20/3 for \\frac{20}{3}
        picked = frozenset(
            index for index, text in enumerate(texts) if len(said) < 60 and verify(text, said).is_right
        )
    return LETTERS[min(picked)] if picked else None


def letters(rows: list[Row]) -> Letters:
    """How far our letters agree with the stored ones on prose."""
    counts: Counter[str] = Counter()
    for row in rows:
        if len(row.get("response") or "") < MIN_PROSE:
            continue
        texts = options(row)
        wanted = named_letter(row, texts)
        found = extract(row["response"], kind="choice", choices=texts).text
        letter = found if found is not None and len(found) == 1 and found in LETTERS else None
        counts["named" if wanted else "nameless"] += 1
        counts["found"] += bool(wanted and letter)
        counts["same"] += bool(wanted) and wanted == letter
        counts["invented"] += bool(not wanted and letter)
    return Letters(*(counts[name] for name in ("named", "found", "same", "nameless", "invented")))


def letter_rows(load: Any) -> list[Row]:
    """All rows whose extractor was a language model or a released rule that names letters."""
    mathvista = [
        row for row in load("mathvista") if row["question_type"] == "multi_choice" and "code" not in row["run"]
    ]
    return [
        *load("blink"),
        *mathvista,
        *load("mmmu_pro"),
        *[
            row
            for row in load("emma")
            if row["question_type"] == "multi_choice"
            and re.fullmatch(r"\(?[A-Ha-h]\)?\.?", str(row["extraction"]).strip())
        ],
    ]


def peer_suites(rows: list[Row]) -> list[tuple[Row, Verdict]]:
    """Rows of the peers' suites that are neither parser tables nor contested, where we differ."""
    differing = []
    for row in peer_rows(rows):
        verdict = judge(row["pred"], row["gold"])
        if verdict.is_right != row["expected"]:
            differing.append((row, verdict))
    return differing


def peer_rows(rows: list[Row]) -> list[Row]:
    """The rows that count: no parser identities, nothing contested."""
    return [
        row for row in rows if "latex2sympy" not in row["source"] and not (row["note"] or "").startswith("contested")
    ]


def main() -> None:
    """Print every measure of the audit."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "labels"

    def load(name: str) -> list[Row]:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
            return [json.loads(line) for line in handle]

    for file, name in OFFICIAL_FILES.items():
        print(f"official {file}: {official(load(file), name)}")
    for file in ("tabmwp", "mathcoder", "geoqa", "superclevr", "qwen25math", "mathvision", "emma"):
        print(f"strict, given the extraction, {file}: {strict(load(file))}")
    for file in (
        "mathvision",
        "emma",
        "mmmu_pro",
        "blink",
        "mmstar",
        "scienceqa_vlmevalkit",
        "hallusionbench",
        "qwen25math",
    ):
        kind = {
            "blink": "choice",
            "mmstar": "choice",
            "scienceqa_vlmevalkit": "choice",
            "hallusionbench": "yes_no",
        }.get(file)
        print(f"strict, raw responses, {file}: {raw(load(file), kind)}")
    rows = load("mathvista")
    found = mathvista_prose(rows)
    used = [
        row
        for row in rows
        if row["question_type"] == "free_form"
        and "code" not in row["run"]
        and len(row["response"] or "") >= MIN_PROSE
    ]
    print(f"mathvista free-form prose: {found}, balanced {100 * balanced(found, used):.1f} %")
    for file in ("blink", "mmmu_pro"):
        print(f"letters {file}: {letters(load(file))}")
    choice = [row for row in load("mathvista") if row["question_type"] == "multi_choice" and "code" not in row["run"]]
    print(f"letters mathvista: {letters(choice)}")
    print(f"letters all: {letters(letter_rows(load))}")
    peers = [json.loads(line) for line in (folder / "peer_suites.jsonl").read_text(encoding="utf-8").splitlines()]
    differing = peer_suites(peers)
    print(
        f"peer suites: {len(peer_rows(peers))} rows, {100 * (1 - len(differing) / len(peer_rows(peers))):.1f} % agree"
    )


if __name__ == "__main__":
    main()
