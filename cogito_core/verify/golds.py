"""Golds as datasets write them: an answer, or a whole solution that ends in a box."""

from __future__ import annotations

from cogito_core.verify.extract import extract
from cogito_core.verify.kinds import Gold, classify


def unboxed(text: str) -> str:
    """The gold's own answer where the gold is a whole solution that ends in a box or an answer tag."""
    if "\\boxed" in text or "<answer>" in text or "\\fbox" in text:
        found = extract(text, gold_side=True)
        if found.text is not None:
            return found.text
    return text


def read_gold(text: str, kind: str = "") -> Gold:
    """The gold's kind and readings; a solution counts by its final answer."""
    return classify(unboxed(text), kind)
