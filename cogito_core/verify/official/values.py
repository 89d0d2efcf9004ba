"""Released rules that compare values: MATH-Vision, EMMA, DynaMath, Geometry3K, MathVerse.

The releases hand text to `eval` and to a LaTeX grammar; here our reader gives the value, and nothing is executed.
"""

from __future__ import annotations

import json
import re

from cogito_core.verify.api import verify
from cogito_core.verify.clean import matching_brace, repair
from cogito_core.verify.extract import extract
from cogito_core.verify.ladder import bounds
from cogito_core.verify.modular import identical
from cogito_core.verify.official.row import LETTERS, Row, given, gold_letter, golds, options, text_of, verdict
from cogito_core.verify.reader import read
from cogito_core.verify.tree import Node, ReadError, symbols
from cogito_core.verify.verdict import Verdict
from cogito_core.verify.words import number_words

_NOT_LATEX = re.compile(r"[^\x00-\x7f]|(?<![\\A-Za-z])[A-Za-z]{2,}")


def value_at_two_places(text: str) -> float | None:
    """The real value of a formula rounded to two decimals, as both MATH-Vision and EMMA compare it.

    The releases read LaTeX only: signs outside ASCII and bare words such as sqrt have no value there.
    """
    if _NOT_LATEX.search(text) or ":" in text:
        return None
    try:
        node = read(repair(text), False)
    except ReadError:
        return None
    if symbols(node) or node.op in ("list", "group", "set", "rel", "matrix", "percent", "ratio"):
        return None
    near = bounds(node)
    try:
        return None if near is None else round(float(near[0] + (near[1] - near[0]) / 2), 2)
    except OverflowError:
        return None


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
        value = value_at_two_places(part)
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
    if ":" in one and ":" in other:
        terms = [[value_at_two_places(part) for part in text.strip(" $").split(":")] for text in (one, other)]
        return None not in terms[0] and terms[0] == terms[1]
    left, right = value_at_two_places(one), value_at_two_places(other)
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


def emma_equal(said: str, gold: str) -> bool:
    """EMMA's is_equal: equal text, a number word, equal values at two decimals, or the same expression."""
    said, gold = said.lower(), gold.lower()
    if said.strip() == gold.strip():
        return True
    word = number_words(said.strip())
    if word is not None and str(word) == gold.strip():
        return True
    left, right = value_at_two_places(said), value_at_two_places(gold)
    if left is not None and right is not None:
        return left == right
    try:
        one, other = read(said, False), read(gold, False)
    except ReadError:
        return False
    return bool(symbols(one) | symbols(other)) and identical(one, other) is True


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


# DynaMath, Geometry3K, MathVerse


def dynamath(row: Row) -> Verdict:
    """DynaMath: the JSON "short answer"; floats within 0.001, letters by the first three characters, text by
    containment."""
    gold = (golds(row) or [""])[0]
    answer, ready = given(row)
    said = answer if ready else _short_answer(answer)
    form = text_of(row, "answer_type").lower()
    if "float" in form or (not form and _is_float(gold)):
        wanted, value = _near(gold), _near(said)
        right = wanted is not None and value is not None and abs(wanted - value) <= 0.001
    elif "choice" in form or "letter" in form:
        right = bool(gold) and gold.strip().upper()[:1] in said.upper()[:3]
    else:
        right = bool(gold.strip()) and gold.strip().lower() in said.lower()
    return verdict("dynamath", right, gold, said)


def _short_answer(response: str) -> str:
    match = re.search(r"\{[^{}]*\"short answer\"[^{}]*\}", response, re.S | re.I)
    if match:
        try:
            data = json.loads(match.group())
            return str(next(value for key, value in data.items() if key.lower() == "short answer"))
        except (ValueError, StopIteration):
            pass
    found = extract(response)
    return found.text or ""


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
    """Geometry3K (Inter-GPS): right if the gold is the nearest of the four candidate values; unsolved counts 0.25."""
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
    if value is None or not letter or any(one is None for one in candidates) or not candidates:
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
    distances = [abs(one - value) for one in candidates if one is not None]
    picked = LETTERS[distances.index(min(distances))]
    return verdict("geometry3k", picked == letter, letter, picked, extracted=said)


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
