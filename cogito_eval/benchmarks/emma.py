"""EMMA: two spellings of one question type, and options that are pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cogito_eval.item import LETTERS, Item
from cogito_eval.records import Record

_MARKS = tuple(f"<image_{i}>" for i in range(1, 6))


def adapt(record: Record, path: Path) -> Record:
    """One spelling of the type. Text files name pictures that they do not carry: the columns stay empty then."""
    options = record.get("options") or []
    text = f"{record.get('context') or ''}{record.get('question')}{''.join(map(str, options))}"
    missing = [mark for mark in _MARKS if mark in text and not record.get(mark.strip("<>"))]
    # A picture that is named and not there must be counted as absent, not silently dropped.
    named = {mark.strip("<>"): f"images/{record.get('pid')}_{mark.strip('<>')}.png" for mark in missing}
    return {**record, **named, "_type": str(record.get("type", "")).replace("choice", "Choice")}


def own_prompt(item: Item) -> str:
    """The release's prompt with reasoning: a letter, or a word or phrase, in one box."""
    if item.choices:
        demand = "Answer with the option's letter from the given choices and put the letter in one \"\\boxed{}\"."
    else:
        demand = "Answer the question using a single word or phrase and put the answer in one \"\\boxed{}\"."
    options = f"\n{item.lettered}" if item.choices else ""
    return f"{item.problem}{options}\n{demand} Please solve the problem step by step."


def official_row(record: Record, choices: tuple[str, ...]) -> dict[str, Any]:
    """The rule compares with the letter and with the gold option's content."""
    gold = str(record.get("answer", "")).strip()
    content = choices[LETTERS.index(gold)] if len(gold) == 1 and gold in LETTERS[: len(choices)] else gold
    return {"gt_content": content, "type": record["_type"]}
