"""Quantities: values with units, compared with exact conversion; and counted things."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from cogito_core.verify.tree import Node, number, show
from cogito_core.verify.unit_tables import dims_of
from cogito_core.verify.units import Unit, parse_unit, same_noun


class _Outcome(NamedTuple):
    equal: bool | None
    rule: str
    note: str = ""


def split(node: Node) -> tuple[Node, Unit | None]:
    """The value and the unit; 5 ft 6 in becomes one value in feet."""
    if node.op == "paren":
        return split(node.args[0])
    if node.op == "quantity":
        return node.args[0], node.value
    if node.op == "neg" and node.args[0].op == "quantity":
        inner = node.args[0]
        return Node("neg", None, inner.args, node.start, node.end), inner.value
    if node.op == "add" and all(arg.op == "quantity" for arg in node.args):
        unit = node.args[0].value
        terms = tuple(_scaled(arg.args[0], arg.value.factor / unit.factor) for arg in node.args)
        return Node("add", None, terms, node.start, node.end), unit
    return node, None


def _scaled(node: Node, factor: Fraction) -> Node:
    return node if factor == 1 else Node("mul", None, (number(factor), node), node.start, node.end)


def compare_quantity(
    gold: Node,
    answer: Node,
    mode: str,
    same: Callable[[Node, Node], tuple[bool | None, str, str]],
    declared: bool = False,
) -> _Outcome:
    """Compare where at least one side has a unit. `mode`: convert, require or ignore; `declared`: a bare letter
    is a unit."""
    (g, gold_unit), (a, answer_unit) = split(gold), split(answer)
    if gold_unit is not None and answer_unit is not None:
        if mode == "ignore":
            return _Outcome(*same(g, a))
        return _both(g, gold_unit, a, answer_unit, same)
    if gold_unit is not None:
        if not gold_unit.dims and not gold_unit.noun and gold_unit.factor != 1:  # 3 dozen is 36
            return _Outcome(*same(_scaled(g, gold_unit.factor), answer))
        if answer.op in ("percent", "deg") and (gold_unit.dims or gold_unit.noun):
            return _Outcome(False, "unit", f"another kind of quantity than {gold_unit}")
        if mode == "require" and not gold_unit.noun:
            return _Outcome(False, "unit", f"the unit {gold_unit} is missing")
        if not gold_unit.clear and not declared:
            return _Outcome(False, "unit", f"{gold_unit} is missing, a unit or a factor")
        result = _Outcome(*same(g, answer))
        return (
            result._replace(rule="unit left out", note=result.note or f"unit {gold_unit} left out")
            if result.equal
            else result
        )
    if answer_unit is None:
        return _Outcome(None, "unit", "a sum with and without units")
    if answer_unit.name == "s" and not answer_unit.clear and a.op == "num" and a.value in range(1000, 3000):
        return _Outcome(False, "unit", f"{show(a)}s is a decade")
    if not answer_unit.dims and not answer_unit.noun and answer_unit.factor != 1:
        return _Outcome(*same(gold, _scaled(a, answer_unit.factor)))
    if gold.op in ("percent", "deg") and (answer_unit.dims or answer_unit.noun) and mode != "ignore":
        return _Outcome(
            False,
            "unit",
            f"{answer_unit} where {'a percentage' if gold.op == 'percent' else 'an angle'} is asked for",
        )
    if not answer_unit.clear and mode != "ignore" and not declared:
        return _Outcome(False, "unit", f"{answer_unit} may be a unit or a factor")
    if answer_unit.name == "rad" and gold.op == "deg":
        return _Outcome(
            *same(Node("mul", None, (gold.args[0], Node("div", None, (Node("const", "pi"), number(180))))), a)
        )
    result = _Outcome(*same(gold, a))
    return (
        result._replace(note=result.note or f"the gold has no unit, the answer is in {answer_unit}")
        if result.equal
        else result
    )


def _amount_alone(gold: Unit, answer: Unit) -> bool:
    """Whether the gold is a price for something and the answer states the sum alone: $5 for $5 per hour."""
    top, sign, _ = gold.name.replace(" per ", "/").partition("/")
    whole = parse_unit(top) if sign else None
    return whole is not None and whole.dims == answer.dims and whole.dims in _MONEY and answer.factor == whole.factor


def _both(
    g: Node, gold_unit: Unit, a: Node, answer_unit: Unit, same: Callable[[Node, Node], tuple[bool | None, str, str]]
) -> _Outcome:
    if _amount_alone(gold_unit, answer_unit) or (
        {gold_unit.dims, answer_unit.dims} == {dims_of(CNY=1), dims_of(JPY=1)}
        and _EITHER_YEN & {gold_unit.name, answer_unit.name}
    ):
        return _Outcome(*same(g, a))
    if gold_unit.noun or answer_unit.noun:
        if gold_unit.noun and answer_unit.noun and not same_noun(gold_unit.noun, answer_unit.noun):
            return _Outcome(False, "unit", f"{answer_unit} where {gold_unit} are asked for")
        if bool(gold_unit.noun) != bool(answer_unit.noun) and "unit" not in (gold_unit.noun, answer_unit.noun):
            return _Outcome(False, "unit", f"{answer_unit} where {gold_unit} is asked for")
        return _Outcome(*same(g, a))
    if gold_unit.dims in _SCALES and answer_unit.dims in _SCALES and gold_unit.dims != answer_unit.dims:
        result = _Outcome(*same(_kelvin(g, gold_unit), _kelvin(a, answer_unit)))
        return result._replace(
            rule="converted" if result.equal else result.rule,
            note=f"{show(a)[:40]} {answer_unit} against {show(g)[:40]} {gold_unit}, as temperatures",
        )
    if not gold_unit.same_dimension(answer_unit):
        return _Outcome(
            False, "unit", f"{show(a)[:40]} {answer_unit} against {show(g)[:40]} {gold_unit}, another dimension"
        )
    factor = answer_unit.factor / gold_unit.factor
    result = _Outcome(*same(g, _scaled(a, factor)))
    if factor == 1:
        return result
    if result.equal:
        return result._replace(rule="converted", note=f"{answer_unit} converted to {gold_unit}")
    return result._replace(
        note=f"{show(a)[:40]} {answer_unit} against {show(g)[:40]} {gold_unit}, "
        f"same dimension, factor {_plain(factor)}"
    )


_MONEY = frozenset(dims_of(**{name: 1}) for name in ("USD", "EUR", "GBP", "CNY", "JPY", "INR"))
_EITHER_YEN = frozenset("¥￥")
"""The sign of two currencies."""
_SCALES = {
    dims_of(K=1): (Fraction(1), Fraction(0)),
    dims_of(celsius=1): (Fraction(1), Fraction("273.15")),
    dims_of(fahrenheit=1): (Fraction(5, 9), Fraction("459.67")),
}
"""Kelvin = factor * (degrees + shift); exact by the definition of both scales (SI brochure, 9th edition)."""


def _kelvin(node: Node, unit: Unit) -> Node:
    """An absolute temperature in kelvin; millikelvin and the like by the unit's own factor."""
    factor, shift = _SCALES[unit.dims]
    degrees = Node("add", None, (_scaled(node, unit.factor), number(shift)), node.start, node.end)
    return _scaled(degrees, factor)


def _plain(factor: Fraction) -> str:
    if factor.denominator == 1:
        return _power_of_ten(factor.numerator) or str(factor)
    inverse = 1 / factor
    if inverse.denominator == 1 and _power_of_ten(inverse.numerator):
        return "10^-" + _power_of_ten(inverse.numerator)[3:]
    return f"{float(factor):.6g}"


def _power_of_ten(value: int) -> str:
    text = str(value)
    return f"10^{len(text) - 1}" if text.strip("0") == "1" and len(text) > 1 else ""
