"""One response and the options it was given: what a piece of it names, by letter, by words or by value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogito_core.verify.choice import DENIES, LETTERS, MAX_OPTION, option_key, pick_many, pick_one
from cogito_core.verify.clause import reduce_clause
from cogito_core.verify.clean import fold_words, strip_dress
from cogito_core.verify.compare import Context, same
from cogito_core.verify.kinds import readings_of
from cogito_core.verify.letter_patterns import (
    REFUSAL,
    negated,
)
from cogito_core.verify.naming import value_side
from cogito_core.verify.surroundings import is_bare
from cogito_core.verify.tree import Node, symbols
from cogito_core.verify.verdict import Candidate, Extraction

MAX_VALUE = 60
_VALUED = re.compile(r"[\d½⅓¼¾π]|\\pi\b")
_REJECTED = re.compile(
    r",\s+(?:and\s+|but\s+)?not\s+[^.,;:\n]{1,80}|\s+\(not\s+[^()\n]{1,80}\)|\s+rather than\s+[^.,;:\n]{1,80}"
)
_LISTED_LINE = re.compile(r"^\s*[|(*]*\s*[A-Z]\s?[|).:]", re.M)
_PLURAL = frozenset(["list", "group", "set", "rel", "union", "matrix"])
_DENIED_TEXT = re.compile(
    r"\b(?:not|no|never|isn t|neither|than|unlike|except|without|almost|half|nearly)\b[\w\s]{0,12}$"
)
_DENIED_AFTER = re.compile(
    r"[)\]*\s]*(?:[^.\n]{0,30}?)\b(?:(?:is|are|was|does|do|did|can|could|would|has)\s*(?:not\b|n't\b)|cannot\b|"
    r"(?:is|are|was)\s+(?:clearly\s+|also\s+)?"
    r"(?:too\s+\w+|incorrect|wrong|false|excluded|eliminated|ruled out|impossible|invalid))"
)
_VALUE_BEFORE = re.compile(r"(?:答案|answer)\s*(?:是|为|is)\s*([^，,。.\n]{1,20})[，,]\s*\S{0,6}$", re.I)
_LABELS = re.compile(r"\b(?:side|angle|line|segment|triangle|vertex|circle|length|radius|edge|height|base)\s*$", re.I)
MAX_PHRASES = 60
"""Of more conclusion phrases or marked letters the last ones are looked at."""


def _valued(choice: str) -> tuple[Node, ...]:
    """What an option stands for where it is a number or formula; () where it is words."""
    text = strip_dress(choice)
    if len(text) > MAX_VALUE or not re.search(r"\d|\\|π|√", text):
        return ()
    nodes = readings_of(text)[0][:2]
    runs = re.findall(r"[A-Za-z]{3,}", re.sub(r"\\[A-Za-z]+", " ", text))
    if any(set(run) <= symbols(node) for run in runs for node in nodes):
        return ()  # "RFT U13B" is a name, no product of letters
    return nodes


class Reply:
    """A response and its options. `found` collects the places that were looked at."""

    def __init__(self, text: str, choices: Sequence[str], many: bool) -> None:
        self.text, self.choices, self.many = text, choices, many
        self.keys = [option_key(choice) for choice in choices]
        self.values = [_valued(choice) for choice in choices]
        self.words = [
            "" if value or len(choice) > MAX_OPTION else fold_words(strip_dress(choice))
            for choice, value in zip(choices, self.values, strict=True)
        ]
        self.last = LETTERS[(len(choices) or 10) - 1] if len(choices) <= 26 else "Z"
        self.found: list[Candidate] = []

    def pick(self, piece: str) -> tuple[str, str]:
        """(letters, conflict) of a piece that should be an option and nothing else."""
        pick = (pick_many if self.many else pick_one)(piece, self.choices)
        if pick.picked and (self.many or len(pick.picked) == 1):
            return ", ".join(LETTERS[index] for index in sorted(pick.picked)), ""
        if pick.picked:
            return LETTERS[min(pick.picked)], ""
        if pick.conflict:
            return "", pick.conflict
        several = pick_many(piece, self.choices) if not self.many else pick
        if len(several.picked) > 1 or several.conflict:
            return "", several.conflict or "several letters"
        return "", ""

    def refuses(self, piece: str) -> bool:
        """Whether a piece declines to answer; with an option such as "none of the above" that phrase is an answer."""
        return bool(REFUSAL.search(piece)) and not any(REFUSAL.search(one) for one in self.choices)

    def done(self, letter: str, rule: str, span: tuple[int, int]) -> Extraction:
        return Extraction(letter, rule, span, "", tuple(self.found))

    def conflict(self, reason: str, span: tuple[int, int] | None = None) -> Extraction:
        return Extraction(None, "conflict", span, reason, tuple(self.found))

    def nothing(self, rule: str = "none") -> Extraction:
        return Extraction(
            None,
            rule,
            None,
            "no option is named" if rule == "none" else "the response declines to answer",
            tuple(self.found),
        )

    def differs(self, text: str, letter: str) -> bool:
        """Whether a value is another one than that letter's option; without a number only an option is a value."""
        if not _VALUED.search(text) and option_key(text) not in self.keys:
            return False
        index = LETTERS.index(letter) if letter in LETTERS else len(self.values)
        known = self.values[index] if index < len(self.values) else ()
        said = readings_of(strip_dress(text))[0] if len(text) <= MAX_VALUE else ()
        return bool(known and said) and all(same(a, b, Context()).equal is False for a in known for b in said)

    def other_value(self, letter: str, text: str, match: re.Match[str]) -> str:
        """A letter beside another value: "the answer is 7, that is option D" where D is 6, or a later bold 115."""
        before = _VALUE_BEFORE.search(text[max(0, match.start() - 40) : match.start()])
        bold = re.findall(r"\*\*([^*\n]{1,40})\*\*", text[match.end() :])
        for said in ([before.group(1)] if before else []) + bold[-1:]:
            if self.differs(said, letter):
                return f"the letter {letter} against {said.strip()!r}"
        return ""

    def clash(self, letter: str, after: str) -> str:
        """A letter followed by the text of another option."""
        index = LETTERS.index(letter)
        if self.keys and index >= len(self.keys):
            return ""
        match = re.match(r"\s*[)\]*}]*\s*(?:[.:,)]|[-–](?=\s))?\s*[\"'*(]*\s*([^\n]{1,200})", after)
        if not match:
            return ""
        words = re.split(r"(?<=[^\d])[.](?:\s|$)|\n", match.group(1))[0].strip(" *)\"'")
        key = option_key(words)
        if not key or (self.keys and key == self.keys[index]):
            return ""
        if re.match(r"(?:none of|neither|cannot be|can't be|not enough|unable)\b", key) and not (
            self.keys and self.keys[index].startswith(key[:8])
        ):
            return f"{letter} with a text that is no option"
        named = [other for other, one in enumerate(self.keys) if one and one == key]
        plain = re.match(r"[)\]*}\s.:,–-]{0,6}(\S[^\n]{0,58}?)(?:\.\s|\.?\s*$|\n)", after)
        if not named and plain and self.differs(plain.group(1), letter):
            return f"the letter {letter} against {words[:40]!r}"
        if named and index not in named:
            return f"the letter {letter} against the text of option {LETTERS[named[0]]}"
        return ""

    def by_text(self, text: str, offset: int, rule: str) -> Extraction | None:
        """The one option whose words stand in `text`, or whose value it states."""
        if not any(self.keys) or len(_LISTED_LINE.findall(text)) > 1:
            return None
        key = f" {fold_words(_REJECTED.sub(' ', text))} "
        hits = [index for index, one in enumerate(self.words) if one and len(one) < 300 and f" {one} " in key]
        hits = [
            index
            for index in hits
            if not any(
                other != index
                and self.words[index] != self.words[other]
                and f" {self.words[index]} " in f" {self.words[other]} "
                for other in hits
            )
        ]
        if hits:
            place = key.find(f" {self.words[hits[0]]} ")
            before, after = key[:place], key[place + len(self.words[hits[0]]) + 1 :]
            if DENIES.match(after):
                return None
            if _DENIED_TEXT.search(before) and not self.words[hits[0]].startswith(("no", "not")):
                return None
        elif any(self.values):
            hits = self.by_value(text, first=rule == "answer phrase")
        if not hits or len({self.keys[index] for index in hits}) != 1:
            return None
        return self.done(LETTERS[hits[0]], rule, (offset, offset + len(text)))

    def by_value(self, text: str, first: bool) -> list[int]:
        """The options that equal the value which a box or a sentence states."""
        said = strip_dress(text)
        nodes = readings_of(said)[0] if len(said) <= MAX_VALUE else ()
        if not nodes:
            plural = any(value and value[0].op in _PLURAL for value in self.values)
            kind = "expression" if plural else "quantity"
            item = reduce_clause(text, kind, first)
            if item is None or not is_bare(text, item.start, item.end):
                return []
            nodes = readings_of(strip_dress(item.text))[0]
        stated = [value if node.op == "rel" and (value := value_side(node)) else node for node in nodes[:2]]
        return [
            index
            for index, known in enumerate(self.values)
            if known and any(same(one, other, Context()).equal for one in known for other in stated)
        ]

    def marks(self, piece: str) -> set[str]:
        """Letters marked as options in a sentence: (B), **B**, option B."""
        found = set()
        marks = re.finditer(
            rf"(?:[(\[（]|\*\*\(?)\s*([A-{self.last}])\s*(?:[)\]）]|\)?\*\*)|\b(?:[Oo]ption|[Cc]hoice)\s+\(?([A-{self.last}])\b",
            piece,
        )
        for match in list(marks)[-MAX_PHRASES:]:
            letter = match.group(1) or match.group(2)
            start = match.start(1) if match.group(1) else match.start()
            if self.keys and _LABELS.search(piece[max(0, match.start() - 12) : match.start()]):
                continue
            if not negated(piece, start) and not _DENIED_AFTER.match(piece, match.end()):
                found.add(letter)
        if not found and not self.keys:  # "Point C", where no option texts are known
            found = {
                m.group(1)
                for m in re.finditer(
                    rf"\b(?:[Pp]oint|[Bb]ox|[Ii]mage|[Pp]icture|[Ff]igure|[Pp]anel)\s+\"?([A-{self.last}])\b", piece
                )
                if not negated(piece, m.start()) and not _DENIED_AFTER.match(piece, m.end())
            }
        return found
