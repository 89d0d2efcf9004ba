"""The server client against a real HTTP server that fails in every way a server can."""

from __future__ import annotations

import base64
import random
import threading
import time

import pytest

from cogito_core.console import CogitoError, UsageError
from cogito_core.engines import open_engine
from cogito_core.engines.base import Chat, Message, Request, Sampling
from cogito_core.engines.servers import Server, base_url, home

from .conftest import draw_picture
from .fake_server import FakeServer


@pytest.fixture
def serve():
    servers = []

    def start(*args, **kwargs):
        servers.append(FakeServer(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        if not server._loop.is_closed():
            server.kill()


def connect(*servers, model="m", **options):
    return open_engine("openai:" + ",".join(server.url for server in servers), model, **options)


def ask(text, seeds=(1, 2), images=(), **sampling):
    return Request(text, Chat((Message("user", text),), images), tuple(seeds), Sampling(**sampling))


def run(engine, requests):
    try:
        results = list(engine.generate(requests))
    finally:
        engine.close()
    assert sorted(r.id for r in results) == sorted(r.id for r in requests)
    return {r.id: r for r in results}


def check_complete(out, requests):
    for request in requests:
        assert out[request.id].error is None
        texts = [answer.text for answer in out[request.id].answers]
        assert texts == [f"{request.chat.messages[-1].text}/{seed}" for seed in request.seeds]
        assert [answer.seed for answer in out[request.id].answers] == list(request.seeds)


def test_answers_tokens_and_usage(serve):
    server = serve()
    engine = connect(server, price_prompt=2.0, price_cached=1.0, price_completion=10.0)
    assert engine.name == "served/m@/weights/m/3136-12845056px"
    out = run(engine, [ask("q", images=(draw_picture(1),), logprobs=True, temperature=0.5, max_tokens=9000)])
    first = out["q"].answers[0]
    assert (first.token_ids, first.logprobs, first.finish) == ((7, 1), (-0.5, -0.25), "stop")
    assert (first.n_tokens, first.n_prompt_tokens, first.seed) == (2, 5, 1)
    body = server.calls[0]
    assert body["temperature"] == 0.5 and body["max_tokens"] == 4095 and body["seed"] in (1, 2)
    assert [part["type"] for part in body["messages"][0]["content"]] == ["image_url", "text"]
    assert len(body["logit_bias"]) == 5 and set(body["logit_bias"].values()) == {-100}
    totals = engine.totals
    assert (totals.calls, totals.prompt_tokens, totals.cached_tokens, totals.completion_tokens) == (2, 10, 6, 4)
    assert engine.cost == pytest.approx((4 * 2.0 + 6 * 1.0 + 4 * 10.0) / 1e6)


def test_other_servers_are_asked_in_plain_protocol(serve):
    server = serve(owned_by="someone")
    out = run(connect(server), [ask("q")])
    assert out["q"].answers[0].token_ids == () and out["q"].answers[0].logprobs is None
    assert set(server.calls[0]) == {"model", "messages", "temperature", "top_p", "seed", "max_tokens"}


FAULTS = [
    "reset",
    "close",
    "truncate",
    "garbage",
    "no usage",
    (500, "boom"),
    (502, "<html>bad</html>"),
    (408, "late"),
]


@pytest.mark.parametrize("fault", [*FAULTS, (429, "slow down"), (503, "busy", {"Retry-After": "0.1"})], ids=str)
def test_what_can_be_asked_again_is(serve, fault, monkeypatch):
    monkeypatch.setattr("cogito_core.engines.dispatch._FIRST_BACKOFF_S", 0.02)
    server = serve(lambda number, body: fault if number % 3 == 1 else "answer")
    requests = [ask(f"q{i}") for i in range(20)]
    engine = connect(server)
    check_complete(run(engine, requests), requests)
    assert engine.totals.retries > 0
    assert server.asked == {(r.id, seed): 1 for r in requests for seed in r.seeds}


def test_chunked_answers_are_read(serve):
    server = serve(lambda number, body: "chunked")
    requests = [ask(f"q{i}") for i in range(5)]
    check_complete(run(connect(server), requests), requests)


@pytest.mark.parametrize("fault", ["hang", "slow"])
def test_a_late_answer_is_asked_again(serve, fault):
    server = serve(lambda number, body: fault if number < 2 else "answer")
    engine = connect(server, timeout_s=0.5)
    check_complete(run(engine, [ask("q")]), [ask("q")])
    # Neither of the two was waited for: the slow one sends its bytes in some 15 seconds, the other none at all.
    assert engine.totals.retries >= 2 and engine.totals.calls >= 4


def test_a_server_that_only_fails_is_given_up_for_the_request(serve, monkeypatch):
    monkeypatch.setattr("cogito_core.engines.dispatch._FIRST_BACKOFF_S", 0.001)
    server = serve(lambda number, body: "garbage" if "bad" in str(body["messages"]) else "answer")
    out = run(connect(server), [ask("bad", [1]), ask("good")])
    assert "failed 10 times, last: the server's answer is garbage" in out["bad"].error
    assert out["good"].error is None


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((400, "This model's maximum context length is 512 tokens. However"), "do not fit into the server's context"),
        ((400, "At most 0 image(s) may be provided in one prompt."), "refuses the picture"),
        ((413, "too large"), "lower max_pixels"),
        ((400, "temperature must be 1"), "refuses the request (400: temperature must be 1)"),
        ((422, "unknown field"), "refuses the request (422"),
    ],
)
def test_what_cannot_be_answered_says_why_and_the_rest_goes_on(serve, answer, sentence):
    server = serve(lambda number, body: answer if "bad" in str(body["messages"]) else "answer")
    engine = connect(server)
    out = run(engine, [ask("bad", range(8)), ask("good")])
    assert sentence in out["bad"].error and out["bad"].answers == ()
    assert out["good"].error is None and engine.totals.retries == 0


