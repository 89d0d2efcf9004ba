"""Counting: coloured shapes on a loose four by four grid."""

from __future__ import annotations

import random

from cogito_nano.tasks.draw import BACKGROUND_COUNT, COLOURS, Canvas
from cogito_nano.tasks.item import Draft, near_numbers

SHAPES = ("circle", "square", "triangle")
_CELL = 14
# The picture's quarters in reading order; within a quarter its four cells in reading order.
_QUARTERS = tuple(
    tuple((2 * right + x, 2 * down + y) for y in (0, 1) for x in (0, 1)) for down in (0, 1) for right in (0, 1)
)
_READING_ORDER = tuple(cell for quarter in _QUARTERS for cell in quarter)

Thing = tuple[tuple[int, int], str, str]
"""``(cell, colour, shape)``."""


def build(level: int, rng: random.Random) -> Draft:
    """Level 1 counts everything (1 to 6), level 2 one colour or one shape, level 3 both at once or 7 to 11 shapes."""
    if level == 1:
        things = _scatter(rng, [_any_thing(rng) for _ in range(rng.randint(1, 6))])
        question = rng.choice(("How many shapes are there?", "Count the shapes."))
        return _draft(rng, things, question, {}, "colour", 1, 7)
    if level == 2:
        attribute = rng.choice(("colour", "shape"))
        wanted = {attribute: rng.choice(tuple(COLOURS) if attribute == "colour" else SHAPES)}
        things = _scatter(rng, _mixture(rng, wanted, rng.randint(1, 5), rng.randint(2, 4)))
        noun = f"{wanted['colour']} shapes" if attribute == "colour" else f"{wanted['shape']}s"
        return _draft(rng, things, _how_many(rng, noun), wanted, attribute, 0, 7)
    if rng.random() < 0.3:
        things = _scatter(rng, [_any_thing(rng) for _ in range(rng.randint(7, 11))])
        return _draft(rng, things, "How many shapes are there?", {}, "colour", 5, 13)
    wanted = {"colour": rng.choice(tuple(COLOURS)), "shape": rng.choice(SHAPES)}
    count = rng.randint(1, 5)
    same_colour = [(wanted["colour"], _other(rng, SHAPES, wanted["shape"])) for _ in range(rng.randint(1, 3))]
    same_shape = [(_other(rng, tuple(COLOURS), wanted["colour"]), wanted["shape"]) for _ in range(rng.randint(1, 3))]
    kinds = [(wanted["colour"], wanted["shape"])] * count + same_colour + same_shape
    noun = f"{wanted['colour']} {wanted['shape']}s"
    return _draft(rng, _scatter(rng, kinds), _how_many(rng, noun), wanted, "shape", 0, 7)


def _draft(
    rng: random.Random, things: list[Thing], question: str, wanted: dict[str, str], spoken: str, low: int, high: int
) -> Draft:
    canvas = Canvas(56, 56, rng.randrange(BACKGROUND_COUNT))
    for (column, row), colour, shape in things:
        # Either larger or moved, so that neighbours never touch: two touching squares would look like one.
        radius, slack = rng.choice(((5.5, 0), (4.5, 1)))
        x = column * _CELL + 6.5 + rng.randint(-slack, slack)
        y = row * _CELL + 6.5 + rng.randint(-slack, slack)
        canvas.shape(shape, colour, x, y, radius)
    count = sum(_matches(thing, wanted) for thing in things)
    state = {"things": things, "wanted": wanted}
    describe = _describe(things, wanted, spoken)
    return Draft(canvas, question, str(count), "number", describe, near_numbers(count, low, high), state)


def _describe(things: list[Thing], wanted: dict[str, str], spoken: str) -> str:
    """The wanted shapes quarter by quarter, then their numbers and the sum."""
    named = [thing for thing in things if _matches(thing, wanted)]
    quarters, counts = [], []
    for quarter in _QUARTERS:
        inside = [thing for thing in named if thing[0] in quarter]
        quarters.append(" ".join(colour if spoken == "colour" else shape for _, colour, shape in inside) or "-")
        counts.append(str(len(inside)))
    return f"{', '.join(quarters)}; {'+'.join(counts)}={len(named)}"


def _matches(thing: Thing, wanted: dict[str, str]) -> bool:
    _, colour, shape = thing
    return wanted.get("colour", colour) == colour and wanted.get("shape", shape) == shape


def _any_thing(rng: random.Random) -> tuple[str, str]:
    return rng.choice(tuple(COLOURS)), rng.choice(SHAPES)


def _other(rng: random.Random, values: tuple[str, ...], unwanted: str) -> str:
    return rng.choice([value for value in values if value != unwanted])


def _mixture(rng: random.Random, wanted: dict[str, str], count: int, rest: int) -> list[tuple[str, str]]:
    kinds = []
    for index in range(count + rest):
        colour, shape = _any_thing(rng)
        if index < count:
            colour, shape = wanted.get("colour", colour), wanted.get("shape", shape)
        elif "colour" in wanted:
            colour = _other(rng, tuple(COLOURS), wanted["colour"])
        else:
            shape = _other(rng, SHAPES, wanted["shape"])
        kinds.append((colour, shape))
    return kinds


def _scatter(rng: random.Random, kinds: list[tuple[str, str]]) -> list[Thing]:
    cells = rng.sample(_READING_ORDER, len(kinds))
    placed = [(cell, colour, shape) for cell, (colour, shape) in zip(cells, kinds, strict=True)]
    return sorted(placed, key=lambda thing: _READING_ORDER.index(thing[0]))


def _how_many(rng: random.Random, noun: str) -> str:
    return rng.choice((f"How many {noun} are there?", f"Count the {noun}."))
