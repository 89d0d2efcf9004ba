"""Files of a dataset repository of the Hugging Face Hub, in the local cache."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def fetch_files(repo: str, patterns: Iterable[str], revision: str) -> Path:
    """The folder with the files that the globs name, fetched once; its name is the commit that `revision` stands for.

    `**/` matches no folder too, as in `Path.glob`. Raises whatever the client raises: its own, its HTTP library's and
    OSError's types.
    """
    from huggingface_hub import snapshot_download

    wanted = [pattern.replace("**/", "*") for pattern in patterns]
    return Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=wanted))
