"""Is a number in a sentence the value that is stated? What stands around it says: "at least 12" is not 12."""

from __future__ import annotations

import re

_BEFORE = re.compile(
    r"(?:\b(?:more|less|fewer|greater|larger|smaller|bigger|higher|lower|longer|shorter|other)\s+than(?:\s+or\s+equal\s+to)?"
    r"|\bat\s+(?:least|most|minimum|maximum|the\s+(?:least|most))|\bup\s+to|\bexceed(?:s|ed|ing)?|\babove|\bbelow|\bover|\bunder|\bbeyond"
    r"|\b(?:twice|thrice|double|triple|half|(?:square|cube)\s+(?:root\s+)?of|multiple\s+of|divisible\s+by|reciprocal\s+of)(?:\s+of)?"
    r"|\b(?:third|quarter|fifth|tenth|percent|per\s+cent|root|power|factor|inverse)\s+of|%\s+of|\btimes|\bplus|\bdivided\s+by|\bmultiplied\s+by"
    r"|(?:\b(?:not|cannot|never|neither|no\s+longer|impossible|wrongly|incorrectly|mistakenly)\b|n't\b)"
    r"(?:\s+(?:be|been|equal|equals|to|exactly|possible|reach|get|really|the|a|an|given|as|stated)){0,4}"
    r"|(?<![=\-])>|<|≤|≥|≠|√|∛|±|\\(?:neq?|geq?|leq?|lt|gt|sqrt|pm)\s?"
    r"|大于|小于|不是|不等于|至少为?|至多为?|最多|超过|不足|多于|少于|高于|低于)\s*[$*({}]{0,3}\s*$",
    re.I,
)
_AFTER = re.compile(
    r"[$*)]{0,3}\s*(?:"
    r"√|∛|π|\\pi\b|\\sqrt|[²³⁴⁵⁶⁷⁸⁹⁰]|!(?!\s*$)(?=\w)|\^|[+\-−×÷*/]\s?\$?\d|\+(?=[\s.,]|$)|~\s?\d|_\{?\d|\s\d{3}(?![\d,])"
    r"|(?:plus|minus|less|over|divided\s+by|multiplied\s+by|mod(?:ulo)?)\s+\$?[-\d]"
    r"|times\s+(?:\d|[a-z]\b|as\b|more\b|larger\b|greater\b|bigger\b)|squared\b|cubed\b|factorial\b|and\s+(?:a|one|three)\s+(?:half|quarters?|third)\b"
    r"|,?\s*(?i:or)\s+(?:more\b|less\b|fewer\b|rather\b|maybe\b|perhaps\b|possibly\b|\$?[-\d√\\(])|out\s+of\s+(?:every\s+)?\d|:\s?\d|and\s+\$?-?\d"
    r"|(?:(?:%|percent|per\s+cent)\s+)?of\s+\$?\d|at\s+(?:least|most|minimum|maximum)\b|(?:more|less|fewer)\s+than\b|\(?base\s+\d|k\b(?!\w)"
    r"|,?\s*but\s+(?:(?:it|that|this)\s+)?(?:is\s+|was\s+)?(?:not\b|isn't\b|wasn't\b)|only\s+if\b|if\b[^.\n]*\b(?:otherwise|else)\b|in\s+base\b|\((?:first|second)\b|without\b"
    r"|[万亿倍]|的\S{0,4}倍|或\s?\d|到\s?\d|至\s?\d)"
)
_SIGN_IN_WORDS = re.compile(r"\b(?:minus|negative)\s+$", re.I)
_SHORT = {"mn": "million", "mln": "million", "bn": "billion", "bln": "billion", "tn": "trillion", "trn": "trillion"}
_SCALE = re.compile(rf"\s+(?:hundred|thousand|million|billion|trillion)\b|\s?(?:{'|'.join(_SHORT)})\b", re.I)
_DOUBT_BEFORE = re.compile(
    r"\b(?:if|unless|suppose|supposing|assum\w+|let|let's|let us|try|guess\w*|whether|perhaps|maybe|"
    r"possibly|wrong\w*|incorrect\w*|some (?:people|students)|"
    r"(?:close|near|next) to|almost|near|fewer|opposite|negative of|logarithm|as (?:many|much) as|check)\b|"
    r"\b(?:might|could|may)(?:\s+(?:also|well|be|equal|have|reach)){1,3}\s*$|"
    r"假设|如果|若|不可能|不会|不到|不够|负\s*$|可能",
    re.I,
)
_DENIED_BEFORE = re.compile(r"\b(?:not|never|cannot|neither|nor)\b|n't\b", re.I)
_DENIED_LATER = re.compile(
    r"[^.!?\n]*?(?:\b(?:not|never|would|cannot|too (?:many|few|small|large|big|much|little|high|low)|wrong|incorrect|"
    r"impossible|excluded|short of|away from|in the (?:first|second) (?:case|row|one)|but (?:also|not)|plus|minus|"
    r"mod)\b|n't\b|不够|不对|一半)",
    re.I,
)
_REASON = re.compile(r",?\s+(?:because|since)\b|,\s+as\b|\s\((?:not\s+(?:counting|including)|since|because|as)\b")
"""Behind it stands why the value is the answer, not what it is."""
_GLUED = re.compile(r"\s?[·∶′₀-₉]|!(?=[,\w])|[a-zA-Z](?<![msghLVWNJ])(?![A-Za-z])")
"""Signs that change a number; of letters written right behind it all but the common units."""
REACH = 60


