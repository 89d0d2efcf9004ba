"""A puzzle's panels on one sheet: the grid with a question mark above, the lettered candidates below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogito_data.sources.shapes.options import LETTERS

if TYPE_CHECKING:
    import numpy as np

GAP = 12
"""Pixels between panels."""

LABEL = 28
"""Height in pixels of the line with the letters."""


def puzzle_sheet(panels: np.ndarray) -> bytes:
    """One PNG of 8 context panels (a 3 x 3 grid, the last cell a question mark) and 8 candidates A to H.

    Args:
        panels: uint8 (16, height, width): context first, then candidates, as RAVEN stores them.
    """
    from PIL import Image, ImageDraw, ImageFont

    from cogito_core.images import to_png

    height, width = panels.shape[1:]
    across = 4 * width + 5 * GAP
    grid_left = (across - 3 * width - 2 * GAP) // 2
    candidates_top = 3 * height + 4 * GAP + GAP
    sheet = Image.new("L", (across, candidates_top + 2 * (height + LABEL + GAP)), 255)
    draw = ImageDraw.Draw(sheet)

    def frame(left: int, top: int) -> None:
        draw.rectangle((left - 1, top - 1, left + width, top + height), outline=0)

    for cell in range(9):
        left, top = grid_left + cell % 3 * (width + GAP), GAP + cell // 3 * (height + GAP)
        frame(left, top)
        if cell < 8:
            sheet.paste(Image.fromarray(panels[cell]), (left, top))
        else:
            middle = (left + width // 2, top + height // 2)
            draw.text(middle, "?", fill=0, anchor="mm", font=ImageFont.load_default(height // 2))
    font = ImageFont.load_default(LABEL - 8)
    for number in range(8):
        left = GAP + number % 4 * (width + GAP)
        top = candidates_top + number // 4 * (height + LABEL + GAP)
        frame(left, top)
        sheet.paste(Image.fromarray(panels[8 + number]), (left, top))
        draw.text((left + width // 2, top + height + LABEL // 2), LETTERS[number], fill=0, anchor="mm", font=font)
    return to_png(sheet)
