"""The value that a clause states: "the area of the triangle is 15 square centimetres"."""

from __future__ import annotations

import re
from typing import NamedTuple

from cogito_core.verify.clean import strip_dress
from cogito_core.verify.kinds import readings_of
from cogito_core.verify.moments import dates_in, read_date, read_time
from cogito_core.verify.naming import value_side
from cogito_core.verify.surroundings import negative, scale_after
from cogito_core.verify.tree import Node
from cogito_core.verify.units import parse_unit
from cogito_core.verify.words import number_words

_BARE_LATEX = re.compile(
    r"(?<![\d.])[-+]?\s?(?:[\d.]+\s*)?\\(?:[dt]?frac\s*\{[^{}]*\}\s*\{[^{}]*\}|sqrt\s*(?:\[\d+\])?\s*\{[^{}]*\}|pi\b)"
    r"(?:\s*[-+]?\s*(?:[\d.]+|\\pi\b|\\sqrt\s*\{[^{}]*\}|\\frac\s*\{[^{}]*\}\s*\{[^{}]*\}))*"
)
_BARE_SIGNS = re.compile(
    r"(?<![\w.√π^/])[-+−]?\s?(?:\d+(?:\.\d+)?\s?)?(?:√\s?(?:\d+|\([^()]{1,20}\))|π|pi\b)(?:\s?/\s?\d+)?(?![\w(²³^√π])"
)
_BARE_EQUATION = re.compile(
    r"(?<![A-Za-z\d])[-\d.]*\s?[a-z](?:\^?\d)?(?:\s?[-+*/]\s?[\d.]*[a-z]?(?:\^?\d)?){0,4}\s*=\s*"
    r"[-+]?[\d.]*[a-z]?(?:\^?\d)?(?:\s?[-+*/]\s?[\d.]*[a-z]?(?:\^?\d)?){0,5}(?=\s*(?:[.,;，。\n]|$))"
)
_BETWEEN = re.compile(r"\b(?:between|from)\s+(-?\d[\d.,]*?)\s+(?:and|to)\s+(-?\d+(?:\.\d+)?)", re.I)
_DENIED = re.compile(r"(?:\bnot|n't)\s+$", re.I)
_MANY = frozenset(["list", "set", "system", "tuple"])
_SHAPES = {
    "tuple": ("group",),
    "interval": ("group", "union", "rel", "minus"),
    "matrix": ("matrix",),
    "equation": ("rel",),
    "inequality": ("rel", "group", "union"),
    "union": ("union", "group", "minus", "rel"),
    "list": ("list", "group", "pm", "set"),
    "set": ("set", "list", "rel", "group"),
    "system": ("list", "group"),
}
SINGLE_KINDS = frozenset(["number", "integer", "decimal", "rational", "percent", "money", "quantity", "angle"])
_MATH = re.compile(
    r"\$\$(.+?)\$\$|(?<!\\)\$(?!\s?\d[\d,.]*\s)([^$\n]+)\$(?!\d)|(?<!\\)\$(\s?\d[\d,.]*\s*)\$(?!\d)|\\\((.+?)\\\)|\\\[(.+?)\\\]",
    re.S,
)
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.\\])(?<!\d[:,])(?!\d+:\d)(?P<sign>[-+−]\s?)?(?P<money>(?:US)?[$€£¥S]\s?(?=\d))?(?P<digits>\d{1,3}(?:(?:,|\{,\}|,\\!)\d{3})+(?:\.\d+)?|\d+,\d{2}(?![\d,])|\d+(?:\.\d+)?|\.\d+)(?!\d|[.,]\d)"
    r"(?:\s*(?:[x×*·]|\\times|\\cdot)\s*10\s*\^?\s*\{?(?P<power>[-−]?\d+)\}?|\s*[x×*·]\s*10(?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|[eE](?P<exp>[-+]?\d+))?(?:\s*/\s*(?P<bottom>\d+)(?![\d/]))?(?P<unit>\s*(?:\\?%|percent\b|°|º))?"
    r"(?!\s*[-–]?\s?(?:st|nd|rd|th)\b)"
)
_COLONS = re.compile(
    r"(?<![\d.:])\d+(?:\.\d+)?(?:\s?:\s?\d+(?:\.\d+)?)+(?![\d:])(?:\s*[ap]\.?\s?m\b\.?)?|"
    r"\b(?:a\s+)?(?:quarter|half|twenty|ten|five|\d{1,2})(?:[- ]five)?(?:\s+minutes?)?\s+(?:past|to)\s+[a-z\d]+"
    r"(?:\s+o'clock)?|"
    r"\b(?:[a-z]+|\d{1,2})\s+o'clock|\b\d{1,2}\s*[ap]\.?m\b\.?",
    re.I,
)
_PARTS = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?:\s+to\s+\d+(?:\.\d+)?)+(?![\d.]*\d)", re.I)
_COORDINATES = re.compile(
    r"\bx\s*=\s*(?P<x>[^\s,;$]{1,30})\$?\s*(?:,|;|\band\b|,\s*and\b)\s*\$?\s*y\s*=\s*(?P<y>[^\s,;$]{1,30})\$?"
    r"(?:\s*(?:,|;|\band\b|,\s*and\b)\s*\$?\s*z\s*=\s*(?P<z>[^\s,;$]{1,30}))?"
)
_WORDS = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven|"
    r"eight|nine))?)\b",
    re.I,
)
_STATES = re.compile(
    r"(?:\b(?:is|are|was|were|equals?|be|has|have|had|contains?|shows?|gives?|gets?|needs?|costs?|spends?|totals?|becomes?|makes?|remain(?:s|ing)?|reads?|of|to)\b|[=:≈]|\\approx|是|为|有)",
    re.I,
)
STRONG = re.compile(
    r"(?:\b(?:(?<=it['’])s|is|are|was|were|equals?|be|gives(?: us)?|so|giving|making)\b|[=≈]|\\approx|是|为)",
    re.I,
)
_IN_YEAR = re.compile(r"\b(?:in|since|during|by|until|year|of)\s+$", re.I)
_LEAD = re.compile(
    r"^(?:approximately|about|around|roughly|nearly|exactly|just|only|simply|equal to|the|therefore|thus|so|"
    r"that|given by|likely|probably|"
    r"still|indeed|:|=|≈|\\approx|~|\*+)\s*",
    re.I,
)
_TRAIL = re.compile(
    r",?\s+(?:because|since|which|where|as\s|so\s|when|for\s|if\s|assuming|rounded|in\s+total|if|due)\b.*$|\s*[(（][^()]{3,}[)）]\s*$",
    re.S | re.I,
)
_ECHO = re.compile(
    r"\b(?:question|hint|step|option|figure|image|table|chart|row|column|line|point|choice|example|case|problem|part)\s+$",
    re.I,
)


