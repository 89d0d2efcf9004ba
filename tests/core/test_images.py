"""Pictures: alpha on white, 16-bit grey not clipped, damage said in one sentence, sizes as Qwen2.5-VL has them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cogito_core.images import PictureError, open_picture, picture_size, smart_resize


def _encode(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_transparent_pixels_become_white() -> None:
    picture = open_picture(_encode(Image.new("RGBA", (4, 4), (0, 0, 0, 0))), where="x")
    assert picture.mode == "RGB" and picture.getpixel((1, 1)) == (255, 255, 255)


def test_a_transparent_palette_colour_becomes_white() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 0] * 256)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=0)
    assert open_picture(buffer.getvalue(), where="x").getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bit_grey_keeps_its_shade() -> None:
    grey = Image.new("I;16", (4, 4), 32896)
    value = open_picture(_encode(grey), where="x").getpixel((0, 0))
    assert abs(value[0] - 128) <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_seen_as_datasets_decodes_it(kind: str, orientation: int) -> None:
    from datasets import Image as Feature

    picture = Image.new("RGB", (20, 12), "white")
    picture.paste((200, 0, 0), (0, 0, 10, 6))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, kind, exif=exif)
    ours = open_picture(buffer.getvalue(), where="x")
    theirs = Feature().decode_example({"bytes": buffer.getvalue(), "path": None}).convert("RGB")
    assert ours.size == theirs.size == picture_size(buffer.getvalue(), where="x")
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("cut", [0, 10, 60, 200])
def test_a_truncated_picture_is_one_sentence(cut: int) -> None:
    data = _encode(Image.effect_noise((64, 64), 50).convert("RGB"))
    with pytest.raises(PictureError, match="row 7: the picture"):
        open_picture(data[:cut], where="row 7")


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    bomb = _encode(Image.new("1", (12_000, 12_000)))
    assert picture_size(bomb, where="x") == (12_000, 12_000)
    with pytest.raises(PictureError, match="too many"):
        open_picture(bomb, where="x")


@given(st.integers(20, 4000), st.integers(20, 4000))
def test_sizes_equal_those_of_transformers(height: int, width: int) -> None:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as theirs

    expected = theirs(height, width, factor=28, min_pixels=7056, max_pixels=1048576)
    assert smart_resize(height, width) == expected
