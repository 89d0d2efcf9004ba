"""General: small scenes of coloured things; what is where, in which colour, next to what."""

from __future__ import annotations

import random
from typing import Any

from cogito_nano.tasks.draw import BACKGROUND_COUNT, COLOURS, Canvas
from cogito_nano.tasks.item import Draft

THINGS = ("house", "car", "boat", "kite", "cup", "flag")
_CELL = 28
_DIRECTIONS = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}

Scene = dict[tuple[int, int], tuple[str, str]]
"""``{(column, row): (colour, thing)}``."""


def build(level: int, rng: random.Random) -> Draft:
    """Level 1: two things, one fact. Level 2: four things, one relation. Level 3: five things, two facts chained."""
    columns, count = {1: (2, 2), 2: (2, 4), 3: (3, 5)}[level]
    cells = sorted(rng.sample([(x, y) for y in range(2) for x in range(columns)], count), key=lambda c: (c[1], c[0]))
    colours = rng.sample(tuple(COLOURS), count)
    scene = dict(zip(cells, zip(colours, rng.sample(THINGS, count), strict=True), strict=True))
    if level == 3 and rng.random() < 0.4:
        scene = _with_a_pair(rng, scene)
    canvas = Canvas(columns * _CELL, 2 * _CELL, rng.randrange(BACKGROUND_COUNT))
    for (column, row), (colour, thing) in scene.items():
        x = column * _CELL + 13.5 + rng.randint(-2, 2)
        _icon(canvas, thing, colour, x, row * _CELL + 13.5 + rng.randint(-2, 2))
    state: dict[str, Any] = {"scene": scene}
    ask = (_ask_fact, _ask_relation, _ask_chained)[level - 1]
    question, answer, kind, pool = ask(rng, scene, state)
    describe = _describe(scene, columns, state["asked"], answer)
    return Draft(canvas, question, answer, kind, describe, tuple(pool), state)


_Asked = tuple[str, str, str, list[str]]


def _ask_fact(rng: random.Random, scene: Scene, state: dict[str, Any]) -> _Asked:
    colour, thing = rng.choice(list(scene.values()))
    draw = rng.random()
    if draw < 0.2:
        asked = thing if rng.random() < 0.5 else rng.choice([t for t in THINGS if t not in _names(scene)])
        state["asked"] = ("present", asked)
        return f"Is there a {asked}?", *_yes_no(asked in _names(scene))
    if draw < 0.6:
        state["asked"] = ("colour", thing)
        return f"What colour is the {thing}?", colour, "text", _others(rng, tuple(COLOURS), colour)
    state["asked"] = ("thing", colour)
    question = rng.choice((f"What is the {colour} thing?", f"Which thing is {colour}?"))
    return question, thing, "text", _others(rng, THINGS, thing)


def _ask_relation(rng: random.Random, scene: Scene, state: dict[str, Any]) -> _Asked:
    if rng.random() < 0.3:
        colour, thing = rng.choice(list(scene.values()))
        state["asked"] = ("colour", thing)
        return f"What colour is the {thing}?", colour, "text", _others(rng, tuple(COLOURS), colour)
    word, (_, base), (_, target) = _neighbours(rng, scene)
    if rng.random() < 0.15:
        other = target if rng.random() < 0.5 else rng.choice([t for t in _names(scene) if t not in (base, target)])
        state["asked"] = ("is", word, base, other)
        return f"Is the {other} {word} the {base}?", *_yes_no(other == target)
    state["asked"] = ("neighbour", word, base)
    return f"What is {word} the {base}?", target, "text", _others(rng, tuple(_names(scene)), target, base)


def _ask_chained(rng: random.Random, scene: Scene, state: dict[str, Any]) -> _Asked:
    if len({colour for colour, _ in scene.values()}) < len(scene):
        pairs = [value for value in scene.values() if sum(value[0] == c for c, _ in scene.values()) == 2]
        (_, first), (_, second) = rng.sample(pairs, 2)
        state["asked"] = ("same colour", first)
        pool = _others(rng, tuple(_names(scene)), second, first)
        return f"Which thing has the same colour as the {first}?", second, "text", pool
    word, (_, base), (colour, _) = _neighbours(rng, scene)
    if rng.random() < 0.15:
        asked = colour if rng.random() < 0.5 else rng.choice([c for c, _ in scene.values() if c != colour])
        state["asked"] = ("neighbour is", word, base, asked)
        return f"Is the thing {word} the {base} {asked}?", *_yes_no(asked == colour)
    state["asked"] = ("neighbour colour", word, base)
    question = f"What colour is the thing {word} the {base}?"
    return question, colour, "text", _others(rng, tuple(COLOURS), colour)


