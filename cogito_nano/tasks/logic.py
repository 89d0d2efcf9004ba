"""Logic: three by three grids with one empty cell; colour, shape and number follow rules along rows and columns."""

from __future__ import annotations

import random

from cogito_nano.tasks.draw import BACKGROUND_COUNT, COLOURS, Canvas
from cogito_nano.tasks.item import Draft, near_numbers

SHAPES = ("circle", "square", "triangle", "cross")
_CELL = 28
# Where up to six dots sit in a cell, as on a die.
_DOTS = {
    1: ((0, 0),),
    2: ((-1, -1), (1, 1)),
    3: ((-1, -1), (0, 0), (1, 1)),
    4: ((-1, -1), (1, -1), (-1, 1), (1, 1)),
    5: ((-1, -1), (1, -1), (0, 0), (-1, 1), (1, 1)),
    6: ((-1, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (1, 1)),
}

Grid = list[list[str]]


def build(level: int, rng: random.Random) -> Draft:
    """Level 1: one attribute. Level 2: colour and shape, each constant along a row or column.

    Level 3: colour and shape with at least one Latin rule (each row and column holds all three values),
    or dots in an arithmetic progression along rows and columns.
    """
    hole = (rng.randrange(3), rng.randrange(3))
    if level == 1:
        colours = _grid(rng, tuple(COLOURS), rng.choice(("row", "column", "latin")))
        return _coloured(rng, colours, hole)
    if level == 3 and rng.random() < 0.35:
        return _numbered(rng, hole)
    rules = [rng.choice(("row", "column")), rng.choice(("row", "column"))]
    if level == 3:
        rules[rng.randrange(2)] = "latin"
    colours, shapes = _grid(rng, tuple(COLOURS), rules[0]), _grid(rng, SHAPES, rules[1])
    return _both(rng, colours, shapes, hole)


def _grid(rng: random.Random, values: tuple[str, ...], rule: str) -> Grid:
    picked = rng.sample(values, 3)
    if rule == "row":
        return [[picked[row]] * 3 for row in range(3)]
    if rule == "column":
        return [list(picked) for _ in range(3)]
    turn = rng.choice((1, 2))
    return [[picked[(column + turn * row) % 3] for column in range(3)] for row in range(3)]


def _coloured(rng: random.Random, colours: Grid, hole: tuple[int, int]) -> Draft:
    canvas = _board(rng, hole)
    shape = rng.choice(SHAPES[:3])
    for row, column in _filled(hole):
        canvas.shape(shape, colours[row][column], *_centre(row, column), 9)
    answer = colours[hole[0]][hole[1]]
    question = rng.choice(("Which colour is missing?", "What colour belongs in the empty cell?"))
    pool = [colour for colour in COLOURS if colour != answer]
    rng.shuffle(pool)
    return Draft(
        canvas, question, answer, "text", f"{_lines(colours, hole)}; {answer}", tuple(pool),
        {"colours": colours, "hole": hole},
    )  # fmt: skip


def _both(rng: random.Random, colours: Grid, shapes: Grid, hole: tuple[int, int]) -> Draft:
    canvas = _board(rng, hole)
    names = [[f"{colours[row][column]} {shapes[row][column]}" for column in range(3)] for row in range(3)]
    for row, column in _filled(hole):
        canvas.shape(shapes[row][column], colours[row][column], *_centre(row, column), 9)
    answer = names[hole[0]][hole[1]]
    colour, shape = answer.split()
    # Sorted: the order of a set of strings differs from one process to the next.
    used_colours = sorted({value for line in colours for value in line})
    used_shapes = sorted({value for line in shapes for value in line})
    pool = [f"{c} {s}" for c in used_colours for s in used_shapes if (c == colour) != (s == shape)]
    rng.shuffle(pool)
    question = rng.choice(("What belongs in the empty cell?", "Which shape is missing?"))
    state = {"colours": colours, "shapes": shapes, "hole": hole}
    return Draft(canvas, question, answer, "text", f"{_lines(names, hole)}; {answer}", tuple(pool), state)


def _numbered(rng: random.Random, hole: tuple[int, int]) -> Draft:
    while True:
        start, down, right = rng.randint(1, 6), rng.randint(-2, 2), rng.randint(-2, 2)
        dots = [[start + down * row + right * column for column in range(3)] for row in range(3)]
        if (down or right) and all(1 <= count <= 6 for line in dots for count in line):
            break
    canvas = _board(rng, hole)
    ink = rng.choice((*COLOURS, "black"))
    for row, column in _filled(hole):
        x, y = _centre(row, column)
        for dx, dy in _DOTS[dots[row][column]]:
            canvas.oval(ink, x + 7 * dx - 2.5, y + 7 * dy - 2.5, x + 7 * dx + 2.5, y + 7 * dy + 2.5)
    answer = dots[hole[0]][hole[1]]
    question = rng.choice(("How many dots belong in the empty cell?", "How many dots are missing?"))
    describe = f"{_lines([[str(count) for count in line] for line in dots], hole)}; {answer}"
    state = {"dots": dots, "hole": hole}
    return Draft(canvas, question, str(answer), "number", describe, near_numbers(answer, 1, 6), state)


def _board(rng: random.Random, hole: tuple[int, int]) -> Canvas:
    canvas = Canvas(84, 84, rng.randrange(BACKGROUND_COUNT))
    x, y = hole[1] * _CELL, hole[0] * _CELL
    canvas.rect("pale", x + 2, y + 2, x + _CELL - 3, y + _CELL - 3)
    for line in (1, 2):
        canvas.line("grey", line * _CELL, 0, line * _CELL, 83)
        canvas.line("grey", 0, line * _CELL, 83, line * _CELL)
    return canvas


def _filled(hole: tuple[int, int]) -> list[tuple[int, int]]:
    return [(row, column) for row in range(3) for column in range(3) if (row, column) != hole]


def _centre(row: int, column: int) -> tuple[float, float]:
    return column * _CELL + 13.5, row * _CELL + 13.5


def _lines(values: Grid, hole: tuple[int, int]) -> str:
    """The hole's row and column, which are all the rules need: equal neighbours repeat, unequal ones exclude."""
    row, column = hole
    across = [values[row][other] if other != column else "?" for other in range(3)]
    down = [values[other][column] if other != row else "?" for other in range(3)]
    return f"row {', '.join(across)}; column {', '.join(down)}"
