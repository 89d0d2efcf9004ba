"""The phrases in which a response settles on a letter, dismisses one, or declines."""

from __future__ import annotations

import re
from functools import lru_cache

# Counted repeats that give nothing back: the work per place is bounded, whatever is written there.
_OPEN = (
    r"[\s*_:\"'“‘`$#]{0,24}+(?:\\\(|\\\[|\\boxed\{|\\text(?:bf|rm)?\s{0,4}+\{|\\mathbf\{|\\mathrm\{){0,4}+"
    r"[\s*_\"'`]{0,12}+"
)


REFUSAL = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|unable to|impossible to|not possible to|"
    r"difficult to)\s+(?:be\s+)?(?:accurately\s+|definitively\s+)?"
    r"(?:determined?|answer|answered|tell|identif|calculat|solved?|provide|help|concluded?|give|see|view|ascertain)|"
    r"\b(?:is|are|was) not (?:provided|listed|given|present|available|among|one of|included|in) (?:in |"
    r"among )?(?:the |these |any of the )?(?:question|options|choices|answer|given)|"
    r"\b(?:option|answer|choice)s?\b[^.\n]{0,30}\b(?:is|are) not (?:provided|listed|given|available|present|"
    r"included)|"
    r"\b(?:is|are) (?:not|n't) (?:an? )?(?:valid |available |given )?(?:option|choice|available)|\b(?:mistake|"
    r"error) in the (?:question|problem|(?:provided |given )?(?:choices|options))|"
    r"\bnone of the (?:above|options|choices|given)|\bno (?:correct )?(?:answer|option)|not enough information|"
    r"insufficient information|"
    r"\b(?:does|do|did|is|are) not (?:provide|contain|include|give|have|provided|given|"
    r"enough)\b[^.]{0,40}\b(?:information|data|context|details?)\b|"
    r"\btoo (?:blurry|small|dark|unclear) to (?:read|see|tell)\b|\bplease (?:upload|provide|share)\b|"
    r"\bi'?m sorry\b|\bsorry\b|无法|选项(?:字母)?[是为：:]?\s*无|"
    r"(?:选项|答案)都?不(?:正确|存在)|没有(?:正确)?(?:的)?(?:选项|答案)",
    re.I,
)


NEGATED = re.compile(
    r"(?:\bthan|\bnot|n't|\bneither|\bnor|\bexcept|\bwrong|\bincorrect|\brather than|\binstead of|"
    r"\beliminat\w*|(?<!be )(?<!is )(?<!are )\brul\w+ out|不是|不选)\s*(?:be\s+|the\s+)?"
    r"(?:(?:option|choice|point|box|image|picture|figure)\s+)?[^\w.;!?\n]*$",
    re.I,
)


CONDITIONAL = re.compile(
    r"(?:^|[.\n!?]\s*)(?:[-*]\s*)?(?:if|assuming|suppose|otherwise|were|please)\b[^.\n]*$|"
    r"\bplease\s+(?:choose|select|pick)\b[^.\n]*$",
    re.I,
)


NONE_OF = re.compile(r"\b(?:none|neither|any) of\b(?:(?!\b(?:so|therefore|thus|hence|answer)\b)[^.\n])*$", re.I)


LISTED = re.compile(r"\s*[-*]?\s*[(\[]?[A-Z][)\].:]\s")


JUDGES = re.compile(
    r"\b(?:most|best|correct|closest|nearest|match(?:es)?|likely|corresponds?|closer|more (?:accurate|similar|"
    r"suitable)|same|fits)\b",
    re.I,
)


TRIES = re.compile(
    r"^\W{0,12}(?:let's|let us|suppose|assume|if|test|try|check|consider)\b|\bwould\s+(?:have|be)\b|\bplease\b", re.I
)


DISMISSES = re.compile(
    r"\b(?:less|not|n't|different|unlikely|farther|further|incorrect|wrong|whereas|on the other hand|cannot|"
    r"neither|however)\b|n't\b",
    re.I,
)


ALTERNATIVE = re.compile(
    r"[\s*)(\]\"'.,]*(?:\b(?i:or)\b|/|\band/or\b|或)\s*(?:possibly\s+|maybe\s+|option\s+|choice\s+)?\W{0,3}([A-J])(?![A-Za-z'])"
)


