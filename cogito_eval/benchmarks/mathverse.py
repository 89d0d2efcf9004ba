"""MathVerse: its own query, and the text-only version that has no picture."""

from __future__ import annotations

from cogito_eval.item import Item
from cogito_eval.options import options_in_problem
from cogito_eval.records import Record


def adapt(record: Record, path: object) -> Record:
    """Each version of a problem is an item: the sample index tells versions of the release apart."""
    return {**record, "problem_version": record.get("problem_version") or "unnamed"}


def official_row(record: Record, choices: tuple[str, ...]) -> dict[str, object]:
    """The options stand in the question; the rule reads them as a list."""
    return {"choices": list(options_in_problem(str(record.get("question", "")))) or None}


def own_prompt(item: Item) -> str:
    """The query without reasoning ("w/o") that the headline score of the paper uses."""
    return str(item.record.get("query_wo") or item.problem)
