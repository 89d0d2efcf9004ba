"""The run directory: config, provenance, events, ledger, lock. Every command writes into one.

Killed at any instant, the same command again finishes the job. A second process on the same directory is
refused, and so is another configuration.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import yaml

from cogito_core import __version__
from cogito_core.console import CogitoError
from cogito_core.files import append_line, mend_tail, write_atomic
from cogito_core.manifest import file_hash, manifest_root
from cogito_core.masking import mask, mask_values
from cogito_core.version import git_state

_RECORDED_PACKAGES = (
    "datasets",
    "huggingface_hub",
    "math-verify",
    "numpy",
    "pillow",
    "pyarrow",
    "torch",
    "transformers",
    "vllm",
)


class Ledger:
    """What was dropped and why, one JSON line a row, in the order of the work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        mend_tail(path)

    def drop(self, id: str, stage: str, reason: str, evidence: str = "") -> None:
        """Record one dropped row: `reason` is a short rule name, `evidence` one readable sentence."""
        append_line(self.path, json.dumps(
            {"id": id, "stage": stage, "reason": reason, "evidence": mask(evidence)}, ensure_ascii=False
        ))

    def rows(self) -> list[dict[str, str]]:
        """Every entry, oldest first."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines() if line]

    def rewrite(self, rows: list[dict[str, str]]) -> None:
        """Replace the whole ledger in one step: a resumed run must not record a row twice."""
        write_atomic(self.path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


class RunDir:
    """An open run directory; use it as a context manager.

    Attributes:
        path: the directory.
        work: scratch folder for units and caches, safe to delete once the run is finished.
        ledger: the ledger of dropped rows.
    """

    def __init__(self, path: Path, lock: IO[str]) -> None:
        self.path = path
        self.work = path / "work"
        self.work.mkdir(exist_ok=True)
        self._lock = lock
        self.ledger = Ledger(path / "ledger.jsonl")
        mend_tail(path / "events.jsonl")

    @classmethod
    def open(
        cls, path: Path | str, *, config: dict[str, Any], command: str, inputs: dict[str, str] | None = None
    ) -> RunDir:
        """Lock the directory and check that it belongs to this configuration.

        Args:
            config: the resolved configuration, plain YAML values; saved as `config.yaml`.
            command: which command this is; a directory of another command is refused.
            inputs: name -> content hash or path of what the run reads; saved in `provenance.json`.

        Raises:
            CogitoError: another process holds it, or it holds another configuration (the sentence names the key).
        """
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        try:
            # Masked before the comparison: another password is not another configuration.
            resolved = mask_values({"command": command, **config})
            if _check_config(path, resolved):
                (path / "provenance.json").unlink(missing_ok=True)
            write_atomic(path / "config.yaml", yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True))
            if not (path / "provenance.json").exists():
                text = json.dumps(provenance(inputs or {}), indent=2, sort_keys=True)
                write_atomic(path / "provenance.json", text + "\n")
        except BaseException:
            lock.close()
            raise
        return cls(path, lock)

    def __enter__(self) -> RunDir:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()

    @property
    def is_finished(self) -> bool:
        """Whether `summary.json` is there: it is written last."""
        return (self.path / "summary.json").exists()

    def event(self, kind: str, **fields: Any) -> None:
        """Append one line to `events.jsonl`: time in seconds since the epoch, kind, fields."""
        line = json.dumps(
            {"time": round(time.time(), 3), "event": kind, **mask_values(fields)}, ensure_ascii=False
        )
        append_line(self.path / "events.jsonl", line)

    def summary(self, values: dict[str, Any]) -> None:
        """Write `summary.json`, the mark of a finished run."""
        write_atomic(self.path / "summary.json", json.dumps(mask_values(values), indent=2, ensure_ascii=False) + "\n")


def _lock(path: Path) -> IO[str]:
    handle = (path / "run.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise CogitoError(f"another process ({holder}) is at work in {path}; wait for it or stop it") from error
    handle.seek(0)
    handle.truncate()
    handle.write(f"pid {os.getpid()}")
    handle.flush()
    return handle


def _check_config(path: Path, config: dict[str, Any]) -> bool:
    """Whether the directory was claimed by another configuration that did nothing there; one that did is an error."""
    stored = path / "config.yaml"
    if not stored.exists():
        return False
    try:
        before = yaml.safe_load(stored.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CogitoError(f"{stored} is not valid YAML; remove {path} or choose another directory") from error
    now = json.loads(json.dumps(config))
    difference = _first_difference(before, now, "")
    if difference is None:
        return False
    if not _is_bare(path):
        key, old, new = difference
        raise CogitoError(
            f"{path} holds a run with {key} = {old!r:.200}, this command has {new!r:.200}; "
            "choose another -o or remove it"
        )
    return True


def _is_bare(path: Path) -> bool:
    """Whether a start failed before any work, by a mistyped engine or a folder that is not there: nothing is lost."""
    files = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file() and file.stat().st_size}
    return files <= {"config.yaml", "provenance.json", "run.lock", "events.jsonl"}


def _first_difference(before: Any, now: Any, key: str) -> tuple[str, Any, Any] | None:
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(before, dict) and isinstance(now, dict):
        names = [*now, *(name for name in before if name not in now)]
        pairs = [(name, before.get(name), now.get(name)) for name in names]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(number, *pair) for number, pair in enumerate(zip(before, now, strict=True))]
    elif before != now:
        return key, before, now
    for name, old, new in pairs:
        found = _first_difference(old, new, f"{key}.{name}" if key else str(name))
        if found is not None:
            return found
    return None


def provenance(inputs: dict[str, str]) -> dict[str, Any]:
    """What a result depends on: versions, git commit, manifest and input hashes, machine. Secrets are masked."""
    versions = {}
    for package in _RECORDED_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    root = manifest_root()
    manifests = {str(path.relative_to(root)): file_hash(path) for path in sorted(root.rglob("*.yaml"))}
    return mask_values({
        "cogito": __version__,
        "git": git_state(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "argv": sys.argv,
        "packages": versions,
        "manifests": manifests,
        "inputs": inputs,
    })
