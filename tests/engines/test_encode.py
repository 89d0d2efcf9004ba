"""Chat and pictures to token ids and pixels, against the official image processor."""

from __future__ import annotations

import io

import pytest

from cogito_core.console import CogitoError
from cogito_core.engines.base import Chat, Message
from cogito_core.engines.encode import (
    ChatEncoder,
    PixelLimits,
    RequestError,
    content_parts,
    fit_picture,
    picture_for_wire,
)
from cogito_core.sample import Picture

from .conftest import draw_picture

LIMITS = PixelLimits(56 * 56, 112 * 112)
SIZES = [(56, 56), (30, 20), (300, 100), (97, 143), (84, 112), (1500, 1499)]
STRIPS = [(500, 7), (1, 100)]  # smart_resize leaves these above max_pixels; a second pass would shrink them again


@pytest.fixture(scope="module")
def parts(tiny_folder):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from tests.engines.tiny_model import build_tokenizer

    return build_tokenizer(), Qwen2VLImageProcessorPil.from_pretrained(tiny_folder)


@pytest.mark.parametrize("size", SIZES)
def test_pixels_and_grid_equal_the_official_processor(parts, size):
    import numpy as np
    from PIL import Image

    tokenizer, processor = parts
    picture = draw_picture(5, *size)
    encoded = ChatEncoder(tokenizer, processor, LIMITS).encode(Chat((Message("user", "?"),), (picture,)))
    official = processor([Image.open(io.BytesIO(picture.bytes))], return_tensors="np")
    assert encoded.image_grid_thw.tolist() == official["image_grid_thw"].tolist()
    np.testing.assert_array_equal(encoded.pixel_values, official["pixel_values"])


@pytest.mark.parametrize("size", [*SIZES, *STRIPS])
def test_what_goes_over_the_wire_needs_no_second_resize(parts, size):
    import numpy as np
    from PIL import Image

    tokenizer, processor = parts
    picture = draw_picture(6, *size)
    data, media_type = picture_for_wire(picture, LIMITS)
    sent = Image.open(io.BytesIO(data))
    fitted = fit_picture(picture, LIMITS)
    assert sent.size == fitted.size and media_type == "image/png"
    assert (data == picture.bytes) == (fitted.size == size)
    direct = ChatEncoder(tokenizer, processor, LIMITS).encode(Chat((Message("user", "?"),), (picture,))).pixel_values
    np.testing.assert_array_equal(processor([sent], return_tensors="np")["pixel_values"], direct)


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_plain_picture_of_final_size_is_sent_as_it_is(mode):
    from PIL import Image

    picture = Image.open(io.BytesIO(draw_picture(7, 84, 56).bytes)).convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    assert picture_for_wire(Picture(buffer.getvalue()), LIMITS) == (buffer.getvalue(), "image/png")
    with pytest.raises(RequestError, match="decoded"):
        picture_for_wire(Picture(buffer.getvalue()[:-60]), LIMITS)


def test_limits_without_a_size_between_them_still_give_one():
    assert fit_picture(draw_picture(1, 84, 84), PixelLimits(5000, 5000)).size in ((84, 84), (56, 56))


def test_transparent_and_rotated_pictures_are_sent_as_the_model_is_to_see_them():
    from PIL import Image

    clear = io.BytesIO()
    Image.new("RGBA", (56, 56), (0, 0, 0, 0)).save(clear, format="PNG")
    data, _ = picture_for_wire(Picture(clear.getvalue(), "clear.png"), LIMITS)
    assert Image.open(io.BytesIO(data)).convert("RGB").getpixel((3, 3)) == (255, 255, 255)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (56, 84), "red").save(turned, format="JPEG", exif=exif)
    data, media_type = picture_for_wire(Picture(turned.getvalue(), "turned.jpg"), LIMITS)
    assert media_type == "image/png" and not Image.open(io.BytesIO(data)).getexif()


def test_image_tokens_are_expanded_where_the_marks_are(parts):
    tokenizer, processor = parts
    encoder = ChatEncoder(tokenizer, processor, LIMITS)
    chat = Chat(
        (Message("system", "s"), Message("user", "a<image>b<image>c")), (draw_picture(1), draw_picture(2, 112, 56))
    )
    encoded = encoder.encode(chat)
    expected = (
        "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\na<|vision_start|>"
        + "<|image_pad|>" * 4
        + "<|vision_end|>b<|vision_start|>"
        + "<|image_pad|>" * 8
        + "<|vision_end|>c<|im_end|>\n<|im_start|>assistant\n"
    )
    assert tokenizer.decode(encoded.input_ids) == expected
    assert encoded.image_grid_thw.tolist() == [[1, 4, 4], [1, 4, 8]]
    assert encoded.pixel_values.shape == (48, 3 * 2 * 14 * 14)
    again = encoder.encode(chat)
    assert again.input_ids == encoded.input_ids and (again.pixel_values == encoded.pixel_values).all()


def test_unmarked_pictures_go_first():
    chat = Chat((Message("user", "which?"),), (draw_picture(1), draw_picture(2)))
    assert list(content_parts(chat)) == [("user", [draw_picture(1), draw_picture(2), "which?"])]


def test_a_template_that_drops_pictures_is_named(parts):
    tokenizer, processor = parts
    template = tokenizer.chat_template
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}{% endfor %}"
    try:
        with pytest.raises(RequestError, match="wrote 0 image tokens for 1 pictures"):
            ChatEncoder(tokenizer, processor, LIMITS).encode(Chat((Message("user", "?"),), (draw_picture(1),)))
    finally:
        tokenizer.chat_template = template


def test_limits_come_from_the_folder_in_both_spellings(tmp_path):
    config = tmp_path / "preprocessor_config.json"
    config.write_text('{"min_pixels": 784, "max_pixels": 7840, "patch_size": 14, "merge_size": 2}')
    assert PixelLimits.of_folder(tmp_path) == PixelLimits(784, 7840, 28)
    config.write_text('{"size": {"shortest_edge": 3136, "longest_edge": 12544}, "patch_size": 16, "merge_size": 2}')
    assert PixelLimits.of_folder(tmp_path) == PixelLimits(3136, 12544, 32)
    assert PixelLimits.of_folder(tmp_path / "none") == PixelLimits(3136, 12845056, 28)
    assert PixelLimits().override(None, 100000).max_pixels == 100000
    with pytest.raises(CogitoError, match="min_pixels"):
        PixelLimits(100, 10)


@pytest.mark.realdata
def test_real_pictures_reach_every_engine_with_the_same_pixels(shared_dir):
    """Three pictures of each real source, in whatever mode and format upstream saved them."""
    import numpy as np
    from PIL import Image

    limits = PixelLimits(7056, 1_048_576)
    seen = 0
    for folder in sorted(path for path in (shared_dir / "realdata").iterdir() if path.is_dir()):
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".gif"))
        for path in files[:: max(1, len(files) // 3)][:3]:
            picture = Picture(path.read_bytes(), path.name)
            fitted = fit_picture(picture, limits)
            assert fitted.mode == "RGB" and not (fitted.width % 28 or fitted.height % 28)
            assert 7056 <= fitted.width * fitted.height <= 1_048_576
            data, _ = picture_for_wire(picture, limits)
            sent = fit_picture(Picture(data), limits)
            np.testing.assert_array_equal(np.asarray(sent), np.asarray(fitted))
            assert Image.open(io.BytesIO(data)).size == fitted.size
            seen += 1
    assert seen > 30
