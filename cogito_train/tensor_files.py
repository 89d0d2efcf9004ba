"""What the libraries that write and read tensors raise, as the error that it stands for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError
from torch.distributed.checkpoint.api import CheckpointException

_OS_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors inside the block into what caused them: a full disk is an OSError that the command line explains.

    safetensors hides the system's error in its text; the distributed checkpoint hides any error of any process in an
    exception that not even `except Exception` sees.

    Raises:
        OSError: the system refused to read or write.
        SafetensorError: a file is damaged.
    """
    try:
        yield
    except SafetensorError as error:
        raise _plain(error) from error
    except CheckpointException as error:
        causes = [cause for cause, _ in error.failures.values() if isinstance(cause, Exception)]
        known = [cause for cause in causes if isinstance(cause, OSError | SafetensorError)]
        if not causes:
            raise
        raise _plain((known or causes)[0]) from error


def _plain(error: Exception) -> Exception:
    found = _OS_ERROR.search(str(error)) if isinstance(error, SafetensorError) else None
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else error
