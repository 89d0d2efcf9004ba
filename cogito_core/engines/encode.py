"""From a chat with pictures to what a Qwen2.5-VL reads, the same for every engine.

Pixel limits are applied here and nowhere else: a picture is brought to its final size by Pillow before any engine or
server sees it, so the resizing step of whoever comes after finds nothing left to do. Torch is not imported.
"""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogito_core.console import CogitoError
from cogito_core.engines.base import IMAGE_MARK, Chat
from cogito_core.images import open_picture, orientation, smart_resize
from cogito_core.sample import Picture

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

VISION_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
IMAGE_TOKEN = "<|image_pad|>"

_PICTURE_MEMORY = 128 << 20


class RequestError(CogitoError):
    """One request cannot be asked; the others can. The sentence becomes `Result.error`."""


@dataclass(frozen=True, slots=True)
class PixelLimits:
    """Smallest and largest picture in pixels that the model sees, and the multiple its sides are rounded to.

    The defaults are those of Qwen2.5-VL's own preprocessor_config.json. `factor` is patch size times merge size.
    """

    min_pixels: int = 4 * 28 * 28
    max_pixels: int = 16384 * 28 * 28
    factor: int = 28

    def __post_init__(self) -> None:
        if not 0 < self.min_pixels <= self.max_pixels:
            raise CogitoError(f"min_pixels ({self.min_pixels}) must lie between 1 and max_pixels ({self.max_pixels})")

    def override(self, min_pixels: int | None, max_pixels: int | None) -> PixelLimits:
        """The same limits with those replaced that are given."""
        return PixelLimits(min_pixels or self.min_pixels, max_pixels or self.max_pixels, self.factor)

    @classmethod
    def of_image_processor(cls, image_processor: Any) -> PixelLimits:
        """The limits a loaded Qwen2-VL image processor carries."""
        size = image_processor.size
        factor = image_processor.patch_size * image_processor.merge_size
        return cls(size["shortest_edge"], size["longest_edge"], factor)

    @classmethod
    def of_folder(cls, folder: Path) -> PixelLimits:
        """The limits a model folder states in preprocessor_config.json; Qwen2.5-VL's where it states none."""
        path = folder / "preprocessor_config.json"
        if not path.exists():
            return cls()
        config = json.loads(path.read_text(encoding="utf-8"))
        size = config.get("size") or {}
        return cls(
            min_pixels=config.get("min_pixels") or size.get("shortest_edge") or cls().min_pixels,
            max_pixels=config.get("max_pixels") or size.get("longest_edge") or cls().max_pixels,
            factor=config.get("patch_size", 14) * config.get("merge_size", 2),
        )


def fit_picture(picture: Picture, limits: PixelLimits) -> Image.Image:
    """Decode a picture to RGB and bring it to the size the model sees.

    The target size is Qwen2-VL's `smart_resize`, repeated until it changes nothing, the filter its bicubic one;
    equality with the official image processor is tested.

    Raises:
        RequestError: the picture cannot be decoded or is more than 200 times longer than wide.
    """
    from PIL import Image

    name = picture.path or f"picture {picture.sha256[:12]}"
    try:
        image = open_picture(picture.bytes, where=name)
        height, width = _final_size(image.height, image.width, limits)
    except (CogitoError, ValueError) as error:
        text = str(error)
        raise RequestError(text if text.startswith(name) else f"{name}: {text}") from error
    if (width, height) == image.size:
        return image
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _final_size(height: int, width: int, limits: PixelLimits) -> tuple[int, int]:
    # A strip one factor high can come out above max_pixels; whoever resizes after us would then shrink it once more.
    # Repeating makes every later resize the identity. The bound is for limits so close that no size lies between.
    size = (height, width)
    for _ in range(8):
        last = size
        size = smart_resize(*last, factor=limits.factor, min_pixels=limits.min_pixels, max_pixels=limits.max_pixels)
        if size == last:
            break
    return size


def picture_for_wire(picture: Picture, limits: PixelLimits) -> tuple[bytes, str]:
    """The bytes and the media type to send to a server: the original where any decoder sees in it what we see.

    Raises:
        RequestError: as :func:`fit_picture`.
    """
    media_type = _plain_type(picture, limits)
    if media_type is not None:
        return picture.bytes, media_type
    buffer = io.BytesIO()
    # Lossless; the wire is faster than a better compression.
    fit_picture(picture, limits).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue(), "image/png"


