"""MathVista: the hints of its own prompt, and what an answer's precision means to the strict verifier."""

from __future__ import annotations

from typing import Any

from cogito_eval.item import Item
from cogito_eval.records import Record

_HINTS = {
    "choice": "Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.",
    "integer": "an integer answer and provide the final value, e.g., 1, 2, 3, at the end.",
    "float 1": "a floating-point number with one decimal place and provide the final value, "
               "e.g., 1.2, 1.3, 1.4, at the end.",
    "float 2": "a floating-point number with two decimal places and provide the final value, "
               "e.g., 1.23, 1.34, 1.45, at the end.",
    "list": "a Python list as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.",
}


def adapt(record: Record, path: object) -> Record:
    """The precision as an integer: the Hub's copy stores it as a float.

    Raises ValueError for a choice without options: its gold would pass for a free answer.
    """
    if record.get("question_type") == "multi_choice" and not record.get("choices"):
        raise ValueError("question_type is multi_choice, but there are no choices")
    precision = record.get("precision")
    return {**record, "precision": int(precision) if isinstance(precision, float) else precision}


def spec(record: Record) -> dict[str, Any]:
    """Floats are asked for with a number of decimals and judged rounded to it."""
    if record.get("answer_type") == "float" and record.get("precision") is not None:
        return {"policy": f"rounded({record['precision']})", "precision": record["precision"]}
    return {}


def own_prompt(item: Item) -> str:
    """The query of the release: a hint about the answer's form, the question, the unit, the options."""
    record = item.record
    form = str(record.get("answer_type"))
    if form == "float":
        form = f"float {record.get('precision')}"
    hint = f"Please answer the question requiring {_HINTS.get(form, _HINTS['integer'])}"
    if item.choices:
        hint = _HINTS["choice"]
    unit = f" (Unit: {record['unit']})" if record.get("unit") else ""
    choices = f"\nChoices:\n{item.lettered}" if item.choices else ""
    return f"Hint: {hint}\nQuestion: {record['question']}{unit}{choices}"
