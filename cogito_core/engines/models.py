"""Where the weights of a model are: `nano`, a folder, or a repository on the Hugging Face Hub. Imports no torch."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

from cogito_core.console import CogitoError

NANO = "nano"

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def resolve_model(name: str, revision: str | None = None) -> Path:
    """The folder that holds a model's config, weights, tokenizer and image processor.

    `nano` is the model that ships with cogito_nano, an existing folder is itself, and anything else of the form
    `organisation/name` is fetched from the Hub (or found in its local cache).

    Raises:
        CogitoError: there is no such folder, or the Hub cannot give the repository.
    """
    if name == NANO:
        return _nano_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise CogitoError(f"the folder {folder} has no config.json, so it is not a model")
        return folder.resolve()
    if not _HUB_ID.fullmatch(name):
        raise CogitoError(
            f"model '{name}' is neither 'nano', nor an existing folder, nor a Hub id like Qwen/Qwen2.5-VL-3B-Instruct"
        )
    return _from_hub(name, revision)


def model_revision(folder: Path) -> str:
    """What tells two versions of a model apart: the Hub commit, else a hash of every weight and config byte.

    A folder that was trained further must never meet the stored answers of its former self.
    """
    if folder.parent.name == "snapshots" and _COMMIT.fullmatch(folder.name):
        return folder.name[:12]
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".jinja", ".bin", ".txt", ".model"):
            digest.update(path.name.encode())
            with path.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()[:12]


def _nano_folder() -> Path:
    spec = importlib.util.find_spec("cogito_nano")
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        folder = Path(place) / "weights"
        if (folder / "config.json").exists():
            return folder
    raise CogitoError("the shipped nano weights are missing from this installation of cogito_nano")


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except GatedRepoError as error:
        raise CogitoError(f"model '{name}' is gated: accept its terms on the Hub and set HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise CogitoError(f"model '{name}' has no revision '{revision}' on the Hub") from error
    except RepositoryNotFoundError as error:
        raise CogitoError(
            f"there is no model '{name}' on the Hub, or it is private and HF_TOKEN is not set"
        ) from error
    except LocalEntryNotFoundError as error:
        raise CogitoError(
            f"model '{name}' is not on this machine and the Hugging Face Hub cannot be reached; "
            "give a local folder or go online once"
        ) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise CogitoError(f"model '{name}' cannot be fetched from the Hub ({str(error).splitlines()[0]})") from error
