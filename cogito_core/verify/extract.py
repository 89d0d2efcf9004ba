"""Find the final answer in a response."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogito_core.verify.verdict import Extraction


def extract(response: object, *, kind: str | None = None, choices: Sequence[str] = (), gold_side: bool = False) -> Extraction:
    """The final answer of `response`: an answer tag, a box, or the last line."""
    text = str(response)
    body = text.rsplit("</think>", 1)[-1]
    for rule, pattern in (("answer_tag", r"<answer>(.*?)</answer>"), ("box", r"\\boxed\{([^{}]*)\}")):
        found = re.findall(pattern, body, re.S)
        if found:
            inner = re.search(r"\\boxed\{([^{}]*)\}", found[-1])
            return Extraction(inner.group(1) if inner else found[-1].strip(), rule)
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    return Extraction(lines[-1], "last_line") if lines else Extraction(None, "none", conflict="no answer found")
