"""Repositories as the Hub keeps them: git-like commits over a store of blobs, in memory.

A commit is immutable and a branch is a name for one, so every state that `main` ever pointed to can be looked at
afterwards: that is what the tests of "never a half-new set in view" do.
"""

from __future__ import annotations

import fnmatch
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGE = ("*.parquet", "*.safetensors", "*.gz", "*.bin", "*.png", "*.jpg")
"""What a new dataset repository's .gitattributes keeps as large files; the rest goes into commits as it is."""

MAX_REGULAR = 10 * 2**20


class HubError(Exception):
    """An answer other than success: status, message, and the Hub's X-Error-Code."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


def git_blob(data: bytes) -> str:
    """The name git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A file of a commit; `sha256` is set for large files, whose `oid` is that of their pointer."""

    oid: str
    size: int
    sha256: str | None = None

    @property
    def etag(self) -> str:
        return self.sha256 or self.oid


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    title: str
    author: str
    tree: Mapping[str, Entry]


@dataclass
class Repository:
    """One repository. Every method that changes it holds `lock`."""

    id: str
    type: str
    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    """sha256 -> bytes that were uploaded, referred to by a commit or not."""
    regular: dict[str, bytes] = field(default_factory=dict)
    history: dict[str, list[str]] = field(default_factory=dict)
    """Branch -> every commit it ever pointed to, oldest first."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        attributes = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE).encode()
        self.write("main", {".gitattributes": self.add_regular(attributes)}, (), "initial commit", "system", None)

    def head(self, branch: str = "main") -> Commit:
        return self.commits[self.branches[branch]]

    def find(self, revision: str) -> Commit:
        """A branch, a tag or a commit. Raises HubError 404."""
        for names in (self.branches, self.tags):
            if revision in names:
                return self.commits[names[revision]]
        if revision in self.commits:
            return self.commits[revision]
        raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def mode(self, path: str, size: int) -> str:
        """Whether a file is kept apart (`lfs`) or inside the commit (`regular`)."""
        name = path.rpartition("/")[2]
        return "lfs" if size > MAX_REGULAR or any(fnmatch.fnmatch(name, pattern) for pattern in LARGE) else "regular"

    def add_regular(self, data: bytes) -> Entry:
        oid = git_blob(data)
        self.regular[oid] = data
        return Entry(oid, len(data))

    def large_entry(self, sha256: str) -> Entry:
        """Raises HubError 400 where no such bytes were uploaded."""
        if sha256 not in self.large:
            raise HubError(400, f"LFS object {sha256} does not exist on the remote")
        size = len(self.large[sha256])
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
        return Entry(git_blob(pointer.encode()), size, sha256)

    def content(self, entry: Entry) -> bytes:
        return self.large[entry.sha256] if entry.sha256 else self.regular[entry.oid]

    def write(
        self,
        branch: str,
        additions: Mapping[str, Entry],
        deletions: tuple[str, ...],
        title: str,
        author: str,
        parent: str | None,
    ) -> Commit:
        """One commit on a branch. Raises HubError 412 if `parent` is given and is not its head any more."""
        with self.lock:
            if branch not in self.branches and self.commits:
                raise HubError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            before = self.branches.get(branch)
            if parent is not None and parent != before:
                raise HubError(412, "A commit has happened since. Please refresh and try again.")
            tree = dict(self.commits[before].tree) if before else {}
            for path in deletions:
                if path not in tree:
                    raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
                del tree[path]
            tree.update(additions)
            text = repr((before, title, author, sorted((path, entry.oid) for path, entry in tree.items())))
            commit = Commit(hashlib.sha1(text.encode()).hexdigest(), before, title, author, tree)
            self.commits[commit.oid] = commit
            self.branches[branch] = commit.oid
            self.history.setdefault(branch, []).append(commit.oid)
            return commit

    def commit_lines(self, branch: str, lines: list[dict[str, Any]], author: str, decode: Any) -> Commit:
        """The operations of a commit request: header, file, lfsFile, deletedFile, deletedFolder."""
        header: dict[str, Any] = {}
        additions: dict[str, Entry] = {}
        deletions: list[str] = []
        with self.lock:
            for line in lines:
                key, value = line["key"], line["value"]
                if key == "header":
                    header = value
                elif key == "file":
                    additions[value["path"]] = self.add_regular(decode(value["content"]))
                elif key == "lfsFile":
                    additions[value["path"]] = self.large_entry(value["oid"])
                elif key == "deletedFile":
                    deletions.append(value["path"])
                elif key == "deletedFolder":
                    folder = value["path"].rstrip("/") + "/"
                    deletions += [path for path in self.find(branch).tree if path.startswith(folder)]
                else:
                    raise HubError(400, f"unknown operation {key}")
            return self.write(
                branch, additions, tuple(deletions), header["summary"], author, header.get("parentCommit")
            )

    def listing(self, commit: Commit, folder: str, recursive: bool) -> list[dict[str, Any]]:
        """Files and folders below `folder`, as the tree endpoint gives them."""
        prefix = f"{folder}/" if folder else ""
        rows: dict[str, dict[str, Any]] = {}
        for path, entry in sorted(commit.tree.items()):
            if not path.startswith(prefix):
                continue
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts)):
                if depth == 1 or recursive:
                    name = prefix + "/".join(parts[:depth])
                    oid = hashlib.sha1(f"{commit.oid}{name}".encode()).hexdigest()
                    rows.setdefault(name, {"type": "directory", "oid": oid, "size": 0, "path": name})
            if len(parts) == 1 or recursive:
                rows[path] = file_row(path, entry)
        if folder and not rows:
            raise HubError(404, f"{folder} does not exist", "EntryNotFound")
        return list(rows.values())


def file_row(path: str, entry: Entry) -> dict[str, Any]:
    """A file as the tree endpoint gives it."""
    row: dict[str, Any] = {"type": "file", "oid": entry.oid, "size": entry.size, "path": path}
    if entry.sha256:
        row["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": 134}
    return row
