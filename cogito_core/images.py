"""Pictures: opened safely, alpha on white, sized as Qwen2.5-VL sees them."""

from __future__ import annotations

import io
import math
import warnings
from functools import cache
from typing import TYPE_CHECKING

from cogito_core.console import CogitoError

if TYPE_CHECKING:
    from PIL import Image

MAX_DECODED_PIXELS = 100_000_000
"""A picture with more pixels is refused: it is a decompression bomb or a scanned poster."""

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "ICO", "TGA", "PCX")
"""What is decoded. Left out above all is EPS, for which Pillow starts Ghostscript on the file's own program."""

_ORIENTATION = 0x0112

MIN_PIXELS = 84 * 84
MAX_PIXELS = 1024 * 1024
"""The paper's limits in training: 7,056 to 1,048,576 pixels (VL-Cogito, official config)."""


class PictureError(CogitoError):
    """A picture that cannot be used; the sentence names it and says why."""


def open_picture(data: bytes, *, where: str) -> Image.Image:
    """Decode a picture to RGB, turned as its EXIF orientation says, transparent pixels composited on white.

    `datasets` and transformers turn pictures too, so that all readers of a shard see the same.

    Raises:
        PictureError: it is empty, truncated, not a picture, or too large; the sentence starts with `where`.
    """
    from PIL import Image, ImageOps

    if not data:
        raise PictureError(f"{where}: the picture is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(io.BytesIO(data), formats=_formats())
            if picture.width * picture.height > MAX_DECODED_PIXELS:
                raise PictureError(f"{where}: the picture has {picture.width} x {picture.height} pixels, too many")
            turned = orientation(picture) != 1
            picture.load()
            if turned:
                picture = ImageOps.exif_transpose(picture)
    except PictureError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen unrelated types on damaged input.
        raise PictureError(f"{where}: the picture cannot be decoded ({_short(error)})") from error
    return _to_rgb(picture)


def orientation(picture: Image.Image) -> int:
    """EXIF orientation 1 to 8 of an opened picture, as far as it is read; 5 to 8 lie on their side."""
    if picture.format == "TIFF" or (picture.format not in ("JPEG", "MPO") and "exif" not in picture.info):
        return 1  # Pillow turns TIFF itself, and asking a PNG would decode it
    found = picture.getexif().get(_ORIENTATION, 1)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


@cache
def _formats() -> tuple[str, ...]:
    """FORMATS as far as this Pillow was built with them; it refuses a name that it does not know."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _short(error: Exception) -> str:
    # Pillow names the buffer object, whose address differs from run to run.
    text = str(error).split(" <_io")[0].strip()
    return text or type(error).__name__


def _to_rgb(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        if rgba.getchannel("A").getextrema() != (255, 255):
            white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
            return Image.alpha_composite(white, rgba).convert("RGB")
        return rgba.convert("RGB")
    if picture.mode.startswith("I;16") or picture.mode == "I":
        # Pillow clips 16-bit grey at 255, which turns nearly every picture white.
        return picture.convert("I").point(lambda value: value / 257).convert("L").convert("RGB")
    return picture.convert("RGB")


def picture_size(data: bytes, *, where: str) -> tuple[int, int]:
    """(width, height) in pixels from the header alone, as `open_picture` would have them.

    Raises:
        PictureError: the header is not that of a picture.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=_formats())
            width, height = picture.size
            return (height, width) if orientation(picture) >= 5 else (width, height)
    except Exception as error:
        raise PictureError(f"{where}: the picture cannot be read ({_short(error)})") from error


def smart_resize(
    height: int, width: int, *, factor: int = 28, min_pixels: int = MIN_PIXELS, max_pixels: int = MAX_PIXELS
) -> tuple[int, int]:
    """Size in pixels that the model sees: multiples of `factor` within the pixel limits, ratio kept.

    Source: Qwen2-VL's image processor; equality with it is tested.

    Raises:
        ValueError: the sides differ by more than a factor of 200.
    """
    if max(height, width) / min(height, width) > 200:
        raise ValueError(f"a picture of {width} x {height} pixels is too narrow")
    new_height, new_width = round(height / factor) * factor, round(width / factor) * factor
    if new_height * new_width > max_pixels:
        scale = math.sqrt(height * width / max_pixels)
        new_height = max(factor, math.floor(height / scale / factor) * factor)
        new_width = max(factor, math.floor(width / scale / factor) * factor)
    elif new_height * new_width < min_pixels:
        scale = math.sqrt(min_pixels / (height * width))
        new_height = math.ceil(height * scale / factor) * factor
        new_width = math.ceil(width * scale / factor) * factor
    return new_height, new_width


def to_png(picture: Image.Image) -> bytes:
    """Encode as PNG with fixed options: the same pixels give the same bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()