def _neighbours(rng: random.Random, scene: Scene) -> tuple[str, tuple[str, str], tuple[str, str]]:
    """A direction word, the thing asked about, and the thing that lies in that direction from it."""
    found = [
        (word, scene[(x, y)], scene[(x + dx, y + dy)])
        for (x, y) in scene
        for word, (dx, dy) in _DIRECTIONS.items()
        if (x + dx, y + dy) in scene
    ]
    return rng.choice(found)


def _with_a_pair(rng: random.Random, scene: Scene) -> Scene:
    """The same scene with one thing repainted in the colour of another."""
    one, other = rng.sample(list(scene), 2)
    return {cell: (scene[one][0] if cell == other else colour, thing) for cell, (colour, thing) in scene.items()}


def _names(scene: Scene) -> list[str]:
    return [thing for _, thing in scene.values()]


def _yes_no(truth: bool) -> tuple[str, str, list[str]]:
    return ("yes", "yes_no", ["no"]) if truth else ("no", "yes_no", ["yes"])


def _others(rng: random.Random, values: tuple[str, ...], *unwanted: str) -> list[str]:
    left = [value for value in values if value not in unwanted]
    rng.shuffle(left)
    return left


def _describe(scene: Scene, columns: int, asked: tuple[str, ...], answer: str) -> str:
    """What the question is about: the things' places for a relation, else their colours; then the conclusion."""
    if asked[0] in ("colour", "thing", "present", "same colour"):
        seen = ", ".join(f"{thing} {colour}" for colour, thing in scene.values())
        conclusion = {"colour": f"{asked[1]} {answer}", "same colour": f"{_colour_of(scene, answer)} {answer}"}
        return f"{seen}; {conclusion.get(asked[0], answer)}"
    rows = [
        " ".join(scene[(column, row)][1] if (column, row) in scene else "-" for column in range(columns))
        for row in range(2)
    ]
    colour, thing = _neighbour(scene, asked[1], asked[2])
    words = {
        "neighbour": [thing],
        "is": [thing, answer],
        "neighbour colour": [thing, colour],
        "neighbour is": [thing, colour, answer],
    }
    return f"{', '.join(rows)}; {' '.join(words[asked[0]])}"


def _colour_of(scene: Scene, thing: str) -> str:
    return next((colour for colour, name in scene.values() if name == thing), "")


def _neighbour(scene: Scene, word: str, base: str) -> tuple[str, str]:
    x, y = next(cell for cell, (_, thing) in scene.items() if thing == base)
    dx, dy = _DIRECTIONS[word]
    return scene[(x + dx, y + dy)]


def _icon(canvas: Canvas, thing: str, colour: str, x: float, y: float) -> None:
    if thing == "house":
        canvas.rect(colour, x - 7, y - 1, x + 7, y + 9)
        canvas.poly("black", x - 9, y - 1, x + 9, y - 1, x, y - 9)
    elif thing == "car":
        canvas.rect(colour, x - 9, y - 1, x + 9, y + 5)
        canvas.rect(colour, x - 5, y - 6, x + 5, y)
        canvas.oval("black", x - 8, y + 3, x - 3, y + 8)
        canvas.oval("black", x + 3, y + 3, x + 8, y + 8)
    elif thing == "boat":
        canvas.poly(colour, x - 10, y + 2, x + 10, y + 2, x + 5, y + 9, x - 5, y + 9)
        canvas.line("black", x, y - 9, x, y + 2, 2)
        canvas.poly("grey", x + 2, y - 8, x + 2, y, x + 8, y)
    elif thing == "kite":
        canvas.poly(colour, x, y - 10, x + 7, y - 2, x, y + 6, x - 7, y - 2)
        canvas.line("black", x, y + 6, x + 4, y + 11)
    elif thing == "cup":
        canvas.oval("black", x + 2, y - 4, x + 10, y + 5)
        canvas.rect(colour, x - 7, y - 7, x + 5, y + 8)
    elif thing == "flag":
        canvas.line("black", x - 7, y - 10, x - 7, y + 10, 2)
        canvas.rect(colour, x - 5, y - 9, x + 9, y)
    else:
        raise ValueError(f"no icon for {thing}")