_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_NO_VALUE = re.compile(
    r"[A-Za-z]{3}\s*\(\d[\d,.]*\)|\d\s*\([a-z][a-z -]+\)|^[A-Za-z]{2,20}\s?[:：]\s?|\b(?:is|are|equals)\s"
)
"""A number in words and in digits, one with its label, a statement: "three (3)", "Ans: 3"; no products, no ratios."""
_THEN = re.compile(r"[,;]\s*(?:and\s+)?(?:so|therefore|thus|hence)(?!\s+(?:that|far|much|many)\b)[,:]?\s+", re.I)
_OUT_OF = re.compile(r"\s+(?:out\s+)?of\s+(?:the\s+|all\s+|every\s+)?(\d+)(?![\d.,]*\d)", re.I)
_OF_THE = re.compile(r"\s+(?:out\s+)?of\s+(?:the\s+)?$", re.I)
_ABOUT = re.compile(r"≈|\\approx\b|≅|\\simeq\b")
_LABEL = re.compile(r"\b(?:answer|ans|result|solution|total)\s+$", re.I)


def readable(text: str, kind: str) -> bool:
    """Whether the text as it stands is a value of such a kind."""
    plain = strip_dress(text)
    if not plain or len(plain) > 1_000 or (kind in SINGLE_KINDS and _NO_VALUE.search(plain)):
        return False
    if kind == "time" or kind == "date":
        return (read_time(plain) if kind == "time" else read_date(plain)) is not None
    readings, _ = readings_of(plain)
    return (bool(readings) and _is_value(readings[0], kind)) or number_words(plain.lower()) is not None


