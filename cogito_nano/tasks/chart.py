"""Charts: coloured bars over a ruled background."""

from __future__ import annotations

import random

from cogito_nano.tasks.draw import BACKGROUND_COUNT, COLOURS, Canvas
from cogito_nano.tasks.item import Draft, near_numbers

_SCALES = (1, 2, 5, 10)


def build(level: int, rng: random.Random) -> Draft:
    """Level 1 reads one bar, level 2 compares two or ranks four, level 3 adds two bars under a scale."""
    if level == 1:
        bars = _bars(rng, 3, 6)
        colour, height = rng.choice(bars)
        question = rng.choice((f"How high is the {colour} bar?", f"What is the value of the {colour} bar?"))
        describe = f"{_spoken(bars)}; {colour} {height}"
        pool = near_numbers(height, 1, 6)
        return Draft(_draw(rng, bars, 7), question, str(height), "number", describe, pool, {"bars": bars})
    if level == 2:
        bars = _bars(rng, 4, 9)
        canvas = _draw(rng, bars, 5)
        if rng.random() < 0.5:
            return _ranked(rng, bars, canvas)
        (high_colour, high), (low_colour, low) = sorted(rng.sample(bars, 2), key=lambda bar: -bar[1])
        question = f"How much higher is the {high_colour} bar than the {low_colour} bar?"
        describe = f"{high_colour} {high}, {low_colour} {low}; {high}-{low}={high - low}"
        pool = near_numbers(high - low, 1, 8)
        return Draft(canvas, question, str(high - low), "number", describe, pool, {"bars": bars})
    bars = _bars(rng, 5, 9)
    scale = rng.choice(_SCALES)
    (first_colour, first), (second_colour, second) = rng.sample(bars, 2)
    units = first + second
    question = (
        f"Each line is {scale}. "
        + rng.choice(("What is the total of the {} and {} bars?", "How much are the {} and {} bars together?"))
    ).format(first_colour, second_colour)
    describe = f"{first_colour} {first}, {second_colour} {second}; {first}+{second}={units}"
    if scale > 1:
        describe += f"; {units}x{scale}={units * scale}"
    pool = near_numbers(units * scale, 2, 18 * scale, scale)
    state = {"bars": bars, "scale": scale}
    return Draft(_draw(rng, bars, 5), question, str(units * scale), "number", describe, pool, state)


def _ranked(rng: random.Random, bars: list[tuple[str, int]], canvas: Canvas) -> Draft:
    word, rank = rng.choice((("highest", 0), ("second highest", 1), ("lowest", 3)))
    colour = sorted(bars, key=lambda bar: -bar[1])[rank][0]
    pool = [other for other, _ in bars if other != colour]
    rng.shuffle(pool)
    question = rng.choice((f"Which colour is the {word} bar?", f"What colour is the {word} bar?"))
    describe = f"{_spoken(bars)}; {dict(bars)[colour]} {colour}"
    return Draft(canvas, question, colour, "text", describe, tuple(pool), {"bars": bars})


def _bars(rng: random.Random, count: int, highest: int) -> list[tuple[str, int]]:
    # Different heights, so that every ranking has one answer.
    colours = rng.sample(tuple(COLOURS), count)
    return list(zip(colours, rng.sample(range(1, highest + 1), count), strict=True))


def _spoken(bars: list[tuple[str, int]]) -> str:
    return ", ".join(f"{colour} {height}" for colour, height in bars)


def _draw(rng: random.Random, bars: list[tuple[str, int]], unit: int) -> Canvas:
    width = 84 if len(bars) > 4 else 56
    canvas = Canvas(width, 56, rng.randrange(BACKGROUND_COUNT))
    floor = 51 - rng.randint(0, 2)
    for line in range(0, floor // unit + 1):
        canvas.line("pale", 0, floor - unit * line, width - 1, floor - unit * line)
    pitch = (width - 4) // len(bars)
    bar_width = pitch - rng.randint(3, 5)
    left = 3 + rng.randint(0, 2)
    for position, (colour, height) in enumerate(bars):
        x = left + position * pitch
        canvas.rect(colour, x, floor - unit * height, x + bar_width, floor)
    canvas.line("black", 0, floor, width - 1, floor)
    return canvas
