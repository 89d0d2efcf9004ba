"""The self-check against a model that sees, and against servers that do not."""

from __future__ import annotations

import pytest

from cogito_core.console import CogitoError
from cogito_core.engines import open_engine
from cogito_core.engines.base import Chat, Message, Request, Sampling
from cogito_core.engines.cache import AnswerStore, CachedEngine
from cogito_core.engines.check import CheckedEngine, check_engine

from .eye_server import EyeServer
from .fake_server import read_chat


@pytest.fixture
def eye():
    servers = []

    def start(**kwargs):
        servers.append(EyeServer(**kwargs))
        return open_engine(f"openai:{servers[-1].url}", "m")

    yield start
    for server in servers:
        server.kill()


def test_a_seeing_engine_passes(eye):
    report = check_engine(eye())
    assert (report.picture_tokens, report.recognised, report.warnings) == (16, True, ())


def test_dropped_pictures(eye):
    with pytest.raises(CogitoError, match="drops pictures: the prompt has 10 tokens with a picture and 10 without"):
        check_engine(eye(picture_tokens=0))


def test_blank_pictures(eye):
    with pytest.raises(CogitoError, match="receives pictures blank.*'I see nothing.'"):
        check_engine(eye(sees="nothing"))


def test_refused_pictures_and_questions(eye):
    def refuse(number, body):
        return (400, "At most 0 image(s) may be provided.") if read_chat(body)[1] else "answer"

    with pytest.raises(CogitoError, match="question about a picture: the server refuses the picture: At most 0"):
        check_engine(eye(behave=refuse))
    with pytest.raises(CogitoError, match="cannot answer a plain question: .*maximum context length"):
        check_engine(eye(behave=lambda number, body: (400, "maximum context length is 8")))


def test_a_tiny_context(eye):
    with pytest.raises(
        CogitoError, match="context of 64 tokens, which leaves 38 for an answer: start it with a larger"
    ):
        check_engine(eye(context=64), max_tokens=2048)
    report = check_engine(eye(context=1000), max_tokens=2048)
    assert "leaves less than the 2048 answer tokens" in report.warnings[0]


def test_a_model_that_sees_but_does_not_know(eye):
    report = check_engine(eye(sees="wrongly"))
    assert not report.recognised and "calls red" in report.warnings[0]


def test_the_store_is_looked_through(eye, tmp_path):
    engine = CachedEngine(eye(), AnswerStore(tmp_path / "a.sqlite"))
    check_engine(engine)
    assert len(engine.store) == 0


def test_the_embedded_engine(tiny_folder):
    report = check_engine(open_engine("transformers", str(tiny_folder)))
    assert report.picture_tokens == 16 + 2 and not report.recognised


def _questions(n):
    chat = Chat((Message("user", "How many?"),))
    return [Request(str(i), chat, (i,), Sampling(temperature=0.0, max_tokens=8)) for i in range(n)]


def test_a_checked_engine_asks_three_questions_more_and_once(tmp_path, eye, capsys):
    inner = eye(sees="wrongly")
    engine = CachedEngine(CheckedEngine(inner, max_tokens=8), AnswerStore(tmp_path / "a.sqlite"))
    assert len(list(engine.generate(_questions(5)))) == 5
    assert inner.totals.calls == 5 + 3
    assert capsys.readouterr().err.count("calls red") == 1
    assert len(list(engine.generate(_questions(6)))) == 6
    assert inner.totals.calls == 6 + 3
    assert len(engine.store) == 6


def test_stored_answers_need_no_engine_that_works(tmp_path, eye):
    good, blank = eye(), eye(sees="nothing")
    store = AnswerStore(tmp_path / "a.sqlite")
    assert len(list(CachedEngine(CheckedEngine(good, max_tokens=8), store).generate(_questions(3)))) == 3
    blank.name = good.name
    again = CachedEngine(CheckedEngine(blank, max_tokens=8), store)
    assert len(list(again.generate(_questions(3)))) == 3
    with pytest.raises(CogitoError, match="receives pictures blank"):
        list(again.generate(_questions(4)))
