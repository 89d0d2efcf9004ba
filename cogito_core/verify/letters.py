"""Which option a response settles on: letters, option texts, and their contradictions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogito_core.verify import candidates
from cogito_core.verify.choice import LETTERS
from cogito_core.verify.clean import strip_dress
from cogito_core.verify.letter_patterns import (
    ALTERNATIVE,
    CONDITIONAL,
    CORRECTED,
    DISMISSES,
    HEDGED,
    JUDGES,
    LISTED,
    NONE_OF,
    TRIES,
    bare_article,
    negated,
    patterns,
    small,
)
from cogito_core.verify.reply import MAX_PHRASES, MAX_VALUE, Reply
from cogito_core.verify.verdict import Candidate, Extraction

_SEVERAL = re.compile(
    r"(?:\b(?:answers?|options?|choices?|statements?)|答案|选项?)(?:\s+(?:is|are))?\s*[:：是为]?\s*[\"'(\[*“]*"
    r"(?P<one>[A-Z](?:\s*(?:,|、|and|&|和)?\s*[A-Z])+)(?![A-Za-z])|"
    r"(?<![A-Za-z])(?P<two>[A-Z](?:\s*(?:,|、|and|&|和)\s*[A-Z])+)\s*(?:\*\*\s*$|are\s+(?:correct|true|right)\b)"
)


class _Reader(Reply):
    """The places of a response, strongest first."""

    def marked(self) -> Extraction | None:
        """Tags and boxes."""
        tags = list(candidates.tags(self.text))
        if tags:
            self.found.extend(tags)
            said = {self.pick(tag.text)[0] for tag in tags if tag.rule == tags[-1].rule == "answer tag"}
            if len(said - {""}) > 1 and not self.many:
                return self.conflict("two different answer tags", tags[-1].span)
            return self.inside(tags[-1])
        boxes = candidates.boxes(self.text)
        if not boxes:
            return None
        self.found.extend(boxes)
        named = [(self.pick(box.text), box) for box in boxes]
        letters = {pick[0] for pick, _ in named if pick[0]}
        last = boxes[-1]
        if self.many and len(letters) > 1 and all(len(letter) == 1 for letter in letters):
            between = self.text[boxes[0].span[1] : last.span[0]]
            if len(re.sub(r"\\+boxed|\\text|and|quad|[^A-Za-z]", "", between)) <= len(boxes):
                return self.done(", ".join(sorted(letters)), "boxes", last.span)
        if len(letters) > 1:
            lead = self.text[max(0, last.span[0] - 120) : last.span[0]]
            if (
                not re.search(r"final|therefore|thus|hence|answer", lead.rsplit("\n", 1)[-1], re.I)
                or "boxed" in lead.rsplit("\n", 1)[-1][:-8]
            ):
                return self.conflict("two different boxes", last.span)
        return self.inside(last)

    def inside(self, candidate: Candidate) -> Extraction | None:
        """The option a tag or a box names; an inner box goes first."""
        inner = candidates.boxes(candidate.text)
        if inner:
            offset = candidate.span[0]
            box = inner[-1]
            candidate = Candidate(
                box.text, candidate.rule, candidate.rank, (offset + box.span[0], offset + box.span[1])
            )
        letter, conflict = self.pick(candidate.text)
        if letter:
            bare = re.search(r"(?<![A-Za-z])[A-Z](?![A-Za-z])", strip_dress(candidate.text))
            stated = None if bare or self.many else self.phrased()
            if stated is not None and stated.text and stated.text != letter:
                return self.conflict(f"the letter {stated.text} against the text of option {letter}", candidate.span)
            return self.done(letter, candidate.rule, candidate.span)
        if conflict:
            return self.conflict(conflict, candidate.span)
        if len(candidate.text) < 300:
            phrased = self.phrased(candidate.text, candidate.span[0])
            if phrased is None:
                phrased = self.by_text(candidate.text, candidate.span[0], candidate.rule)
                marked = self.marks(candidate.text)
                if phrased is not None and len(marked) == 1 and phrased.text not in marked:
                    return self.conflict("a letter against the text of another option", candidate.span)
            if phrased is not None:
                stated = self.phrased()
                if (
                    phrased.text
                    and stated is not None
                    and stated.text
                    and stated.text != phrased.text
                    and not self.many
                ):
                    return self.conflict(
                        f"the letter {stated.text} against the text of option {phrased.text}", candidate.span
                    )
                return phrased
            stated = self.phrased()
            if stated is not None and stated.text and self.differs(candidate.text, stated.text):
                return self.conflict(f"{candidate.text[:40]!r} against the letter {stated.text}", candidate.span)
            if stated is not None:
                return stated
            return Extraction(strip_dress(candidate.text), candidate.rule, candidate.span, "", tuple(self.found))
        return None

    def whole(self) -> Extraction | None:
        """A response that is an option and nothing else, or begins or ends with such a line."""
        body = self.text.strip()
        start = self.text.find(body)
        if len(body) <= 400 and not re.search(r"\n\s*(?:[(\[]?[A-Z][)\].:]|\W*answer\b)", body, re.I):
            letter, conflict = self.pick(body)
            later = self.phrased(body[1:], start + 1) if letter else None
            if later is not None and later.text not in (None, letter):  # "A: eats plants ... so the answer is B"
                return None
            if letter:
                return self.done(letter, "whole response", (start, start + len(body)))
            if conflict == "several letters" and len(body) <= 40 and not re.search(r"[a-z]{4,}", body):
                return self.conflict(conflict, (start, start + len(body)))
            if conflict.startswith("the letter"):
                return self.conflict(conflict, (start, start + len(body)))
        return None

    def line(self, first: bool) -> Extraction | None:
        lines = [match for match in re.finditer(r"[^\n]+", self.text) if match.group().strip(" *#-_")]
        if len(lines) < 2:
            return None
        match = lines[0 if first else -1]
        piece = match.group().strip()
        if len(piece) > 200:
            return None
        # A listed option at the start is an echo of the list, not an answer.
        if (
            first
            and len(lines) > 1
            and re.match(r"\s*[(*]*B[).:*]", lines[1].group())
            and re.match(r"[(*]*A[).:*]", piece)
        ):
            return None
        if not first and len(lines) > 1 and self._listed(lines[-2].group(), piece):
            return None
        letter, conflict = self.pick(piece)
        if letter:
            return self.done(letter, "first line" if first else "last line", match.span())
        if conflict and not first:
            return self.conflict(conflict, match.span())
        return None

    def last_line(self) -> Extraction | None:
        return self.line(False)

    def first_line(self) -> Extraction | None:
        return self.line(True)

    def tail(self) -> Extraction | None:
        """A letter with its text at the very end, after a sentence: "... 5 kg. B. The red block"."""
        match = re.search(r"(?<=[.!?])\s+([(\[]?[A-Z](?:[)\].:]\s+[^\n]{1,200}?|[)\]]?\.?))\s*$", self.text[-260:])
        if match is None:
            return None
        at = max(0, len(self.text) - 260)
        letter, conflict = self.pick(match.group(1))
        span = (at + match.start(1), at + match.end(1))
        return self.done(letter, "last line", span) if letter else self.conflict(conflict, span) if conflict else None

    def _listed(self, before: str, piece: str) -> bool:
        """Whether two lines are neighbours in an echoed list of options."""
        shape = re.compile(r"[\s*\-(]*(?:Option\s+)?([A-Z])[).:*]")
        one, other = shape.match(before), shape.match(piece)
        return bool(one and other and ord(other.group(1)) - ord(one.group(1)) == 1)

    def phrased(self, text: str | None = None, offset: int = 0) -> Extraction | None:
        """Conclusion phrases: the last of the strongest rank."""
        text = self.text if text is None else text
        best: tuple[int, int, re.Match[str]] | None = None
        for rank, pattern in patterns(self.last):
            if best is not None and -rank < best[0]:
                break
            matches = [match for match in pattern.finditer(text)][-MAX_PHRASES:]
            said = [match.group(1).upper() for match in matches]
            if len(said) > 2 and said == list(LETTERS[: len(said)]):
                return self.conflict("an answer for every letter", matches[-1].span(1))
            for match in reversed(matches):  # the last one that counts
                if _dismissed(text, match) or (match.group(1) == "I" > self.last):  # I and II: Roman numerals
                    continue
                place = (-rank, match.start(1))
                if best is None or place > best[:2]:
                    best = (*place, match)
                break
        if best is None:
            return None
        match = best[2]
        letter, span = match.group(1).upper(), (offset + match.start(1), offset + match.end(1))
        if letter > self.last:
            return self.conflict(f"the letter {letter} is no option", span)
        self.found.append(Candidate(letter, "answer phrase", candidates.PHRASE, span))
        after = text[match.end(1) : match.end(1) + 200]
        other = ALTERNATIVE.match(after)
        if other and other.group(1) != letter and not self.many:
            return self.conflict(f"{letter} or {other.group(1)}", span)
        corrected = CORRECTED.match(after)
        if corrected and corrected.group(1) != letter and not self.many:
            return self.conflict(f"{letter}, then {corrected.group(1)}", span)
        hedge = HEDGED.match(after)
        if hedge and letter not in hedge.groups() and not self.many:
            return self.conflict(f"{letter}, but perhaps {hedge.group(1) or hedge.group(2)}", span)
        joined = re.match(r"[)\]*]*\s*(?:,|and|&|和)\s*[(\[*]*([A-J])[)\]*]*(?=[\s.,*\"')]|$)(?![\w])", after)
        if (
            joined
            and joined.group(1) != letter
            and not re.match(r"[)\]*]*\s*,\s*[A-Z]\w", after)
            and not bare_article(after, joined)
        ):
            if self.many:
                more = [
                    letter,
                    joined.group(1),
                    *re.findall(
                        r"(?:,|and|&)\s*[(\[*]*([A-J])[)\]*]*(?![\w])", after[joined.end() : joined.end() + 30]
                    ),
                ]
                return self.done(", ".join(sorted(set(more))), "answer phrase", span)
            if joined.group(1) <= self.last:
                return self.conflict(f"{letter} and {joined.group(1)}", span)
        aside = re.match(r"[)\]*]*\s*\([^()\n]{1,40}\)\s*(?:and|or|,)\s*[(\[*]*([A-J])(?![A-Za-z'])", after)
        if aside and aside.group(1) != letter and not self.many:
            return self.conflict(f"{letter} and {aside.group(1)}", span)
        clash = self.clash(letter, after) or self.other_value(letter, text, match)
        if clash:
            return self.conflict(clash, span)
        return self.done(letter, "answer phrase", span)

    def several(self) -> Extraction | None:
        """Where several letters are asked for: the last list of them after an answer phrase, or called right."""
        found = [
            (match, letters)
            for match in list(_SEVERAL.finditer(self.text))[-MAX_PHRASES:]
            if len(letters := sorted(set(re.findall(r"[A-Z]", match.group("one") or match.group("two"))))) > 1
            and letters[-1] <= self.last
        ]
        if not self.many or not found:
            return None
        match, letters = found[-1]
        return self.done(", ".join(letters), "answer phrase", match.span())

    def yes_no(self) -> Extraction | None:
        """Options yes and no: the first word, or the first word of the answer phrase, says it."""
        plain = [re.sub(r"\W", "", key) for key in self.keys]
        if sorted(plain) not in (["no", "yes"], ["false", "true"]):
            return None
        for piece, start in [
            *((c.text, c.span[0]) for c in candidates.phrases(self.text)[::-1]),
            (self.text.strip(), 0),
        ]:
            match = re.match(r"[\s*\"'(\[]*(yes|no|true|false)\b", piece, re.I)
            if match and match.group(1).lower() in plain:
                return self.done(
                    LETTERS[plain.index(match.group(1).lower())], "option text", (start, start + match.end())
                )
        return None

    def concluding(self) -> Extraction | None:
        """The sentence that settles on an option: one that judges, one that concludes, then the last one."""
        spans = [span for span in candidates.sentences(self.text) if not LISTED.match(self.text[span[0] : span[1]])]
        pieces = [(span, self.text[span[0] : span[1]]) for span in spans]
        concludes = [item for item in pieces[::-1] if candidates.concludes(item[1])][:3]
        judges = [item for item in pieces[::-1] if JUDGES.search(item[1]) and not DISMISSES.search(item[1])]
        final = [item for item in pieces[-1:] if not DISMISSES.search(item[1])]
        for span, piece in dict.fromkeys((*concludes[:1], *judges[:2], *concludes[1:], *final)):
            if self.refuses(piece) or TRIES.search(piece):
                continue
            marked = self.marks(piece)
            if len(marked) == 1:
                return self.done(marked.pop(), "conclusion", span)
            found = self.by_text(piece, span[0], "conclusion text") if (span, piece) in pieces[-3:] else None
            if found is not None:
                return found
        return None

    def anywhere(self) -> Extraction | None:
        """The only letter in brackets, or the only option text, in the last paragraph or the whole response."""
        body = self.text.strip()
        for piece in dict.fromkeys((body.rsplit("\n\n", 1)[-1], body)):
            start = self.text.rfind(piece)
            marked = self.marks(piece)
            if len(marked) == 1:
                letter = marked.pop()
                place = max(0, piece.find(letter))
                return self.done(letter, "only letter", (start + place, start + place + 1))
            if len(marked) > 1:
                return None
            if len(piece) < 600 and not self.refuses(piece):
                found = self.by_text(piece, start, "only option text")
                if found is not None:
                    return found
        return None


_AT_FIRST = re.compile(
    r"\b(?:initially|originally|at first|first)\b(?:(?!\b(?:but|however|then|now|so)\b)[^.\n]){0,40}$", re.I
)


def _dismissed(text: str, match: re.Match[str]) -> bool:
    """Whether a conclusion phrase does not settle on its letter: an article, a negation, a condition."""
    start = match.start(1)
    return (
        bare_article(text, match)
        or negated(text, start)
        or small(text, match)
        or bool(CONDITIONAL.search(text[max(0, match.start() - 600) : start]))
        or bool(CONDITIONAL.search(text[max(0, match.start() - 600) : match.start()]))
        or bool(_AT_FIRST.search(text[max(0, match.start() - 40) : start]))
        or bool(NONE_OF.search(text[max(0, start - 60) : start]))
        or bool(re.search(r"\b(?:not|isn't|incorrect|wrong)\b", match.group()[: start - match.start()], re.I))
    )


def extract_choice(text: str, choices: Sequence[str], many: bool = False) -> Extraction:
    """The option (or options) that `text`, thinking already blanked, settles on."""
    reader = _Reader(text, choices, many)
    if not text.strip():
        return Extraction(None, "none", None, "the response is empty")
    marked = reader.marked()
    if marked is not None:
        return marked
    if _is_list(text, len(choices)):
        return Extraction(None, "none", None, "a list of the options and nothing else")
    steps = (
        reader.whole,
        reader.several,
        reader.yes_no,
        reader.phrased,
        reader.tail,
        reader.last_line,
        reader.first_line,
    )
    for step in steps:
        found = step()
        if found is not None:
            return found
    for candidate in reversed(candidates.phrases(text)):
        if reader.refuses(candidate.text):
            return reader.nothing("refusal")
        if CONDITIONAL.search(text[max(0, candidate.span[0] - 600) : candidate.span[0]]):
            continue
        found = reader.by_text(candidate.text, candidate.span[0], "answer phrase")
        if found is not None:
            letters = reader.marks(candidate.text)
            if len(letters) == 1 and found.text not in letters:
                return reader.conflict("a letter against the text of another option", candidate.span)
            return found
    spans = candidates.sentences(text)
    if any(reader.refuses(text[start:end]) for start, end in spans[-2:]):
        return reader.nothing("refusal")
    return reader.concluding() or reader.anywhere() or _short_value(text, choices) or reader.nothing()


_MARK = re.compile(r"(?:^|[\s,;:(（])([A-Z])\s?[).:：）]\s*(?=\S)")


def _is_list(text: str, count: int) -> bool:
    """Whether a response only repeats the options: every letter in its order, a short heading at most before them."""
    marks = list(_MARK.finditer(text))
    said = "".join(match.group(1) for match in marks)
    if len(said) < 2 or said != LETTERS[: count or len(said)]:
        return False
    before, after = text[: marks[0].start()].strip(), text[marks[-1].end() :].strip()
    heading = re.fullmatch(r"(?:[\w'’]+\s+){0,6}[\w'’]+\s*[:：]", before.strip("*# ")) is not None
    return (not before or heading) and "\n" not in after and re.search(r"[.!?;]\s+\S", after) is None


def _short_value(text: str, choices: Sequence[str]) -> Extraction | None:
    """A short response without a letter may be an option's value in another form: 120/17 for \\frac{120}{17}."""
    body = re.sub(r"^(?:therefore|thus|hence|so)\b[,:]?\s*", "", text.strip(), flags=re.I)
    if not choices or len(body) > MAX_VALUE or "\n" in body or not any(char.isdigit() for char in body):
        return None
    start = text.find(body)
    return Extraction(body, "whole response", (start, start + len(body)))
