"""What is written for weight servers is cleared away, also after a kill; other runs' weights are left alone."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from cogito_core.console import CogitoError
from cogito_train.weight_servers import WeightServers


class _Handler(BaseHTTPRequestHandler):
    """Answers every call with success, or with the status that the server was given for its path."""

    def _answer(self):
        self.rfile.read(int(self.headers.get("content-length", "0")))
        path = self.path.partition("?")[0]
        self.server.seen.append(path)
        self.send_response(self.server.refused.get(path, 200))
        self.send_header("content-length", "17")
        self.end_headers()
        self.wfile.write(b'{"success": true}')

    do_GET = do_POST = _answer

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    found = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    found.seen, found.refused = [], {}
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def _weights():
    yield "a", torch.arange(6.0)


def test_only_the_newest_weights_of_a_run_lie_on_the_disk(server, tmp_path):
    url = f"http://127.0.0.1:{server.server_port}/v1"
    shared = tmp_path / "shared"
    first = WeightServers([url], shared, tmp_path / "run")
    other = WeightServers([url], shared, tmp_path / "other")
    for servers in (first, other, first):
        servers.push(_weights())
    mine, theirs = (set(shared.glob(f"{servers._prefix}-*")) for servers in (first, other))
    assert len(mine) == len(theirs) == 1 and mine | theirs == set(shared.iterdir())
    # Killed now, started again: what the killed process left goes, the other run's stays.
    again = WeightServers([url], shared, tmp_path / "run")
    assert set(shared.iterdir()) == theirs
    # The caches are dropped after the reload, and the server goes on at the very end.
    order = ["/pause", "/collective_rpc", "/reset_prefix_cache", "/reset_mm_cache", "/reset_encoder_cache"]
    assert server.seen[2:9] == [*order, "/update_weight_version", "/resume"]
    server.refused["/collective_rpc"] = 500
    with pytest.raises(CogitoError, match="answers /collective_rpc with 500"):
        again.push(_weights())
    again.close()
    assert set(shared.iterdir()) == theirs