def test_what_ends_the_run_is_one_sentence(serve, monkeypatch):
    monkeypatch.setenv("COGITO_API_KEY", "sk-secret-1234")
    with pytest.raises(CogitoError, match="does not serve 'other'; it serves: m"):
        connect(serve(), model="other")
    with pytest.raises(CogitoError, match=r"refuses access \(401\): check COGITO_API_KEY"):
        connect(serve(key="another"))
    with pytest.raises(CogitoError, match="no server answers at http://127.0.0.1:9/v1 .Connect"):
        open_engine("openai:127.0.0.1:9", "m")
    with pytest.raises(CogitoError, match="is not the base URL"):
        engine = open_engine(f"openai:{serve().url}/wrong", "m")
        list(engine.generate([ask("q")]))
    gone = serve(lambda number, body: (404, "The model `m` does not exist."))
    with pytest.raises(CogitoError, match="does not serve 'm'"):
        run(connect(gone), [ask("q")])
    with pytest.raises(UsageError, match="not a server URL"):
        open_engine("openai:ftp://x", "m")


def test_the_key_is_sent_and_never_shown(serve, monkeypatch, capfd):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234")
    server = serve(lambda number, body: (400, "bad key sk-secret-1234 used"), key="sk-secret-1234")
    engine = connect(server)
    out = run(engine, [ask("q")])
    assert "***" in out["q"].error and "secret" not in out["q"].error
    assert "secret" not in engine.name + "".join(capfd.readouterr())


def test_a_server_that_dies_and_comes_back_loses_nothing(serve):
    server = serve(latency_s=0.02)
    requests = [ask(f"q{i}", range(4)) for i in range(150)]

    def trouble():
        for _ in range(2):
            time.sleep(0.25)
            server.kill()
            time.sleep(0.5)
            server.start()

    thread = threading.Thread(target=trouble)
    engine = connect(server, concurrency=8)
    thread.start()
    check_complete(run(engine, requests), requests)
    thread.join()
    assert engine.totals.retries > 0


def test_the_other_server_takes_over(serve):
    def dying(number, body):
        if number == 20:
            threading.Thread(target=first.kill).start()
        return "answer"

    first, second = serve(dying, latency_s=0.01), serve(latency_s=0.01)
    requests = [ask(f"q{i}") for i in range(200)]
    check_complete(run(connect(first, second, concurrency=4), requests), requests)
    assert len(second.asked) > len(first.asked) > 0


def test_a_server_that_stays_away_ends_the_run(serve):
    def dying(number, body):
        if number == 5:
            threading.Thread(target=server.kill).start()
        return "answer"

    server = serve(dying, latency_s=0.05)
    engine = connect(server, concurrency=2, patience_s=1.5)
    with pytest.raises(CogitoError, match=r"no server has answered for \d+ s: .*Connect"):
        run(engine, [ask(f"q{i}") for i in range(100)])


def test_a_server_gone_at_the_start_joins_later(serve):
    first = serve(latency_s=0.02)
    second = serve()
    second.kill()
    threading.Timer(0.3, second.start).start()
    requests = [ask(f"q{i}") for i in range(300)]
    check_complete(run(connect(first, second, concurrency=4), requests), requests)
    assert second.asked


def test_concurrency_grows_to_its_bound_and_follows_a_smaller_server(serve):
    wide = serve(latency_s=0.02)
    requests = [ask(f"q{i}", range(4)) for i in range(250)]
    engine = connect(wide, concurrency=100)
    check_complete(run(engine, requests), requests)
    # The limit grows only while it is what holds calls back.
    assert engine.servers[0].limit >= 90 and wide.most_in_flight <= 100
    narrow = serve(latency_s=0.02)
    engine = connect(narrow, concurrency=100)
    # Judged by what the client has on its way, so that the speed of this machine does not matter.
    narrow.behave = lambda number, body: "answer" if engine.servers[0].in_flight <= 10 else (429, "too many")
    check_complete(run(engine, requests[:150]), requests[:150])
    assert engine.servers[0].limit < 40


