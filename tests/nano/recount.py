"""The gold of a nano item worked out again, from its question's words and its latent state only."""

from __future__ import annotations

import re
from typing import Any

from cogito_nano.tasks import NanoItem

_STEPS = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}


def recount(item: NanoItem) -> str:
    """The value the question asks for (not the letter)."""
    return _RECOUNTS[item.category](item.question, item.state)


def _counting(question: str, state: dict[str, Any]) -> str:
    words = re.findall(r"[a-z]+", question.lower())
    count = 0
    for _, colour, shape in state["things"]:
        asked_colour = next((w for w in words if w in ("red", "blue", "green", "yellow", "purple")), colour)
        asked_shape = next((w[:-1] for w in words if w in ("circles", "squares", "triangles")), shape)
        count += colour == asked_colour and shape == asked_shape
    return str(count)


def _chart(question: str, state: dict[str, Any]) -> str:
    heights = dict(state["bars"])
    named = [word for word in re.findall(r"[a-z]+", question) if word in heights]
    if "highest" in question or "lowest" in question:
        order = sorted(heights, key=lambda colour: heights[colour])
        return order[0] if "lowest" in question else order[-2] if "second" in question else order[-1]
    if "higher" in question:
        return str(heights[named[0]] - heights[named[1]])
    if "line is" in question:
        scale = int(re.search(r"line is (\d+)", question)[1])  # type: ignore[index]
        return str(scale * (heights[named[0]] + heights[named[1]]))
    return str(heights[named[0]])


def _math(question: str, state: dict[str, Any]) -> str:
    if "line?" in question and "straight" not in question:
        return str(abs(state["end"] - state["start"]))
    if "triangle" in question:
        return str(state["wide"] * state["high"] // 2)
    if "perimeter" in question:
        return str(2 * state["wide"] + 2 * state["high"])
    if "rectangle" in question:
        return str(state["wide"] * state["high"])
    between = abs(state["rays"][1] - state["rays"][0])
    return str(180 - between if "missing" in question else between)


def _logic(question: str, state: dict[str, Any]) -> str:
    if "dots" in question:
        return str(_by_progression(state["dots"], state["hole"]))
    found = [_by_exclusion(state[name], state["hole"]) for name in ("colours", "shapes") if name in state]
    return " ".join(found)


def _by_exclusion(grid: list[list[str]], hole: tuple[int, int]) -> str:
    """The value that completes the pattern of the other eight cells, whichever of the three rules made it."""
    row, column = hole
    across = {grid[row][x] for x in range(3) if x != column}
    down = {grid[y][column] for y in range(3) if y != row}
    if len(across) == 1:
        return across.pop()
    if len(down) == 1:
        return down.pop()
    seen = {grid[y][x] for y in range(3) for x in range(3) if (y, x) != hole}
    (missing,) = seen - across
    return missing


def _by_progression(dots: list[list[int]], hole: tuple[int, int]) -> int:
    row, column = hole
    others = [x for x in range(3) if x != column]
    step = (dots[row][others[1]] - dots[row][others[0]]) // (others[1] - others[0])
    return dots[row][others[0]] + step * (column - others[0])


def _science(question: str, state: dict[str, Any]) -> str:
    chain = state["chain"]
    position = next(chain.index(word) for word in re.findall(r"[a-z]+", question) if word in chain)
    if question.startswith("How many"):
        return str(len(chain[position:]) - 1)
    if question.startswith("What does"):
        return chain[position - 1]
    if "animal that eats" in question:
        return chain[position + 2]
    return chain[position + 1]


def _general(question: str, state: dict[str, Any]) -> str:
    scene = state["scene"]
    place = {thing: cell for cell, (_, thing) in scene.items()}
    colour = {thing: shade for shade, thing in scene.values()}
    things = [word for word in re.findall(r"[a-z]+", question) if word in place]
    shades = [word for word in re.findall(r"[a-z]+", question) if word in colour.values()]
    if question.startswith("Is there"):
        return "yes" if things else "no"
    if "same colour" in question:
        return next(thing for thing in place if colour[thing] == colour[things[0]] and thing != things[0])
    word = next((word for word in _STEPS if word in question), None)
    if word:
        x, y = place[things[-1]]
        neighbour = scene[(x + _STEPS[word][0], y + _STEPS[word][1])]
        if question.startswith("Is the thing"):
            return "yes" if question.rstrip("?").endswith(neighbour[0]) else "no"
        if question.startswith("Is the"):
            return "yes" if neighbour[1] == things[0] else "no"
        return neighbour[0] if question.startswith("What colour") else neighbour[1]
    if question.startswith("What colour"):
        return colour[things[0]]
    return next(thing for thing, shade in colour.items() if shade == shades[0])


_RECOUNTS = {
    "counting": _counting,
    "chart": _chart,
    "math": _math,
    "logic": _logic,
    "science": _science,
    "general": _general,
}
