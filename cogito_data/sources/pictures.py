"""Pictures at ingest: read once, checked for wholeness without decoding, bytes left as they are."""

from __future__ import annotations

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from cogito_core.archives import ArchiveError
from cogito_core.images import MAX_DECODED_PIXELS, PictureError, open_picture, picture_size
from cogito_core.sample import Picture
from cogito_data.sources.rows import BadRow, Row

_PNG = b"\x89PNG\r\n\x1a\n"


def check_picture(data: bytes, where: str) -> None:
    """Raise PictureError for a picture that is empty, truncated, damaged or too large.

    PNG: every chunk up to IEND is there and its CRC is right, which covers every byte at a tenth of the cost of
    decoding. JPEG: the segments are walked to the scan, and an end marker follows it. All else is decoded.
    """
    if not data:
        raise PictureError(f"{where}: the picture is empty")
    if data.startswith(_PNG):
        _check_png(data, where)
    elif data.startswith(b"\xff\xd8"):
        _check_jpeg(data, where)
        _check_size(*picture_size(data, where=where), where)
    else:
        open_picture(data, where=where)


def _check_size(width: int, height: int, where: str) -> None:
    if width < 1 or height < 1:
        raise PictureError(f"{where}: the picture has no pixels ({width} x {height})")
    if width * height > MAX_DECODED_PIXELS:
        raise PictureError(f"{where}: the picture has {width} x {height} pixels, too many")


def _check_png(data: bytes, where: str) -> None:
    at = 8
    first = True
    view = memoryview(data)
    has_pixels = False
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        kind = bytes(view[at + 4 : at + 8])
        if zlib.crc32(view[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise PictureError(f"{where}: the PNG is damaged (checksum of its {kind.decode('latin-1')} chunk)")
        if first:
            if kind != b"IHDR" or length != 13:
                raise PictureError(f"{where}: the PNG does not start with a header")
            width, height = struct.unpack_from(">II", data, at + 8)
            _check_size(width, height, where)
            first = False
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            if not has_pixels:
                raise PictureError(f"{where}: the PNG holds no pixels")
            return
        at = end
    raise PictureError(f"{where}: the PNG is truncated ({len(data)} bytes, its end is missing)")


def _check_jpeg(data: bytes, where: str) -> None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise PictureError(f"{where}: the JPEG is damaged at byte {at}")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xDA:
            if data.rfind(b"\xff\xd9", at) < 0:
                raise PictureError(f"{where}: the JPEG is truncated ({len(data)} bytes, its end is missing)")
            return
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise PictureError(f"{where}: the JPEG is truncated ({len(data)} bytes, it has no scan)")


def _read_file(_: Row, path: Path) -> bytes:
    with open(path, "rb") as handle:
        return handle.read()


class PictureReader:
    """Reads and checks pictures; the last few are kept, since questions on one picture follow each other.

    `base` is left out of the stored path, so that the same source in another folder gives the same bytes.
    """

    def __init__(
        self, base: Path | None, keep: int = 64, read: Callable[[Row, Path], bytes] | None = None
    ) -> None:
        """`read` gives the bytes of a picture that is no file, or raises FileNotFoundError or ArchiveError."""
        self._prefix = "" if base is None else os.path.join(base, "")
        self._keep = keep
        self._read = read or _read_file
        self._known: OrderedDict[Path, Picture | BadRow] = OrderedDict()

    def read(self, row: Row, picture: Path | Picture) -> Picture:
        """The picture, checked.

        Raises:
            BadRow: it is missing or damaged; the sentence names row and file.
        """
        if isinstance(picture, Picture):
            return self._checked(row, picture)
        known = self._known.get(picture)
        if known is None:
            try:
                known = self._load(row, picture)
            except BadRow as error:
                known = error
            self._known[picture] = known
            if len(self._known) > self._keep:
                self._known.popitem(last=False)
        if isinstance(known, BadRow):
            # Said anew: the sentence must name this row, not the first one that hit the picture.
            raise BadRow(known.reason, f"{row.where}: {str(known).split(': ', 1)[-1]}")
        return known

    def _load(self, row: Row, path: Path) -> Picture:
        shown = str(path).removeprefix(self._prefix).replace(os.sep, "/")
        try:
            data = self._read(row, path)
        except (FileNotFoundError, NotADirectoryError):
            raise BadRow("picture_missing", f"{row.where}: the picture {shown} is not there") from None
        except IsADirectoryError:
            raise BadRow("picture_missing", f"{row.where}: the picture {shown} is a folder") from None
        except ArchiveError as error:
            raise BadRow("picture_damaged", f"{row.where}: {error}") from error
        return self._checked(row, Picture(data, shown))

    def _checked(self, row: Row, picture: Picture) -> Picture:
        name = picture.path or "in the row"
        try:
            check_picture(picture.bytes, f"picture {name}")
        except PictureError as error:
            raise BadRow("picture_damaged", f"{row.where}: {error}") from error
        return picture
