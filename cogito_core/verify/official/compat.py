"""The paper's own reward, for comparison only: never a reward, never a score.

Written from its description (vl-cogito.md 3.3 and 3.5): the first `<answer>` tag decides; a box inside it, or the
text "None" where there is none, is compared with the gold as a value, by its last bare number, and as a string after
a normaliser that takes unit words out of the middle of words, drops braces and commas, and turns "enough" into yes.
It accepts answers that are wrong, on purpose: see docs/verifier-audit.md. Nothing is executed here either.
"""

from __future__ import annotations

import re

from cogito_core.verify.api import verify
from cogito_core.verify.clean import braces
from cogito_core.verify.official.row import Row, golds, text_of, verdict
from cogito_core.verify.verdict import Verdict

# Taken out wherever they stand, with a plural and a power: "Spain" becomes "spa", "hour" becomes nothing.
_UNIT_WORDS = (
    "degree cm centimeter dm meter mile gram kilo kilogram kg liter second minute hour day week month year foot feet "
    "inch in yard square cell unit yuan 米 厘米 克 千克 公斤 升 秒 分钟 分 小时 天 周 月 年 元"
).split()
_UNITS = [re.compile(rf"{word}(?:es)?s? *(?:\^\{{*[0-9]+\}}*)?[²³⁰-⁹]*") for word in _UNIT_WORDS]
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.S)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def normalise(text: str) -> str:
    """The reward's home-made normal form of an answer."""
    for _ in range(2):
        text = re.sub(r"\\text\{(.*?)\}", r"\1", text)
    for old, new in (("\\%", "%"), ("\\$", ""), ("$", ""), (" or ", " , "), (" and ", " , ")):
        text = text.replace(old, new)
    for unit in _UNITS:
        text = unit.sub("", text)
    text = re.sub(r"\^ *\{?\\circ\}?|\\circ|°", "", text)
    text = re.sub(r"([0-9]) +([0-9])", r"\1+\2", re.sub("- *", "-", text))
    text = re.sub(r"[ {},]", "", text).replace("()", "").lower().replace("√", "\\sqrt")
    if "enough" in text or "够" in text:
        return "no" if "notenough" in text or "不够" in text else "yes"
    return text


def _boxed(text: str) -> str:
    """The last box's content; the word None where there is no box, as the release's extractor says."""
    start = text.rfind("\\boxed{")
    end = braces(text).get(start + 6, -1) if start >= 0 else -1
    return text[start + 7 : end] if end >= 0 else "None"


def _last_number(text: str) -> str | None:
    """The number that Math-Verify reads from a text without delimiters."""
    found = _NUMBER.findall(text)
    return found[-1] if found and "\\" not in text else None


def score(row: Row) -> Verdict:
    """The paper's 0/1 accuracy on a response."""
    gold = (golds(row) or [""])[0].strip()
    tag = _ANSWER.search(text_of(row, "response", "extraction"))
    if tag is None:
        return verdict("compat", False, gold, None, rule="compat, no tag", reason="there is no answer tag")
    said = tag.group(1).strip()
    box = _boxed(said)
    number = _last_number(box)
    steps = (
        ("value", verify(gold, box, spec={"units": "ignore"}).is_right),
        ("last number", number is not None and number == _last_number(gold)),
        ("normal form", normalise(box) == normalise(gold)),
        ("whole answer", said == gold or normalise(said) == normalise(gold)),
    )
    for name, right in steps:
        if right:
            return verdict("compat", True, gold, said, rule=f"compat, {name}")
    return verdict("compat", False, gold, said, rule="compat")
