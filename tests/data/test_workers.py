"""Units on several processes and on Ray: the same files, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.units import UnitStore
from cogito_data.workers import Crew, Task


def square(aside: str, number: int) -> None:
    Path(aside).write_text(str(number * number))


def die_twice(aside: str, marks: str) -> None:
    """Kills its own worker process the first two times it is tried."""
    tries = len(list(Path(marks).iterdir()))
    if tries < 2:
        (Path(marks) / str(tries)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    Path(aside).write_text("at last")


def die_always(aside: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(aside: str) -> None:
    raise CogitoError("row 7 cannot be used")


def tasks(count: int) -> list[Task]:
    return [Task(f"unit{n:03d}", square, (n,), f"number {n}") for n in range(count)]


def nothing(n: int) -> None:
    """Takes the progress."""


def test_units_come_back_in_order_and_are_done_once(tmp_path: Path) -> None:
    seen: list[int] = []
    paths = Crew(2).run(UnitStore(tmp_path), tasks(7), seen.append)
    assert [path.read_text() for path in paths] == [str(n * n) for n in range(7)]
    stamps = [path.stat().st_mtime_ns for path in paths]
    again = Crew(1).run(UnitStore(tmp_path), tasks(8), nothing)
    assert [path.stat().st_mtime_ns for path in again[:7]] == stamps
    assert sum(seen) == 7


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    work = [*tasks(3), Task("dies", die_twice, (str(marks),), "the one that dies")]
    paths = Crew(2).run(UnitStore(tmp_path / "units"), work, nothing)
    assert [path.read_text() for path in paths] == ["0", "1", "4", "at last"]


def test_a_unit_that_always_kills_its_worker_is_named(tmp_path: Path) -> None:
    work = [Task("a", die_always, (), "rows 1-5"), Task("b", die_always, (), "rows 6-9")]
    with pytest.raises(CogitoError, match=r"a worker process died 3 times on rows"):
        Crew(2).run(UnitStore(tmp_path), work, nothing)


def test_what_a_unit_says_comes_through(tmp_path: Path) -> None:
    with pytest.raises(CogitoError, match="row 7 cannot be used"):
        Crew(2).run(UnitStore(tmp_path), [*tasks(2), Task("bad", refuse, (), "bad")], nothing)


def marked(mark: str, kind: bytes) -> list[int]:
    """Processes of ours (they carry the mark in their environment) whose command line holds `kind`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes() and kind in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_ray_gives_the_same_bytes_though_a_worker_and_the_driver_are_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    from tests.data.test_build import outputs, recipe_file, run

    recipe = recipe_file(tmp_path, difficulty=None, mix=[{"source": "nano", "limit": 600}])
    assert run("build", "--recipe", recipe, "-o", tmp_path / "plain").returncode == 0
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "cogito_data", "build", "--recipe", str(recipe), "-o", str(tmp_path / "out"),
               "--cluster", "local"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env={**os.environ, "COGITO_MARK": mark})

    driver = start()
    try:
        while driver.poll() is None and not marked(mark, b"ray::"):
            time.sleep(0.05)
        for worker in marked(mark, b"ray::")[:1]:
            os.kill(worker, signal.SIGKILL)
        time.sleep(0.3)
        driver.kill()
        driver.wait()
        driver = start()
        assert driver.wait(timeout=300) == 0
    finally:
        driver.kill()
        driver.wait()
    assert outputs(tmp_path / "out") == outputs(tmp_path / "plain")
