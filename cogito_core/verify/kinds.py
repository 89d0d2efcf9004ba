"""The gold's kind, decided once from the gold (and from what the sample says), never from the answer."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from cogito_core.verify.clean import strip_dress
from cogito_core.verify.moments import read_date, read_time
from cogito_core.verify.notations import based, combinations
from cogito_core.verify.reader import CACHED_CHARS, read
from cogito_core.verify.remarks import rounded
from cogito_core.verify.spellings import grouped_otherwise, respelled
from cogito_core.verify.tree import Budget, Node, ReadError, symbols
from cogito_core.verify.words import number_words

ALIASES = {
    "multi_choice": "choice",
    "multiple_choice": "choice",
    "multiple-choice": "choice",
    "mcq": "choice",
    "letter": "choice",
    "integer": "number",
    "int": "number",
    "float": "number",
    "decimal": "number",
    "numeric": "number",
    "yesno": "yes_no",
    "yes/no": "yes_no",
    "bool": "yes_no",
    "boolean": "yes_no",
    "unit": "quantity",
    "string": "text",
    "label": "text",
    "math": "expression",
    "free_form": "",
    "open": "",
    "closed_form": "expression",
    "multi_letter": "choices",
    "vqa_consensus": "vqa",
    "consensus": "vqa",
}
MATH_KINDS = frozenset(
    [
        "number",
        "integer",
        "decimal",
        "expression",
        "list",
        "interval",
        "quantity",
        "percent",
        "money",
        "angle",
        "ratio",
        "tuple",
        "set",
        "matrix",
        "equation",
        "inequality",
        "complex",
        "rational",
        "system",
        "base-n",
        "closed form",
        "union",
        "function",
    ]
)
YES = frozenset(["yes", "true", "correct", "是", "对", "正确", "是的", "真"])
NO = frozenset(["no", "false", "incorrect", "否", "不", "错", "错误", "不是", "不对", "假"])
_SIMPLE = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{1,300})?|\.\d{1,300})")


class Gold(NamedTuple):
    """A gold once read: its kind, its clean text and the trees it may stand for (units read as such first)."""

    kind: str
    text: str
    readings: tuple[Node, ...]
    problem: str = ""


def canonical_kind(kind: str | None) -> str:
    """The name used here for a dataset's kind; "" where the gold shall decide."""
    if not kind:
        return ""
    lower = kind.strip().lower().replace(" ", "_")
    return ALIASES.get(lower, lower if lower != "closed_form" else "expression")


def readings_of(text: str) -> tuple[tuple[Node, ...], str]:
    """Every tree `text` may stand for, units first, then letters as symbols, then a decimal comma; and what went
    wrong."""
    return _cached_readings(text) if len(text) <= CACHED_CHARS else _readings(text)


@lru_cache(maxsize=8192)
def _cached_readings(text: str) -> tuple[tuple[Node, ...], str]:
    return _readings(text)


_ACCENTED = re.compile(
    r"(?<=[A-Za-z])[À-ÖØ-öø-ɏ]|[À-ÖØ-öø-ɏ][A-Za-z]|[A-Za-z][\u0300-\u036f][A-Za-z]|(?<=[A-Za-z]{2})[a-z][\u0300-\u036f]"
)
"""A word with an accent: letters side by side are products elsewhere."""


def _readings(text: str) -> tuple[tuple[Node, ...], str]:
    found: list[Node] = []
    problem = ""
    if not text.isascii() and _ACCENTED.search(text) and not any(char.isdigit() for char in text):
        return (), "a word"
    text = respelled(text)
    one_number = grouped_otherwise(text)
    if one_number:
        found.append(read(one_number))
    digits = based(text)
    if digits is not None:
        return (Node("based", digits[1], (Node("num", digits[0], (), 0, len(text)),), 0, len(text)),), ""
    value = number_words(text.lower()) if text[:1].isalpha() else None
    if value is not None:
        return (Node("num", value, (), 0, len(text)),), ""
    for units in (True, False):
        try:
            node = read(text, units)
        except Budget as error:
            return (), f"limit: {error}"
        except ReadError as error:
            problem = problem or str(error)
            continue
        if units and _misplaced(node):
            continue
        found.append(node)
        if not _has_unit(node):
            break
    counted = combinations(text)
    if counted:
        found.append(read(counted))
    comma = re.fullmatch(r"([^\d()\[\]{}]{0,12})([+-]?\d+),(\d+)([^\d()\[\]{}]{0,24})", text)
    if comma and (len(comma.group(3)) not in (1, 3) or comma.group(2).lstrip("+-") == "0"):
        with suppress(ReadError):
            found.append(read(f"{comma.group(1)}{comma.group(2)}.{comma.group(3)}{comma.group(4)}", True))
    spread = re.fullmatch(r"\d{1,3}(?:,\d{3}){2,}", text)
    if spread:
        found.append(read(text.replace(",", ", ")))
    return tuple(found), problem


_CARRIERS = frozenset(["list", "set", "group", "rel", "neg", "add", "paren", "pm", "union", "ratio", "matrix"])


