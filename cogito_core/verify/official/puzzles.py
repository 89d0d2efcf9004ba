"""Released rules of the puzzle benchmarks: PuzzleVQA and AlgoPuzzleVQA, VisuLogic, MM-IQ.

Where a release asks a model to read the reply, our extraction does it, and the rule's name says so.
"""

from __future__ import annotations

import re

from cogito_core.verify.official.letters import extracted
from cogito_core.verify.official.row import LETTERS, Row, given, gold_letter, options, text_of, verdict
from cogito_core.verify.verdict import Verdict


def puzzlevqa(row: Row) -> Verdict:
    """PuzzleVQA and AlgoPuzzleVQA (prompting.py): the last letter in brackets, else the last capital A to D.

    A letter beyond the options means the first one there. The release puts its reply to the model a second time and
    reads the answer to that, the `extraction` here; without one our rules read the reply.
    """
    texts, gold = options(row), text_of(row, "gold")
    wanted = gold if gold in texts else texts[LETTERS.index(gold_letter(row))] if gold_letter(row) and texts else ""
    answer, ready = given(row)
    rule = "puzzlevqa"
    if not ready:
        answer, how = extracted(row, answer)
        rule = f"puzzlevqa, {how} in place of a second question"
    found = re.findall(r"\(([ABCD])\)", answer) or re.findall(r"[ABCD]", answer)
    place = LETTERS.index(found[-1]) if found else -1
    said = (texts[place] if place < len(texts) else texts[0]) if found and texts else ""
    return verdict("puzzlevqa", bool(said) and said == wanted, wanted, said, extracted=answer, rule=rule)


_PREFIXES = (
    "The best answer is", "The correct answer is", "correct answer is", "The answer is", "The answer", "answer is",
    "The best option is", "best option is", "The correct option is", "correct option is", "Best answer:",
    "Best option:", "best answer:", "best option:", "question mark is option ", "The different pattern is",
)  # fmt: skip
_LETTER = re.compile(r"\b[A-E]\b")


def mm_iq_letter(response: str) -> str:
    """The first letter behind the last answer phrase; without a phrase the first letter of the last line with one."""
    text, tail = response.strip(), ""
    for prefix in _PREFIXES:
        if prefix in text:
            text = tail = text.split(prefix)[-1].strip()
    if tail:
        match = _LETTER.search(tail)
        return match.group() if match else ""
    return next((match.group() for line in reversed(text.split("\n")) if (match := _LETTER.search(line))), "")


def mm_iq(row: Row) -> Verdict:
    """MM-IQ (mmiq/utils/eval_utils.py): a letter A to E as a word of its own, even the article A; none is Z."""
    gold = gold_letter(row)
    answer, ready = given(row)
    bare = re.fullmatch(r"\s*\(?([A-Za-z])\)?\s*", answer) if ready else None
    letter = bare.group(1).upper() if bare else mm_iq_letter(answer) or "Z"
    return verdict("mm_iq", bool(gold) and letter == gold, gold, letter)


_VISULOGIC_FLAGS = (
    "answer:", "the final answer is:", "the answer is option:", "the answer is:", "the correct answer is option:",
    "the correct answer is:", "the answer should be:", "the final answer is", "the answer is option", "the answer is",
    "the correct answer is option", "the correct answer is", "the answer should be",
)  # fmt: skip


def visulogic_letter(response: str) -> str:
    """The letter A to D of the last box, at the ends of the reply, or alone behind an answer phrase; else ""."""
    box = response.rfind("\\boxed{")
    if box >= 0:
        content, closed, _ = response[box + 7 :].partition("}")
        for command in ("\\text{", "\\rm{", "\\mathbf{", "$"):
            content = content.replace(command, "")
        if closed and len(content) <= 2 and content.strip() in ("A", "B", "C", "D"):
            return content.strip()
    for letter in "ABCD":
        heads = (f"{letter}\n", f"({letter})\n", f"({letter}) {letter}\n")
        if response.endswith((f" {letter}.", f" ({letter}).")) or response.startswith(heads):
            return letter
    lower = response.lower()
    for flag in _VISULOGIC_FLAGS:
        if flag in lower:
            lower = lower.split(flag)[-1].strip().split("\n")[0].split(".")[0]
            if lower.upper() in ("A", "B", "C", "D"):
                return lower.upper()
    return response if response in ("A", "B", "C", "D") else ""


def visulogic(row: Row) -> Verdict:
    """VisuLogic (evaluation/eval_model.py): its letter rules; a GPT reads what is left in the release."""
    gold = gold_letter(row)
    answer, ready = given(row)
    bare = re.fullmatch(r"\s*\(?([A-Za-z])\)?\s*", answer) if ready else None
    letter, rule = (bare.group(1).upper() if bare else visulogic_letter(answer)), "visulogic"
    if not letter:
        letter, how = extracted(row, answer)
        rule = f"visulogic, {how} in place of GPT"
    return verdict("visulogic", bool(gold) and letter == gold, gold, letter, rule=rule)
