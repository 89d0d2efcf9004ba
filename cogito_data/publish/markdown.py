"""Markdown in which text from the data stays text: no markup, link, script or formula of it comes alive."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

_MARKUP = re.compile(r"([`*_\[\]|~:@])|(?<=www)(\.)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "&#92;", "$": "&#36;"}
"""Not backslash-escaped: the Hub reads a double backslash and dollar signs as the start of a formula."""


def visible(text: str) -> str:
    """`text` without control and direction characters, which could hide or reorder what is read."""
    hidden = ("Cc", "Cf", "Cs", "Co")
    return "".join(char if char in "\n\t" or unicodedata.category(char) not in hidden else " " for char in text)


def inline(value: Any, limit: int | None = None) -> str:
    """Text from outside inside a sentence or a table cell; cut at `limit` characters."""
    text = " ".join(visible(str(value)).split())
    if limit is not None and len(text) > limit:
        text = text[: limit - 3] + "..."
    marked = _MARKUP.sub(lambda found: "\0" + found.group(), text)
    return "".join(_ENTITIES.get(char, char) for char in marked).replace("\0", "\\")


def code(name: str) -> str:
    """A name as code, or as plain text where it is no plain name."""
    return f"`{name}`" if re.fullmatch(r"[\w .:,()/-]+", name) else inline(name)


def block(text: str, language: str = "") -> str:
    """Text from outside as a fenced block; the fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{visible(text).strip(chr(10))}\n{fence}"


def link(text: str, url: str) -> str:
    """A link, or only its text where the address is no web address."""
    if not re.match(r"https?://[^\s]", url):
        return inline(text)
    return f"[{inline(text)}]({quote(visible(url), safe=':/?#=&%+,;@~-._')})"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; cells are Markdown already (`inline` what comes from outside), numbers get commas."""

    def cell(value: Any) -> str:
        return f"{value:,}" if isinstance(value, int) else str(value)

    numeric = [bool(rows) and all(isinstance(row[i], int) for row in rows) for i in range(len(columns))]
    lines = [columns, ["---:" if right else "---" for right in numeric], *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)
