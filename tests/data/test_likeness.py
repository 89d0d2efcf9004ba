"""Pictures compared: the hash nominates, the pixels decide."""

from __future__ import annotations

import itertools
import random

import pytest
from PIL import Image, ImageDraw

from cogito_core.images import PictureError
from cogito_data.likeness import Seen, compare, look, near_pairs
from tests.data.making import encoded, noise_picture


def chart(number: str, size: tuple[int, int] = (320, 200)) -> Image.Image:
    """A bar chart with a number on it: two of them differ in a few pixels only."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for i, height in enumerate((60, 120, 90)):
        draw.rectangle((40 + 80 * i, 180 - height, 80 + 80 * i, 180), fill=("red", "green", "blue")[i])
    draw.text((150, 10), number, fill="black", font_size=14)
    return picture


def test_lossless_copies_have_the_same_pixels() -> None:
    picture = noise_picture(3)
    copies = [encoded(picture), encoded(picture, compress_level=1), encoded(picture, "BMP"), encoded(picture, "WEBP", lossless=True)]
    assert len(set(copies)) == 4
    assert len({look(copy, where="copy").outline for copy in copies}) == 1
    seen = [Seen(copy, where="copy") for copy in copies]
    assert all(one.equals(seen[0]) for one in seen)
    changed = picture.copy()
    changed.putpixel((5, 5), (0, 0, 1))
    assert not Seen(encoded(changed), where="changed").equals(seen[0])


def test_a_transparent_picture_equals_its_copy_on_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert look(encoded(clear), where="a").outline == look(encoded(Image.new("RGB", (20, 20), "white")), where="b").outline


def test_a_truncated_picture_is_named() -> None:
    with pytest.raises(PictureError, match="row 7"):
        look(encoded(noise_picture(1))[:-40], where="row 7")


@pytest.mark.parametrize("bits", [0, 3, 6])
def test_near_pairs_are_those_of_brute_force(bits: int) -> None:
    rng = random.Random(bits)
    hashes = [rng.getrandbits(64) for _ in range(60)]
    for _ in range(120):
        value = rng.choice(hashes)
        for place in rng.sample(range(64), rng.randrange(0, 9)):
            value ^= 1 << place
        hashes.append(value)
    expected = [(i, j) for i, j in itertools.combinations(range(len(hashes)), 2)
                if (hashes[i] ^ hashes[j]).bit_count() <= bits]
    assert near_pairs(hashes, bits) == expected
    assert expected


@pytest.mark.parametrize("copy", [
    encoded(chart("1234"), "JPEG", quality=75),
    encoded(chart("1234").resize((256, 160), Image.Resampling.LANCZOS)),
])
def test_a_copy_in_another_form_looks_the_same(copy: bytes) -> None:
    apart = compare(Seen(encoded(chart("1234")), where="a"), Seen(copy, where="b"))
    assert apart is not None
    assert apart.within(4.0, 48.0)


def test_one_changed_digit_is_seen_though_the_hash_is_equal() -> None:
    one, other = encoded(chart("1234")), encoded(chart("1734"))
    assert look(one, where="a").dhash == look(other, where="b").dhash
    apart = compare(Seen(one, where="a"), Seen(other, where="b"))
    assert apart is not None
    assert not apart.within(4.0, 24.0)


def test_pictures_of_other_shape_are_not_compared() -> None:
    assert compare(Seen(encoded(noise_picture(1, (64, 48))), where="a"), Seen(encoded(noise_picture(1, (64, 64))), where="b")) is None
