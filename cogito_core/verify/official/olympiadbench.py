"""OlympiadBench's AutoScoringJudge (eval/auto_scoring_judge.py): answers split at commas, +- expanded, paired
greedily.

For each pair: equal text; intervals; numbers times 1, 100 or 1/100 within 1.01 times the allowed error; expressions;
equations whose normalised forms differ by an integer factor.
"""

from __future__ import annotations

import re
from fractions import Fraction

from cogito_core.verify.clean import matching_brace
from cogito_core.verify.ladder import bounds, same_value
from cogito_core.verify.modular import PRIMES, NotModularError, Point, proportional
from cogito_core.verify.official.row import Row, given, golds, text_of, verdict
from cogito_core.verify.reader import read
from cogito_core.verify.tree import Node, ReadError, symbols
from cogito_core.verify.verdict import Verdict
from cogito_core.verify.words import number_words

DEFAULT_ERROR = Fraction(1, 10**8)
MAX_FACTOR = 10**6
_REPLACED = (
    ("\\left", ""),
    ("\\right", ""),
    ("∶", ":"),
    ("，", ","),
    ("$", ""),
    ("\\approx", "="),
    ("\\simeq", "="),
    ("\\sim", "="),
    ("^\\prime", "'"),
    ("^{\\prime}", "'"),
    ("^\\circ", ""),
    ("%", ""),
)


def _content(text: str) -> str:
    """All boxes, else the formulas of the last line, else the text."""
    found, position = [], 0
    while (start := text.find("\\boxed{", position)) >= 0:
        end = matching_brace(text, start + 6)
        if end < 0:
            raise ReadError("mismatched braces")
        found.append(text[start + 7 : end])
        position = end
    if not found:
        found = re.findall(r"\$(.*?)\$", text.strip().split("\n")[-1])
    return ",".join(found) + "," if found else text


def _plain(text: str) -> str:
    if "\\in " in text:
        text = text.split("\\in ")[1]
    for old, new in _REPLACED:
        text = text.replace(old, new)
    text = text.strip("\n$,.:;^_=+`!@#%&*~，。")
    return re.sub(r"\\(?:mathrm|mathbf)\{~?([^}]*)\}", r"\1", text)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    if start < len(text):
        parts.append(text[start:].strip())
    return [
        form
        for part in parts
        for form in ((part.replace("\\pm", "+"), part.replace("\\pm", "-")) if "\\pm" in part else (part,))
    ]


def _float(text: str) -> Fraction | None:
    try:
        return Fraction(text.strip()) if "/" not in text and len(text) < 400 else None
    except (ValueError, ZeroDivisionError):
        return None


def _numbers_equal(one: str, other: str, error: Fraction) -> bool:
    gold, said = _float(one), _float(other)
    if gold is None or said is None:
        return False
    return any(abs(item - said) <= error * Fraction(101, 100) for item in (gold / 100, gold, gold * 100))


def _read(text: str) -> Node:
    """The text as SymPy's grammar takes it: a number word is a product of letters there, quotes are refused.

    Raises ReadError for those, and for a bracket without its partner.
    """
    if '"' in text or number_words(text.strip()) is not None or _stray_bracket(text):
        raise ReadError("not read by the release's grammar")
    return read(text, False)


def _stray_bracket(text: str) -> bool:
    return any(text.count(left) != text.count(right) for left, right in ("()", "{}"))


def _expressions_equal(one: str, other: str, error: Fraction) -> bool:
    left, right = (_read(text.split("=")[1].strip() if "=" in text else text) for text in (one, other))
    if any(node.op in ("list", "group", "tuple", "interval", "rel", "set", "matrix") for node in (left, right)):
        return False
    if bool(symbols(left)) != bool(symbols(right)):
        return False
    if same_value(left, right).equal:
        return True
    if symbols(left):
        return False
    near = bounds(left), bounds(right)
    return near[0] is not None and near[1] is not None and abs(near[0][0] - near[1][0]) <= error * Fraction(101, 100)


def _difference(text: str) -> Node:
    sides = text.split("=")
    if len(sides) != 2:
        raise ReadError("no equation")
    left, right = (_read(side) for side in sides)
    return Node("add", None, (left, Node("neg", None, (right,))))


