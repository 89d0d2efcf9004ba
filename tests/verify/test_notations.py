"""Notations and measures against independent arithmetic: Python's own integers, fractions, dates and combinations."""

from __future__ import annotations

import math
import random
from datetime import date
from fractions import Fraction

import pytest

from cogito_core.verify import verify
from cogito_core.verify.formulas import formula
from cogito_core.verify.units import parse_unit

RNG = random.Random(20261121)


def _right(gold: str, answer: str, kind: str | None = None) -> bool:
    return verify(gold, answer, kind=kind).is_right


@pytest.mark.parametrize("n", [4, 5, 9, 12])
def test_combinations_and_permutations(n: int) -> None:
    for k in range(1, n):
        others = {math.comb(n, k) + 1, math.perm(n, k) + 1}
        assert _right(str(math.comb(n, k)), f"C_{{{n}}}^{{{k}}}") and _right(f"C({n},{k})", str(math.comb(n, k)))
        assert _right(f"A_{{{n}}}^{{{k}}}", str(math.perm(n, k)))
        assert not any(_right(f"C_{{{n}}}^{{{k}}}", str(other)) for other in others)


def test_repeating_decimals_are_the_fraction_that_long_division_gives() -> None:
    for bottom in (3, 6, 7, 9, 11, 12, 13, 37, 41):
        for top in range(1, bottom):
            if math.gcd(top, bottom) > 1:
                continue
            digits, rest = "", top
            for _ in range(18):
                rest *= 10
                digits, rest = digits + str(rest // bottom), rest % bottom
            assert _right(f"{top}/{bottom}", f"0.{digits}...")
            assert not _right(f"{top + bottom}/{bottom}", f"0.{digits}...")
            assert not _right(f"{top}/{bottom}", f"0.{digits[:5]}")


def test_digits_in_a_base() -> None:
    for _ in range(40):
        value, base = RNG.randrange(200, 100_000), RNG.choice([2, 8, 16])
        written = {2: f"{value:b}", 8: f"{value:o}", 16: f"{value:X}"}[base]
        prefix = {2: "0b", 8: "0o", 16: "0x"}[base]
        assert _right(f"{written}_{{{base}}}", f"{prefix}{written.lower()}")
        wrong = {2: f"{value + 1:b}", 8: f"{value + 1:o}", 16: f"{value + 1:X}"}[base]
        assert not _right(f"{written}_{{{base}}}", f"{wrong}_{{{base}}}")


def test_measures_in_parts() -> None:
    for _ in range(40):
        hours, minutes = RNG.randrange(1, 12), RNG.randrange(1, 59)
        gold = f"{hours} h {minutes} min"
        same = [f"{hours}h{minutes}m", f"{hours * 60 + minutes} min", f"{hours}小时{minutes}分钟"]
        same += [f"{hours} hours and {minutes} minutes", f"{Fraction(hours * 60 + minutes, 60)} hours"]
        assert all(_right(gold, answer) for answer in same), gold
        other = f"{minutes}h{hours}m"
        assert hours == minutes or not _right(gold, other)
        assert not _right(gold, f"{hours * 60 + minutes + 1} min")
        feet, inches = RNG.randrange(1, 9), RNG.randrange(1, 11)
        assert _right(f"{feet} ft {inches} in", f"{feet}'{inches}\"")
        assert _right(f"{feet} ft {inches} in", f"{12 * feet + inches} inches")
        assert feet == inches or not _right(f"{feet} ft {inches} in", f"{inches} ft {feet} in")


def test_dates_in_every_order() -> None:
    for _ in range(40):
        day = date(RNG.randrange(1900, 2030), RNG.randrange(1, 13), RNG.randrange(1, 29))
        gold = day.strftime("%B %d, %Y")
        forms = ["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d %B %Y", "%b %d, %Y", "%Y年%m月%d日"]
        assert all(_right(gold, day.strftime(form), "date") for form in forms), gold
        later = date.fromordinal(day.toordinal() + 1)
        assert not any(_right(gold, later.strftime(form), "date") for form in forms), gold


@pytest.mark.parametrize(
    ("together", "apart"),
    [
        ("Nm", "N m"),
        ("kVA", "kV A"),
        ("mAh", "mA h"),
        ("Jkg^{-1}", "J/kg"),
        ("kgm^{-3}", "kg/m^3"),
        ("ms^{-1}", "m/s"),
        ("kmh^{-1}", "km/h"),
        ("NC^{-1}", "N/C"),
        (r"\frac{\text{m}}{\text{s}}", "m/s"),
        (r"\frac{kg}{m^3}", "kg/m^3"),
        (r"\mu F", "μF"),
    ],
)
def test_units_written_together(together: str, apart: str) -> None:
    one, other = parse_unit(together), parse_unit(apart)
    assert one is not None and other is not None
    assert (one.factor, one.dims) == (other.factor, other.dims)


def test_a_prefix_is_no_product_and_a_product_no_prefix() -> None:
    milli, product = parse_unit("mN"), parse_unit("Nm")
    assert milli is not None and product is not None and milli.dims != product.dims
    wave, speed = parse_unit("cm^{-1}"), parse_unit("ms^{-1}")
    assert wave is not None and speed is not None
    assert wave.dims == (("m", -1),) and dict(speed.dims) == {"m": 1, "s": -1}


def test_formulas() -> None:
    spellings = ["2H2 + O2 -> 2H2O", r"O_2 + 2H_2 \to 2H_2O", r"\ce{2H2 + O2 -> 2H2O}", "2H₂O ← 2H₂ + O₂"]
    assert len({formula(text) for text in spellings}) == 1
    assert formula("2H2O -> 2H2 + O2") != formula(spellings[0])
    assert formula("CO2") != formula("Co2")
    assert [formula(text) for text in ("A_2", "Xx3", "H", "x^2", "12")] == [""] * 5  # no elements, or one bare symbol


@pytest.mark.parametrize(
    ("gold", "answer", "outcome"),
    [
        ("sin x", "\\sin x", "right"),
        ("ln x", "\\ln 2x", "wrong"),
        ("cos theta", "\\cos\\theta", "right"),
        ("50 km/h", "50 kmph", "right"),
        ("(10,3)", "C(10,3)", "right"),  # a point with its name
        ("C(10,3)", "(10,3)", "right"),
        ("P(3, 1)", "(3, 1)", "right"),
        ("(3, 1)", "P(1, 3)", "wrong"),
        ("C(5,2)", "10", "right"),  # and combinations
        ("10", "C(5,2)", "right"),
        ("20", "2*C(5,2)", "right"),
        ("20", "C(5,2)", "undecidable"),  # no count of 20; a point could be anything
    ],
)
def test_plain_functions_points_and_counts(gold: str, answer: str, outcome: str) -> None:
    assert verify(gold, answer).outcome == outcome
