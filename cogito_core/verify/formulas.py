"""Chemical formulas and reactions: "H_2SO_4", "\\ce{H2SO4}", "H₂SO₄", "2H2 + O2 -> 2H2O".

Case tells elements apart: CO is carbon monoxide, Co is cobalt. A formula in small letters throughout ("co2") is read
as careless typing of the gold's.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

ELEMENTS = frozenset(
    """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb
    Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg
    Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts
    Og""".split()
)
"""Symbols of the elements (IUPAC, periodic table of 2022)."""
MAX_FORMULA = 200
_LOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]*[⁺⁻]")
_HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_DRESS = re.compile(r"\\(?:ce|text|mathrm|rm|mathbf|mathsf|left|right)(?![A-Za-z])|\\[,;:! ]|[_{}$\s]")
_CHARGE = r"(?:\^?(?:\d?[+-]|[+-]\d))"
_ATOMS = re.compile(
    r"(?:[A-Z][a-z]?\d{0,3}|\((?:[A-Z][a-z]?\d{0,3})+\)\d{0,3}|\[(?:[A-Z][a-z]?\d{0,3}|\(|\)\d{0,3})+\]\d{0,3})+"
)
_SPECIES = re.compile(
    rf"(\d{{0,3}})((?:{_ATOMS.pattern})(?:[·.]\d{{0,2}}(?:{_ATOMS.pattern}))?)({_CHARGE}?)(?:\((?:s|l|g|aq)\))?"
)
_BACK = re.compile(r"\\(?:long)?leftarrow(?![A-Za-z])|<-+(?!>)|←")
_CAPITAL = re.compile("[A-Z]")
_ARROW = re.compile(
    r"\\(?:long)?(?:left)?rightarrow|\\rightleftharpoons|\\xrightarrow\{[^{}]*\}|\\to(?![A-Za-z])|<?[-=]+>|[→⟶⇌↔]|="
)
_PLUS = re.compile(r"(?<![\^{])(?<![\^{]\d)\s*\+\s*(?=[\d\\A-Z(\[])")


@lru_cache(maxsize=2048)
def formula(text: str) -> str:
    """A formula or reaction of at most MAX_FORMULA characters in one spelling; "" for all else, one symbol included.

    >>> formula(r"\\mathrm{H_2SO_4}"), formula("SO₄²⁻"), formula("Co2"), formula("2H2 + O2 -> 2H2O"), formula("A_2")
    ('H2SO4', 'SO4^2-', 'Co2', '2H2+1O2>2H2O', '')
    """
    sides = _BACK.split(text)[::-1]
    if len(sides) == 1:
        sides = _ARROW.split(text)
    if len(sides) > 2:
        return ""
    if len(sides) == 1:
        one = _species(text)
        return one[1] if one and one[0] == 1 and re.search(r"\d|[+-]$", one[1]) else ""
    found = [_side(side) for side in sides]
    return ">".join(found) if all(found) else ""


def _side(text: str) -> str:
    total: Counter[str] = Counter()
    for part in _PLUS.split(text):
        one = _species(part)
        if not one:
            return ""
        total[one[1]] += one[0]
    return "+".join(f"{total[name]}{name}" for name in sorted(total))


def _species(text: str) -> tuple[int, str] | None:
    text = _RAISED.sub(lambda match: "^" + match.group().translate(_HIGH), text.translate(_LOW))
    found = _SPECIES.fullmatch(_DRESS.sub("", text))
    if not found or any(symbol not in ELEMENTS for symbol in re.findall(r"[A-Z][a-z]?", found.group(2))):
        return None
    charge = found.group(3).lstrip("^")
    if len(charge) == 2 and charge[0] in "+-":  # ^{+2} for ^{2+}
        charge = charge[::-1]
    return int(found.group(1) or 1), found.group(2) + (f"^{charge.removeprefix('1')}" if charge else "")


def same_formula(gold: str, answer: str) -> bool | None:
    """Whether two texts are one formula; None where the gold is no formula, or the answer may be another notation."""
    if max(len(gold), len(answer)) > MAX_FORMULA or not _CAPITAL.search(gold):
        return None  # long texts are kept out of the cache
    one, other = formula(gold), formula(answer)
    if not one:
        return None
    if other:  # Fe3+ may be an ion with three charges, or three atoms
        unmarked = "^" not in answer and not _RAISED.search(answer)
        return one == other or (unmarked and one.replace("^", "") == other.replace("^", ""))
    plain = re.sub(r"[_{}$\s]", "", answer.translate(_LOW))
    if plain.islower() and plain == one.lower():
        return True
    return None
