"""The part of a response that counts: thinking and chat markers are blanked, every place stays where it was."""

from __future__ import annotations

import re

_PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<REASONING>", "</REASONING>"),
    ("<SUMMARY>", "</SUMMARY>"),
    ("<CAPTION>", "</CAPTION>"),
    ("<seg>", "</seg>"),
)
_MARKERS = re.compile(r"<\|(?:im_end|im_start|endoftext|eot_id|end|eom_id|end_of_text|assistant|user)\|>|</s>|<eos>")


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def visible(response: str) -> str:
    """`response` with thinking blanked. An opened and never closed thought swallows the rest; text before a lone
    closing tag is thinking too. After the first end marker that follows any text nothing counts."""
    text = response
    for opening, closing in _PAIRS:
        if opening not in text and closing not in text:
            continue
        start = text.find(opening)
        last = text.rfind(closing)
        if last >= 0 and (start < 0 or start > last):
            text = _blank(text, 0, last + len(closing))
            start = text.find(opening)
        while start >= 0:
            end = text.find(closing, start)
            text = _blank(text, start, len(text) if end < 0 else end + len(closing))
            start = text.find(opening, start + 1)
        stray = text.rfind(closing)
        if stray >= 0:
            text = _blank(text, 0, stray + len(closing))
    for match in _MARKERS.finditer(text):
        if text[: match.start()].strip():
            return _blank(text, match.start(), len(text))
        text = _blank(text, match.start(), match.end())
    return text
