"""The words that a response answers with, where the gold is a text: a name, a colour, "increase"."""

from __future__ import annotations

import re

from cogito_core.verify import candidates
from cogito_core.verify.letter_patterns import REFUSAL
from cogito_core.verify.verdict import Candidate, Extraction

SHORT = 80
"""A response of one line up to here may be the answer as it stands."""

_COMPLEMENT = re.compile(
    r"\s*(?:the|this|that|it|its|his|her|their|these|those|they|he|she)\b[^.,;:!?]{0,80}?\b(?:is|are|was|were)\s+"
    r"(?!not\b|either\b|neither\b|maybe\b|perhaps\b|probably\b)(?P<said>[^.,;:!?\n]{1,60}?)"
    r"(?:,\s+(?:and\s+|but\s+)?(?:not|rather than)\b[^.;:!?\n]{1,60}|"
    r",\s+(?:the|a|an|which|who)\s[^.;:!?\n]{1,80})?\s*[.!]?\s*",
    re.I,
)
_EXTREME = re.compile(
    r"\s*(?P<said>(?!(?:the|this|that|there|it|they|he|she|which|what|one|both|neither|no|not)\b)[^\s.,;:!?][^.,;:!?\n]{0,40}?)\s+"
    r"(?:has|have|had|is|are|was|were|shows?|showed|gets?|got|receives?|received|reached|records?|recorded)\s+(?:clearly\s+)?"
    r"(?:the\s+)?(?:overall\s+)?(?:most|least|fewest|best|worst|(?:high|low|larg|small|great|bigg|long|short|tall|old|young|fast|slow|warm|"
    r"cold|hot|deep|heavi|light|strong|weak|steep|wide|narrow|rich|poor|clos|near|farth|furth)est)\b"
    r"(?![^.;\n]*\b(?:not|n't|except|after|but|among\s+the\s+(?:other|rest|remaining))\b)[^.;!?\n]*[.!]?\s*",
    re.I,
)
_MODAL = re.compile(
    r"[^.;:!?\n]{1,120}?\b(?:will|would|should|is\s+going\s+to|are\s+going\s+to|is\s+likely\s+to|are\s+likely\s+to|is\s+expected\s+to)\s+"
    r"(?:(?:most\s+)?likely\s+|probably\s+|also\s+|therefore\s+|then\s+)?(?P<said>(?!be\b|not\b|have\b)[a-z]+)"
    r"(?:,\s+(?:and\s+)?not\s+[a-z]+)?\s*[.!]?\s*",
    re.I,
)


def complement(text: str) -> Candidate | None:
    """What a response of one short sentence answers with.

    "The capital is Paris." and "The capital is Paris, the largest city." state Paris, "Kenya has the highest value"
    names Kenya, "The population would likely increase." says increase.
    """
    for pattern in (_COMPLEMENT, _EXTREME, _MODAL):
        match = pattern.fullmatch(text)
        if match is not None and not re.search(r"\b(?:or|not|and)\b", match.group("said"), re.I):
            return Candidate(
                match.group("said").strip("*\"'“” "), "stated", candidates.CONCLUSION, match.span("said")
            )
    return None


def words(text: str, whole: Candidate) -> Extraction:
    """A text answer: after the answer phrase, else a bold conclusion, else a short response or its last line."""
    found = candidates.phrases(text)
    if found:
        last = found[-1]
        if not REFUSAL.search(last.text):
            return Extraction(_trimmed(last.text), "answer phrase", last.span, "", tuple(reversed(found)))
        return Extraction(None, "refusal", last.span, "the response declines to answer", tuple(found))
    if len(whole.text) <= 80 and "\n" not in whole.text:
        return Extraction(whole.text, "whole response", whole.span, "", (whole,))
    bold = list(re.finditer(r"\*\*([^*\n]{1,120})\*\*", text))
    spans = candidates.sentences(text)
    if bold and spans and bold[-1].start() >= spans[-1][0] and not bold[-1].group(1).strip().endswith(":"):
        return Extraction(bold[-1].group(1).strip(), "bold", bold[-1].span(1))
    if spans:
        start, end = spans[-1]
        piece = text[start:end].strip()
        if REFUSAL.search(piece):
            return Extraction(None, "refusal", (start, end), "the response declines to answer")
        stated = re.search(r"\b(?:is|are|was|were)\s+(?!that\b)(.+)$", piece) if candidates.concludes(piece) else None
        answer = stated.group(1) if stated else piece
        return Extraction(_trimmed(answer), "conclusion" if stated else "last line", (start, end))
    return Extraction(None, "none", None, "no answer found")


def _trimmed(text: str) -> str:
    text = re.split(r",?\s+(?:because|since|which|as\s+(?:it|the|we|this)|where)\b", text, maxsplit=1)[0]
    return text.strip().strip("*").strip().rstrip(".").strip('"“”').strip()
