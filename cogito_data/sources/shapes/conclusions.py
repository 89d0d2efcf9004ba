"""The answer that a worked solution or a conclusion states, in English or Chinese, or a refusal.

A gold is taken only where its first and last word are certain: what is prose goes to the ledger, since every right
answer would be judged against words that are not the answer.
"""

from __future__ import annotations

import re
import unicodedata

from cogito_data.sources.base import Gold
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.shapes.golds import LONGEST_VALUE, canonical, counted, free_form, is_value
from cogito_data.sources.shapes.named_values import SYMBOL, asked_for, plain_symbols
from cogito_data.sources.shapes.options import choice_as_written, read_letter

_BOXED = re.compile(r"\\boxed\s*\{")
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_JOINED = re.compile(r"[\s$,，、;]*(?:or|and|或者?|和|与)?[\s$]*")
_STATED = re.compile(
    r"\b(?:answer|correct (?:option|choice))(?:\s+(?:to|for|of)\s+(?:the|this|your)\s+\w+)?"
    r"\s*(?:\b(?:is|equals|would be|should be)\b\s*:?|[:：=])\s*"
    r"|(?:正确)?(?:答案|选项)(?:应该?|就)?\s*(?:[是为]|[:：=＝])\s*[:：]?\s*"
    r"|(?<![一-鿿])答\s*[:：]\s*"
    r"|(?:故|应|因此|所以|∴|即|综上|正确)\s*[,，]?\s*[应该]*选\s*(?:择|项)?\s*[是为]?\s*[:：]?\s*"
    r"|(?<![一-鿿])选\s*(?:择|项)?\s*[是为]?\s*[:：]?\s*(?=[(（]?[A-Z](?![A-Za-z]))",
    re.IGNORECASE,
)
_JUDGED = re.compile(
    r"(?:correct|right|wrong|incorrect|given|found|obtained|shown|unique|valid|reasonable|"
    r"as follows|below|above)\b",
    re.IGNORECASE,
)
"""`This answer is correct.` states none."""
_CJK = re.compile(r"[\u3400-\u9fff]")
_BREAK = re.compile(r"[。；;！]|[!?？](?=\s|$)|\.\s+(?=[A-Z\"'(])")

# What stands before a full stop without ending the sentence: a name or a number follows.
_BEFORE_A_NAME = frozenset(
    "dr mr mrs ms prof st mt ft no vs gen col lt capt sgt rev hon gov sen rep pres fr messrs approx fig eq vol ch "
    "sec nos e.g i.e cf".split()
)
# What may end a sentence or not.
_EITHER = frozenset(
    "etc inc ltd co corp jr sr ave blvd rd bros dept univ assoc est jan feb mar apr jun jul aug sept sep oct nov dec "
    "mon tue wed thu fri sat sun calif mass penn wash conn ariz ala fla mich minn tenn tex okla ill ind wis oz lb "
    "lbs pt qt gal sq cu hr hrs min mins ph.d m.d b.a m.a b.c a.d".split()
)
_OPENERS = frozenset(
    "it its he she they we you i this that these those there the a an because since so therefore thus hence as if "
    "when where while in on at by for from to according based however also both all option options".split()
)

_FILLER = re.compile(
    r"^(?:(?:therefore|thus|hence|then|so|indeed|simply|clearly|also|still|again|finally|just|obviously|of course|"
    r"in fact|definitely|certainly|as follows|因此|所以|则)\b\s*[,，:：]?\s*"
    r"|(?:option|choice|选项?)\s*(?=[(（]?[A-Z](?![A-Za-z])))+",
    re.IGNORECASE,
)
_APPROXIMATE = re.compile(
    r"^(?:(?:approximately|about|around|roughly|nearly|almost|approx)\b|\\approx|[≈~约])|大约|近似|左右|约[为是等]",
    re.IGNORECASE,
)
_PROSE = frozenset(
    "is are was were be been being am has have had do does did can could will would shall should may might must "
    "cannot isn't aren't doesn't don't can't appears appear seems seem shows show indicates indicate depicts "
    "represents suggests means therefore thus hence because since but however although though while if then than "
    "unless whether not neither nor either or that which who whose it they he she there this these those "
    "likely probably possibly unclear unknown between".split()
)
_ZH_PROSE = re.compile(r"[为是有需共]|等于|所以|因为|因此|故|或者?|如果|若|由于|可知|可得|根据|∵|∴|[，,：:、]")
_LONGEST = 8
_LONGEST_ZH = 12
_ENDS_IN_VALUE = re.compile(
    r"(?P<name>.*?)(?:\b(?:is|are|was|were|equals)\b|[为是]|等于|[=＝])\s*(?P<value>[^=＝为是]+)$", re.DOTALL
)
_FOLLOWS = re.compile(r"^\s*(?:所以|因此|因而|故|∴|综上|从而|于是|即|则|可得|得)")


