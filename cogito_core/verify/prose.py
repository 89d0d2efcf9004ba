"""The value that a sentence states: "Thus, the area of the triangle is 15 square centimetres."."""

from __future__ import annotations

import re

from cogito_core.verify import candidates
from cogito_core.verify.clean import strip_dress
from cogito_core.verify.kinds import readings_of
from cogito_core.verify.letters import REFUSAL
from cogito_core.verify.moments import read_date, read_time
from cogito_core.verify.tree import Node
from cogito_core.verify.verdict import Extraction
from cogito_core.verify.words import number_words

SINGLE_KINDS = frozenset(["number", "integer", "decimal", "rational", "percent", "money", "quantity", "angle"])
_MATH = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.S)
_NUMBER = re.compile(
    r"(?<![\w.\\])(?P<sign>[-+−]\s?)?(?P<money>(?:US)?[$€£¥S]\s?(?=\d))?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:\s*[x×*]\s*10\s*\^?\s*\{?(?P<power>[-−]?\d+)\}?|[eE](?P<exp>[-+]?\d+))?(?:\s*/\s*(?P<bottom>\d+)(?![\d/]))?(?P<unit>\s*(?:\\?%|percent\b|°|º))?"
    r"(?!\s*[-–]?\s?(?:st|nd|rd|th)\b)")
_WORDS = re.compile(r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
                    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)\b", re.I)
_STATES = re.compile(r"(?:\b(?:is|are|was|were|equals?|be|has|have|had|contains?|shows?|gives?|get|needs?|costs?|spends?|totals?|becomes?|makes?|remain(?:s|ing)?|reads?|of|to)\b|[=:≈]|\\approx|是|为|有)", re.I)
_STRONG = re.compile(r"(?:\b(?:is|are|was|were|equals?|be)\b|[=≈]|\\approx|是|为)", re.I)
_LEAD = re.compile(r"^(?:approximately|about|around|roughly|nearly|exactly|just|only|simply|equal to|the|therefore|thus|so|that|given by|likely|probably|"
                   r"still|indeed|:|=|≈|\\approx|~|\*+)\s*", re.I)
_TRAIL = re.compile(r",?\s+(?:because|since|which|where|as\s|so\s|when|for\s|if\s|assuming|rounded|in\s+total|if|due)\b.*$|\s*[(（][^()]{3,}[)）]\s*$", re.S | re.I)
_ECHO = re.compile(r"\b(?:question|hint|step|option|figure|image|table|chart|row|column|line|point|choice|example|case|problem|part)\s+$", re.I)


def readable(text: str, kind: str) -> bool:
    """Whether the text as it stands is a value of such a kind."""
    plain = strip_dress(text)
    if not plain or len(plain) > 1_000:
        return False
    if kind == "time" or kind == "date":
        return (read_time(plain) if kind == "time" else read_date(plain)) is not None
    readings, _ = readings_of(plain)
    return bool(readings) and _is_value(readings[0], kind) or number_words(plain.lower()) is not None


def _is_value(node: Node, kind: str) -> bool:
    if kind in SINGLE_KINDS and node.op in ("sym", "app", "mul") and not any(arg.op in ("num", "const", "root", "div", "pow") for arg in node.args):
        return False
    return True


def reduce_clause(clause: str, kind: str, first: bool) -> tuple[str, int, int] | None:
    """The value in a clause with its place: the clause itself, a formula in it, or a number in it.

    `first` prefers the first number (after "the answer is"), else the one after the last stating verb, else the last.
    """
    begin = len(clause) - len(clause.lstrip())
    core = clause.strip()
    for _ in range(4):
        if readable(core, kind):
            return core, begin, begin + len(core)
        lead = _LEAD.match(core)
        if lead and lead.end():
            begin, core = begin + lead.end(), core[lead.end():]
            continue
        shorter = _TRAIL.sub("", core)
        if shorter == core or not shorter.strip():
            break
        core = shorter.rstrip()
    formula = _formula(core, kind, first)
    if formula is not None:
        return formula[0], begin + formula[1], begin + formula[2]
    number = _number(core, kind, first)
    return None if number is None else (number[0], begin + number[1], begin + number[2])


