"""The machine: cores, memory, disk, file locks, GPUs."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from cogito_core.doctor.check import Check

LOW_DISK_GIB = 20
"""Below this free space a note is made: a 7B model and its answers do not fit."""


def check_cores() -> Check:
    """Cores that this process may use, and the load on them."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0]
    return Check("cores", "ok", f"{count} for this process, load {load:.1f}")


def check_memory() -> Check:
    """Main memory, and the container's limit where there is a smaller one."""
    total, free = _meminfo()
    if not total:
        return Check("memory", "note", "not known on this system")
    limit = _cgroup_limit()
    if limit is not None and limit < total:
        return Check("memory", "ok", f"{limit / 2**30:.1f} GiB for this container, of {total / 2**30:.1f} GiB")
    return Check("memory", "ok", f"{total / 2**30:.1f} GiB, {free / 2**30:.1f} GiB free")


def check_disk(directory: Path) -> Check:
    """Free space where runs are written and where the Hub's files are kept."""
    from huggingface_hub.constants import HF_HUB_CACHE

    here = shutil.disk_usage(directory).free / 2**30
    cache = _existing(Path(HF_HUB_CACHE))
    there = shutil.disk_usage(cache).free / 2**30
    said = f"{here:.1f} GiB free at {directory}, {there:.1f} GiB for the Hub's files at {HF_HUB_CACHE}"
    if min(here, there) < LOW_DISK_GIB:
        return Check("disk", "note", said, "-o FOLDER on a larger disk; HF_HOME=FOLDER for the Hub's files")
    return Check("disk", "ok", said)


def check_files(directory: Path) -> Check:
    """Whether runs can live here: the folder can be written, locks hold, SQLite's write-ahead log works."""
    fix = "work in a folder of a local disk, or give one with -o"
    try:
        with tempfile.TemporaryDirectory(prefix=".cogito-doctor-", dir=directory) as name:
            folder = Path(name)
            if not _locks_hold(folder / "lock"):
                return Check("files", "broken", f"the file system of {directory} does not keep locks: two processes "
                             "could write into one run", fix, base=True)
            if not _wal_works(folder / "store.sqlite"):
                return Check("files", "broken", f"SQLite cannot keep its write-ahead log at {directory}, where the "
                             "answer store would be", fix, base=True)
    except OSError as error:
        return Check("files", "broken", f"{directory} cannot be written ({error.strerror})", fix, base=True)
    return Check("files", "ok", f"{directory} can be written, keeps locks and SQLite's log", base=True)


def check_gpu() -> Check:
    """The GPUs that torch sees, or that the driver shows where torch is not installed."""
    shown = _driver_gpus()
    if importlib.util.find_spec("torch") is None:
        if shown:
            return Check("gpu", "note", f"{'; '.join(shown)}; torch, which would use it, is not installed",
                         "pip install 'cogito-vlm[local]'")
        return Check("gpu", "note", "none seen; data work needs none, and models can be asked on a server")
    import torch

    if torch.cuda.is_available():
        names = [
            f"{p.name} with {p.total_memory / 2**30:.0f} GiB"
            for p in map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
        ]
        return Check("gpu", "ok", "; ".join(names))
    if shown:
        said = f"the driver shows {'; '.join(shown)}, but torch {torch.__version__} cannot use it"
        return Check("gpu", "broken", said, "pip install --force-reinstall torch==2.13.0   (the build with CUDA)")
    return Check("gpu", "note", "none seen: nano runs on the CPU; ask real models on a server")


def _locks_hold(path: Path) -> bool:
    with path.open("w") as first, path.open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _wal_works(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
        return bool(mode == "wal")
    except sqlite3.Error:
        return False
    finally:
        connection.close()


def _meminfo() -> tuple[int, int]:
    """(total, available) in bytes; zeros where /proc is not there."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0, 0
    values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
    return values.get("MemTotal", 0), values.get("MemAvailable", 0)


def _cgroup_limit() -> int | None:
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _existing(path: Path) -> Path:
    """The nearest folder above `path` that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _driver_gpus() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
