"""Released rules that compare values: MATH-Vision, EMMA, Geometry3K, MathVerse."""

from __future__ import annotations

import re

from cogito_core.verify.api import verify
from cogito_core.verify.clean import matching_brace
from cogito_core.verify.extract import extract
from cogito_core.verify.ladder import bounds
from cogito_core.verify.official.latex_value import value_at_two_places
from cogito_core.verify.official.row import LETTERS, Row, given, gold_letter, golds, options, text_of, verdict
from cogito_core.verify.reader import read
from cogito_core.verify.tree import Node, ReadError
from cogito_core.verify.verdict import Verdict
from cogito_core.verify.words import number_words

# MATH-Vision


def _evaluated(text: str) -> str:
    """A bracketed tuple or list with every entry rounded to two decimals; other text as it is."""
    if len(text) < 2 or (text[0], text[-1]) not in (("(", ")"), ("[", "]")):
        return text
    parts = text[1:-1].split(",")
    if len(parts) < 2:
        return text
    done = []
    for part in parts:
        if "infty" in part or part in ("a", "-a"):
            done.append(part)
            continue
        value = value_at_two_places(part, by_eval=True)
        if value is None:
            return text
        done.append(
            str(int(value))
            if value == int(value) and "." not in part and "frac" not in part and "/" not in part
            else str(value)
        )
    return f"{text[0]}{','.join(done)}{text[-1]}"


def mathvision_equal(one: str, other: str) -> bool:
    """MATH-V's is_equal (evaluation/utils.py): equal text in lower case, equal tuples, or equal values at two
    decimals."""
    one, other = one.lower(), other.lower()
    if not one.replace(" ", "") or not other.replace(" ", ""):
        return False
    if one.strip() == other.strip():
        return True
    one, other = _evaluated(one), _evaluated(other)
    if one == other:
        return True
    left, right = value_at_two_places(one, by_eval=True), value_at_two_places(other, by_eval=True)
    return left is not None and left == right


_MATHV_FLAGS = ("the final answer is", "the answer is", "the correct answer is", "the answer should be")


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def mathvision_answer(response: str) -> str:
    """MATH-V's extraction (evaluation/evaluate.py): letters at the ends, flags, the last box, then LaTeX dress
    off."""
    answer = response.strip()
    for c in "ABCDE":
        if answer.endswith((f" {c}.", f" ({c}).")) or answer.startswith((f"{c}\n", f"({c})\n", f"({c}) {c}\n")):
            answer = c
    tail = answer.split("is ")[-1].rstrip(".")
    if _is_float(tail):
        answer = tail
    if "oxed{" not in answer:
        for flag in _MATHV_FLAGS:
            for form in (flag, flag.replace("the", "The")):
                before = answer
                answer = answer.split(form)[-1].strip()
                if form in before:
                    answer = answer.split("\n")[0].split(". ")[0]
    elif answer.count("oxed{") > 1:
        answer = "\\boxed{" + answer.split("oxed{")[-1]
    answer = _mathv_formula(answer)
    for c in "abcde":
        answer = answer.replace(f"({c})", c)
    for c in "abcde":
        answer = answer.replace(f"{{{c}}}", c)
    return answer.rstrip(".").lstrip(":").strip()


def _mathv_formula(text: str) -> str:
    text = text.lower().replace("{}", "")
    found = re.findall(r"oxed{(.*)}", text, re.S)
    answer: str = found[-1] if found else text
    if "}" in answer and ("{" not in answer or answer.find("}") < answer.find("{")):
        answer = answer.split("}")[0]
    answer = answer.split("=")[-1].split("\\approx")[-1]
    for old, new in (
        (" ", ""),
        ("\\,", ""),
        ("∞", "\\infty"),
        ("+\\infty", "\\infty"),
        ("\\\\", "\\"),
        ("\n", ""),
        ("\\text", ""),
        ("\\mbox", ""),
        ("bmatrix", "pmatrix"),
        ("\\left", ""),
        ("\\right", ""),
        ("^{\\circ}", ""),
        ("^\\circ", ""),
        ("{m}^3", ""),
        ("m^3", ""),
        ("{units}", ""),
        ("units", ""),
        ("{km}", ""),
        ("km", ""),
    ):
        answer = answer.replace(old, new)
    for old, new in (
        ("\\!", ""),
        ("tfrac", "frac"),
        ("dfrac", "frac"),
        ("\\$", ""),
        ("$", ""),
        ("\\%", ""),
        (" .", " 0."),
        ("{.", "{0."),
    ):
        answer = answer.replace(old, new)
    answer = answer.split("\\text{ ")[0]
    if answer.startswith("."):
        answer = "0" + answer
    if "sqrt" in answer:
        # One sign becomes the root's and the fraction's argument; a root's degree is lost with it, as in the script.
        answer = re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", answer)
        answer = re.sub(r"\\frac([^{])([^{])", r"\\frac{\1}{\2}", answer)
    if answer == "0.5":
        answer = "\\frac{1}{2}"
    plain = re.fullmatch(r"(-?\d+)/(-?\d+)", answer)
    return f"\\frac{{{plain.group(1)}}}{{{plain.group(2)}}}" if plain else answer


def mathvision(row: Row) -> Verdict:
    """MATH-Vision: the extraction equals the gold's letter or its option's text."""
    gold = (golds(row) or [""])[0]
    texts = options(row)
    letter = gold_letter(row)
    content = texts[LETTERS.index(letter)] if letter and LETTERS.index(letter) < len(texts) else ""
    answer, ready = given(row)
    said = answer if ready else mathvision_answer(answer)
    right = mathvision_equal(gold, said) or mathvision_equal(content, said)
    return verdict("mathvision", right, f"{gold} {content}".strip(), said)