def _is_value(node: Node, kind: str) -> bool:
    bare = node.op in ("sym", "app", "mul") and not any(
        arg.op in ("num", "const", "root", "div", "pow") for arg in node.args
    )
    return not (bare and kind in SINGLE_KINDS)


MAX_CLAUSE = 1_500
MAX_VALUES = 120


class _Item(NamedTuple):
    """A value in a clause and its place."""

    text: str
    start: int
    end: int


def reduce_clause(clause: str, kind: str, first: bool) -> _Item | None:
    """The value in a clause with its place: the clause itself, a formula in it, or a number in it.

    `first` prefers the first value (after "the answer is"), else the one after the last stating verb, else the last.
    """
    then = () if first or kind not in SINGLE_KINDS else [match.end() for match in _THEN.finditer(clause)]
    if then:  # "x^2 = 9, so x = 3"
        tail = clause[then[-1] :]
        several = re.search(r"\band\b|[=≈].*[=≈]", tail) is not None
        item = _chosen(tail, kind, first) if several else reduce_clause(tail, kind, first)
        if item is not None:
            return _Item(item.text, then[-1] + item.start, then[-1] + item.end)
    begin = len(clause) - len(clause.lstrip())
    core = clause.strip()
    shorter = core
    for _ in range(4):
        if len(shorter) > MAX_CLAUSE:
            break
        if readable(shorter, kind):
            return _Item(shorter, begin, begin + len(shorter))
        lead = _LEAD.match(shorter)
        if lead and lead.end():
            begin, shorter = begin + lead.end(), shorter[lead.end() :]
            continue
        cut = _TRAIL.sub("", shorter)
        if cut == shorter or not cut.strip():
            break
        shorter = cut.rstrip()
    start = len(clause) - len(clause.lstrip())
    if first and shorter:
        start, core = begin, shorter
    item = _chosen(core, kind, first)
    if item is not None and kind in ("quantity", "money"):
        item = _with_its_unit(core, item)
    return None if item is None else _Item(item.text, start + item.start, start + item.end)


def _with_its_unit(text: str, item: _Item) -> _Item:
    """The value with the unit that stands behind it: "the area is 24 cm" states no 24."""
    after = re.match(r"[$*\\)\]]{0,4}\s*(?P<unit>[^\s,;:!?()$*](?:[^,;:!?$*\n]{0,40}))", text[item.end :])
    if after is None or item.text.endswith(("%", "°")):
        return item
    words = after.group("unit").split()[:4]
    for count in range(len(words), 0, -1):
        name = " ".join(words[:count]).rstrip(".)")
        last = count == len(words) and len(after.group("unit").split()) <= 4
        unit = parse_unit(name)
        if unit is not None and not unit.noun and (last or name.lower() not in _NO_UNITS):
            end = item.end + after.start("unit") + len(name)
            return _Item(f"{item.text} {name}", item.start, min(len(text), end))
    return item


_NO_UNITS = frozenset(["in", "a", "at", "as", "h", "per", "c", "d"])
"""Short words of English that are also names of units: units only where they end the clause."""


