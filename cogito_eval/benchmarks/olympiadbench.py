"""OlympiadBench: the open-ended problems that can be scored automatically, their typed answers and error bounds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cogito_eval.item import Item
from cogito_eval.records import Record

_TYPE = {"Numerical": "number", "Expression": "expression", "Equation": "equation", "Interval": "interval",
         "Tuple": "tuple"}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
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


def own_prompt(item: Item) -> str:
    """The problem and the last sentence that the released judge looks for, in the problem's language."""
    several = bool(item.record.get("is_multiple_answer"))
    if _CHINESE.search(item.problem):
        box = "用英文逗号连接的多个答案" if several else "答案"
        end = f"“所以最终答案是\\boxed{{{box}}}。”"
        return f"{item.problem}\n请用LaTeX写出变量和公式，并以{end}结尾，单位不要放在\\boxed{{}}中。"
    box = "answers connected with commas" if several else "answer"
    return (f"{item.problem}\nWrite variables and formulas in LaTeX, and end your solution with "
            f'"So the final answer is \\boxed{{{box}}}.", without the unit in the box.')


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