def _integer_factor(one: Node, other: Node) -> bool:
    """Whether one form is a non-zero integer times the other, or the other way round."""
    if not proportional(one, other):
        return False
    factors = []
    for prime in PRIMES:
        point = Point(prime, 0)
        try:
            ratio = point.value(one) * point.inverse(point.value(other)) % prime
        except NotModularError:
            return False
        inverse = pow(ratio, -1, prime)
        factors.append({form if form <= prime // 2 else form - prime for form in (ratio, inverse)})
    return any(abs(factor) <= MAX_FACTOR for factor in factors[0] & factors[1])


def _intervals_equal(one: str, other: str, error: Fraction) -> bool:
    left, right = one.split("\\cup"), other.split("\\cup")
    if len(left) != len(right):
        return False
    for a, b in zip(left, right, strict=True):
        a, b = a.strip(), b.strip()
        if not a or not b or (a[0], a[-1]) != (b[0], b[-1]):
            return False
        ends_a, ends_b = a.strip("[]()").split(","), b.strip("[]()").split(",")
        if len(ends_a) != len(ends_b) or not all(
            _end_equal(x.strip(), y.strip(), error) for x, y in zip(ends_a, ends_b, strict=True)
        ):
            return False
    return True


def _end_equal(one: str, other: str, error: Fraction) -> bool:
    return one.lstrip("+") == other.lstrip("+") or _expressions_equal(one, other, error)


def items_equal(one: str, other: str, error: Fraction) -> bool:
    """The judge on one pair, gold first."""
    if one == other and one:
        return True
    if (
        one.startswith(("(", "["))
        and one.endswith((")", "]"))
        and other.startswith(("(", "["))
        and other.endswith((")", "]"))
    ):
        try:
            if _intervals_equal(one, other, error):
                return True
        except ReadError:
            return False
    if _numbers_equal(one, other, error):
        return True
    try:
        if not ("=" in one and "=" in other) and _expressions_equal(one, other, error):
            return True
    except ReadError:
        pass
    try:
        left, right = _difference(one), _difference(other)
        # SymPy keeps decimals as floats: a factor of 1.0 is no integer there.
        return ("." in one) == ("." in other) and _integer_factor(left, right)
    except ReadError:
        return False


def judge_texts(gold: str, said: str, errors: list[Fraction]) -> bool:
    """The judge on two whole answers with the allowed error of each gold item (one error serves all)."""
    try:
        one, other = _plain(_content(gold)), _plain(_content(said))
    except ReadError:
        return False
    if one == other:
        return True
    one, other = (re.sub(r"[\u4e00-\u9fff]+", "", text) for text in (one, other))
    left, right = _split(one), _split(other)
    if len(errors) <= 1:
        errors = (errors or [DEFAULT_ERROR]) * len(left)
    if len(left) != len(right) or len(errors) < len(left) or len(left) > 100:
        return False
    for item, error in zip(left, errors, strict=False):
        for index, candidate in enumerate(right):
            if items_equal(item, candidate, error):
                del right[index]
                break
        else:
            return False
    return True


def _allowed_errors(value: object) -> list[Fraction]:
    """One error for all items, or one for each; `,1e-2` leaves the first at the default (judge.py of the release)."""
    if value is None:
        return [DEFAULT_ERROR]
    parts = value if isinstance(value, list) else str(value).split(",")
    errors = [_float(str(part)) for part in parts]
    return [DEFAULT_ERROR if error is None else error for error in errors]


_FINAL = re.compile(r"(?:So the final answer is |所以最终答案是)(.*)")


def score(row: Row) -> Verdict:
    """OlympiadBench: `precision` is the allowed absolute error, one or one for each answer; tuples have the default.

    Of a reply the text behind its last "So the final answer is" is judged (judge.py of the release), else all of it.
    """
    errors = [DEFAULT_ERROR] if "Tuple" in text_of(row, "answer_type") else _allowed_errors(row.get("precision"))
    gold = ", ".join(golds(row))
    answer, ready = given(row)
    final = [] if ready else _FINAL.findall(answer)
    answer = final[-1].strip() if final else answer
    return verdict("olympiadbench", judge_texts(gold, answer, errors), gold, answer.strip()[-300:])
