"""A Hugging Face Hub on localhost that speaks to the real huggingface_hub and datasets clients.

    with HubServer() as hub:
        environment = {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1"}

or, to look at it by hand: `python -m tests.publish.hub_server 8123`. It knows whoami, repositories, refs, tree,
paths-info, preupload, the LFS batch protocol, commits, branches, tags, and resolve with byte ranges; it does not
offer the xet store, so clients that have hf_xet must be told with HF_HUB_DISABLE_XET=1.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from .faults import STATUSES, Faults
from .hub_store import HubError, Repository, file_row

PAGE = 7
"""Entries of a tree page: few, so that every listing is paged."""


@dataclass(frozen=True)
class Logged:
    """One request: method, path, status of the answer, bytes of its body, whether it carried a token."""

    method: str
    path: str
    status: int
    sent: int
    with_token: bool


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] | None = None


def json_reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


class HubServer:
    """The server and its state. `token` may write, `read_token` may read, every other token is unknown."""

    token = "hf_" + "w" * 34
    read_token = "hf_" + "r" * 34

    def __init__(self, port: int = 0) -> None:
        self.repositories: dict[str, Repository] = {}
        self.log: list[Logged] = []
        self.faults = Faults()
        self.user = "org"
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.hub = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def repository(self, name: str) -> Repository:
        """A dataset repository. Raises KeyError."""
        return self.repositories[f"datasets/{name}"]

    def uploads(self) -> list[Logged]:
        """Every upload of a large file that was accepted."""
        return [one for one in self.log if one.method == "PUT" and one.status == 200]

    # -- what the endpoints do ------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, token: str | None) -> Reply:
        """Route one request. Raises HubError."""
        if path.startswith("/lfs/"):
            return self._large(method, path, query, body)
        role = self._role(token)
        if path == "/api/whoami-v2":
            if role is None:
                raise HubError(401, "Invalid username or password.")
            access = {"accessToken": {"role": role, "displayName": "test"}}
            return json_reply({"type": "user", "name": self.user, "orgs": [], "auth": access})
        if path == "/api/validate-yaml":
            return self._validate_yaml(json.loads(body))
        if path == "/api/repos/create":
            return self._create(json.loads(body), role)
        for pattern, writes, handler in self._routes():
            found = re.fullmatch(pattern, path)
            if found is not None:
                parts = [unquote(part) if part else "" for part in found.groups()]
                repository = self._repository(parts[0], parts[1], role)
                if writes and method != "GET":
                    self._may_write(role)
                return handler(repository, method, parts[2:], query, body)
        raise HubError(404, f"no such endpoint: {path}")

    def _routes(self) -> list[tuple[str, bool, Callable[..., Reply]]]:
        api = r"/api/(datasets|models)/([^/]+/[^/]+)"
        return [
            (rf"{api}()", False, self._info),
            (rf"{api}/revision/([^/]+)", False, self._info),
            (rf"{api}/refs()", False, self._refs),
            (rf"{api}/tree/([^/]+)(?:/(.+))?", False, self._tree),
            (rf"{api}/paths-info/([^/]+)", False, self._paths_info),
            (rf"{api}/preupload/([^/]+)", True, self._preupload),
            (rf"{api}/commit/([^/]+)", True, self._commit),
            (rf"{api}/branch/([^/]+)", True, self._branch),
            (rf"{api}/tag/([^/]+)", True, self._tag),
            (r"/(?:(datasets)/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch()", True, self._batch),
            (r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", False, self._resolve),
        ]

    def _role(self, token: str | None) -> str | None:
        if token is None:
            return None
        if token not in (self.token, self.read_token):
            raise HubError(401, "Invalid credentials in Authorization header")
        return "write" if token == self.token else "read"

    def _may_write(self, role: str | None) -> None:
        if role is None:
            raise HubError(401, "Invalid username or password.")
        if role != "write":
            raise HubError(403, "Forbidden: you must use a token with write access")

    def _repository(self, kind: str, name: str, role: str | None) -> Repository:
        found = self.repositories.get(f"{kind or 'models'}/{name}")
        if found is None or (found.private and role is None):
            raise HubError(404 if role else 401, "Repository not found", "RepoNotFound")
        return found

    def _create(self, wanted: dict[str, Any], role: str | None) -> Reply:
        self._may_write(role)
        owner = wanted.get("organization") or self.user
        if owner != self.user:
            raise HubError(403, f"You don't have the rights to create a dataset under the namespace {owner!r}")
        kind = f"{wanted.get('type') or 'model'}s"
        name = f"{owner}/{wanted['name']}"
        url = f"{self.url}/{'datasets/' if kind == 'datasets' else ''}{name}"
        if f"{kind}/{name}" in self.repositories:
            return json_reply({"error": "You already created this repo", "url": url}, 409)
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.repositories[f"{kind}/{name}"] = Repository(name, kind, private)
        return json_reply({"url": url, "id": name})

    def _validate_yaml(self, wanted: dict[str, Any]) -> Reply:
        found = re.match(r"---\n(.*?)\n---\n", wanted["content"], re.S)
        try:
            front = yaml.safe_load(found.group(1)) if found else {}
        except yaml.YAMLError as error:
            return json_reply({"errors": [{"message": str(error)}], "warnings": []}, 400)
        warnings = [] if front else [{"message": "empty or missing yaml metadata in repo card"}]
        return json_reply({"errors": [], "warnings": warnings})

    def _info(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        commit = repository.find(parts[0] or "main")
        return json_reply(
            {
                "_id": "0", "id": repository.id, "author": repository.id.split("/")[0], "sha": commit.oid,
                "private": repository.private, "gated": False, "disabled": False, "tags": [], "downloads": 0,
                "likes": 0, "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z",
                "siblings": [{"rfilename": path} for path in sorted(commit.tree)],
            }
        )  # fmt: skip

    def _refs(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        def rows(kind: str, names: dict[str, str]) -> list[dict[str, str]]:
            return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid} for n, oid in sorted(names.items())]

        return json_reply(
            {"branches": rows("heads", repository.branches), "tags": rows("tags", repository.tags), "converts": []}
        )

    def _tree(
        self, repository: Repository, method: str, parts: list[str], query: dict[str, str], body: bytes
    ) -> Reply:
        revision, folder = parts
        rows = repository.listing(repository.find(revision), folder, query.get("recursive", "").lower() == "true")
        start = int(query.get("cursor", "0"))
        headers = {}
        if start + PAGE < len(rows):
            url = f"{self.url}/api/{repository.type}/{repository.id}/tree/{revision}{'/' + folder if folder else ''}"
            again = f"recursive={query.get('recursive', 'False')}&cursor={start + PAGE}"
            headers["Link"] = f'<{url}?{again}>; rel="next"'
        return json_reply(rows[start : start + PAGE], headers=headers)

    def _paths_info(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        commit = repository.find(parts[0])
        wanted = parse_qs(body.decode()).get("paths", [])
        rows = [file_row(path, commit.tree[path]) for path in wanted if path in commit.tree]
        folders = {name for name in wanted if any(path.startswith(f"{name}/") for path in commit.tree)}
        rows += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": name} for name in sorted(folders)]
        return json_reply(rows)

    def _preupload(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        tree = repository.find(parts[0]).tree
        files = []
        for one in json.loads(body)["files"]:
            there = tree.get(one["path"])
            row = {
                "path": one["path"],
                "uploadMode": repository.mode(one["path"], one["size"]),
                "shouldIgnore": False,
            }
            files.append({**row, "oid": there.etag} if there else row)
        return json_reply({"files": files})

    def _commit(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        lines = [json.loads(line) for line in body.splitlines() if line]
        commit = repository.commit_lines(parts[0], lines, self.user, base64.b64decode)
        url = f"{self.url}/{repository.type}/{repository.id}/commit/{commit.oid}"
        return json_reply({"success": True, "commitOid": commit.oid, "commitUrl": url})

    def _branch(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        name = parts[0]
        with repository.lock:
            if method == "DELETE":
                if name == "main":
                    raise HubError(403, "main cannot be deleted")
                if repository.branches.pop(name, None) is None:
                    raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
                return json_reply({"success": True})
            if name in repository.branches:
                raise HubError(409, f"Reference already exists: {name}")
            start = (json.loads(body) if body else {}).get("startingPoint", "main")
            repository.branches[name] = repository.find(start).oid
        return json_reply({"success": True})

    def _tag(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        with repository.lock:
            if method == "DELETE":
                repository.tags.pop(parts[0], None)
                return json_reply({"success": True})
            name = json.loads(body)["tag"]
            if name in repository.tags:
                raise HubError(409, f"Tag reference exists already: {name}")
            repository.tags[name] = repository.find(parts[0]).oid
        return json_reply({"success": True})

    def _batch(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        objects = []
        for wanted in json.loads(body)["objects"]:
            row: dict[str, Any] = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in repository.large:
                href = f"{self.url}/lfs/{repository.type}/{repository.id}/{wanted['oid']}?X-Signature=secret"
                row["actions"] = {"upload": {"href": href}, "verify": {"href": f"{href}&verify=1"}}
            objects.append(row)
        return json_reply({"transfer": "basic", "objects": objects})

    def _large(self, method: str, path: str, query: dict[str, str], body: bytes) -> Reply:
        """Uploads go to signed addresses, as to S3: no token, and the bytes must have the announced hash."""
        kind, owner, name, oid = path.removeprefix("/lfs/").split("/")
        if query.get("X-Signature") != "secret":
            raise HubError(403, "SignatureDoesNotMatch")
        repository = self.repositories[f"{kind}/{owner}/{name}"]
        if method == "PUT":
            if sha256(body).hexdigest() != oid:
                raise HubError(400, "the content does not match the oid")
            repository.large[oid] = body
            return Reply()
        wanted = json.loads(body)
        if len(repository.large.get(wanted["oid"], b"")) != wanted["size"]:
            raise HubError(404, "the object is not there")
        return json_reply({"message": "verified"})

    def _resolve(self, repository: Repository, method: str, parts: list[str], query: Any, body: bytes) -> Reply:
        commit = repository.find(parts[0])
        entry = commit.tree.get(parts[1])
        if entry is None:
            raise HubError(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{entry.etag}"', "Accept-Ranges": "bytes"}
        if entry.sha256:
            headers |= {"X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{entry.etag}"'}
        data = repository.content(entry)
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", query.get("range header", ""))
        if found is None:
            return Reply(200, data, headers)
        start, end = int(found.group(1)), min(int(found.group(2) or len(data) - 1), len(data) - 1)
        if start >= len(data):
            raise HubError(416, "Range Not Satisfiable")
        return Reply(206, data[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    hub: HubServer


class _Handler(BaseHTTPRequestHandler):
    """HTTP: reads a request, lets faults happen, writes the reply."""

    protocol_version = "HTTP/1.1"
    server: _Server
    # Without it every small answer waits for the client's delayed acknowledgement, 40 ms.
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        hub = self.server.hub
        body = self._body()
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        query["range header"] = self.headers.get("Range", "")
        authorization = self.headers.get("Authorization", "")
        token = authorization.removeprefix("Bearer ") if authorization else None
        request = f"{self.command} {parts.path}"
        hub.faults.hold(request, done=False)
        fault = hub.faults.choose(request)
        if fault == "reset":
            hub.log.append(Logged(self.command, parts.path, 0, len(body), token is not None))
            return self._hang_up()
        if fault in STATUSES:
            reply = json_reply({"error": f"injected {fault}"}, STATUSES[fault])
        else:
            try:
                reply = hub.answer(self.command, parts.path, query, body, token)
            except HubError as error:
                headers = {"X-Error-Message": error.message, "X-Error-Code": error.code}
                reply = json_reply({"error": error.message}, error.status, headers)
        hub.log.append(Logged(self.command, parts.path, reply.status, len(body), token is not None))
        hub.faults.hold(request, done=True)
        if fault == "lost":
            return self._hang_up()
        self._send(reply, fault)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().strip() or b"0", 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, reply: Reply, fault: str | None) -> None:
        self.send_response(reply.status)
        for name, value in (reply.headers or {}).items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        data = reply.body
        if fault == "truncated" and data:
            self.wfile.write(data[: len(data) // 2])
            return self._hang_up()
        if fault == "slow":
            for start in range(0, len(data), max(1, len(data) // 4)):
                self.wfile.write(data[start : start + max(1, len(data) // 4)])
                self.wfile.flush()
                time.sleep(0.02)
            return None
        self.wfile.write(data)
        return None

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle

    def log_message(self, format: str, *args: Any) -> None:
        """The log is `hub.log`."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            # A client that was killed: nobody is left to answer.
            self.close_connection = True


def main() -> None:
    """Serve until interrupted."""
    with HubServer(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as hub:
        print(f"export HF_ENDPOINT={hub.url} HF_TOKEN={hub.token} HF_HUB_DISABLE_XET=1", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
