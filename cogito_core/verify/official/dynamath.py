"""DynaMath's scorer (evaluation/opensource_json_eval.py of DynaMath/DynaMath): the "short answer" of a JSON reply."""

from __future__ import annotations

import json
import math
import re

from cogito_core.verify.official.row import Row, given, golds, text_of, verdict
from cogito_core.verify.verdict import Verdict

ALLOWED_ERROR = 0.001


def short_answer(response: str) -> tuple[str | None, bool]:
    """The answer the script reads and whether the reply was JSON.

    The text from the first `{` to the last `}` is parsed without its backslashes. A reply that is no JSON object is
    read as its last line without its last character; JSON of another kind has no answer.
    """
    text = _between_braces(response)
    try:
        data = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text.split("\n")[-1][:-1], False
    return (str(data.get("short answer")) if isinstance(data, dict) else None), isinstance(data, dict)


def _between_braces(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1].replace("\\", "") if 0 <= start < end else text


def _number(text: str) -> float:
    """The number before the first blank; what stands before π is multiplied by it."""
    head, pi, _ = text.split(" ")[0].partition("π")
    return float(head) * math.pi if pi else float(head)


def _form(row: Row, gold: str) -> str:
    form = text_of(row, "answer_type").lower()
    if form:
        return "choice" if "choice" in form or "letter" in form else "float" if "float" in form else "text"
    if re.fullmatch(r"[A-Z]", gold):
        return "choice"
    try:
        float(gold)
    except ValueError:
        return "text"
    return "float"


def score(row: Row) -> Verdict:
    """DynaMath: floats within 0.001, letters within the first three characters, text by containment."""
    gold = (golds(row) or [""])[0]
    answer, ready = given(row)
    said, is_json = (answer, True) if ready else short_answer(answer)
    form = _form(row, gold)
    if said is None or not gold:
        right = False
    elif form == "float":
        try:
            right = abs(_number(said) - float(gold)) <= ALLOWED_ERROR
        except ValueError:
            right = False
    elif form == "choice":
        right = gold in said[:3]
    else:
        right = gold in said
    reason = "" if is_json else "the reply is no JSON object; the script reads its last line, less one character"
    return verdict("dynamath", right, gold, said, rule="dynamath" if is_json else "dynamath, no JSON", reason=reason)
