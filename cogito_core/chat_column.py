"""The column `prompt` of a shard: `problem` and `images` as the chat that TRL's trainers read.

It is derived: written beside the columns of a Sample and never read back, so it says nothing else than they do. One
user message whose content is a list of parts, `{"type": "image"}` where a picture goes: TRL fills in the pictures in
their order. This is the shape of HuggingFaceH4/rlaif-v_formatted, on which TRL's vision examples run. A plain text
would be shorter, but TRL puts all pictures before that, and a question with words between its pictures would ask
something else.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from cogito_core.engines.base import IMAGE_MARK

_PART = pa.struct([("type", pa.string()), ("text", pa.string())])
CHAT = pa.list_(pa.struct([("role", pa.string()), ("content", pa.list_(_PART))]))
"""Messages of parts; `text` is null where the part is a picture."""

PROMPT = pa.field("prompt", CHAT)

Part = dict[str, str | None]


def parts(text: str, n_images: int) -> list[Part]:
    """A text with `<image>` marks as parts, exactly `n_images` of them pictures.

    The same order as `cogito_core.engines.base.Chat.with_marks`: pictures without a mark go first. A mark for which
    there is no picture stays text, since a reader would look for its picture.

    >>> [part["type"] for part in parts("Is <image> left of <image>?", 2)]
    ['text', 'image', 'text', 'image', 'text']
    >>> parts("How many?", 1)
    [{'type': 'image', 'text': None}, {'type': 'text', 'text': 'How many?'}]
    """
    pieces = text.split(IMAGE_MARK, n_images)
    found: list[Part] = [{"type": "image", "text": None}] * (n_images - len(pieces) + 1)
    for number, piece in enumerate(pieces):
        if number:
            found.append({"type": "image", "text": None})
        if piece:
            found.append({"type": "text", "text": piece})
    return found


def prompt_column(table: pa.Table | pa.RecordBatch) -> pa.Array:
    """The column for a table that has `problem` and `images`, one user message a row, as an array of type CHAT."""
    counts = pc.fill_null(pc.list_value_length(table.column("images")), 0).to_pylist()
    types: list[str | None] = []
    texts: list[str | None] = []
    ends = [0]
    for problem, n_images in zip(table.column("problem").to_pylist(), counts, strict=True):
        for part in parts(problem or "", n_images):
            types.append(part["type"])
            texts.append(part["text"])
        ends.append(len(types))
    rows = table.num_rows
    flat = pa.StructArray.from_arrays(
        [pa.array(types, pa.string()), pa.array(texts, pa.string())], fields=list(_PART.fields)
    )
    content = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flat)
    messages = pa.StructArray.from_arrays([pa.repeat("user", rows), content], names=["role", "content"])
    return pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), messages).cast(CHAT)
