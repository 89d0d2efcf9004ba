"""Files that are either wholly there or not there: written aside, fsynced, renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replace_file(path: Path | str) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes the place of `path` in one step.

    A failure or a kill leaves the old file as it was; the aside file is removed on failure. A link stays a link: the
    file that it names is replaced. Raises OSError where the path is a folder, a pipe or a device.
    """
    path = Path(path)
    if path.is_symlink():
        path = path.resolve()
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "a folder, a pipe or a device, not a file that can be replaced", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")
    try:
        yield aside
        with aside.open("rb") as handle:
            os.fsync(handle.fileno())
        aside.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        # A failed write knows the reason but not the file.
        error.filename = error.filename or str(path)
        raise
    finally:
        aside.unlink(missing_ok=True)


def write_atomic(path: Path | str, content: bytes | str) -> None:
    """Write a whole file in one step."""
    data = content.encode("utf-8", errors="surrogatepass") if isinstance(content, str) else content
    with replace_file(path) as aside:
        aside.write_bytes(data)


def append_line(path: Path, line: str) -> None:
    """Append one line and flush it to the operating system; a line torn by a kill is the last one."""
    try:
        with path.open("ab") as handle:
            handle.write(line.encode("utf-8", errors="surrogatepass") + b"\n")
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def sync_directory(directory: Path) -> None:
    """Make a rename in this directory survive a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mend_tail(path: Path) -> None:
    """Drop a torn last line (no newline at its end) that a kill left behind."""
    if not path.exists():
        return
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        write_atomic(path, data[: data.rfind(b"\n") + 1])