HEDGED = re.compile(
    r"[)\]*]*\s*,?\s*(?:but|although|though)\s+(?:it\s+(?:could|might|may)\s+(?:also\s+)?be\s+\(?([A-J])(?![A-Za-z'])|"
    r"\(?([A-J])\)?\s+(?:is\s+also|could|might|may)\b)"
)
CORRECTED = re.compile(r"[)\]*]*[.?]?\s+(?:No|Wait|Actually|Sorry)\b[^.\n]{0,20}?\b([B-J])\b")
_AFTER_BARE_ARTICLE = re.compile(
    r"\s+(?!is\b|because\b|since\b|as\b|which\b|for\b|and\b|or\b|due\b|with\b|where\b)[a-z]"
)


@lru_cache(maxsize=64)
def patterns(last: str) -> tuple[tuple[int, re.Pattern[str]], ...]:
    """Conclusion phrases with their rank for letters A to `last`; the first and strongest reads every letter."""
    any_letter = r"(?:[(\[（{]\s*)?([A-Za-z])\s*[)\]）}]?(?![A-Za-z0-9'’])(?!\s?[=+*^/]\s?\w)"
    letter = rf"[(\[（]?\s*([A-{last}])\s*[)\]）]?(?![A-Za-z0-9'’])(?!\s?[=+*^/]\s?\w)"
    noun = (
        r"(?:answers?|ans(?=\s*[.:=])|(?:final\s+decision|key)(?=\s*:)|option|choice|(?:options|choices)(?=\s+are)|"
        r"selection|response|letter|guess|(?:right|correct|best)\s+one|"
        r"选项|答案|réponse|respuesta|antwort)"
    )
    says = r"应该?[为是]|is|are|was|would be|should be|must be|has to be|can only be|ought to be|will be|est|es|ist"
    surely = r"(?i:(?:most likely|probably|clearly|therefore|thus|likely|definitely|for sure|indeed|still)\s*)?"
    option = r"(?i:(?:option|choice|letter)\s*)?"
    right = (
        r"(?:answer|correct option|correct choice)\b|correct|right|best|final|appropriate|closest|matching|"
        r"most (?:appropriate|likely|suitable|logical|accurate)"
    )
    lead = (
        r"i think|i believe|it'?s|it is|must be|should be|would be|corresponds? to|matches|match|points? to|leads to|"
        r"aligns with|supports|therefore|thus|hence|so|conclusion|because"
    )
    link = r"(?i:(?:it'?s|it is|that is|this is|is)\s+)?"
    stated = (
        r"(?i:(?:\b|(?<=[\u3400-\u9fff]))"
        r"(?:final|correct|right|best|appropriate|most likely|likely|closest|matching)?"
        rf"\s*{noun}(?:\s+{noun}){{0,3}}"
        rf"(?:\s+(?:to|for|that|which|from|among|of|here|in)\b[^.\n:]{{0,80}}?)?\s*\**\s*(?:\b(?:{says})\b|[:：=]|(?<=\s)[-–—](?=\s)|是|为|选))\s*"
        rf"{surely}{_OPEN}(?i:(?:option|choice|letter|answer|the|选项)\s*){{0,4}}{_OPEN}{any_letter}"
    )
    chosen = (
        r"(?:(?i:\b(?:choos(?:e|ing)|select(?:ing)?|pick(?:ing)?|go(?:ing)? with|settl(?:e|ing) on|opt(?:ing)? for|"
        r"finalize|chose))|(?:\b|[故应该以此题，,])选择?(?!项))"
        rf"\s*[:：]?\s*{_OPEN}{option}{_OPEN}{letter}"
    )
    called = (
        rf"(?<![A-Za-z0-9'’])(?i:(?:option|choice|answer)\s*)?[(\[（*]{{0,4}}([A-{last}])(?![A-Za-z0-9'’])[)\]）*]{{0,4}}"
        rf"(?:\s*[:.]?\s*[^.\n()A-Z]{{0,40}}?)?\s+(?i:remains\b|(?:is|must be|has to be)\s+"
        rf"(?:(?:therefore|thus|clearly|the)\s+){{0,3}}(?:{right}|one\s+that\b)(?:\s+(?:answer|option|choice|one|match))?\b)"
    )
    bracketed = (
        rf"(?i:\b(?:{lead})[:,]?)\s*{link}{_OPEN}(?i:(?:option|choice|letter|answer)\s*)?{_OPEN}"
        rf"[(\[（]\s*([A-{last}])\s*[)\]）]"
    )
    named = (
        r"(?i:\b(?:i think|i believe|it'?s|it is|corresponds? to|matches|match|aligns with|supports|therefore|thus|"
        r"hence|is)[:,]?)"
        rf"\s*(?i:(?:it'?s|it is|that is|this is|is|the|with|to)\s+){{0,4}}{_OPEN}(?i:(?:option|choice)\s*)"
        rf"{_OPEN}{letter}"
    )
    guessed = (
        rf"(?i:\b(?:i think|i believe|therefore|thus|hence|so)\b[^.\n]{{0,30}}?\b(?:it'?s|it is))\s*{_OPEN}{letter}"
    )
    forced = (
        rf"(?i:\b(?:it|this|that)\s+(?:must|should|has to|can only|ought to)\s+be)\s*{_OPEN}{option}{_OPEN}{letter}"
        r"(?=[\s*)\]}$]*(?:[.,;:!\n]|$|(?i:because|since|as|for)\b))"
    )
    ends = r"(?=[\s*)\]}$]*(?:[.;!\n]|$))"
    corrected = (
        r"(?i:\b(?:(?:no|wait|actually|correction|sorry|rather)\b[\s,.:;—–-]{1,4}"
        r"(?:actually\s+|that'?s wrong\W{1,3})?|(?:but|however)\b[^.\n]{0,40}?\b)"
        rf"(?:it|this|that)\s+(?:{says}))\s*{_OPEN}{option}{_OPEN}{letter}{ends}"
    )
    left_over = rf"(?i:\bleav(?:es|ing)\s+(?:us\s+)?(?:with\s+)?(?:only\s+)?)\s*{_OPEN}{option}{_OPEN}{letter}{ends}"
    curt = (
        r"(?im:(?:^|[.;!?,]\s)\s*(?:and\s+)?(?:therefore|thus|hence|so|probably|most\s+likely|answer|option|choice|it'?s|it\s+is)[,:]?\s+|"
        r"(?:=>|->|→|⇒|∴|\\(?:therefore|Rightarrow|implies))[\s$]*)"
        rf"{_OPEN}{option}{_OPEN}{letter}(?=[\s*)\]}}$]*[.!]?\s*(?:\n|$))"
    )
    alone = (
        rf"(?i:\bonly)\s+{_OPEN}{option}{_OPEN}{letter}\s+(?i:is\s+(?:consistent|possible|left|true)|fits?\b|matches\b|"
        r"works\b|satisfies\b|remains\b|agrees\b)"
    )
    better = (
        rf"(?<![A-Za-z0-9'’])[(\[（]?([A-{last}])(?![A-Za-z0-9'’])[)\]）]?\s+(?i:fits?|matches|suits|works|is)\s+"
        r"(?i:(?:much\s+|even\s+)?better\b(?!\s+than))"
    )
    instead = rf"(?i:,\s+but\s+(?:rather\s+)?)\s*{_OPEN}{option}{_OPEN}{letter}{ends}"
    fits = rf"(?<![A-Za-z0-9'’])[(\[（]?([A-{last}])[)\]）]?\s+(?i:fits|matches|works|applies)(?=[.!]?\s*(?:\n|$))"
    chinese = rf"(?<![A-Za-z])([A-{last}])\s*(?:选?项)?\s*是?正确(?!的?吗)"
    return tuple(
        (rank, re.compile(pattern))
        for rank, pattern in (
            (0, stated),
            (0, chosen),
            (0, called),
            (0, chinese),
            (0, corrected),
            (0, alone),
            (1, instead),
            (1, fits),
            (1, bracketed),
            (1, named),
            (1, guessed),
            (1, forced),
            (1, left_over),
            (1, curt),
            (1, better),
        )
    )


def bare_article(text: str, match: re.Match[str]) -> bool:
    """Whether an A or I is the English word: "the answer is A dog"."""
    letter, start, end = match.group(1), match.start(1), match.end(1)
    if letter not in "AI" or text[start - 1 : start] in "([（*$\"'{`" or text[end : end + 1] in ")]）.:*,;$\"'}`":
        return False
    return bool(_AFTER_BARE_ARTICLE.match(text[end : end + 24]))


def small(text: str, match: re.Match[str]) -> bool:
    """Whether a lower-case letter stands without brackets, box or end of line: then it is a word or a name."""
    if not match.group(1).islower():
        return False
    before, after = text[match.start(1) - 1 : match.start(1)], text[match.end(1) : match.end(1) + 3]
    return before not in ("(", "[", "（", "{") and not re.match(r"[.)*:\]}]?\s*(?:$|\n)|[).:]\s", after)


def negated(text: str, start: int) -> bool:
    """Whether a negation stands right before the place."""
    return bool(NEGATED.search(text[max(0, start - 30) : start]))