def _chosen(text: str, kind: str, first: bool) -> _Item | None:
    if len(text) > MAX_CLAUSE:  # a run-on "sentence": its end is what counts
        cut = 0 if first else len(text) - MAX_CLAUSE
        item = _chosen(text[cut : cut + MAX_CLAUSE], kind, first)
        return None if item is None else _Item(item.text, item.start + cut, item.end + cut)
    about = _ABOUT.search(text) if kind in ("rational", "closed form", "expression") and not first else None
    if about is not None:  # "5/6 ≈ 0.833": the exact form is the value
        exact = _chosen(text[: about.start()], kind, first)
        if exact is not None:
            return exact
    if kind in ("time", "ratio", "date"):
        clocks = _clocks(text, kind)
        if clocks:
            return clocks[0] if first else clocks[-1]
    formulas = _formulas(text, kind)
    if kind in _SHAPES:
        shaped = [one for one in formulas if _shape(one.text) in _SHAPES[kind]]
        if shaped:
            return shaped[0] if first else shaped[-1]
        if kind in ("tuple", "interval", "matrix", "equation", "inequality", "union"):
            between = _BETWEEN.search(text) if kind == "interval" else None
            if between:
                return _Item(f"[{between.group(1)}, {between.group(2)}]", between.start(), between.end())
            plain = _bracketed(text) or (_coordinates(text) if kind == "tuple" else None)
            return plain or (formulas[-1] if formulas else None)
    if kind in _MANY and len(formulas) > 1 and re.search(r"\band\b|,|和", text[formulas[0].end : formulas[-1].start]):
        return _Item(", ".join(one.text for one in formulas), formulas[0].start, formulas[-1].end)
    numbers = _numbers(
        text, kind, [(one.start, one.end) for one in formulas] + [m.span() for m in _MATH.finditer(text)]
    )
    if kind in _MANY:
        between = _BETWEEN.search(text)
        if between:
            return _Item(f"[{between.group(1)}, {between.group(2)}]", between.start(), between.end())
        if len(numbers) > 1 and not formulas:
            return _Item(", ".join(one.text for one in numbers), numbers[0].start, numbers[-1].end)
    items = sorted([*formulas, *numbers], key=lambda one: one.start)
    if not items:
        return None
    if kind not in SINGLE_KINDS and formulas:
        return formulas[0] if first else formulas[-1]
    if first:
        return items[0]
    for pattern in (STRONG, _STATES):
        verbs = [
            m
            for m in pattern.finditer(text)
            if m.end() <= items[-1].start + 1 and not any(one.start <= m.start() < one.end for one in formulas)
        ]
        if verbs:
            after = [one for one in items if one.start >= verbs[-1].end() - 1]
            if after:
                return after[0]
    timeless = [
        one
        for one in items
        if not (re.fullmatch(r"[12]\d{3}", one.text) and _IN_YEAR.search(text[max(0, one.start - 40) : one.start]))
    ]
    return (timeless or items)[-1]


def _clocks(text: str, kind: str) -> list[_Item]:
    """Dates; or times, and where a ratio is asked for also "1 to 2"."""
    if kind == "date":
        return [_Item(text[start:end], start, end) for start, end in dates_in(text)]
    matches = [*_COLONS.finditer(text), *(_PARTS.finditer(text) if kind == "ratio" else ())]
    found = [_Item(match.group(), *match.span()) for match in matches]
    usable = [one for one in found if read_time(one.text) is not None or (kind == "ratio" and one.text[0].isdigit())]
    return sorted(usable, key=lambda one: one.start)


def _coordinates(text: str) -> _Item | None:
    """A point given by its coordinates: "x = 2 and y = 3"; the last one where there are several."""
    found = list(_COORDINATES.finditer(text))
    if not found:
        return None
    values = [value.rstrip(".") for value in found[-1].groups() if value is not None]
    return _Item(f"({', '.join(values)})", *found[-1].span())


def _shape(text: str) -> str:
    readings, _ = readings_of(strip_dress(text))
    return readings[0].op if readings else ""


def _bracketed(text: str) -> _Item | None:
    """The last bracketed tuple or interval in plain text that can be read."""
    for match in reversed(
        list(re.finditer(r"[(\[][^()\[\]]{1,80}[)\]](?:\s*(?:U|∪|\\cup)\s*[(\[][^()\[\]]{1,80}[)\]])*", text))
    ):
        if "," in match.group() and readings_of(match.group())[0]:
            return _Item(match.group(), *match.span())
    return None