# EMMA


def emma_answer(response: str) -> str:
    """EMMA's fast_extract_answer (evaluation/evaluate.py): a letter or number alone, the last box, else an
    answer phrase."""
    response = response.strip()
    for letter in "ABCDEFGH":
        if response.upper() == letter or response.startswith((f"{letter}:", f"{letter}.")):
            return letter
    if _is_float(response):
        return response
    if "boxed{" in response:
        contents = []
        position = 0
        while (start := response.find("\\boxed{", position)) >= 0:
            end = matching_brace(response, start + 6)
            if end < 0:
                break
            contents.append(response[start + 7 : end])
            position = end
        if contents:
            inner = re.findall(r"\\text{(.*?)}", contents[-1])
            return (inner[-1] if inner else contents[-1]).strip()
    for flag in ("final answer is", "correct answer is", "answer should be", "answer is", "answer:"):
        if flag in response.lower():
            return response.lower().split(flag)[-1].strip().split("\n")[0].split(".")[0]
    return ""


_NUMBER_WORDS = frozenset(
    (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
        "billion point"
    ).split()
)


def emma_number(text: str) -> str | None:
    """The number of word2number, which EMMA's script calls: of all number words in the text, whatever stands between.

    Two numbers side by side are added ("one of the five" is 6), and a minus is lost.
    """
    words = [word for word in text.replace("-", " ").split() if word in _NUMBER_WORDS]
    if words and words[0] in ("hundred", "thousand", "million", "billion"):
        words = ["one", *words]
    value = number_words(" ".join(words))
    if value is None and len(words) == 2:
        pair = [number_words(word) for word in words]
        value = None if None in pair else sum(one for one in pair if one is not None)
    if value is None:
        return None
    return str(value) if value == int(value) else str(float(value))


def emma_equal(said: str, gold: str) -> bool:
    """EMMA's is_equal: equal text, a number in words, or equal values at two decimals.

    The script also compares expressions, behind a conversion to float that fails for every expression with a symbol:
    that step is never reached.
    """
    said, gold = said.lower(), gold.lower()
    if said.strip() == gold.strip():
        return True
    if emma_number(said) == gold.strip():
        return True
    left, right = value_at_two_places(said), value_at_two_places(gold)
    return left is not None and left == right


def emma(row: Row) -> Verdict:
    """EMMA: the extraction equals the gold or the content of the gold's option."""
    gold = (golds(row) or [""])[0]
    content = text_of(row, "gt_content")
    texts, letter = options(row), gold_letter(row)
    if not content and letter and LETTERS.index(letter) < len(texts):
        content = texts[LETTERS.index(letter)]
    answer, ready = given(row)
    said = answer if ready else emma_answer(answer)
    right = emma_equal(said, gold) or (bool(content) and emma_equal(said, content))
    return verdict("emma", right, gold, said)


# Geometry3K, MathVerse


def _near(text: str) -> float | None:
    try:
        node: Node = read(text.replace("π", "\\pi "))
    except ReadError:
        return None
    ends = bounds(node.args[0] if node.op in ("quantity", "deg") else node)
    try:
        return None if ends is None else float(ends[0])
    except OverflowError:
        return None


def geometry3k(row: Row) -> Verdict:
    """Geometry3K (Inter-GPS): right if no candidate value is nearer than the gold's; unsolved counts 0.25.

    An answer is wrong where the value of a candidate is not known, as in test.py of the release.
    """
    answer, ready = given(row)
    letter = gold_letter({**row, "gold": row.get("answer", row.get("gold"))}) or gold_letter(row)
    values = row.get("precise_value")
    candidates = (
        [_near(str(value)) for value in values]
        if isinstance(values, list)
        else [_near(text) for text in options(row)]
    )
    said = answer if ready else extract(answer, kind="number").text or ""
    value = _near(said)
    if value is None or not letter or not candidates:
        if not candidates:
            strict = verify((golds(row) or [""])[0], said, kind="number")
            return verdict("geometry3k", strict.is_right, strict.gold_norm, said, rule="geometry3k, no candidates")
        return verdict(
            "geometry3k",
            False,
            letter,
            None,
            extracted=said,
            expectation=1 / len(candidates),
            rule="geometry3k, guess",
            reason="no numeric answer; the release credits a guess",
        )
    known = [one for one in candidates if one is not None]
    place = LETTERS.index(letter)
    if len(known) < len(candidates) or place >= len(known):
        return verdict("geometry3k", False, letter, None, extracted=said, reason="a candidate has no value")
    distances = [abs(one - value) for one in known]
    right = distances[place] == min(distances)
    picked = letter if right else LETTERS[distances.index(min(distances))]
    return verdict("geometry3k", right, letter, picked, extracted=said)


def mathverse(row: Row) -> Verdict:
    """MathVerse without its GPT steps: equal strings (the release's quick match), else our extraction and
    verification."""
    gold = (golds(row) or [""])[0]
    answer, ready = given(row)
    texts = options(row)
    kind = "choice" if texts or re.fullmatch(r"\(?[A-E]\)?", gold.strip()) else None
    if re.fullmatch(r"[A-E](?:\W+[A-E])+", gold.strip()):
        kind = "choices"
    found = extract(answer, kind=kind, choices=texts)
    said = answer.strip() if ready else found.text or ""
    if said.strip() == gold.strip() and said:
        return verdict("mathverse", True, gold, said, rule="mathverse quick match")
    strict = verify(gold, said, kind=kind, choices=texts)
    return verdict(
        "mathverse", strict.is_right, gold, said, rule="mathverse, our verifier in place of GPT", reason=strict.reason
    )
