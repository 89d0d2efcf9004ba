"""Science: food chains drawn as small icons joined by arrows; an arrow points from the eaten to the eater.

Who eats whom is drawn afresh for every picture, so knowledge of the world does not help: the picture must be read.
"""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import pairwise
from typing import Any

from cogito_nano.tasks.draw import BACKGROUND_COUNT, Canvas
from cogito_nano.tasks.item import Draft, near_numbers

PLANTS = ("grass", "berry")
ANIMALS = ("bug", "fish", "mouse", "bird", "fox", "snake")
_CELL = 28

Cell = tuple[int, int]
"""``(column, row)``."""


def build(level: int, rng: random.Random) -> Draft:
    """Level 1: three links, level 2: four, level 3: five links and a question two steps deep or about the order."""
    columns, links = {1: (2, 3), 2: (2, 4), 3: (3, 5)}[level]
    path = rng.choice(_paths(columns, links))
    chain = [rng.choice(PLANTS), *rng.sample(ANIMALS, links - 1)]
    canvas = Canvas(columns * _CELL, 2 * _CELL, rng.randrange(BACKGROUND_COUNT))
    _draw(rng, canvas, path, chain)
    state: dict[str, Any] = {"chain": chain, "path": path}
    question, answer, kind = _ask(rng, chain, level, state)
    if kind == "number":
        pool = near_numbers(int(answer), 0, 4)
    else:
        shown = [name for name in chain[1:] if name != answer and name not in question]
        absent = [name for name in ANIMALS if name not in chain]
        rng.shuffle(shown)
        rng.shuffle(absent)
        pool = (*shown, *absent)
    return Draft(canvas, question, answer, kind, f"{' '.join(chain)}; {_conclusion(state, answer)}", pool, state)


def _ask(rng: random.Random, chain: list[str], level: int, state: dict[str, Any]) -> tuple[str, str, str]:
    if level < 3:
        if rng.random() < 0.55:
            position = rng.randrange(len(chain) - 1)
            state["asked"] = ("eater", position)
            words = rng.choice(("What eats the {}?", "Which animal eats the {}?"))
            return words.format(chain[position]), chain[position + 1], "text"
        position = rng.randrange(2, len(chain))
        state["asked"] = ("eaten", position)
        return f"What does the {chain[position]} eat?", chain[position - 1], "text"
    draw = rng.random()
    if draw < 0.35:
        position = rng.randrange(len(chain) - 2)
        state["asked"] = ("second eater", position)
        return f"What eats the animal that eats the {chain[position]}?", chain[position + 2], "text"
    if draw < 0.7:
        position = rng.randrange(len(chain) - 1)
        state["asked"] = ("eater", position)
        return f"If the {chain[position]} dies out, which animal loses its food?", chain[position + 1], "text"
    position = rng.randrange(len(chain))
    state["asked"] = ("after", position)
    return f"How many animals come after the {chain[position]}?", str(len(chain) - 1 - position), "number"


def _conclusion(state: dict[str, Any], answer: str) -> str:
    """The part of the chain that holds the answer, begun with the animal asked about where the answer follows it."""
    chain: list[str] = state["chain"]
    kind, position = state["asked"]
    if kind == "after":
        return f"{' '.join(chain[position:])} = {answer}"
    if kind == "eaten":
        return answer
    return " ".join(chain[position : chain.index(answer) + 1])


@lru_cache(maxsize=8)
def _paths(columns: int, length: int) -> list[list[Cell]]:
    """All paths over ``length`` different cells of a grid of two rows, each step to a neighbour."""
    cells = [(column, row) for row in range(2) for column in range(columns)]
    paths = [[cell] for cell in cells]
    for _ in range(length - 1):
        paths = [
            [*path, cell]
            for path in paths
            for cell in cells
            if cell not in path and abs(cell[0] - path[-1][0]) + abs(cell[1] - path[-1][1]) == 1
        ]
    return paths


def _draw(rng: random.Random, canvas: Canvas, path: list[Cell], chain: list[str]) -> None:
    centres = [(column * _CELL + 13.5, row * _CELL + 13.5) for column, row in path]
    for (x0, y0), (x1, y1) in pairwise(centres):
        ux, uy = (x1 - x0) / _CELL, (y1 - y0) / _CELL
        canvas.arrow("black", x0 + 9 * ux, y0 + 9 * uy, x1 - 9 * ux, y1 - 9 * uy)
    for name, (x, y) in sorted(zip(chain, centres, strict=True), key=lambda placed: placed[1]):
        _icon(canvas, name, x + rng.choice((-1, 0, 1)), y + rng.choice((-1, 0, 1)))


def _icon(canvas: Canvas, name: str, x: float, y: float) -> None:
    if name == "grass":
        for dx in (-5, -2, 1, 4):
            canvas.poly("green", x + dx - 1, y + 7, x + dx + 2, y + 7, x + dx, y - 7)
    elif name == "berry":
        for dx, dy in ((-3, -1), (3, -1), (0, 4)):
            canvas.oval("red", x + dx - 3, y + dy - 3, x + dx + 3, y + dy + 3)
        canvas.line("green", x, y - 7, x, y - 3, 2)
    elif name == "bug":
        canvas.oval("black", x - 4, y - 6, x + 4, y + 6)
        for dy in (-4, 0, 4):
            canvas.line("black", x - 7, y + dy, x + 7, y + dy)
    elif name == "fish":
        canvas.oval("blue", x - 7, y - 4, x + 3, y + 4)
        canvas.poly("blue", x + 1, y, x + 7, y - 5, x + 7, y + 5)
    elif name == "mouse":
        canvas.oval("grey", x - 5, y - 3, x + 5, y + 6)
        canvas.oval("pink", x - 6, y - 7, x - 1, y - 2)
        canvas.oval("pink", x + 1, y - 7, x + 6, y - 2)
    elif name == "bird":
        canvas.oval("yellow", x - 5, y - 6, x + 4, y + 3)
        canvas.poly("orange", x + 3, y - 3, x + 7, y - 1, x + 3, y + 1)
        canvas.line("brown", x - 1, y + 3, x - 1, y + 7, 2)
    elif name == "fox":
        canvas.poly("orange", x - 7, y - 7, x + 7, y - 7, x, y + 7)
        canvas.poly("white", x - 3, y - 7, x + 3, y - 7, x, y - 2)
    elif name == "snake":
        for step in range(4):
            up, down = (y + 4, y - 4) if step % 2 else (y - 4, y + 4)
            canvas.line("purple", x - 7 + 3.5 * step, up, x - 3.5 + 3.5 * step, down, 3)
    else:
        raise ValueError(f"no icon for {name}")