def _formulas(text: str, kind: str) -> list[_Item]:
    """Delimited formulas, and bare LaTeX where there is none, that can be read as such a kind."""
    found = []
    for match in _MATH.finditer(text):
        group = next(index for index in range(1, 6) if match.group(index) is not None)
        percent = re.match(r"\s*(?:\\?%|percent\b|pct\b)", text[match.end() :])
        content = match.group(group) + (" %" if percent and "%" not in match.group(group) else "")
        if readable(content, kind):
            found.append(_Item(content, match.start(group), match.end(group)))
    if not found:
        bare = [_BARE_LATEX, _BARE_SIGNS, *([_BARE_EQUATION] if kind == "equation" else [])]
        found = [
            _Item(m.group(), *m.span())
            for one in bare
            for m in one.finditer(text)
            if readable(m.group().strip(), kind)
        ]
        found.sort(key=lambda one: one.start)
    if kind in SINGLE_KINDS:
        valued = [
            one for one in found if any(char.isdigit() for char in one.text) or re.search(r"\\pi|π|pi", one.text)
        ]
        found = [one for one in valued if _states_value(one.text)]
    return found


def _states_value(text: str) -> bool:
    """Whether a formula is a value, or a relation that gives one."""
    readings, _ = readings_of(strip_dress(text))
    if not readings:
        return True
    node = readings[0]
    return node.op != "rel" or value_side(node) is not None


def _numbers(text: str, kind: str, taken: list[tuple[int, int]]) -> list[_Item]:
    """Plain numbers outside the formulas, with sign, money and per cent; or number words."""
    found: list[_Item] = []
    covered = bytearray(len(text) + 1)
    for start, end in taken:
        covered[start:end] = b"\1" * (end - start)
    free = [match for match in _NUMBER.finditer(text) if not covered[match.start()]]
    if len(free) > 2 * MAX_VALUES:  # those at both ends are read
        free = free[:MAX_VALUES] + free[-MAX_VALUES:]
    for match in free:
        if _ECHO.search(text[max(0, match.start() - 24) : match.start()]) or _DENIED.search(
            text[max(0, match.start() - 24) : match.start()]
        ):
            continue
        start, end = match.span()
        if found and start < found[-1].end:  # the 8 of "3 out of 8"
            continue
        written, scale = _written(match), scale_after(text, end)
        whole = _OUT_OF.match(text, end) if match.group("bottom") is match.group("unit") is None else None
        if whole is not None:  # "3 out of 8": three of them, or three eighths
            share = kind in ("rational", "decimal", "percent")
            written, end = f"{written}/{whole.group(1)}" if share else written, whole.end()
        if re.match(r"[-−]\s", match.group()) and _LABEL.search(text[max(0, start - 24) : start]):
            written = written.lstrip("-")  # "Answer - 12"
        if not match.group("sign") and negative(text, start):
            written = "-" + written
        found.append(_Item(written + scale[0], start, max(end, scale[1])))
    if len(found) > MAX_VALUES:
        found = found[: MAX_VALUES // 2] + found[-MAX_VALUES // 2 :]
    if not found:
        for match in _WORDS.finditer(text):
            value = number_words(match.group().lower())
            of_them = found and _OF_THE.fullmatch(text, found[-1].end, match.start())  # "three of the five"
            if value is not None and not of_them:
                found.append(_Item(str(value), *match.span()))
        if len(found) > 1:
            found = [one for one in found if one.text != "1"] or found
    return found


def _written(match: re.Match[str]) -> str:
    text = match.group("digits")
    if match.group("sign") and match.group("sign").strip() in "-−":
        text = "-" + text
    raised = match.group("raised")
    exponent = match.group("power") or match.group("exp") or (raised and raised.translate(_RAISED))
    if exponent:
        text += "e" + exponent.replace("−", "-").replace("+", "")
    if match.group("bottom"):
        text += "/" + match.group("bottom")
    if match.group("unit"):
        text += "%" if match.group("unit").strip() not in "°º" else "°"
    elif match.group("money"):
        sign = match.group("money").strip()
        sign = "$" if sign in ("$", "US$", "S") else sign
        text = sign + text if not text.startswith("-") else f"-{sign}{text[1:]}"
    return text
