"""`--check`, alone and at the start of a run, against servers that see and servers that do not."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cogito_core.console import CogitoError
from cogito_eval.cli import app
from cogito_eval.run import EvalOptions, evaluate
from tests.engines.eye_server import EyeServer


@pytest.fixture
def eye():
    servers = []

    def start(**kwargs):
        servers.append(EyeServer(**kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def _check(*arguments):
    return CliRunner().invoke(app, ["--check", *arguments])


def test_check_alone_says_what_it_found(eye):
    result = _check("--model", "m", "--engine", f"openai:{eye().url}")
    assert result.exit_code == 0, result.output
    assert "names the colours of both pictures" in result.output and "takes 16 tokens" in result.output


def test_check_of_nano():
    result = _check("--model", "nano")
    assert result.exit_code == 0 and "names the colours" in result.output


def test_check_says_what_is_wrong(eye):
    result = _check("--model", "m", "--engine", f"openai:{eye(picture_tokens=0).url}")
    assert isinstance(result.exception, CogitoError) and "drops pictures" in str(result.exception)


def test_a_run_is_checked_before_it_asks(eye, tmp_path):
    server = eye(sees="nothing")
    options = EvalOptions(bench="nano", model="m", engine=f"openai:{server.url}", limit=6)
    with pytest.raises(CogitoError, match="receives pictures blank"):
        evaluate(options, tmp_path / "run")


def test_a_blind_run_needs_no_eyes(eye, tmp_path):
    server = eye(sees="nothing")
    options = EvalOptions(bench="nano", model="m", engine=f"openai:{server.url}", limit=6, blind=True)
    assert evaluate(options, tmp_path / "run")["nano"]["n"] == 6
