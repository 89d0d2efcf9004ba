"""MMMU-Pro: ten options, and the vision setting in which a screenshot holds question and options.

The headline is the mean of both settings. Source: MMMU-Pro, arXiv 2409.02813.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cogito_eval.item import LETTERS, Item
from cogito_eval.records import Record

_VISION_QUESTION = "<image>Answer the question in the picture."


def adapt(record: Record, path: Path) -> Record:
    """The setting a record belongs to: vision records have no question text."""
    vision = not record.get("question")
    setting, subject = "vision" if vision else "standard", record.get("subject") or _subject(record)
    out = {**record, "_setting": setting, "subject": subject}
    if vision:
        out |= {"question": _VISION_QUESTION, "_options_in_picture": True}
    else:
        # Text files name pictures that they do not carry: named and not there is absent.
        for i in range(1, 8):
            if f"<image {i}>" in f"{record.get('question')}{record.get('options')}" and not record.get(f"image_{i}"):
                out[f"image_{i}"] = f"images/{record.get('id')}_{i}.png"
    return out


def own_prompt(item: Item) -> str:
    """The release's prompt with reasoning (prompts.yaml, `cot`), which ends in the line that its parser looks for."""
    form = ("The last line of your response should be of the following format: 'Answer: $LETTER' (without quotes) "
            "where LETTER is one of options. Think step by step before answering.")
    if item.record["_setting"] == "vision":
        mark = "<image>" if item.pictures else ""
        return f"{mark}Write out the multiple-choice question in the image and then solve it. {form}"
    return f"{item.problem}\n{item.lettered}\nAnswer the preceding multiple choice question. {form}"


def official_row(record: Record, choices: tuple[str, ...]) -> dict[str, Any]:
    """The rule reads the options as letter -> text; those of one record, a list in a list, as they are shipped."""
    shipped = record.get("options")
    nested = isinstance(shipped, str) and shipped.lstrip().startswith("[[")
    out: dict[str, Any] = {"index2ans": dict(zip(LETTERS, choices, strict=False)) or None}
    return out | ({"choices": shipped} if nested else {})


def _subject(record: Record) -> str:
    return "_".join(str(record.get("id", "")).split("_")[1:-1])
