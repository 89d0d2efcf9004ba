"""Run directories: one process, one configuration, nothing torn, nothing lost on a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.files import mend_tail, replace_file, write_atomic
from cogito_core.runs import Ledger, RunDir
from cogito_core.units import UnitStore


def _python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    holder = _python(
        """
        import sys, time
        from cogito_core.runs import RunDir
        with RunDir.open(sys.argv[1], config={"a": 1}, command="toy"):
            print("held", flush=True)
            time.sleep(600)
        """,
        tmp_path,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(CogitoError, match=f"another process \\(pid {holder.pid}\\) is at work"):
            RunDir.open(tmp_path, config={"a": 1}, command="toy")
    finally:
        holder.kill()
        holder.wait()
    with RunDir.open(tmp_path, config={"a": 1}, command="toy"):
        pass


def test_another_configuration_is_refused_and_the_key_named(tmp_path: Path) -> None:
    with RunDir.open(tmp_path, config={"train": {"lr": 1e-6}}, command="toy") as run:
        run.summary({})
    with pytest.raises(CogitoError, match=r"train\.lr = 1e-06, this command has 1e-05"):
        RunDir.open(tmp_path, config={"train": {"lr": 1e-5}}, command="toy")
    with RunDir.open(tmp_path / "list", config={"stages": [{"lr": 1}, {"lr": 2}]}, command="toy") as run:
        run.summary({})
    with pytest.raises(CogitoError, match=r"with stages\.1\.lr = 2, this command has 3;"):
        RunDir.open(tmp_path / "list", config={"stages": [{"lr": 1}, {"lr": 3}]}, command="toy")
    with pytest.raises(CogitoError, match="command = 'toy'"):
        RunDir.open(tmp_path, config={"train": {"lr": 1e-6}}, command="other")


def test_provenance_and_events_are_written(tmp_path: Path) -> None:
    with RunDir.open(tmp_path, config={}, command="toy", inputs={"data": "abc"}) as run:
        run.event("begin", rows=3)
        assert not run.is_finished
        run.summary({"kept": 3})
        assert run.is_finished
    recorded = json.loads((tmp_path / "provenance.json").read_text())
    assert recorded["inputs"] == {"data": "abc"} and "numpy" in recorded["packages"]
    assert json.loads((tmp_path / "events.jsonl").read_text())["rows"] == 3


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path).drop("a", "ingest", "broken", "the picture is empty")
    with path.open("a") as handle:
        handle.write('{"id": "b", "sta')
    assert [row["id"] for row in Ledger(path).rows()] == ["a"]
    path.write_bytes(b"no newline at all")
    mend_tail(path)
    assert path.read_bytes() == b""


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomic(path, "old")
    with pytest.raises(RuntimeError), replace_file(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["x"]


def test_units_killed_at_random_moments_end_with_the_same_bytes(tmp_path: Path) -> None:
    work = """
        import random, sys, time
        from cogito_core.units import UnitStore
        store = UnitStore(sys.argv[1], ".bin")
        for i in range(40):
            def write(path, i=i):
                with path.open("wb") as handle:
                    for _ in range(8):
                        handle.write(random.Random(i).randbytes(4096))
                        handle.flush()
                        time.sleep(0.0005)
            store.run(store.key("toy", i), write)
        """
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert _python(work, straight).wait() == 0
    for wanted in (1, 6, 13, 22, 31):
        process = _python(work, killed)
        while process.poll() is None and len(list(killed.glob("*.bin"))) < wanted:
            time.sleep(0.001)
        time.sleep(0.003)  # somewhere inside the next unit
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert _python(work, killed).wait() == 0

    def files(root: Path) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in root.iterdir()}

    assert files(straight) == files(killed)


def test_a_finished_unit_is_not_done_again(tmp_path: Path) -> None:
    calls = []

    def work(path: Path) -> None:
        calls.append(path)
        path.write_text("x")

    for _ in range(2):
        store = UnitStore(tmp_path)
        store.run(store.key("a", 1), work)
    assert len(calls) == 1
    store.path(store.key("a", 1)).unlink()
    assert not store.has(store.key("a", 1))


@pytest.fixture
def full_disk(tmp_path: Path):
    """A file system of 256 kB."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("this machine does not let the test mount a small file system")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_is_one_sentence_and_loses_nothing(full_disk: Path) -> None:
    code = """
        import sys, typer
        from cogito_core.console import run_cli
        from cogito_core.runs import RunDir
        from cogito_core.units import UnitStore
        app = typer.Typer()
        @app.command()
        def toy(path: str, n: int) -> None:
            with RunDir.open(path, config={}, command="toy") as run:
                store = UnitStore(run.work / "units")
                for i in range(n):
                    store.run(store.key(i), lambda p: p.write_bytes(b"x" * 40_000) and None)
                run.summary({"units": n})
        run_cli(app)
        """
    process = _python(code, full_disk, 20)
    _, error = process.communicate()
    assert process.returncode == 1
    assert error.startswith("error: the disk is full") and error.count("\n") == 1
    kept = len(list((full_disk / "work/units").glob("[!.]*"))) - 1
    assert kept >= 2 and not list((full_disk / "work/units").glob(".*"))
    subprocess.run(["mount", "-o", "remount,size=4m", str(full_disk)], check=True)
    process = _python(code, full_disk, 20)
    assert process.wait() == 0
    assert json.loads((full_disk / "summary.json").read_text()) == {"units": 20}


def test_ctrl_c_is_one_sentence(tmp_path: Path) -> None:
    code = """
        import sys, time, typer
        from cogito_core.console import run_cli
        app = typer.Typer()
        @app.command()
        def toy() -> None:
            print("ready", flush=True)
            time.sleep(600)
        run_cli(app)
        """
    process = _python(code)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in error and "Aborted" not in error


def test_a_start_that_failed_before_any_work_does_not_keep_the_directory(tmp_path: Path) -> None:
    RunDir.open(tmp_path / "run", config={"engine": "transformrs"}, command="toy", inputs={"a": "1"}).close()
    with RunDir.open(tmp_path / "run", config={"engine": "transformers"}, command="toy", inputs={"b": "2"}) as run:
        assert "transformers" in (run.path / "config.yaml").read_text()
        assert json.loads((run.path / "provenance.json").read_text())["inputs"] == {"b": "2"}
        (run.work / "answers.jsonl").write_text("{}\n")
    with pytest.raises(CogitoError, match="holds a run with engine = 'transformers'"):
        RunDir.open(tmp_path / "run", config={"engine": "vllm"}, command="toy")
