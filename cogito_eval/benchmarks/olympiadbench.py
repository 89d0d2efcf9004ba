"""OlympiadBench: the open-ended problems that can be scored automatically, their typed answers and error bounds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cogito_eval.records import Record

_TYPE = {"Numerical": "number", "Expression": "expression", "Equation": "equation", "Interval": "interval",
         "Tuple": "tuple"}
_PICTURE = re.compile(r"!\[\]\((https?://[^)]*)\)|<img_(\d+)>|<image_(\d+)>")


def adapt(record: Record, path: Path) -> Record | None:
    """The record if it is open-ended and can be scored by rule. A picture that the text names by address is not
    here, and the problem is then counted as lacking it."""
    if record.get("label", "Open-ended_Questions") != "Open-ended_Questions":
        return None
    if not record.get("support_auto_scoring", True) or record.get("answer_type") == "Need_human_evaluate":
        return None
    golds = record.get("final_answer") or []
    if not golds:
        return None
    names = [match.group(0) for match in _PICTURE.finditer(str(record.get("question", "")))]
    text = _PICTURE.sub("<image>", str(record.get("question", "")))
    gold = golds[0] if isinstance(golds, list) else golds
    subset = record.get("classification") or record.get("_file")
    pictures = [f"images/{_name(name)}" for name in names]
    # A copy of the text-only parts alone has no column of pictures.
    return {"image_1": None, **record, "question": text, "_pictures": pictures, "_gold": str(gold),
            "classification": subset}


def spec(record: Record) -> dict[str, Any]:
    """The absolute error that the item allows, its unit, and its type."""
    out: dict[str, Any] = {}
    error = _error(record.get("error"))
    if error is not None:
        out["policy"] = f"absolute({error})"
    if record.get("unit"):
        out["unit"] = record["unit"]
    if str(record.get("answer_type")) in _TYPE:
        out["type"] = _TYPE[str(record["answer_type"])]
    return out


def _error(value: object) -> str | None:
    try:
        return str(float(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        return None


def _name(mark: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", mark)[-80:]
