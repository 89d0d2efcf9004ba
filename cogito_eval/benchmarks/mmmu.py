"""MMMU: subjects of six disciplines, open answers with several golds, the science part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cogito_eval.item import LETTERS, Item
from cogito_eval.options import read_options
from cogito_eval.records import Record

DISCIPLINES = {
    "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
    "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
    "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
    "Health and Medicine": ("Basic_Medical_Science", "Clinical_Medicine", "Diagnostics_and_Laboratory_Medicine",
                            "Pharmacy", "Public_Health"),
    "Humanities and Social Science": ("History", "Literature", "Sociology", "Psychology"),
    "Tech and Engineering": ("Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics",
                             "Energy_and_Power", "Materials", "Mechanical_Engineering"),
}
_DISCIPLINE_OF = {subject: name for name, subjects in DISCIPLINES.items() for subject in subjects}


def adapt(record: Record, path: Path) -> Record:
    """The subject, read from the id `validation_<Subject>_<n>` on the Hub, and its discipline."""
    subject = str(record.get("field") or _subject(str(record.get("id", ""))))
    out = {**record, "field": subject, "_discipline": _DISCIPLINE_OF.get(subject, "")}
    answer = record.get("answer")
    if record.get("question_type") in ("open", "short-answer") and isinstance(answer, str) and answer.startswith("["):
        out["answer"] = list(read_options(answer, "python"))
    return out


def own_prompt(item: Item) -> str:
    """The release's demand: a letter where there are options, else a word or a phrase (configs/llava1.5.yaml)."""
    if item.choices:
        return f"{item.problem}\n{item.lettered}\nAnswer with the option's letter from the given choices directly."
    return f"{item.problem}\nAnswer the question using a single word or phrase."


def official_row(record: Record, choices: tuple[str, ...]) -> dict[str, Any]:
    """The rule reads the options as letter -> text."""
    return {"index2ans": dict(zip(LETTERS, choices, strict=False)) or None}


def _subject(id: str) -> str:
    parts = id.split("_")
    return "_".join(parts[1:-1]) if len(parts) > 2 else ""
