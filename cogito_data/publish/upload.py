"""Sending a bundle: large files to a branch of their own first, then one commit that shows everything at once.

Why so: the Hub has no transaction over several commits, and one commit with all bytes cannot be resumed. Files are
therefore first committed, in batches, to a staging branch named by the content: a kill loses the batch in hand, and
the branch keeps the Hub from collecting them as garbage. The commit on the target then only names bytes that are
there (a server-side copy), with card, Croissant file and manifest in it, so no reader ever sees half of a version.
It is tied to the head that was compared with: if someone else commits meanwhile, the Hub refuses (412, or 409 at the
same instant), and the difference is taken anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cogito_core.console import CogitoError, progress
from cogito_data.publish.bundle import Bundle, LocalFile
from cogito_data.publish.hub import Hub, Tree
from cogito_data.publish.plan import Plan, check_meanwhile, check_ownership, make_plan, read_published
from cogito_data.publish.retry import ATTEMPTS, Conflict

STAGING = "cogito-staging-"
BATCH_BYTES = 2**30
BATCH_FILES = 100
"""A staging commit has at most this much."""

GROUP_BYTES = 2**27
GROUP_FILES = 8
"""Files sent side by side; the progress line moves after each group. A kill loses at most a group."""

MEBI = 2**20

T = TypeVar("T")


@dataclass(frozen=True)
class State:
    """A branch as it was looked at: its head, its files, what the last publish put there, what is to change."""

    commit: str
    tree: Tree
    before: dict[str, Any]
    plan: Plan


def look(hub: Hub, bundle: Bundle, branch: str) -> State:
    """Compare a bundle with the head of a branch."""
    commit = hub.head(branch)
    tree = hub.tree(commit)
    before = read_published(hub, commit, tree)
    return State(commit, tree, before, make_plan(bundle, tree, before))


def send(hub: Hub, bundle: Bundle, branch: str, state: State, *, message: str, overwrite: bool) -> str:
    """Bring a branch to a bundle; returns the commit that holds it.

    Raises:
        CogitoError: someone else's file or edit would be replaced, or the Hub keeps refusing.
    """
    if state.plan.is_empty:
        return state.commit
    if not overwrite:
        check_ownership(hub.repo, state.plan, state.tree, state.before)
    staging = STAGING + bundle.name
    _stage(hub, state, staging)
    return _promote(hub, bundle, branch, state, staging, message)


def staging_branches(hub: Hub) -> list[str]:
    """Branches of publishes that were never finished."""
    return [name for name in hub.refs()[0] if name.startswith(STAGING)]


def clean_up(hub: Hub, bundle: Bundle) -> None:
    """Remove the staging branch of this bundle."""
    staging = STAGING + bundle.name
    if staging in hub.refs()[0]:
        hub.delete_branch(staging)


def _stage(hub: Hub, state: State, staging: str) -> None:
    """Put every file that is to be added on the staging branch, except what an earlier try put there."""
    hub.create_branch(staging, state.commit)
    total = sum(one.size for one in state.plan.add)
    with progress(-(-total // MEBI), "upload", "MB") as advance:
        count = _counter(advance)
        there = hub.tree(staging)
        for file in state.plan.add:
            if file.equals(there.get(file.path)):
                count(file.size)
        missing = [one for one in state.plan.add if not one.equals(there.get(one.path))]
        for batch in _cut(missing, lambda one: one.size, BATCH_BYTES, BATCH_FILES):
            additions = [_addition(one) for one in batch]
            for group in _cut(additions, lambda one: one.upload_info.size, GROUP_BYTES, GROUP_FILES):
                hub.upload(group, staging)
                count(sum(one.upload_info.size for one in group))
            _commit_staged(hub, batch, additions, staging)


def _commit_staged(hub: Hub, batch: Sequence[LocalFile], additions: Sequence[Any], staging: str) -> None:
    """A conflict, or a commit whose answer got lost, shows in the file list: then only what lacks is sent."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            hub.commit(additions, staging, f"stage {len(additions)} files", None)
            return
        except Conflict:
            hub.pause(attempt)
        there = hub.tree(staging)
        left = [one for one in batch if not one.equals(there.get(one.path))]
        if not left:
            return
        additions = [_addition(one) for one in left]
    raise CogitoError(f"the branch {staging} of {hub.repo} keeps changing: is the same publish running twice?")


def _promote(hub: Hub, bundle: Bundle, branch: str, state: State, staging: str, message: str) -> str:
    """The one commit that readers see."""
    first = state
    for attempt in range(1, ATTEMPTS + 1):
        try:
            operations = _operations(hub, state, staging)
            return hub.commit(operations, branch, message, state.commit)
        except Conflict:
            hub.pause(attempt)
        state = look(hub, bundle, branch)
        if state.plan.is_empty:
            # Ours went through and only the answer was lost.
            return state.commit
        check_meanwhile(hub.repo, state.plan, first.tree, state.tree)
    raise CogitoError(
        f"{hub.repo} changed {ATTEMPTS} times while this was published, each time before the commit; "
        "run the same command again when it is quiet"
    )


def _operations(hub: Hub, state: State, staging: str) -> list[Any]:
    """Large files by name from the staging branch (no byte travels twice), small ones as they are, old ones out."""
    from huggingface_hub import CommitOperationCopy, CommitOperationDelete

    shelf = hub.head(staging)
    there = hub.tree(shelf)
    operations: list[Any] = [CommitOperationDelete(path) for path in state.plan.delete]
    for file in state.plan.add:
        staged = there.get(file.path)
        if not file.equals(staged):
            raise CogitoError(f"{file.path} on the branch {staging} is not what was uploaded; run the command again")
        if staged is not None and staged.sha256 is not None:
            operations.append(CommitOperationCopy(file.path, file.path, src_revision=shelf))
        else:
            operations.append(_addition(file))
    return operations


def _addition(file: LocalFile) -> Any:
    from huggingface_hub import CommitOperationAdd

    return CommitOperationAdd(file.path, file.content if isinstance(file.content, bytes) else str(file.content))


def _cut(items: Sequence[T], size: Callable[[T], int], most_bytes: int, most: int) -> Iterator[list[T]]:
    """Neighbours together, as many as fit; an item that is too large alone stands alone."""
    part: list[T] = []
    for item in items:
        if part and (len(part) == most or sum(map(size, part)) + size(item) > most_bytes):
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _counter(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Counts bytes into a bar of whole mebibytes."""
    seen = shown = 0

    def count(n_bytes: int) -> None:
        nonlocal seen, shown
        seen += n_bytes
        now = -(-seen // MEBI)
        advance(now - shown)
        shown = now

    return count
