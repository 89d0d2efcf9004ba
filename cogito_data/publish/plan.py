"""What has to change on the Hub so that it holds a bundle, and whether that would lose someone else's work."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cogito_core.console import CogitoError
from cogito_data.publish.bundle import Bundle, LocalFile, split_of
from cogito_data.publish.hub import Hub, Tree

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """`add` is new or changed, `same` is there already, `delete` belongs to the version before."""

    add: tuple[LocalFile, ...]
    same: tuple[LocalFile, ...]
    delete: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.add and not self.delete

    @property
    def bytes_to_send(self) -> int:
        return sum(one.size for one in self.add)

    @property
    def paths(self) -> set[str]:
        """Every path that would change."""
        return {one.path for one in self.add} | set(self.delete)


def make_plan(bundle: Bundle, tree: Tree, before: Mapping[str, Any]) -> Plan:
    """Compare a bundle with a revision.

    Args:
        before: the files that the last publish put there, as `read_published` gives them.
    """
    add = tuple(one for path, one in sorted(bundle.files.items()) if not one.equals(tree.get(path)))
    same = tuple(one for path, one in sorted(bundle.files.items()) if one.equals(tree.get(path)))
    stale = {path for path in before if path in tree and path not in bundle.files}
    # A shard of ours under a number that the new version does not have would be read as part of the split.
    stale |= {path for path in tree if _is_shard_of(path, bundle) and path not in bundle.files}
    return Plan(add, same, tuple(sorted(stale)))


def _is_shard_of(path: str, bundle: Bundle) -> bool:
    return bool(re.fullmatch(r"data/[^/]+-\d+\.parquet", path)) and split_of(path) in bundle.splits


def read_published(hub: Hub, commit: str, tree: Tree) -> dict[str, Any]:
    """Path -> entry of the manifest that the last publish left there; empty if there was none."""
    if MANIFEST not in tree:
        return {}
    try:
        found = json.loads(hub.read(MANIFEST, commit))
        files = {entry["path"]: entry for entry in found["files"]} if found["format"] == FORMAT else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return {**files, MANIFEST: None}


def check_ownership(repo: str, plan: Plan, tree: Tree, before: Mapping[str, Any]) -> None:
    """Nothing that someone else wrote, or edited since the last publish, is replaced unasked.

    Raises:
        CogitoError: names the first such file.
    """
    for path in sorted(plan.paths & tree.keys()):
        entry = before.get(path)
        if path == MANIFEST and path in before:
            continue
        if entry is None:
            raise CogitoError(
                f"{repo} holds a file {path} that no earlier publish of cogito-data wrote; move it away, "
                "or say --overwrite to replace it"
            )
        if tree[path].size != entry["size"] or (tree[path].sha256 or tree[path].blob) not in (
            entry["sha256"], entry.get("blob"),
        ):  # fmt: skip
            raise CogitoError(
                f"{path} of {repo} was edited after the last publish; take the edit over, "
                "or say --overwrite to replace it"
            )


def check_meanwhile(repo: str, plan: Plan, earlier: Tree, now: Tree) -> None:
    """What another commit changed while ours was on its way must not be what ours changes.

    Raises:
        CogitoError: names the first file both change.
    """
    for path in sorted(plan.paths):
        if earlier.get(path) != now.get(path):
            raise CogitoError(
                f"someone else changed {path} of {repo} while this was published; nothing of theirs was replaced: "
                "look at their commit, then run the same command again"
            )
