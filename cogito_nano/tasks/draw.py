"""Drawing: a picture is a tuple of drawing commands, so that two pictures can be compared before they are drawn."""

from __future__ import annotations

import io
import math
from functools import lru_cache

from PIL import Image, ImageDraw

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 40, 40),
    "blue": (40, 80, 225),
    "green": (35, 160, 60),
    "yellow": (240, 195, 20),
    "purple": (155, 60, 190),
}
"""The five colours the questions name; far apart, so that a small vision tower can tell them."""

_OTHER = {
    "black": (25, 25, 25),
    "grey": (140, 140, 140),
    "pale": (205, 205, 205),
    "white": (255, 255, 255),
    "brown": (130, 80, 40),
    "orange": (240, 130, 30),
    "pink": (240, 150, 180),
    "cyan": (60, 190, 200),
}
_BACKGROUNDS = (
    (255, 255, 255),
    (250, 247, 240),
    (240, 246, 252),
    (242, 250, 242),
    (252, 242, 246),
    (246, 246, 246),
)
BACKGROUND_COUNT = len(_BACKGROUNDS)

_INDEX = {name: position + 1 for position, name in enumerate([*COLOURS, *_OTHER])}

Command = tuple[str, str, tuple[float, ...], int]
"""``(operation, colour, coordinates, width)``; the operation is rect, oval, poly or line, the width is for lines."""


class Canvas:
    """Collects drawing commands. ``width`` and ``height`` are pixels, ``background`` picks one of the pale tints."""

    def __init__(self, width: int, height: int, background: int = 0) -> None:
        self.width = width
        self.height = height
        self.background = background
        self.commands: list[Command] = []

    def rect(self, colour: str, x0: float, y0: float, x1: float, y1: float) -> None:
        self.commands.append(("rect", colour, (x0, y0, x1, y1), 0))

    def oval(self, colour: str, x0: float, y0: float, x1: float, y1: float) -> None:
        self.commands.append(("oval", colour, (x0, y0, x1, y1), 0))

    def poly(self, colour: str, *points: float) -> None:
        self.commands.append(("poly", colour, points, 0))

    def line(self, colour: str, x0: float, y0: float, x1: float, y1: float, width: int = 1) -> None:
        self.commands.append(("line", colour, (x0, y0, x1, y1), width))

    def shape(self, shape: str, colour: str, x: float, y: float, radius: float) -> None:
        """A filled circle, square, triangle or cross around ``(x, y)``."""
        if shape == "circle":
            self.oval(colour, x - radius, y - radius, x + radius, y + radius)
        elif shape == "square":
            self.rect(colour, x - radius, y - radius, x + radius, y + radius)
        elif shape == "triangle":
            self.poly(colour, x - radius, y + radius, x + radius, y + radius, x, y - radius)
        elif shape == "cross":
            arm = radius / 3
            self.rect(colour, x - radius, y - arm, x + radius, y + arm)
            self.rect(colour, x - arm, y - radius, x + arm, y + radius)
        else:
            raise ValueError(f"no such shape: {shape}")

    def arrow(self, colour: str, x0: float, y0: float, x1: float, y1: float) -> None:
        """A two-pixel line from ``(x0, y0)`` with a head of five pixels at ``(x1, y1)``."""
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        neck_x, neck_y = x1 - 5 * ux, y1 - 5 * uy
        self.line(colour, x0, y0, neck_x, neck_y, 2)
        self.poly(colour, x1, y1, neck_x - 4 * uy, neck_y + 4 * ux, neck_x + 4 * uy, neck_y - 4 * ux)

    def key(self) -> str:
        """The picture's content as text: equal keys draw equal pixels."""
        return repr((self.width, self.height, self.background, self.commands))

    def png(self) -> bytes:
        """The picture as PNG bytes (palette mode: a third of the bytes and of the encoding time of RGB)."""
        image = Image.new("P", (self.width, self.height), 0)
        image.putpalette(_palette(self.background))
        pen = ImageDraw.Draw(image)
        for operation, colour, points, width in self.commands:
            ink = _INDEX[colour]
            if operation == "rect":
                pen.rectangle(points, fill=ink)
            elif operation == "oval":
                pen.ellipse(points, fill=ink)
            elif operation == "poly":
                pen.polygon(points, fill=ink)
            else:
                pen.line(points, fill=ink, width=width)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


@lru_cache(maxsize=BACKGROUND_COUNT)
def _palette(background: int) -> bytes:
    colours = [_BACKGROUNDS[background], *COLOURS.values(), *_OTHER.values()]
    return bytes(channel for colour in colours for channel in colour)
