"""Whether two pictures are the same: exact by decoded pixels, near by comparing what is seen.

A fingerprint only nominates. On charts and geometry diagrams hashes collide between different questions
(measured: up to 77 % of TabMWP pictures have a false twin at 8 bits of a 64-bit difference hash), so nothing is
decided before the pixels were compared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cogito_core.images import open_picture

if TYPE_CHECKING:
    from PIL import Image

OUTLINE_SIDES = (36, 32)
"""Columns and rows of blocks, at the least, of which an outline is made where the picture has as many pixels."""

OUTLINE_BLOCK = 8
"""Largest side of such a block in pixels; a large picture has more blocks, not larger ones."""

COMPARED_SIDE = 384
"""Longest side, in pixels, at which two pictures are compared."""

BLOCK = 8
"""Side of the blocks whose largest difference is the local difference."""

ASPECT_TOLERANCE = 0.03

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


@dataclass(frozen=True)
class Look:
    """What a decoded picture looks like.

    Attributes:
        outline: 16-byte digest of the size and of the mean colours of small blocks. Equal for lossless copies in any
            encoding; where two are equal the pixels still have to be compared.
        dhash: 64-bit difference hash, nominates near copies. Hashes made by other libraries do not compare.
    """

    outline: bytes
    dhash: int


@dataclass(frozen=True)
class Likeness:
    """How far two pictures are apart, in grey levels 0-255.

    Attributes:
        mean: mean difference of brightness over all pixels.
        local: the largest of all blocks' mean differences of brightness and differences of mean colour.
    """

    mean: float
    local: float

    def within(self, mean: float, local: float) -> bool:
        return self.mean <= mean and self.local <= local

    def __str__(self) -> str:
        return f"mean difference {self.mean:.2f}, largest local difference {self.local:.1f} of 255"


class Seen:
    """A decoded picture ready to be compared again and again."""

    def __init__(self, data: bytes, *, where: str) -> None:
        self._picture = open_picture(data, where=where)

    @cached_property
    def look(self) -> Look:
        return look_of(self._picture)

    @property
    def size(self) -> tuple[int, int]:
        return self._picture.size

    def equals(self, other: Seen) -> bool:
        """Whether all decoded pixels are the same."""
        return self.size == other.size and self._picture.tobytes() == other._picture.tobytes()

    def at(self, size: tuple[int, int]) -> np.ndarray:
        """RGB values [height, width, 3] as int16 at a size in pixels (width, height)."""
        from PIL import Image

        shown = self._picture if self._picture.size == size else self._picture.resize(size, Image.Resampling.BOX)
        return np.asarray(shown, dtype=np.int16)


def look(data: bytes, *, where: str) -> Look:
    """Decode and fingerprint a picture. Raises PictureError naming `where` if it cannot be decoded."""
    return look_of(open_picture(data, where=where))


def look_of(picture: Image.Image) -> Look:
    """Fingerprint of a decoded RGB picture.

    Both come from one shrunken copy: a digest of every pixel would cost as much again as half of the decoding, and
    could not decide anything that the pixels themselves do not decide better.
    """
    from PIL import Image

    width, height = picture.size
    block = max(1, min(OUTLINE_BLOCK, width // OUTLINE_SIDES[0], height // OUTLINE_SIDES[1]))
    shrunk = picture.reduce(block)
    digest = hashlib.sha256(f"{width}x{height}".encode())
    digest.update(shrunk.tobytes())
    # Grey at nine by eight; each bit says whether brightness rises to the right (the usual dHash).
    small = np.asarray(shrunk.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    return Look(digest.digest()[:16], int.from_bytes(bits.tobytes(), "big"))


def compare(one: Seen, other: Seen) -> Likeness | None:
    """How far two pictures are apart at a common size; None where their shapes differ too much to be compared."""
    (w1, h1), (w2, h2) = one.size, other.size
    if abs(w1 * h2 - w2 * h1) > ASPECT_TOLERANCE * max(w1 * h2, w2 * h1):
        return None
    width, height = min(w1, w2), min(h1, h2)
    scale = min(1.0, COMPARED_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    apart = one.at(size) - other.at(size)
    light = np.abs(apart @ LUMA)
    # JPEG stores colour at half resolution: single pixels may be far off in hue, the mean of a block is not.
    hue = max(float(np.abs(_block_means(apart[:, :, channel])).max()) for channel in range(3))
    return Likeness(float(light.mean()), max(float(_block_means(light).max()), hue))


def _block_means(values: np.ndarray) -> np.ndarray:
    """Means of BLOCK x BLOCK tiles of [height, width]; the last tiles are cut where the sides end."""
    height, width = values.shape
    rows, columns = np.arange(0, height, BLOCK), np.arange(0, width, BLOCK)
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), columns, axis=1)
    heights = np.diff([*rows, height])
    widths = np.diff([*columns, width])
    return np.asarray(sums / np.outer(heights, widths))


def near_pairs(hashes: list[int], bits: int) -> list[tuple[int, int]]:
    """All pairs (i, j), i < j, whose hashes differ in at most `bits` of 64 places; found without comparing all.

    Pigeonhole: if at most `bits` places differ, one of `bits` + 1 bands is equal.
    """
    edges = np.linspace(0, 64, bits + 2).round().astype(int)
    found: set[tuple[int, int]] = set()
    for low, high in pairwise(edges):
        mask = (1 << int(high - low)) - 1
        buckets: dict[int, list[int]] = {}
        for i, value in enumerate(hashes):
            buckets.setdefault((value >> int(low)) & mask, []).append(i)
        for members in buckets.values():
            if len(members) > 1:
                found.update(_close(members, hashes, bits))
    return sorted(found)


def _close(members: list[int], hashes: list[int], bits: int) -> list[tuple[int, int]]:
    values = np.array([hashes[i] for i in members], dtype=np.uint64)
    pairs = []
    for k in range(len(members) - 1):
        apart = np.bitwise_count(values[k + 1 :] ^ values[k])
        pairs += [(members[k], members[k + 1 + int(m)]) for m in np.flatnonzero(apart <= bits)]
    return pairs
