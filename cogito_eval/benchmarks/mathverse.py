"""MathVerse: its own query, and versions without a picture or without a text."""

from __future__ import annotations

from cogito_eval.item import Item
from cogito_eval.records import Record

_IN_PICTURE = "<image>Answer the question in the picture."


def adapt(record: Record, path: object) -> Record:
    """Each version of a problem is an item: the sample index tells versions of the release apart."""
    out = {**record, "problem_version": record.get("problem_version") or "unnamed"}
    if not str(record.get("question") or "").strip():
        # The version "Vision Only" has the whole question in the picture.
        out |= {"question": _IN_PICTURE, "_options_text": record.get("question_for_eval")}
    return out


def own_prompt(item: Item) -> str:
    """The query without reasoning ("w/o") that the headline score of the paper uses."""
    return str(item.record.get("query_wo") or item.problem)