def conclusion(row: Row, text: str, choices: tuple[str, ...], question: str) -> Gold:
    """The gold of a question whose solution or conclusion is given: a letter where there are options.

    Args:
        row: where it stands, for the sentence.
        text: the solution or conclusion.
        choices: the question's options, empty if none.
        question: its words; `x = 5` is the value 5 where they ask for x.

    Raises:
        BadRow: no answer is stated, or where it begins and ends is not certain.
    """
    if choices:
        return _option(row, text, choices)
    answer = asked_for(row, question, final_answer(row, text))
    if _LETTER.fullmatch(answer):
        raise row.fail(
            "unclear_gold", f"the gold is {answer[:40]!r} and the question shows no options: its letter may name one"
        )
    return counted(free_form(row, answer, units=True))


_LETTER = re.compile(
    r"[(（]?[A-H][)）.．:：]?|[(（][A-H][)）].*|[A-H][)）.．:：,，、]\s.*|[A-H]\s*[(（].*[)）]|.*\s[(（][A-H][)）]",
    re.DOTALL,
)


def _option(row: Row, text: str, choices: tuple[str, ...]) -> Gold:
    text = _plain(text)
    stated = _stated(row, text)
    if stated is None:
        # The whole conclusion is the option; a solution may start with A because it goes through all of them.
        if "\n" not in text:
            try:
                return choice_as_written(row, choices, _trimmed(text))
            except BadRow as error:
                if read_letter(text):
                    raise
                raise row.fail("unclear_gold", f"the conclusion names no option ({text[-60:]!r})") from error
        raise row.fail("unclear_gold", f"the solution states no final answer (it ends {text[-40:]!r})")
    stated = _FILLER.sub("", stated, count=1).strip()
    letter = re.match(r"[(（]?([A-Z])[)）]?\s*(?=[.。；;，,！]|正确|符合|$)", stated)
    try:
        return choice_as_written(row, choices, letter.group(1) if letter and _CJK.search(text) else stated)
    except BadRow:
        shorter = _trimmed(_BREAK.split(stated, maxsplit=1)[0])
        if shorter == stated or not shorter:
            raise
        return choice_as_written(row, choices, shorter)


def final_answer(row: Row, solution: str, *, label: bool = False) -> str:
    """The answer that a worked solution ends in.

    In the last `<answer>`, if there is one: the last `\\boxed{...}`, else what the last `answer is ...`,
    `Answer: ...` or `答案是...` states, else the value that the last `所以...` or the only sentence ends in, else
    the whole text if it is a phrase.

    Args:
        row: where it stands.
        solution: the text.
        label: the text is a short answer of people, which may be any words; only the statements are looked for.

    Raises:
        BadRow: the solution states no answer in any of these ways, or what it states is prose.
    """
    text = _plain(solution)
    stated = _stated(row, text)
    if stated is None and label and len(text.split()) <= _LONGEST:
        return text
    if stated is None:
        stated = _closing(text)
    if stated is None:
        raise row.fail("unclear_gold", f"the solution states no final answer (it ends {solution.strip()[-40:]!r})")
    answer = _certain(row, stated, boxed=bool(_BOXED.search(text)))
    if not answer:
        raise row.fail("empty_gold", "the stated answer is empty")
    return answer


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    tagged = _TAGGED.findall(text)
    text = tagged[-1].strip() if tagged else text
    return re.sub(r"\*\*(.+?)\*\*", r"\1", text)


def _stated(row: Row, text: str) -> str | None:
    """What stands in the last box, else behind the last statement up to the line's end."""
    boxes = [(start.start(), start.end() + end, text[start.end() : start.end() + end - 1].strip())
             for start in list(_BOXED.finditer(text))[-8:] if (end := _closed(text[start.end() :]))]
    if boxes:
        (_, end, before), (at, _, last) = boxes[-2:] if len(boxes) > 1 else (boxes[0], boxes[0])
        if canonical(before) != canonical(last) and _JOINED.fullmatch(text[end:at]):
            raise row.fail("unclear_gold", f"the solution boxes two answers ({before!r} and {last!r})")
        return _unwrapped(last)
    statements = [found for found in _STATED.finditer(text) if not _JUDGED.match(text, found.end())]
    return text[statements[-1].end() :].split("\n", 1)[0].strip() if statements else None


def _unwrapped(text: str) -> str:
    found = re.fullmatch(r"\\(?:text|textbf|mathrm|mathbf|textrm)\s*\{([^{}]*)\}", text.strip())
    return found.group(1).strip() if found else text.strip()


def _closing(text: str) -> str | None:
    """The value that the last sentence ends in, or the text itself if it is one sentence."""
    sentences = [part.strip() for part in re.split(r"[。；;\n]|\.\s+(?=[A-Z])", text) if part.strip(" .")]
    if not sentences:
        return None
    last = _trimmed(sentences[-1])
    if len(last) > LONGEST_VALUE:
        return None
    if len(sentences) == 1 or _FOLLOWS.match(last):
        clause = re.split(r"[，,](?!\d{3})", last)[-1].strip() if _CJK.search(last) else last
        clause = _without_dollars(clause)
        if _APPROXIMATE.search(clause):
            return clause
        found = _ENDS_IN_VALUE.fullmatch(clause)
        if found and not _refuses(found.group("name")) and is_value(found.group("value")):
            equal = clause[found.end("name") : found.start("value")].strip() in ("=", "＝")
            named = re.search(rf"{SYMBOL}\s*$", plain_symbols(found.group("name"))) if equal else None
            return f"{named.group().strip()}={found.group('value')}" if named else found.group("value")
    words = len(text.split())
    # A phrase; four words with a full stop behind them are a sentence.
    return text if len(sentences) == 1 and (words <= 3 or (words <= _LONGEST and not text.endswith("."))) else None


