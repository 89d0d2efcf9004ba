"""Members of zip archives, read in place: nothing is ever unpacked to a disk, so no name can lead out of a folder.

What a member may grow to is bounded: a few kilobytes can hold gigabytes of zeros.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import TYPE_CHECKING

from cogito_core.console import CogitoError

if TYPE_CHECKING:
    import numpy as np

MAX_MEMBER_BYTES = 256 * 2**20
"""A picture or a file of records beyond this is refused."""

MAX_ARRAY_BYTES = 64 * 2**20
"""An array of an npz beyond this is refused; RAVEN's sixteen panels are 0.4 MB."""


class ArchiveError(CogitoError):
    """A member that cannot be read; the sentence names it and says why."""


def read_member(archive: zipfile.ZipFile, name: str, *, limit: int = MAX_MEMBER_BYTES) -> bytes:
    """The bytes of one member.

    Raises:
        ArchiveError: it is larger than `limit` bytes, encrypted, or damaged.
        KeyError: there is no such member.
    """
    # zipfile never yields more than the size that the member claims, so the claim is a bound.
    size = archive.getinfo(name).file_size
    if size > limit:
        raise ArchiveError(f"{archive.filename}: '{name}' would unpack to {size:,} bytes, more than {limit:,}")
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise ArchiveError(f"{archive.filename}: '{name}' cannot be read ({error})") from error


def read_array(archive: zipfile.ZipFile, name: str, *, limit: int = MAX_ARRAY_BYTES) -> np.ndarray:
    """The array `name` of an npz. Its values are taken from the bytes; a pickle is refused unopened.

    Raises:
        ArchiveError: too large, damaged, or an array of Python objects.
        KeyError: there is no such array.
    """
    import numpy as np

    stream = io.BytesIO(read_member(archive, f"{name}.npy", limit=limit))
    where = f"{archive.filename}: the array '{name}'"
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read_header[version](stream)
    except (ValueError, EOFError, KeyError) as error:
        raise ArchiveError(f"{where} has no readable header ({' '.join(str(error).split())})") from error
    if dtype.hasobject:
        raise ArchiveError(f"{where} holds Python objects, which only a pickle can hold: it is not opened")
    data = stream.read()
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ArchiveError(f"{where} claims {shape} of {dtype} but holds {len(data):,} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
