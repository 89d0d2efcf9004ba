"""Tokens and passwords reach no file and no line of output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cogito_core.masking import SECRET_VARIABLES, mask, mask_values
from cogito_core.runs import RunDir

SECRET = "s3cret-Value-0815"


@pytest.mark.parametrize("name", SECRET_VARIABLES)
def test_the_value_of_a_secret_variable_is_masked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, SECRET)
    assert mask(f"server said: key {SECRET} is invalid") == "server said: key *** is invalid"


def test_a_placeholder_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert mask("none of the servers answers") == "none of the servers answers"


@pytest.mark.parametrize(("text", "wanted"), [
    (f"openai:http://me:{SECRET}@gpu1:8000/v1,https://{SECRET}@gpu2/v1", "openai:http://***@gpu1:8000/v1,https://***@gpu2/v1"),
    (f"https://host/file?token={SECRET}&page=2", "https://host/file?token=***&page=2"),
    (f"https://s3/x?a=1&X-Amz-Signature={SECRET}&X-Amz-Date=2026", "https://s3/x?a=1&X-Amz-Signature=***&X-Amz-Date=***"),
    (f"https://host/?api_key={SECRET}#top", "https://host/?api_key=***#top"),
    (f"Authorization: Bearer {SECRET}", "Authorization: Bearer ***"),
    ("refused: hf_abcdefghijklmnopqrstuvwx", "refused: ***"),
    ("refused: sk-proj-abcdefghijklmnop_qr", "refused: ***"),
    (f"--engine-option api_key={SECRET}", "--engine-option api_key=***"),
])
def test_what_looks_like_a_secret_is_masked(text: str, wanted: str) -> None:
    assert mask(text) == wanted


@pytest.mark.parametrize("text", [
    "mail me@example.org, see http://host/a@b",
    "What is the key? Answer: token 5",
    "https://host/file?page=2&keyboard=1",
    "a task-oriented sk-8 board; Bearer of news",
    r"\frac{1}{2} @ 3:4",
])
def test_other_text_is_left_alone(text: str) -> None:
    assert mask(text) == text


def test_masking_keeps_structure() -> None:
    assert mask_values({"a": [f"http://x:{SECRET}@h/", 3, None], "b": (True,)}) == {"a": ["http://***@h/", 3, None], "b": (True,)}


def test_a_run_directory_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRET_VARIABLES:
        monkeypatch.setenv(name, SECRET)
    engine = "openai:http://me:hunter2@gpu1:8000/v1"
    monkeypatch.setattr(sys, "argv", ["cogito-eval", "--engine", engine, f"--token={SECRET}"])
    config = {"engine": engine, "options": [f"key={SECRET}"]}
    with RunDir.open(tmp_path / "run", config=config, command="test", inputs={"data": f"https://h/?token={SECRET}"}) as run:
        run.event("start", url=engine, said=SECRET)
        run.ledger.drop("a", "ask", "failed", f"{engine} refused {SECRET}")
        run.summary({"engine": engine, "key": SECRET})
    # The same command with another password goes on with the same run.
    config["engine"] = "openai:http://me:other@gpu1:8000/v1"
    with RunDir.open(tmp_path / "run", config=config, command="test"):
        pass
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"config.yaml", "provenance.json", "events.jsonl", "ledger.jsonl", "summary.json"}
    for path in files:
        text = path.read_text()
        assert SECRET not in text and "hunter2" not in text, path
    assert json.loads((tmp_path / "run" / "provenance.json").read_text())["argv"][2] == "openai:http://***@gpu1:8000/v1"


def test_a_failing_command_prints_and_stores_no_password(tmp_path: Path) -> None:
    """A real command against a port where nothing listens: its error names the server without the password."""
    command = [sys.executable, "-m", "cogito_eval.cli", "--bench", "nano", "--limit", "1", "--model", "nano",
               "--engine", "openai:http://me:hunter2@127.0.0.1:9/v1", "-o", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OPENAI_API_KEY": SECRET}, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "127.0.0.1:9" in said
    stored = "".join(path.read_text() for path in (tmp_path / "run").rglob("*.*") if path.suffix in (".yaml", ".json", ".jsonl"))
    assert "***@127.0.0.1:9" in stored
    for text in (said, stored):
        assert "hunter2" not in text and SECRET not in text
