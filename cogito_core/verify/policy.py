"""Tolerance policies: named, versioned, and never hidden in a constant.

exact               equality, proved (the reward's default)
rounded(p)          both sides agree when rounded half up to p decimal places
relative(r)         |answer - gold| <= r * |gold|; "relative(0.05,years)" holds years (integers 1000-2999) exact,
                    "relative(0.05,counts)" holds every integer below 1000 exact
absolute(x)         |answer - gold| <= x
significant(n)      both sides agree when rounded half up to n significant digits
mathvista(p)        the benchmark's: integers by truncation (p = 0), floats rounded half to even to p places
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from cogito_core.console import UsageError

UNIT_MODES = ("convert", "require", "ignore")
_CALL = re.compile(r"\s*([a-z]+)\s*(?:\(([^()]*)\))?\s*$")


class Policy(NamedTuple):
    """`name` is the full text, `rule` the family, `amount` its number, `hold` what stays exact."""

    name: str
    rule: str
    amount: Fraction
    hold: tuple[str, ...] = ()

    def accepts(self, gold: Fraction, answer: Fraction, *, integer_gold: bool = False) -> bool:
        """Whether `answer` is near enough to `gold`. Exact rationals in, no rounding on the way."""
        if gold == answer:
            return True
        if self.rule == "exact":
            return False
        if integer_gold and (
            ("years" in self.hold and 1000 <= gold < 3000) or ("counts" in self.hold and abs(gold) < 1000)
        ):
            return False
        if self.rule == "relative":
            return abs(answer - gold) <= self.amount * abs(gold)
        if self.rule == "absolute":
            return abs(answer - gold) <= self.amount
        if self.rule == "rounded":
            return _half_up(gold, int(self.amount)) == _half_up(answer, int(self.amount))
        if self.rule == "significant":
            places = int(self.amount) - 1 - _magnitude(gold)
            return _half_up(gold, places) == _half_up(answer, places)
        if self.rule == "mathvista":
            if not self.amount:
                return int(gold) == int(answer)
            return round(gold, int(self.amount)) == round(answer, int(self.amount))
        return False


EXACT = Policy("exact", "exact", Fraction(0))


def _half_up(value: Fraction, places: int) -> int:
    scaled = abs(value) * Fraction(10) ** places + Fraction(1, 2)
    whole = scaled.numerator // scaled.denominator
    return whole if value >= 0 else -whole


def _magnitude(value: Fraction) -> int:
    """The decimal exponent of the leading digit; 0 for zero."""
    if not value:
        return 0
    size = len(str(abs(value.numerator))) - len(str(value.denominator))
    while abs(value) >= Fraction(10) ** (size + 1):
        size += 1
    while abs(value) < Fraction(10) ** size:
        size -= 1
    return size


@lru_cache(maxsize=256)
def parse_policy(text: str) -> Policy:
    """The policy a name stands for. Raises UsageError on an unknown name."""
    match = _CALL.match(text)
    if match is None:
        raise UsageError(f"policy {text!r}: expected a name such as exact, rounded(2) or relative(5%)")
    rule, inner = match.group(1), match.group(2)
    parts = [part.strip() for part in (inner or "").split(",") if part.strip()]
    if rule == "exact" and not parts:
        return EXACT
    if rule not in ("rounded", "relative", "absolute", "significant", "mathvista") or not parts:
        raise UsageError(
            f"policy {text!r}: expected one of exact, rounded(p), relative(r), absolute(x), "
            "significant(n), mathvista(p)"
        )
    number = parts[0].removesuffix("%")
    try:
        amount = Fraction(number) / (100 if parts[0].endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"policy {text!r}: {parts[0]!r} is no number") from None
    if amount < 0 or (rule in ("rounded", "significant", "mathvista") and (amount.denominator != 1 or amount > 60)):
        raise UsageError(f"policy {text!r}: {parts[0]!r} is out of range")
    if any(part not in ("years", "counts") for part in parts[1:]):
        raise UsageError(f"policy {text!r}: only years and counts can be held exact")
    return Policy(f"{rule}({','.join(parts)})", rule, amount, tuple(parts[1:]))


def policy_for(policy: str, spec: Mapping[str, Any]) -> Policy:
    """The policy to use: an explicit one, else what the sample's spec asks for.

    spec keys read here: `policy` (a full name, or relative or absolute beside `tolerance`), `tolerance`
    (relative), `absolute_tolerance`, `precision` (decimal places),
    `significant`. An explicit policy other than exact wins.
    """
    chosen = parse_policy(policy)
    if chosen.rule != "exact" or not spec:
        return chosen
    try:
        name = str(spec.get("policy") or "")
        if name in ("relative", "absolute") and spec.get("tolerance") is not None:
            return parse_policy(f"{name}({_plain(spec['tolerance'])})")
        if name:
            return parse_policy(name)
        for key, rule in (
            ("tolerance", "relative"),
            ("absolute_tolerance", "absolute"),
            ("significant", "significant"),
        ):
            if spec.get(key):
                return parse_policy(f"{rule}({_plain(spec[key])})")
        if spec.get("precision") is not None and str(spec["precision"]).strip() != "":
            return parse_policy(f"rounded({int(float(str(spec['precision'])))})")
    except (ValueError, OverflowError):
        return chosen
    return chosen


def _plain(value: object) -> str:
    """1e-4 as 0.0001: Fraction reads both, the policy's name shows the plain one."""
    text = str(value)
    return text if "e" not in text.lower() else str(Fraction(text))
