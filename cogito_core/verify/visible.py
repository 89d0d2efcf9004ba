"""The part of a response that counts: thinking and chat markers are blanked, every place can be found again."""

from __future__ import annotations

import re
from bisect import bisect_right

from cogito_core.verify.verdict import Candidate, Extraction

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


def _blank(text: str) -> str:
    return "\n".join(" " * len(line) for line in text.split("\n"))


def _without(text: str, opening: str, closing: str) -> str:
    """`text` with everything from `opening` to `closing` blanked, and all that stands before a stray closing tag."""
    pieces: list[str] = []
    position = 0
    while (start := text.find(opening, position)) >= 0:
        end = text.find(closing, start)
        stop = len(text) if end < 0 else end + len(closing)
        pieces += [text[position:start], _blank(text[start:stop])]
        position = stop
    text = "".join([*pieces, text[position:]])
    stray = text.rfind(closing)
    return text if stray < 0 else _blank(text[: stray + len(closing)]) + text[stray + len(closing) :]


def visible(response: str) -> str:
    """`response` with thinking blanked. An opened and never closed thought swallows the rest; text before a lone
    closing tag is thinking too. After the first end marker that follows any text nothing counts."""
    text = response
    for opening, closing in _PAIRS:
        if opening in text or closing in text:
            text = _without(text, opening, closing)
    pieces: list[str] = []
    position = 0
    for match in _MARKERS.finditer(text):
        before = text[position : match.start()]
        if before.strip():
            return "".join([*pieces, before, _blank(text[match.start() :])])
        pieces += [before, " " * (match.end() - match.start())]
        position = match.end()
    return "".join([*pieces, text[position:]])


MAX_RUN = 10
_RUN = re.compile(rf"\s{{{MAX_RUN}}}(\s+)")

Places = list[tuple[int, int]]
"""Pairs of a place in the shorter text and how far the longer one is ahead from there on."""


def squeezed(text: str) -> tuple[str, Places]:
    """`text` with long runs of white space cut short, so that no pattern searches them again and again."""
    pieces: list[str] = []
    places: Places = []
    position = ahead = 0
    for match in _RUN.finditer(text):
        pieces.append(text[position : match.start(1)])
        ahead += match.end(1) - match.start(1)
        position = match.end(1)
        places.append((position - ahead, ahead))
    return ("".join([*pieces, text[position:]]), places) if places else (text, places)


def moved(found: Extraction, by: int, places: Places) -> Extraction:
    """The extraction with its places counted in the whole response."""
    starts = [start for start, _ in places]

    def place(at: int) -> int:
        index = bisect_right(starts, at) - 1
        return at + by + (places[index][1] if index >= 0 else 0)

    def span(one: tuple[int, int]) -> tuple[int, int]:
        return place(one[0]), max(place(one[0]), place(one[1] - 1) + 1)

    candidates = tuple(Candidate(c.text, c.rule, c.rank, span(c.span)) for c in found.candidates)
    return Extraction(found.text, found.rule, found.span and span(found.span), found.conflict, candidates)
