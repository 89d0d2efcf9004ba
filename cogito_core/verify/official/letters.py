"""Released rules that read a letter or a word: BLINK, MMStar, ScienceQA, LogicVista, AI2D, We-Math,
HallusionBench and others.

Where a release asks a language model to read the reply, our extraction does it, and the rule's name says so.
"""

from __future__ import annotations

import re

from cogito_core.verify.extract import extract
from cogito_core.verify.official.row import (
    LETTERS,
    Row,
    given,
    gold_letter,
    golds,
    handed_over,
    options,
    text_of,
    verdict,
)
from cogito_core.verify.verdict import Verdict


def _letters_of(row: Row, last: str = "E") -> str:
    texts = options(row)
    return LETTERS[: len(texts)] if texts else LETTERS[: LETTERS.index(last) + 1]


def extracted(row: Row, response: str, many: bool = False) -> tuple[str, str]:
    found = extract(response, kind="choices" if many else "choice", choices=options(row))
    return handed_over(found), found.rule


def blink(row: Row) -> Verdict:
    """BLINK (test_benchmark.py): the one option token in the reply or in its last paragraph, equal to the gold.

    The release asks GPT-3.5 for other replies; "(Z)" stands for no answer.
    """
    gold = f"({gold_letter(row)})"
    answer, ready = given(row)
    rule = "blink"
    if not ready:
        marks = {f"({letter})" for letter in _letters_of(row)}
        whole, last = marks & set(answer.split()), marks & set(answer.split("\n\n")[-1].split())
        bare = answer.strip()
        if bare in set("ABCDE"):
            answer = f"({bare})"
        elif bare in marks:
            answer = bare
        elif len(last) == 1:
            answer = last.pop()
        elif len(whole) == 1:
            answer = whole.pop()
        else:
            letter, how = extracted(row, answer)
            answer, rule = (f"({letter})" if letter else "(Z)"), f"blink, {how} in place of GPT"
    return verdict("blink", answer == gold, gold, answer, rule=rule)


def mmstar(row: Row) -> Verdict:
    """MMStar (vlmeval/evaluate/mmstar.py): the first character, or the one after "(", "option " or "the answer
    is "."""
    gold = (golds(row) or [""])[0].lower().strip().replace("\n", " ")
    answer, _ = given(row)
    text = answer.lower().strip().replace("\n", " ")
    places = [
        text[:1],
        text[1:2] if text[:1] == "(" else "",
        text[7:8] if text[:7] == "option " else "",
        text[14:15] if text[:14] == "the answer is " else "",
    ]
    right = bool(gold) and gold in [place for place in places if place]
    shown = next((place for place in reversed(places) if place), "").upper()
    return verdict("mmstar", right, gold.upper(), gold.upper() if right else shown)


def scienceqa(row: Row) -> Verdict:
    """ScienceQA as LLaVA scores it (eval_science_qa.py): the exact letter, "X. ..." or one "The answer is X."."""
    gold = gold_letter(row)
    answer, _ = given(row)
    allowed = _letters_of(row)
    if answer in LETTERS[:5] and len(answer) == 1:
        letter = answer
    elif len(answer) >= 3 and answer[0] in LETTERS[:5] and answer[1:3] == ". ":
        letter = answer[0]
    else:
        found = re.findall(r"The answer is ([A-Z]).", answer)
        letter = found[0] if len(found) == 1 else "FAILED"
    return verdict("scienceqa", letter == gold and letter in allowed, gold, letter)


def logicvista(row: Row) -> Verdict:
    """LogicVista (eval/): the sorted list of letters equals the gold's. A GPT turns replies into letters in the
    release."""
    wanted = sorted(re.findall(r"[a-z0-9]", (golds(row) or [""])[0].lower()))
    answer, ready = given(row)
    rule = "logicvista"
    if not ready:
        answer, how = extracted(row, answer, many=True)
        rule = f"logicvista, {how} in place of GPT"
    letters = sorted(re.findall(r"\b[a-z0-9]\b", answer.lower().replace("_", " ")))
    return verdict(
        "logicvista",
        bool(wanted) and letters == wanted,
        ", ".join(wanted),
        ", ".join(letters),
        extracted=answer,
        rule=rule,
    )


def ai2d(row: Row) -> Verdict:
    """AI2D: the reply is the option's letter, in either case, with or without brackets and full stop."""
    gold = gold_letter(row)
    answer, _ = given(row)
    match = re.fullmatch(r"\s*\(?([A-Za-z])\)?[.:]?\s*", answer)
    letter = match.group(1).upper() if match else answer.strip()[:40]
    return verdict("ai2d", bool(gold) and letter == gold, gold, letter)


def wemath(row: Row) -> Verdict:
    """We-Math: the first character after the last "Answer" without <, >, : and .; a small letter is none."""
    gold = gold_letter(row)
    answer, ready = given(row)
    text = answer if ready else answer.split("Answer")[-1]
    text = re.sub(r"[<>:.]", "", text).strip()
    return verdict("wemath", bool(gold) and text[:1] == gold, gold, text[:1])


def hallusionbench(row: Row) -> Verdict:
    """HallusionBench without its GPT-4 judge: the reply's yes or no equals the gold's (VLMEvalKit's first step).

    Where the question is about a figure that it does not have (category VS, figure 0), not to know is right, as in
    assign_correctness of the release's utils.py.
    """
    gold = (golds(row) or [""])[0].strip().lower()
    gold = {"1": "yes", "0": "no", "true": "yes", "false": "no"}.get(gold, gold)
    answer, ready = given(row)
    rule = "hallusionbench"
    if not ready:
        found = extract(answer, kind="yes_no")
        answer, rule = found.text or "", f"hallusionbench, {found.rule} in place of GPT-4"
    said = answer.strip().lower().rstrip(".")
    said = {"true": "yes", "false": "no"}.get(said, said)
    if said not in ("yes", "no") and text_of(row, "category") == "VS" and text_of(row, "figure_id") == "0":
        why = "the reply decides nothing about a figure that is not there, which the release counts as right"
        return verdict("hallusionbench", True, gold, said, extracted=answer, rule=f"{rule}, unclear", reason=why)
    return verdict("hallusionbench", said == gold and gold in ("yes", "no"), gold, said, extracted=answer, rule=rule)
