"""Places in a response that may hold the final answer, and how strongly each says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cogito_core.verify.clean import braces
from cogito_core.verify.verdict import Candidate

# Lower ranks are stronger evidence.
TAG, BOX, PHRASE, CONCLUSION, LAST = range(5)

_TAGS = re.compile(r"<(answer|ANSWER|Answer|CONCLUSION|conclusion|final_answer|FINAL_ANSWER)>(.*?)(?:</\1>|\Z)", re.S)
_JSON = re.compile(
    r'"(?:final[_ ]?answer|answer|short answer)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.,]*|true|false|null)', re.I
)
# GSM8K's last line. Elsewhere four signs begin a heading.
_HASHES = re.compile(r"^#{4}\s*([^\s#*].{0,200}?)\s*\Z", re.M)
_BOX = re.compile(r"\\+(?:boxed|fbox|beginboxed)\s*(\{|(?=[^\s{]))")
_BARE = re.compile(r"\\?\w+")
MAX_SENTENCE = 1_500
MAX_PHRASES = 12
MAX_BOXES = 60
"""Of more boxes the last ones count."""
_PHRASE = re.compile(
    r"(?:\b(?:final|correct|right|best|my|the)\s+)?(?:\b(?:answer|result|solution|ans(?=[\s.]*[:=]))\b|答案|réponse|resposta|respuesta|risposta|antwort)"
    r"(?:\s+(?:to\s+(?:the|this)\s+(?:question|problem)|here|option|choice|letter|value|expression|of\s+the\s+\w+))?"
    r"\s*\**\s*(?:\b(?:is|was|are|would\s+be|should\s+be|must\s+be|will\s+be|equals|est|es|ist|is\s+therefore|is\s+thus)\b|应该?是|是|为|[:：=]|(?=\s*(?:\$|\\\(|\\\[)))"
    r"\s*(?:therefore|thus|then|simply|just|exactly|approximately|about|equal to|given by|as follows)?\s*[:：]?\s*",
    re.I,
)
_SENTENCE_END = re.compile(
    r"(?<![A-Z])(?<!\b[A-Za-z])[.!?](?=\s|$|\*|\"|\))|[。！？\n]|(?<=\d)\.(?=\s|$)|(?<=\))\.(?=\s|$)|(?<=[A-Za-z]{2})\.(?=\s|$)"
)
_CONCLUSION = re.compile(
    r"\b(?:therefore|thus|hence|so|in conclusion|consequently|finally|as a result|in summary|"
    r"we (?:can )?conclude|overall|donc|por lo tanto|"
    r"this (?:means|gives|implies)|we (?:get|find|have|obtain))\b|因此|所以|故|综上|则|इसलिए|لذا",
    re.I,
)


def tags(text: str) -> Iterator[Candidate]:
    """Answer tags, JSON answers and GSM8K's #### line."""
    for match in _TAGS.finditer(text):
        yield Candidate(match.group(2).strip(), "answer tag", TAG, match.span(2))
    if '"' in text:
        for match in _JSON.finditer(text):
            yield Candidate(match.group(1).strip('"').replace("\\\\", "\\"), "json", TAG, match.span(1))
    if "####" in text:
        last = _HASHES.search(text.rstrip())
        if last and "boxed" not in text:
            yield Candidate(last.group(1), "hashes", TAG, last.span(1))


def boxes(text: str) -> list[Candidate]:
    """Outermost boxes with matched braces; a box that is never closed counts to the end of its line."""
    if "box" not in text:
        return []
    found: list[Candidate] = []
    closing: dict[int, int] | None = None
    openings = [match.start() for match in _BOX.finditer(text)]
    position = openings[-MAX_BOXES] if len(openings) > MAX_BOXES else 0
    while match := _BOX.search(text, position):
        if match.group(1):
            if closing is None:
                closing = braces(text)
            end = closing.get(match.end() - 1, -1)
            start = match.end()
            if end < 0:
                position = match.end()
                continue
        else:
            start = match.end()
            token = _BARE.match(text, start)
            end = token.end() if token else start
        if text[start:end].strip():
            found.append(Candidate(text[start:end].strip(), "box", BOX, (start, end)))
        position = max(end, match.end())
    return found


def sentence_end(text: str, start: int) -> int:
    """Where the sentence that begins at `start` ends; a decimal point or a formula does not end it."""
    position = start
    while match := _SENTENCE_END.search(text, position):
        stop = match.start()
        inside = text[start:stop]
        if len(inside) > MAX_SENTENCE:
            return stop
        if (
            (inside.count("$") % 2 and "\n\n" not in inside and len(inside) < 400)
            or inside.count("\\[") > inside.count("\\]")
            or inside.count("\\(") > inside.count("\\)")
            or (inside.count("{") > inside.count("}") and match.group() != "\n")
        ):
            position = match.end()
            continue
        if match.group() == "\n" and (not inside.strip(" *:$") or inside.rstrip(" *").endswith(":")):
            position = match.end()
            continue
        return stop
    return len(text)


def phrases(text: str) -> list[Candidate]:
    """What follows the last of the phrases "the answer is", up to the end of the sentence."""
    found = []
    for match in list(_PHRASE.finditer(text))[-MAX_PHRASES:]:
        start = match.end()
        end = sentence_end(text, start)
        clause = text[start:end].strip()
        if clause:
            found.append(Candidate(clause, "answer phrase", PHRASE, (start, end)))
    return found


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences and lines of `text`."""
    spans = []
    start = 0
    while start < len(text):
        end = sentence_end(text, start)
        if text[start:end].strip():
            spans.append((start, end))
        start = end + 1
    return spans


def concludes(text: str) -> bool:
    """Whether a sentence draws a conclusion."""
    return bool(_CONCLUSION.search(text))
