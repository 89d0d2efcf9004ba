"""The self-check against a model that sees, and against servers that do not."""

from __future__ import annotations

import pytest

from cogito_core.console import CogitoError
from cogito_core.engines import open_engine
from cogito_core.engines.cache import AnswerStore, CachedEngine
from cogito_core.engines.check import check_engine

from .fake_server import FakeServer, read_chat, reply


class EyeServer(FakeServer):
    """A fake vision server: what it answers, and how many tokens a picture costs, depends on the picture it got."""

    def __init__(self, *, sees: str = "colour", picture_tokens: int = 16, context: int = 4096, **kwargs) -> None:
        self.sees = sees
        self.picture_tokens = picture_tokens
        self.context = context
        super().__init__(**kwargs)

    def models(self):
        return super().models() | {"max_model_len": self.context}

    def reply(self, body, text, **kwargs):
        out = reply(body, text, **kwargs)
        _, pictures = read_chat(body)
        out["usage"]["prompt_tokens"] = 10 + self.picture_tokens * len(pictures)
        if self.sees == "colour":
            out["choices"][0]["message"]["content"] = self.colour(pictures)
        elif self.sees == "wrongly":
            out["choices"][0]["message"]["content"] = f"a cat {len(str(pictures))} {self.colour(pictures)[::-1]}"
        else:
            out["choices"][0]["message"]["content"] = "I see nothing."
        return out

    @staticmethod
    def colour(pictures):
        import base64
        import io

        from PIL import Image

        if not pictures:
            return "none"
        red, _, blue = Image.open(io.BytesIO(base64.b64decode(pictures[0].split(",")[1]))).getpixel((5, 5))
        return "Red." if red > blue else "Blue."


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
