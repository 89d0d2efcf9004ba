"""Near misses and rewrites of real golds: what a verifier must reject, and what it must still accept."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import NamedTuple


class Mutant(NamedTuple):
    """A changed gold: `name` of the change, the `text`, and whether it still means the same."""

    name: str
    text: str
    same: bool


_UNITS = {
    "cm": "m",
    "m": "cm",
    "km": "m",
    "mm": "cm",
    "kg": "g",
    "g": "kg",
    "s": "min",
    "hours": "minutes",
    "minutes": "seconds",
}


def mutants(gold: str, seed: int = 0) -> Iterator[Mutant]:
    """Near misses of a gold with a number in it: digit, sign, decimal point, element, order, prefix, hedge,
    unit, bracket."""
    rng = random.Random(f"{seed}\x1f{gold}")
    digits = [m.start() for m in re.finditer(r"(?<![\\A-Za-z_])\d", gold)]
    if digits:
        place = rng.choice(digits)
        changed = str((int(gold[place]) + rng.randint(1, 8)) % 10)
        if not (
            changed == "0" and (place == 0 or not gold[place - 1].isdigit()) and gold[place + 1 : place + 2].isdigit()
        ):
            yield Mutant("digit", gold[:place] + changed + gold[place + 1 :], False)
        yield Mutant("digit added", gold[: digits[-1] + 1] + str(rng.randint(1, 9)) + gold[digits[-1] + 1 :], False)
        yield Mutant("hedge", f"{gold} or {rng.randint(11, 99)}", False)
        yield Mutant("hedge in text", f"{gold} \\text{{ or }} 7{rng.randint(11, 99)}", False)
    plain = re.fullmatch(r"\s*(\$?)([-+]?)(\d[\d,]*(?:\.\d+)?|\\d?frac.*|\\sqrt.*|\d*\\pi.*)", gold)
    if plain and not re.fullmatch(r"\D*0+(?:\.0+)?\D*", gold):
        sign = "" if plain.group(2) == "-" else "-"
        yield Mutant("sign", f"{plain.group(1)}{sign}{plain.group(3)}", False)
    point = re.search(r"(\d+)\.(\d+)", gold)
    if point and int(point.group(2)):
        lost = gold[: point.start()] + point.group(1).lstrip("0") + point.group(2) + gold[point.end() :]
        yield Mutant("decimal point lost", lost, False)
    yield from _members(gold)
    if len(gold) >= 4 and re.fullmatch(r"-?\d+", gold):
        yield Mutant("prefix", gold[:-1], False)
    for unit, other in _UNITS.items():
        match = re.search(rf"(?<=[\d}}\s]){unit}(?![A-Za-z])", gold)
        if match and digits:
            yield Mutant("unit", gold[: match.start()] + other + gold[match.end() :], False)
            break
    if gold[:1] in "([" and gold[-1:] in ")]" and "," in gold and gold.count("(") + gold.count("[") == 1:
        yield Mutant("bracket", {"(": "[", "[": "("}[gold[0]] + gold[1:], False)


def _members(gold: str) -> Iterator[Mutant]:
    inner = gold[1:-1] if gold[:1] in "([" and gold[-1:] in ")]" else gold
    wrap = (gold[0], gold[-1]) if inner != gold else ("", "")
    parts = (
        [part.strip() for part in re.split(r",\s", inner)]
        if re.search(r",\s", inner) and not re.search(r"[({\[]", inner)
        else []
    )
    if len(parts) >= 2 and len(set(parts)) == len(parts):
        yield Mutant("element dropped", wrap[0] + ", ".join(parts[:-1]) + wrap[1], False)
        if wrap[0]:
            yield Mutant("elements swapped", wrap[0] + ", ".join([parts[1], parts[0], *parts[2:]]) + wrap[1], False)


def rewrites(gold: str) -> Iterator[Mutant]:
    """The gold in other dress: spaces, delimiters, box, full stop, \\dfrac, \\left, thousands."""
    yield Mutant("spaces", f"  {gold} ", True)
    yield Mutant("full stop", f"{gold}.", True)
    if "$" not in gold:
        yield Mutant("dollars", f"${gold}$", True)
        yield Mutant("delimiters", f"\\({gold}\\)", True)
        yield Mutant("box", f"\\boxed{{{gold}}}", True)
    if "\\frac" in gold:
        yield Mutant("dfrac", gold.replace("\\frac", "\\dfrac"), True)
    if re.search(r"(?<!\\left)[(\[].*(?<!\\right)[)\]]", gold) and "\\left" not in gold and "\\{" not in gold:
        yield Mutant(
            "left right", re.sub(r"(?<!\\)([)\]])", r"\\right\1", re.sub(r"(?<!\\)([(\[])", r"\\left\1", gold)), True
        )
    whole = re.fullmatch(r"(-?)(\d{4,9})", gold)
    if whole and not whole.group(2).startswith("0"):
        yield Mutant("thousands", whole.group(1) + f"{int(whole.group(2)):,}", True)
        yield Mutant("decimal zeros", f"{gold}.0", True)
    if re.fullmatch(r"-?\d+\.\d+", gold):
        yield Mutant("trailing zero", f"{gold}0", True)
    if re.fullmatch(r"-\d+(?:\.\d+)?", gold):
        yield Mutant("unicode minus", "−" + gold[1:], True)