def _plain_type(picture: Picture, limits: PixelLimits) -> str | None:
    """Media type of an intact PNG or JPEG of final size without transparency or rotation; None for all others."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture.bytes)) as original:
            final = _final_size(original.height, original.width, limits) == (original.height, original.width)
            if not final or original.format not in ("PNG", "JPEG") or original.mode not in ("RGB", "L", "P"):
                return None
            original.load()  # a truncated file shows only here, and so does what a PNG says behind its pixels
            if orientation(original) != 1 or "transparency" in original.info:
                return None
            return f"image/{original.format.lower()}"
    except Exception:  # Pillow's decoders raise a dozen types; fit_picture says what is wrong, in a sentence
        return None


def content_parts(chat: Chat) -> Iterator[tuple[str, list[Picture | str]]]:
    """For each message its role and its content, split at the `<image>` marks.

    Raises:
        RequestError: marks and pictures do not fit together.
    """
    try:
        messages = chat.with_marks()
    except ValueError as error:
        raise RequestError(str(error)) from error
    pictures = iter(chat.images)
    for message in messages:
        parts: list[Picture | str] = []
        for index, text in enumerate(message.text.split(IMAGE_MARK)):
            if index:
                parts.append(next(pictures))
            if text:
                parts.append(text)
        yield message.role, parts


def template_messages(chat: Chat) -> list[dict[str, Any]]:
    """The chat as the message list that a Hugging Face chat template reads.

    A message without a picture is a plain string: templates of text models know nothing else.
    """
    out: list[dict[str, Any]] = []
    for role, parts in content_parts(chat):
        if any(isinstance(part, Picture) for part in parts):
            content: Any = [
                {"type": "image"} if isinstance(part, Picture) else {"type": "text", "text": part} for part in parts
            ]
        else:
            content = "".join(part for part in parts if isinstance(part, str))
        out.append({"role": role, "content": content})
    return out


@dataclass(frozen=True, slots=True)
class Encoded:
    """A prompt as the model reads it.

    Attributes:
        input_ids: prompt token ids, `<|image_pad|>` repeated once for each merged patch.
        pixel_values: float32 [patches, channels * temporal_patch * patch * patch], or None without pictures.
        image_grid_thw: int64 [pictures, 3], patches in time, height and width, or None.
    """

    input_ids: list[int]
    pixel_values: np.ndarray | None
    image_grid_thw: np.ndarray | None


class ChatEncoder:
    """Chat template, tokenizer and image processor of one model, applied once and the same way everywhere.

    `AutoProcessor` cannot be used: it needs torchvision, which has no CPU build on the Python index. The token ids
    are those it would give (tested against it where torchvision is present).
    """

    def __init__(self, tokenizer: Any, image_processor: Any, limits: PixelLimits) -> None:
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self.limits = limits
        self._image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        self._pictures: OrderedDict[str, tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._picture_bytes = 0
        if not getattr(tokenizer, "chat_template", None):
            raise CogitoError("the tokenizer has no chat template, so a chat cannot be turned into a prompt")

    def render(self, chat: Chat) -> str:
        """The prompt text, one `<|image_pad|>` for each picture.

        Raises:
            RequestError: the text has image tokens of its own, or marks and pictures do not fit together.
        """
        text = self.tokenizer.apply_chat_template(template_messages(chat), tokenize=False, add_generation_prompt=True)
        found = text.count(IMAGE_TOKEN)
        if found == len(chat.images):
            return text
        if any(IMAGE_TOKEN in message.text for message in chat.messages):
            raise RequestError(f"the question itself contains the reserved text {IMAGE_TOKEN}")
        raise RequestError(
            f"the chat template of this model wrote {found} image tokens for {len(chat.images)} pictures"
        )

    def encode(self, chat: Chat) -> Encoded:
        """Token ids and pixels of a chat.

        Raises:
            RequestError: as :meth:`render` and :func:`fit_picture`.
        """
        import numpy as np

        ids = self.tokenizer(self.render(chat), add_special_tokens=False)["input_ids"]
        if not chat.images:
            return Encoded(list(ids), None, None)
        pixels, grids = zip(*(self._picture(picture) for picture in chat.images), strict=True)
        merged = self.image_processor.merge_size**2
        counts = iter(int(grid.prod()) // merged for grid in grids)
        expanded: list[int] = []
        for token in ids:
            expanded.extend([token] * next(counts) if token == self._image_token_id else [token])
        return Encoded(expanded, np.concatenate(pixels), np.stack(grids))

    def _picture(self, picture: Picture) -> tuple[np.ndarray, np.ndarray]:
        # Questions are sorted by picture, so a small memory spares most of the decoding.
        known = self._pictures.get(picture.sha256)
        if known is None:
            fitted = fit_picture(picture, self.limits)
            features = self.image_processor([fitted], do_resize=False, return_tensors="np")
            known = features["pixel_values"], features["image_grid_thw"][0]
            self._pictures[picture.sha256] = known
            self._picture_bytes += known[0].nbytes
            while self._picture_bytes > _PICTURE_MEMORY:
                self._picture_bytes -= self._pictures.popitem(last=False)[1][0].nbytes
        else:
            self._pictures.move_to_end(picture.sha256)
        return known


def banned_token_ids(tokenizer: Any) -> tuple[int, ...]:
    """Vision tokens, which an answer must never contain.

    An answer with `<|image_pad|>` in it cannot even be scored: the model then looks for the pixels that belong to it.
    Engines and the trainer's log-probabilities use this one list.
    """
    known = tokenizer.get_vocab()
    return tuple(sorted(known[token] for token in VISION_TOKENS if token in known))