def _misplaced(node: Node) -> bool:
    """Whether a unit stands below a root, a fraction or a power: in \\sqrt{2h/g} the letters are no units."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one.op not in _CARRIERS and any(arg.op == "quantity" for arg in one.args):
            return True
        stack.extend(one.args)
    return False


def _has_unit(node: Node) -> bool:
    stack = [node]
    while stack:
        one = stack.pop()
        if one.op == "quantity":
            return True
        stack.extend(one.args)
    return False


def kind_of(node: Node, text: str) -> str:
    """The kind of answer a tree is."""
    op = node.op
    if op == "paren":
        return kind_of(node.args[0], text)
    if op == "num":
        if isinstance(node.value, int):
            return "integer" if "." not in text else "decimal"
        return "decimal" if "." in text or ("e" in text.lower() and "\\frac" not in text) else "rational"
    if op == "quantity":
        dims = dict(node.value.dims)
        return "money" if {"USD", "EUR", "GBP", "CNY", "JPY", "INR"} & set(dims) else "quantity"
    simple = {
        "percent": "percent",
        "deg": "angle",
        "ratio": "ratio",
        "based": "base-n",
        "matrix": "matrix",
        "set": "set",
        "list": "list",
        "union": "union",
        "inter": "union",
        "minus": "union",
        "builder": "set",
        "app": "function",
        "pm": "list",
    }
    if op in simple:
        if op == "list" and node.args and all(arg.op == "rel" for arg in node.args):
            return "inequality" if any(set(arg.value) & {"<", ">", "<=", ">="} for arg in node.args) else "system"
        return simple[op]
    if op == "group":
        if len(node.args) == 2 and node.value in ("[]", "[)", "(]"):
            return "interval"
        return "list" if node.value == "[]" else "tuple"
    if op == "rel":
        if "in" in node.value:
            return "set"
        return "equation" if set(node.value) <= {"=", "~", "!="} else "inequality"
    if op == "add" and all(arg.op == "quantity" for arg in node.args):
        return "quantity"
    if op == "neg" and node.args[0].op in ("num", "div", "quantity"):
        return kind_of(node.args[0], text)
    if op == "div" and all(arg.op == "num" and isinstance(arg.value, int) for arg in node.args):
        return "rational"
    if symbols(node):
        return "expression"
    stack = [node]
    while stack:
        one = stack.pop()
        if one.op == "const" and one.value == "i":
            return "complex"
        stack.extend(one.args)
    return "closed form"


def classify(text: str, kind: str = "") -> Gold:
    """The gold's kind and readings. `kind` is what the sample declares, "" to let the gold decide."""
    return _cached_gold(text, kind) if len(text) <= CACHED_CHARS else _classify(text, kind)


@lru_cache(maxsize=8192)
def _cached_gold(text: str, kind: str) -> Gold:
    return _classify(text, kind)


def _classify(text: str, kind: str) -> Gold:
    text = strip_dress(text)
    if kind in ("text", "yes_no", "choice", "choices", "date", "time"):
        return Gold(kind, text, ())
    if _SIMPLE.fullmatch(text):
        node = read(text)
        return Gold(kind_of(node, text), text, (node,))
    lower = text.lower()
    about = rounded(text)
    if (about[:1].isdigit() or about[:1] in ("$", "-")) and readings_of(about)[0]:  # a gold "about 50"
        text = about
    if not kind:
        if lower in YES or lower in NO:
            return Gold("yes_no", text, ())
        if re.fullmatch(r"\(?[A-J]\)?", text):
            return Gold("choice", text, ())
        if re.fullmatch(r"\([A-J]\)\s*\S.*|[A-J]\s*[.:)]\s+\S.*", text, re.S) and len(text) < 300:
            return Gold("choice", text, ())
        if re.fullmatch(r"[12]\d{3}\s?[-–—]\s?[12]\d{3}", text):  # a span of years, no subtraction
            return Gold("text", text, ())
        if re.fullmatch(r"\d{1,3}(?:st|nd|rd|th)", text, re.I):
            return Gold("text", text, ())
        season = re.fullmatch(r"([12]\d{3})\s?/\s?(\d{2})", text)
        if season and (int(season.group(1)) + 1) % 100 == int(season.group(2)):  # 2010/11
            return Gold("text", text, ())
        span = re.fullmatch(r"(\d{1,4})\s?[-–—]\s?(\d{1,4})", text)
        if span and int(span.group(1)) < int(span.group(2)):  # 10-20 is a range
            return Gold("text", text, ())
        if read_time(text) is not None:
            return Gold("time", text, ())
        if read_date(text) is not None:
            return Gold("date", text, ())
        named = re.search(r"[ -]", text) and number_words(lower) is not None  # one third, twenty-five
        if re.fullmatch(r"[A-Za-z][A-Za-z'\- ]*", text) and len(text) > 1 and not _is_maths(text) and not named:
            return Gold("text", text, ())
    readings, problem = readings_of(text)
    if not readings:
        return Gold("text" if not problem.startswith("limit") else "unreadable", text, (), problem)
    return Gold(kind_of(readings[0], text), text, readings)


_OF_A_LETTER = re.compile(
    r"-?(?:arc)?(?:sin|cos|tan|cot|sec|csc|ln|log|exp)h?\s+(?:[a-z]|pi|alpha|beta|gamma|theta|phi|omega)"
)


def _is_maths(text: str) -> bool:
    """Whether letters alone are maths: pi, a Greek name, infinity, a function of a letter or of a Greek name."""
    if _OF_A_LETTER.fullmatch(text):
        return True
    return text.lower() in (
        "pi",
        "inf",
        "infinity",
        "alpha",
        "beta",
        "gamma",
        "theta",
        "delta",
        "lambda",
        "omega",
        "dne",
    )
