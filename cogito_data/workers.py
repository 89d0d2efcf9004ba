"""Work units on one process, many processes, or a Ray cluster: the same units, the same bytes.

A unit is a function of this package with plain arguments that writes one file. Workers write aside; the process
that started them renames the file and adds the manifest line, so a killed worker leaves nothing half done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, MissingExtra
from cogito_core.units import UnitStore

MAX_ATTEMPTS = 3
"""A unit whose worker dies this often stops the build: something in its input kills the process."""


@dataclass(frozen=True)
class Task:
    """One unit: `function(aside_path, *arguments)` writes its output; `key` names it."""

    key: str
    function: Callable[..., None]
    arguments: tuple[Any, ...]
    label: str


@dataclass(frozen=True)
class Crew:
    """Who does the work.

    Attributes:
        workers: processes on this machine; 1 works in this process.
        cluster: address of a Ray cluster that shares this file system, `local` for one that is started here.
    """

    workers: int = 1
    cluster: str | None = None

    def run(self, store: UnitStore, tasks: Sequence[Task], advance: Callable[[int], None]) -> list[Path]:
        """Do every task that is not done; the outputs in the order of the tasks.

        Raises:
            CogitoError: a worker died three times on the same unit, or the unit itself said what is wrong.
        """
        open_tasks = {task.key: task for task in tasks if not store.has(task.key)}
        advance(len(tasks) - len(open_tasks))
        _clear_asides(store.directory)
        if self.cluster is not None:
            _on_ray(store, list(open_tasks.values()), self.cluster, advance)
        elif self.workers > 1 and len(open_tasks) > 1:
            _on_processes(store, list(open_tasks.values()), self.workers, advance)
        else:
            for task in open_tasks.values():
                store.run(task.key, lambda path, task=task: task.function(str(path), *task.arguments))  # type: ignore[misc]
                advance(1)
        return [store.path(task.key) for task in tasks]


def _aside(store: UnitStore, key: str) -> Path:
    return store.directory / f"{key}.part"


def _clear_asides(directory: Path) -> None:
    for stale in directory.glob("*.part*"):
        stale.unlink(missing_ok=True)


def do(task: Task, aside: str) -> None:
    """Do one unit in a worker: write under a name of this process, sync, rename to `aside`."""
    own = f"{aside}.{os.uname().nodename}.{os.getpid()}"
    task.function(own, *task.arguments)
    with open(own, "rb") as handle:
        os.fsync(handle.fileno())
    os.replace(own, aside)


def _accept(store: UnitStore, task: Task, advance: Callable[[int], None]) -> None:
    store.run(task.key, lambda path: os.replace(_aside(store, task.key), path))
    advance(1)


def _on_processes(store: UnitStore, tasks: list[Task], workers: int, advance: Callable[[int], None]) -> None:
    attempts: dict[str, int] = {}
    while tasks:
        left: list[Task] = []
        # Spawn, not fork: torch and Arrow hold threads and locks that a fork would copy.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_single_threaded) as pool:
            futures = {pool.submit(do, task, str(_aside(store, task.key))): task for task in tasks}
            try:
                for future in _as_done(futures):
                    task = futures[future]
                    try:
                        future.result()
                    except BrokenProcessPool:
                        left.append(task)
                    else:
                        _accept(store, task, advance)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for task in left:
            attempts[task.key] = attempts.get(task.key, 0) + 1
            if attempts[task.key] >= MAX_ATTEMPTS:
                raise CogitoError(f"a worker process died {MAX_ATTEMPTS} times on {task.label} (out of memory?)")
        tasks = left


def _single_threaded() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def _as_done(futures: dict[Future[None], Task]) -> Iterator[Future[None]]:
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from done


def _on_ray(store: UnitStore, tasks: list[Task], address: str, advance: Callable[[int], None]) -> None:
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "--cluster") from error
    if not ray.is_initialized():
        options: dict[str, Any] = {} if address == "local" else {"address": address}
        try:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR", **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise CogitoError(
                f"--cluster {address}: there is no Ray cluster to reach ({str(error).splitlines()[0]})"
            ) from error
    remote = ray.remote(max_retries=MAX_ATTEMPTS, num_cpus=1)(do)
    waiting = {remote.remote(task, str(_aside(store, task.key).resolve())): task for task in tasks}
    while waiting:
        done, _ = ray.wait(list(waiting), num_returns=1)
        task = waiting.pop(done[0])
        try:
            ray.get(done[0])
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, CogitoError) else CogitoError(f"{task.label}: {cause!r}")) from error
        except ray.exceptions.RayError as error:
            raise CogitoError(
                f"a Ray worker died {MAX_ATTEMPTS} times on {task.label}: {type(error).__name__}"
            ) from error
        _accept(store, task, advance)