def _formula(text: str, kind: str, first: bool) -> tuple[str, int, int] | None:
    found = []
    for match in _MATH.finditer(text):
        group = next(index for index in range(1, 5) if match.group(index) is not None)
        inner = match.group(group)
        after = text[match.end():]
        percent = re.match(r"\s*(?:\\?%|percent\b|pct\b)", after)
        content = inner + (" %" if percent and "%" not in inner else "")
        if readable(content, kind):
            found.append((content, match.start(group), match.end(group)))
    if not found:
        return None
    if kind in ("list", "set", "system", "tuple") and len(found) > 1 and re.search(r"\band\b|,", text[found[0][2]:found[-1][1]]):
        return ", ".join(one[0] for one in found), found[0][1], found[-1][2]
    if kind in SINGLE_KINDS:
        valued = [one for one in found if any(char.isdigit() for char in one[0]) or "\\pi" in one[0]]
        found = valued or found
        tail = _number(text[found[-1][2]:], kind, False)
        if tail is not None and not first and re.search(r"[=≈]|\bis\b", text[found[-1][2]:found[-1][2] + tail[1]]):
            offset = found[-1][2]
            return tail[0], tail[1] + offset, tail[2] + offset
    return found[0] if first else found[-1]


def _number(text: str, kind: str, first: bool) -> tuple[str, int, int] | None:
    """A plain number in the text, with sign, money and per cent; or a number word."""
    found: list[tuple[str, int, int]] = []
    for match in _NUMBER.finditer(text):
        if _ECHO.search(text[:match.start()]):
            continue
        found.append((_written(match), match.start(), match.end()))
    if not found:
        for match in _WORDS.finditer(text):
            value = number_words(match.group().lower())
            if value is not None:
                found.append((str(value), match.start(), match.end()))
        if len(found) > 1 and not first:
            found = [one for one in found if one[0] != "1"] or found
    if not found:
        return None
    if kind in ("list", "set") and len(found) > 1:
        return ", ".join(one[0] for one in found), found[0][1], found[-1][2]
    if first:
        return found[0]
    for pattern in (_STRONG, _STATES):
        verbs = [m for m in pattern.finditer(text) if m.end() <= found[-1][1]]
        if verbs:
            after = [one for one in found if one[1] >= verbs[-1].end()]
            if after:
                return after[0]
    return found[-1]


def _written(match: re.Match[str]) -> str:
    text = match.group("digits")
    if match.group("sign") and match.group("sign").strip() in "-−":
        text = "-" + text
    exponent = match.group("power") or match.group("exp")
    if exponent:
        text += "e" + exponent.replace("−", "-").replace("+", "")
    if match.group("bottom"):
        text += "/" + match.group("bottom")
    if match.group("unit"):
        text += "%" if match.group("unit").strip() not in "°º" else "°"
    elif match.group("money") and match.group("money").strip() in ("$", "US$", "S"):
        text = "$" + text if not text.startswith("-") else "-$" + text[1:]
    return text


def value_in_response(text: str, kind: str) -> Extraction:
    """The value a response ends in: after the last answer phrase, in the last concluding sentence, or in the last one with a value."""
    for candidate in reversed(candidates.phrases(text)):
        if REFUSAL.search(candidate.text):
            return Extraction(None, "refusal", candidate.span, "the response declines to answer")
        reduced = reduce_clause(text[candidate.span[0]:candidate.span[1]], kind, first=True)
        if reduced is not None:
            span = (candidate.span[0] + reduced[1], candidate.span[0] + reduced[2])
            return Extraction(reduced[0].strip(), "answer phrase", span, "", (candidate,))
    spans = candidates.sentences(text)
    if spans and REFUSAL.search(text[spans[-1][0]:spans[-1][1]]):
        return Extraction(None, "refusal", spans[-1], "the response declines to answer")
    concluding = [span for span in spans if candidates.concludes(text[span[0]:span[1]])]
    for rule, order in (("conclusion", concluding[::-1][:2]), ("last sentence", spans[::-1][:6])):
        for start, end in order:
            piece = text[start:end]
            bold = list(re.finditer(r"\*\*([^*\n]+)\*\*", piece))
            for match in reversed(bold):
                reduced = reduce_clause(match.group(1), kind, first=False)
                if reduced is not None:
                    span = (start + match.start(1) + reduced[1], start + match.start(1) + reduced[2])
                    return Extraction(reduced[0].strip(), "bold", span)
            reduced = reduce_clause(piece, kind, first=False)
            if reduced is not None:
                span = (start + reduced[1], start + reduced[2])
                return Extraction(reduced[0].strip(), rule, span)
    return Extraction(None, "none", None, "no value found")
