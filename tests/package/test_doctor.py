"""`doctor`: a real run of it, and each finding against a machine made good or bad for it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from cogito_core.doctor import machine, packages, services

SECRET = "s3cret-Value-0815"


def doctor(folder: Path, *arguments: str, program: str = "cogito_data", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"{program}.cli", "doctor", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ, **env},
    )


def test_a_real_run_tries_nano_and_keeps_secrets(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json", "--engine", "openai:http://me:hunter2@127.0.0.1:9/v1", HF_TOKEN=SECRET, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["engine transformers"]["state"] == "ok"
    assert "tokens" in found["engine transformers"]["said"]
    assert found["base packages"]["state"] == found["files"]["state"] == found["cogito"]["state"] == "ok"
    assert found["cores"]["said"].startswith(f"{len(os.sched_getaffinity(0))} for this process")
    server = found["engine openai:http://***@127.0.0.1:9/v1"]
    assert server["state"] == "broken" and "127.0.0.1:9" in server["said"] and server["fix"]
    assert "HF_TOKEN" in found["keys"]["said"] and "a token is set" in found["hub"]["said"]
    assert SECRET not in done.stdout and "hunter2" not in done.stdout
    for check in found.values():
        assert check["state"] in ("ok", "note", "missing", "broken")
        assert check["fix"] or check["state"] in ("ok", "note"), check


def test_a_folder_that_cannot_be_written_breaks_the_base() -> None:
    check = machine.check_files(Path("/proc"))
    assert (check.state, check.base) == ("broken", True) and "cannot be written" in check.said and "-o" in check.fix


def test_a_file_system_without_locks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.check_files(tmp_path).state == "ok"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("fcntl.flock", lambda handle, flags: None)  # as some network file systems do
    check = machine.check_files(tmp_path)
    assert check.state == "broken" and "does not keep locks" in check.said


def test_packages_that_are_absent_or_of_another_version_are_named() -> None:
    numpy = metadata.version("numpy")
    faults = list(packages._faults([Requirement("numpy>=99"), Requirement("no-such-thing"), Requirement("pyarrow")]))
    assert faults == [f"numpy {numpy} is not >=99", "no-such-thing is not installed"]


def test_the_requirements_are_those_of_pyproject(repository: Path) -> None:
    import tomllib

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert set(packages.EXTRAS) <= set(project["optional-dependencies"])
    found = {r.name for extra, r in packages._requirements() if extra == ""}
    assert {"numpy", "pyarrow", "typer"} <= found


def test_a_broken_base_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from cogito_core.doctor.check import Check
    from cogito_data.cli import app

    good = Check("a", "broken", "an extra does not work", "pip install x")
    for found, code in (([good], 0), ([good, Check("b", "broken", "no files", "mkdir", base=True)], 1)):
        monkeypatch.setattr("cogito_core.doctor.examine.examine", lambda engine, model, found=found: found)
        done = CliRunner().invoke(app, ["doctor"])
        assert done.exit_code == code
        assert "broken   a  an extra does not work" in done.stdout and "-> pip install x" in done.stdout


class _Hub(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def test_the_hub_answers_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://me:hunter2@127.0.0.1:{server.server_port}")
    # urllib refuses a user name in a URL; the finding must not show it either way.
    assert "hunter2" not in services.check_hub().said
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    assert services.check_hub().state == "ok"
    server.shutdown()
    server.server_close()
    check = services.check_hub()
    assert check.state == "note" and "refused" in check.said and "--from" in check.fix
    with socket.socket() as silent:  # accepts and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        check = services.check_hub(timeout_s=0.2)
    assert check.state == "note" and "does not answer" in check.said
