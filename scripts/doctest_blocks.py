"""For mkdocstrings (mkdocs.yml names this file): examples in docstrings become code blocks of the reference.

Our docstrings hold doctests as plain paragraphs. Markdown takes their `>>>` for nested quotations.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.M)


def fenced(text: str) -> str:
    """The text with every paragraph that starts with `>>>` as a block of a Python console."""
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)


class DoctestBlocks(griffe.Extension):
    """Runs on everything that has a docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for each module, class, function and attribute it has read."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