def _without_dollars(text: str) -> str:
    """Without the marks of inline formulas; a single dollar is money."""
    return text.replace("$", "").strip() if text.count("$") % 2 == 0 else text


def _refuses(text: str) -> bool:
    """Whether a sentence that ends in a value does not state it: `not`, `if`, another equation."""
    words = set(text.lower().split())
    return bool({"not", "no", "if", "or"} & words) or any(sign in text for sign in ("不", "若", "或", "=", "＝"))


def _certain(row: Row, stated: str, boxed: bool) -> str:
    """A stated answer without what stands around it.

    Raises:
        BadRow: it is approximate, or prose, or its end is not certain.
    """
    if len(stated) > LONGEST_VALUE:
        raise row.fail("unclear_gold", f"the conclusion is prose ({stated[:60]!r})")
    answer = stated if boxed else _FILLER.sub("", _sentence(row, stated), count=1)
    answer = _without_dollars(answer.strip())
    if _APPROXIMATE.search(answer):
        raise row.fail("unclear_gold", f"the conclusion gives only an approximate value ({answer[:40]!r})")
    if _CJK.search(answer):
        answer = _chinese(row, answer)
    elif not is_value(answer) and not _EQUATION.fullmatch(answer):
        bare = re.sub(r"\\[a-zA-Z]+", " ", answer)
        words = set(re.findall(r"(?<![A-Za-z])[a-z]+(?:['’]t)?", bare))
        if len(bare.split()) > _LONGEST or _PROSE & words or _SENTENCE.match(bare) or re.search(r"</?\w+>", answer):
            raise row.fail("unclear_gold", f"the conclusion is prose ({answer[:60]!r})")
    return answer


_SENTENCE = re.compile(r"^(?:There|It|He|She|They|We|This|That|These|Those|Because|Since|If|(?:Yes|No),)(?![\w-])")
_EQUATION = re.compile(r"[^=＝]*[=＝][^=＝]*")


def _chinese(row: Row, answer: str) -> str:
    first, comma, rest = answer.partition("，")
    if comma and is_value(first) and _CJK.search(rest):
        answer = first
    if is_value(answer) or (not _ZH_PROSE.search(answer) and len(answer) <= _LONGEST_ZH):
        return answer
    if _EQUATION.fullmatch(answer) and not re.search(r"[，,]", answer) and is_value(re.split("[=＝]", answer)[1]):
        return answer
    raise row.fail("unclear_gold", f"the conclusion is prose ({answer[:60]!r})")


def _sentence(row: Row, text: str) -> str:
    """The text up to the end of its sentence. Raises BadRow where that end is not certain."""
    for found in _BREAK.finditer(text):
        if found.group() == "!" and re.search(r"(?:[\d)}]|\b[a-z])$", text[: found.start()]):
            raise row.fail("unclear_gold", f"{text[: found.end()][-40:]!r} may be a factorial")
        if found.group()[0] != ".":
            return _trimmed(text[: found.start()])
        before = re.search(r"\S*$", text[: found.start()])
        word = (before.group() if before else "").strip("($\"'").casefold()
        behind = re.match(r"[\"'(]*([A-Za-z]+)", text[found.end() :])
        opens = behind is not None and behind.group(1).casefold() in _OPENERS
        if not opens and (word in _BEFORE_A_NAME or (len(word) == 1 and word.isalpha())):
            continue
        if word in _EITHER or re.fullmatch(r"(?:[a-z]\.)+[a-z]", word):
            if opens:
                return text[: found.start() + 1]
            continue
        if (opens and word not in _BEFORE_A_NAME) or _ends_a_sentence(word):
            return _trimmed(text[: found.start()])
        raise row.fail("unclear_gold", f"it is not certain where the answer ends ({text[:60]!r})")
    return _trimmed(text)


def _ends_a_sentence(word: str) -> bool:
    # A number, a bracket, a sign, or a word that is too long and too well-formed to be cut short.
    return not word[-1:].isalpha() or (len(word) >= 5 and re.search(r"[aeiouy]", word) is not None)


def _trimmed(text: str) -> str:
    """Without the marks around it; `U.S.` and `Inc.` keep their full stop."""
    return without_full_stop(text.strip().strip("*。；;，, ").strip())


def without_full_stop(answer: str) -> str:
    """Short answers end in a full stop; `U.S.` and `and so on...` keep theirs."""
    if answer.endswith(".") and not re.search(r"(?:\b\w\.)\w\.$|\.\.$", answer):
        return answer[:-1].rstrip()
    return answer


def _closed(text: str) -> int:
    """How many characters a brace that is open already takes, the closing one included; 0 if it stays open."""
    depth = 1
    for at, sign in enumerate(text, 1):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0:
            return at
    return 0