def is_bare(text: str, start: int, end: int) -> bool:
    """Whether nothing around text[start:end] makes another value, a bound or a denial of it."""
    before, after = text[max(0, start - REACH) : start], text[end : end + REACH]
    before = re.sub(r"\bnot\b[^,;]{1,30}\bbut\b", "", before)
    before = re.sub(r"(?:</?[a-z]{1,10}|\banswer)>\s*$", "", before)  # a tag of HTML is no bound
    quoted = re.fullmatch(r"\s*>\s*", before.rsplit("\n", 1)[-1])  # Markdown's quotation, no bound
    if not quoted and _BEFORE.search(before):
        return False
    clause = re.split(r"[.!?](?=\s)|[,;:\n，；。：]", text[max(0, start - 4 * REACH) : start])[-1]
    if after[:1] == "s" and re.fullmatch(r"[12]\d{3}", text[start:end]):  # the 1960s
        return False
    if re.search(r"\d[a-z]\s*=\s*\$?$|\d\s*(?:to|through|–|~)\s*\$?$", before):  # 2x = 10, 10 to 16
        return False
    if re.search(r"\b(?:all|every)\b[^.]{0,30}\b(?:but|except)\s+$|\b(?:multiple|divisor|factor)s\s+of\s+$", before):
        return False
    if _AFTER.match(after) or _DOUBT_BEFORE.search(clause):
        return False
    # "not 10 but 12" denies the 10, and "12, not 15" the 15.
    if _DENIED_BEFORE.search(re.split(r"\d|\bbut\b", clause)[-1]):
        return False
    later = _REASON.split(text[end : end + 2 * REACH], maxsplit=1)[0]
    if _DENIED_LATER.match(re.sub(r",\s+(?:and\s+)?not\s+.*|\s*\((?:and\s+)?not\s+[^()]*\)", "", later)):
        return False
    return not _GLUED.match(after)


def negative(text: str, start: int) -> bool:
    """Whether the number at `start` has its sign in words: "minus 2.5"."""
    return bool(_SIGN_IN_WORDS.search(text[max(0, start - REACH) : start])) and not re.search(
        r"\d\s*(?:minus|negative)\s+$", text[max(0, start - REACH) : start], re.I
    )


def scale_after(text: str, end: int) -> tuple[str, int]:
    """The scale that follows a number, in words, and where it ends: " million" also for "mn"; "" where none does."""
    match = _SCALE.match(text, end)
    if match is None:
        return "", end
    short = match.group().strip().lower()
    return f" {_SHORT.get(short, short)}", match.end()
