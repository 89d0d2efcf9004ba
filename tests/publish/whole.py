"""What must hold of every state that a branch ever had."""

from __future__ import annotations

import json
from collections import Counter

from .hub_server import HubServer
from .hub_store import Commit, Repository


def is_whole(repository: Repository, commit: Commit) -> bool:
    """Whether a reader of this commit sees one version: nothing of ours at all, or manifest, card and every file the
    manifest names with its hash, and no shard besides."""
    tree = commit.tree
    ours = {path for path in tree if path.startswith("data/") or path in ("croissant.json", "manifest.json")}
    if not ours:
        return True
    if "manifest.json" not in tree:
        return False
    listed = {entry["path"]: entry for entry in json.loads(repository.content(tree["manifest.json"]))["files"]}
    if {path for path in tree if path.startswith("data/")} != {path for path in listed if path.startswith("data/")}:
        return False
    return all(
        path in tree and tree[path].etag in (entry["sha256"], entry.get("blob")) for path, entry in listed.items()
    )


def check(hub: HubServer, name: str, branch: str = "main") -> None:
    """Every commit the branch pointed to was whole, and no bytes were accepted twice."""
    repository = hub.repository(name)
    for oid in repository.history[branch]:
        assert is_whole(repository, repository.commits[oid]), repository.commits[oid].title
    sent = Counter(one.path for one in hub.uploads())
    assert [path for path, n in sent.items() if n > 1] == []
