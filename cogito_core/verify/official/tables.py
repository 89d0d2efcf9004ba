"""Released rules for charts and tables: ChartQA's relaxed accuracy and TabMWP's normal form."""

from __future__ import annotations

import re

from cogito_core.verify.official.row import Row, given, golds, options, text_of, verdict
from cogito_core.verify.verdict import Verdict

# ChartQA


def _chart_float(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def relaxed(gold: str, said: str) -> bool:
    """ChartQA's relaxed accuracy (as in pix2struct): numbers within 5 %, else equal text in lower case."""
    wanted, given_value = _chart_float(gold), _chart_float(said)
    if given_value is not None and wanted:
        return abs(given_value - wanted) / abs(wanted) <= 0.05
    return said.lower() == gold.lower()


def chartqa(row: Row) -> Verdict:
    """ChartQA: relaxed accuracy against any gold."""
    answer, ready = given(row)
    said = answer if ready else answer.strip()
    wanted = golds(row)
    return verdict("chartqa", any(relaxed(gold, said) for gold in wanted), ", ".join(wanted), said)


# TabMWP


def tabmwp_normal(text: str, unit: str) -> str:
    """TabMWP's normalize_answer (utilities.py): numbers rounded to three decimals, a unit taken out of text."""
    text = re.sub(r"^[\$]", "", text)
    text = re.sub(r"[\,\.\,\/]$", "", text)
    if re.match(r"^[-+]?[\d,./]+$", text) is None:
        return text.replace(unit, "").strip() if unit else text
    text = text.replace(",", "")
    try:
        if re.match(r"[-+]?\d+$", text):
            number = str(int(text))
        elif "/" in text:
            top, bottom = text.split("/")[:2]
            number = str(round(float(top) / float(bottom), 3))
        else:
            number = str(round(float(text), 3))
        return re.sub(r"\.[0]+$", "", number)
    except (ValueError, ZeroDivisionError, OverflowError):
        return text


_TAB_PATTERNS = (
    r"[Th]he answer is ([\s\S]+)$",
    r"[Th]he table shows that ([\d\$\.\,\/\:]+) ",
    r" = ([\d\$\.\,\/\:]+)",
    r"(?<= be| is) ([\-\d\$\.\,\/\:]{0,}[\d]+)",
    r"(?<= are| was) ([\-\d\$\.\,\/\:]{0,}[\d]+)",
    r"(?<= were) ([\-\d\$\.\,\/\:]{0,}[\d]+)",
    r" ([\d\$\.\,\/\:]+ [AP]\.M\.)",
    r"([\-\d\$\.\,\/\:]{0,}[\d]+)",
)
_TAB_LETTERS = (
    r"^\(([A-Za-z])\)$",
    r"^([A-Za-z])$",
    r"^([A-Za-z]). ",
    r"[Th]he answer is ([A-Z])",
    r"^\(([A-Za-z])\) [\s\S]+$",
    r"[Th]he answer is \(([A-Za-z])\) [\s\S]+$",
)


_TAB_OPTIONS = "ABCDEF"


def tabmwp_answer(output: str, texts: list[str]) -> str | None:
    """TabMWP's extract_prediction: option letters or the most similar option; else the first pattern's last
    number. None where the script draws an option: it takes "The answer is Friday" for the letter F."""
    output = re.sub(r"\$?\\frac\{([\d\.\,\-]+)\}\{([\d\.\,]+)\}\$?", r"\1/\2", output)
    output = re.sub(r"(?<![AP]\.M)\.$", "", output)
    output = re.sub(r"(?<=\d)[\=](?=[\-\$\d])", " = ", output).replace("\u2212", "-")
    if texts:
        for pattern in _TAB_LETTERS:
            found = re.findall(pattern, output)
            if found and found[0].upper() in _TAB_OPTIONS:
                place = _TAB_OPTIONS.index(found[0].upper())
                return texts[place] if place < len(texts) else None
        scores = [_overlap(text, output) for text in texts]
        return texts[scores.index(max(scores))]
    for pattern in _TAB_PATTERNS:
        found = re.findall(pattern, output)
        if found:
            last: str = found[-1].strip()
            return last[:-1] if last.endswith(".") and ".M." not in last else last
    return output


def _overlap(one: str, other: str) -> float:
    if one == other:
        return 2.0
    if " " not in one and " " not in other:
        return 0.0
    left, right = one.split(" "), other.split(" ")
    return len(set(left) & set(right)) / max(len(left), len(right))


def tabmwp(row: Row) -> Verdict:
    """TabMWP: both sides normalised, then equal in lower case."""
    unit = text_of(row, "unit")
    gold = tabmwp_normal((golds(row) or [""])[0], unit)
    answer, ready = given(row)
    found = answer if ready else tabmwp_answer(answer, options(row))
    if found is None:
        texts = options(row)
        chance = sum(tabmwp_normal(text, unit).lower() == gold.lower() for text in texts) / len(texts)
        return verdict(
            "tabmwp",
            False,
            gold,
            None,
            extracted="",
            expectation=chance,
            rule="tabmwp, guess",
            reason=f"the letter read is no option; the script guesses one of {len(texts)}",
        )
    said = tabmwp_normal(found, unit)
    return verdict("tabmwp", said.lower() == gold.lower(), gold, said)