def test_a_picture_stays_at_its_server_and_load_is_spread(serve):
    servers = [serve(latency_s=0.01) for _ in range(3)]
    pictures = [draw_picture(i) for i in range(60)]
    requests = [ask(f"q{i}", range(4), images=(pictures[i % 60],)) for i in range(120)]
    random.Random(0).shuffle(requests)
    check_complete(run(connect(*servers, concurrency=32), requests), requests)
    calls = [len(server.calls) for server in servers]
    assert min(calls) > 0.15 * sum(calls)
    # 60 pictures: with perfect stickiness the three servers hold 60 copies together, with none about 180.
    assert sum(len(server.pictures) for server in servers) <= 90


def test_requests_are_read_as_they_are_needed(serve):
    server = serve(latency_s=0.01)
    read = 0

    def source():
        nonlocal read
        for i in range(10_000):
            read += 1
            yield ask(f"q{i}", [1])

    engine = connect(server, concurrency=8)
    results = engine.generate(source())
    for _ in range(50):
        next(results)
    assert read <= 50 + 2 * 8 + 1
    results.close()
    # Nobody waits any more: what is on its way runs out, and what waited in the queue is never sent.
    while engine.servers[0].in_flight:
        time.sleep(0.01)
    after = len(server.calls)
    engine.close()
    assert len(server.calls) == after <= read


def test_a_damaged_picture_is_this_requests_error_only(serve):
    from cogito_core.sample import Picture

    bad = ask("bad", images=(Picture(b"not a picture", "x.png"),))
    out = run(connect(serve()), [bad, ask("good"), Request("empty", ask("x").chat, ())])
    assert out["bad"].error.startswith("x.png: ") and out["good"].error is None
    assert "no seeds" in out["empty"].error


def test_base_urls():
    assert base_url("host:8000") == "http://host:8000/v1"
    assert base_url("https://api.example.com/v1/") == "https://api.example.com/v1"
    assert base_url("http://host/openai/v2") == "http://host/openai/v2"
    wrongs = ("", "http://", "http://host:port", "host:0", "host:99999", "http://[::1", "http://a..b", "x y:8000")
    for wrong in (*wrongs, "http://host/v1?api-version=1", "ftp://host", f"http://{'a' * 70}.b"):
        with pytest.raises(UsageError):
            base_url(wrong)


def test_a_user_in_the_url_is_sent_and_never_shown(serve):
    """A reverse proxy in front of the server may ask for a name and a password."""
    server = serve()
    heard = []
    server.heard = heard.append
    url = server.url.replace("://", "://me:p%40ss@")
    engine = open_engine(f"openai:{url}", "m")
    run(engine, [ask("q")])
    assert set(heard) == {"Basic " + base64.b64encode(b"me:p@ss").decode()}
    assert "***@" in engine.servers[0].url and "p%40ss" not in engine.servers[0].url


@pytest.mark.parametrize("strange", [b"<html>", b'{"tokens": null}', b'{"tokens": ["a"]}', b"[" * 100_000])
def test_a_strange_tokenizer_only_costs_the_ban(serve, strange):
    server = serve()
    server.tokenize = lambda text: strange
    check_complete(run(connect(server), [ask("q")]), [ask("q")])
    assert "logit_bias" not in server.calls[0]


@pytest.mark.parametrize("stated", ["4096", 0, 1.5, None, [4096]])
def test_a_strange_context_counts_as_unknown(serve, stated):
    server = serve()
    server.models = lambda: {"id": "m", "owned_by": "vllm", "max_model_len": stated}
    engine = connect(server)
    assert engine.context_tokens is None
    check_complete(run(engine, [ask("q")]), [ask("q")])


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (b'{"data": []}', "does not serve 'm'; it serves: nothing"),
        (b'{"data": null}', "is not the base URL of an OpenAI-compatible server"),
        (b'{"data": ["m"]}', "is not the base URL"),
        (b"<html>hello</html>", "is not the base URL"),
        (b"[" * 100_000, "is not the base URL"),
    ],
)
def test_a_strange_list_of_models_is_one_sentence(serve, listed, words):
    server = serve()
    server.models = lambda: listed
    with pytest.raises(CogitoError, match=words):
        connect(server)


def test_what_fails_behind_a_status_200_is_asked_again(serve):
    body = {"error": {"message": "provider down", "code": 502}}
    server = serve(lambda number, _: (200, body) if number < 2 else "answer")
    engine = connect(server)
    check_complete(run(engine, [ask("q")]), [ask("q")])
    assert engine.totals.retries == 2


def test_a_redirect_and_an_unknown_host_are_one_sentence(serve):
    moved = serve(lambda number, body: (307, "gone", {"Location": "https://new/v1"}))
    with pytest.raises(CogitoError, match=r"redirects elsewhere \(https://new/v1\); give that URL"):
        run(connect(moved), [ask("q")])
    with pytest.raises(CogitoError, match=r"no server answers at http://no-such-host.invalid:1/v1 \(.*\)"):
        open_engine("openai:no-such-host.invalid:1", "m")


def test_a_lost_server_moves_only_its_own_pictures():
    servers = [Server(f"http://{name}", None, 64) for name in "abcd"]
    homes = {route: home(servers, route).url for route in map(str, range(400))}
    servers[2].up = False
    moved = [route for route, before in homes.items() if home(servers, route).url != before]
    assert all(homes[route] == "http://c" for route in moved) and 60 < len(moved) < 140
