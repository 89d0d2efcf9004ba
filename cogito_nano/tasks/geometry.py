"""Math: lengths, areas, perimeters and angles on squared paper."""

from __future__ import annotations

import math
import random
from typing import Any

from cogito_nano.tasks.draw import BACKGROUND_COUNT, COLOURS, Canvas
from cogito_nano.tasks.item import Draft, near_numbers

_UNIT = 7
_SQUARES = 8
_INKS = (*COLOURS, "black")


def build(level: int, rng: random.Random) -> Draft:
    """Level 1 reads a length, level 2 an area or perimeter, level 3 an angle or the area of a right triangle."""
    if level == 1:
        return _length(rng)
    if level == 2:
        return _rectangle(rng)
    return _triangle(rng) if rng.random() < 0.35 else _angle(rng)


def _paper(rng: random.Random) -> Canvas:
    canvas = Canvas(56, 56, rng.randrange(BACKGROUND_COUNT))
    for line in range(_SQUARES):
        canvas.line("pale", line * _UNIT, 0, line * _UNIT, 55)
        canvas.line("pale", 0, line * _UNIT, 55, line * _UNIT)
    return canvas


def _length(rng: random.Random) -> Draft:
    length = rng.randint(1, 7)
    start = rng.randint(0, 7 - length)
    across = rng.randint(1, 7)
    ink = rng.choice(_INKS)
    canvas = _paper(rng)
    a, b, c = start * _UNIT, (start + length) * _UNIT, across * _UNIT
    upright = rng.random() < 0.5
    canvas.line(ink, *((c, a, c, b) if upright else (a, c, b, c)), 3)
    question = rng.choice(("How long is the line?", "What is the length of the line?"))
    describe = f"from {start} to {start + length}; {start + length}-{start}={length}"
    state = {"start": start, "end": start + length}
    return Draft(canvas, question, str(length), "number", describe, near_numbers(length, 1, 7), state)


def _rectangle(rng: random.Random) -> Draft:
    wide, high = rng.randint(1, 7), rng.randint(1, 7)
    x, y = rng.randint(0, 7 - wide) * _UNIT, rng.randint(0, 7 - high) * _UNIT
    canvas = _paper(rng)
    canvas.rect(rng.choice(_INKS), x, y, x + wide * _UNIT, y + high * _UNIT)
    state: dict[str, Any] = {"wide": wide, "high": high}
    if rng.random() < 0.6:
        area = wide * high
        describe = f"{wide}x{high}={area}"
        question = rng.choice(("What is the area of the rectangle?", "How many squares does the rectangle cover?"))
        pool = (str(wide * (high + 1)), str(high * (wide + 1)), str(area + 1), str(area + 2))
        state["measure"] = "area"
        return Draft(canvas, question, str(area), "number", describe, _distinct(pool, area), state)
    half = wide + high
    describe = f"{wide}+{high}={half}; {half}+{half}={2 * half}"
    question = "What is the perimeter of the rectangle?"
    state["measure"] = "perimeter"
    return Draft(canvas, question, str(2 * half), "number", describe, near_numbers(2 * half, 4, 28, 2), state)


def _triangle(rng: random.Random) -> Draft:
    wide, high = rng.randint(1, 7), rng.randint(1, 7)
    while wide * high % 2:
        wide, high = rng.randint(1, 7), rng.randint(1, 7)
    left, top = rng.randint(0, 7 - wide) * _UNIT, rng.randint(0, 7 - high) * _UNIT
    right, bottom = left + wide * _UNIT, top + high * _UNIT
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners.pop(rng.randrange(4))
    canvas = _paper(rng)
    canvas.poly(rng.choice(_INKS), *(value for corner in corners for value in corner))
    area = wide * high // 2
    describe = f"{wide}x{high}={2 * area}; {2 * area}/2={area}"
    state = {"wide": wide, "high": high, "measure": "triangle"}
    pool = near_numbers(area, 1, 24)
    return Draft(canvas, "What is the area of the triangle?", str(area), "number", describe, pool, state)


def _angle(rng: random.Random) -> Draft:
    # Both rays in the upper half, as under a protractor.
    angle = 15 * rng.randint(2, 11)
    first = 15 * rng.randint(0, 12 - angle // 15)
    second = first + angle
    x, y = 28 + rng.randint(-3, 3), 42 + rng.randint(-3, 3)
    canvas = Canvas(56, 56, rng.randrange(BACKGROUND_COUNT))
    ink = rng.choice(_INKS)
    for direction in (first, second):
        reach = rng.randint(19, 23)
        turn = math.radians(direction)
        canvas.line(ink, x, y, round(x + reach * math.cos(turn)), round(y - reach * math.sin(turn)), 2)
    canvas.oval("black", x - 2, y - 2, x + 2, y + 2)
    state = {"rays": (first, second), "measure": "angle"}
    describe = f"{second}-{first}={angle}"
    if rng.random() < 0.5:
        question = rng.choice(("What is the angle in degrees?", "How many degrees is the angle?"))
        return Draft(canvas, question, str(angle), "number", describe, near_numbers(angle, 30, 165, 15), state)
    rest = 180 - angle
    state["measure"] = "rest"
    question = "How many degrees are missing to a straight line?"
    describe += f"; 180-{angle}={rest}"
    return Draft(canvas, question, str(rest), "number", describe, near_numbers(rest, 15, 150, 15), state)


def _distinct(pool: tuple[str, ...], truth: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in pool if value != str(truth)))
