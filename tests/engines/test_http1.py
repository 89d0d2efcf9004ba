"""The HTTP client beyond plain connections: TLS, proxies, and servers that speak something else."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading

import pytest

from cogito_core.console import CogitoError
from cogito_core.engines import open_engine
from cogito_core.engines.http1 import ConnectionBroken, HttpClient, _proxy_for

from .fake_server import FakeServer
from .test_openai_engine import ask, check_complete, run


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    files = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(files[0]), "-out", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_tls_with_a_known_certificate_and_not_with_another(certificate, monkeypatch):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = FakeServer(tls=context)
    try:
        with pytest.raises(CogitoError, match=r"no server answers at https://127.*CERTIFICATE_VERIFY_FAILED"):
            open_engine(f"openai:{server.url}", "m")
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        requests = [ask(f"q{i}") for i in range(10)]
        check_complete(run(open_engine(f"openai:{server.url}", "m"), requests), requests)
    finally:
        server.kill()


class ConnectProxy:
    """Understands CONNECT and leads every connection to one port, whatever host was asked for."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.asked: list[str] = []
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def begin() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.call_soon(lambda: self._loop.create_task(begin()))
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        assert ready.wait(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        if "forbidden.test" in head:
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there, back = await asyncio.open_connection("127.0.0.1", self.target)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)


def test_a_proxy_is_used_where_the_environment_names_one(monkeypatch):
    server = FakeServer()
    proxy = ConnectProxy(server.port)
    monkeypatch.setenv("HTTP_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    try:
        requests = [ask(f"q{i}") for i in range(5)]
        check_complete(run(open_engine("openai:http://server.test:8000", "m"), requests), requests)
        assert proxy.asked[0].startswith("CONNECT server.test:8000 HTTP/1.1")
        assert "proxy-authorization: Basic dXNlcjpwQHNz" in proxy.asked[0]
        with pytest.raises(CogitoError, match="the proxy 127.0.0.1 refuses a connection to forbidden.test"):
            open_engine("openai:http://forbidden.test:8000", "m")
    finally:
        server.kill()


def test_no_proxy_for_local_and_excepted_hosts(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "inside.test,.example.com")
    assert _proxy_for("https", "api.test") == ("proxy.test", 3128, "")
    assert _proxy_for("http", "api.test") is None
    for host in ("127.0.0.1", "localhost", "inside.test", "gpu.example.com"):
        assert _proxy_for("https", host) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 20", "broke off in its header"),
        (b"", "closed the connection"),
    ],
)
def test_what_is_no_answer_is_a_broken_connection(answer, reason):
    async def ask_once() -> None:
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = HttpClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", {})
        try:
            await client.request("GET", "/v1/models", timeout_s=60)
        finally:
            server.close()

    with pytest.raises(ConnectionBroken, match=reason) as caught:
        asyncio.run(ask_once())
    assert caught.value.connected


def test_an_answer_without_a_length_ends_with_the_connection():
    async def ask_once() -> bytes:
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nall of it")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = HttpClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", {})
        response = await client.request("GET", "/", timeout_s=60)
        server.close()
        return response.body

    assert asyncio.run(ask_once()) == b"all of it"
