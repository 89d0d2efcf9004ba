"""The Hub as publishing sees it: one dataset repository, every call tried again and every failure one sentence."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cogito_core import __version__
from cogito_core.console import CogitoError
from cogito_data.publish import retry
from cogito_data.publish.masking import mask_library_logs, masked

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

RANGE_BYTES = 2**16
"""Bytes of one range read: a Parquet footer fits."""


@dataclass(frozen=True)
class Remote:
    """A file of a commit. `sha256` is that of a large file's bytes, `blob` git's name of what the commit holds."""

    size: int
    sha256: str | None
    blob: str


Tree = dict[str, Remote]


class Hub:
    """A dataset repository on the Hub; the client is the stock one, its token never passes through here.

    Raises (all methods):
        CogitoError: one sentence without the token: it is refused, lacks permission, or the Hub stays away.
    """

    def __init__(self, repo: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars, validate_repo_id

        if repo.count("/") != 1:
            raise CogitoError(f"--repo takes ORG/NAME, not '{repo}'")
        try:
            validate_repo_id(repo)
        except ValueError as error:
            raise CogitoError(f"--repo {repo}: {error}") from error
        mask_library_logs()
        # Progress is shown here, in one line for everything.
        disable_progress_bars()
        self.repo = repo
        self._sleep = sleep
        self._api: HfApi = HfApi(library_name="cogito-vlm", library_version=__version__)

    def call(self, what: str, work: Callable[[], T], *, conflicts: bool = False) -> T:
        """`work`, tried again where that may help. Raises Conflict on 409 and 412 if `conflicts`."""
        return retry.call(what, work, say_no=self._sentence, conflicts=conflicts, sleep=self._sleep)

    def pause(self, attempt: int) -> None:
        """Wait before looking at the branch again."""
        self._sleep(retry.wait_before(attempt))

    # -- who and where --------------------------------------------------------------------------------------------

    def user(self) -> str | None:
        """Whose token this is, None without a token."""
        from huggingface_hub import get_token

        if not get_token():
            return None
        return str(self.call("ask whose token this is", self._api.whoami)["name"])

    def visibility(self) -> str | None:
        """`public` or `private`, None if there is no such repository (or none that this token may see)."""
        from huggingface_hub.errors import RepositoryNotFoundError

        def look() -> str | None:
            try:
                info = self._api.repo_info(self.repo, repo_type="dataset")
            except RepositoryNotFoundError:
                return None
            return "private" if info.private else "public"

        return self.call(f"look for {self.repo}", look)

    def create(self, private: bool) -> None:
        """Create the repository unless it is there."""

        def create() -> None:
            # "Is there already" (409) without an address in it breaks the client; whether it is there is seen below.
            with suppress(KeyError):
                self._api.create_repo(self.repo, repo_type="dataset", private=private, exist_ok=True)

        for attempt in range(1, retry.ATTEMPTS + 1):
            self.call(f"create {self.repo}", create)
            if self.visibility() is not None:
                return
            self.pause(attempt)
        raise CogitoError(f"{self.repo} could not be created, or is there but not for this token to see")

    # -- what is there --------------------------------------------------------------------------------------------

    def refs(self) -> tuple[dict[str, str], dict[str, str]]:
        """Branches and tags, name -> commit."""
        found = self.call(
            f"list the branches of {self.repo}", lambda: self._api.list_repo_refs(self.repo, repo_type="dataset")
        )
        return (
            {one.name: one.target_commit for one in found.branches},
            {one.name: one.target_commit for one in found.tags},
        )

    def head(self, branch: str) -> str:
        """The commit a branch points to."""
        info = self.call(
            f"read the head of {self.repo}",
            lambda: self._api.repo_info(self.repo, repo_type="dataset", revision=branch),
        )
        return str(info.sha)

    def tree(self, revision: str) -> Tree:
        """Every file of a revision."""
        from huggingface_hub import RepoFile

        rows = self.call(
            f"read the file list of {self.repo}",
            lambda: list(self._api.list_repo_tree(self.repo, repo_type="dataset", revision=revision, recursive=True)),
        )
        return {
            row.path: Remote(row.size, row.lfs.sha256 if row.lfs else None, row.blob_id)
            for row in rows
            if isinstance(row, RepoFile)
        }

    def read(self, path: str, commit: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes `start` to `end` (excluded) of a file, by a range request."""
        return self.call(f"read {path} of {self.repo}", lambda: self._read(path, commit, start, end))

    def _read(self, path: str, commit: str, start: int, end: int | None) -> bytes:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = hf_hub_url(self.repo, path, repo_type="dataset", revision=commit, endpoint=self._api.endpoint)
        headers = build_hf_headers(library_name="cogito-vlm", library_version=__version__)
        headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        # The Hub sends large files from another host: the client follows, and does not hand it the token.
        response = get_session().get(url, headers=headers)
        hf_raise_for_status(response)
        data = response.content
        if response.status_code == 200:
            data = data[start:end]
        if end is not None and len(data) != end - start:
            raise ConnectionError(f"{len(data)} bytes instead of {end - start}")
        return data

    # -- changes --------------------------------------------------------------------------------------------------

    def create_branch(self, name: str, commit: str) -> None:
        """Create a branch unless it is there."""
        self._make(
            f"branch {name}",
            lambda: self._api.create_branch(
                self.repo, repo_type="dataset", branch=name, revision=commit, exist_ok=True
            ),
            lambda: name in self.refs()[0],
        )

    def delete_branch(self, name: str) -> None:
        """Delete a branch; one that is gone already is no error."""
        with suppress(retry.HubFailure):
            self.call(
                f"delete the branch {name}",
                lambda: self._api.delete_branch(self.repo, repo_type="dataset", branch=name),
            )

    def create_tag(self, name: str, commit: str) -> None:
        """Name a commit. A tag of that name at another commit is an error."""

        def is_there() -> bool:
            there = self.refs()[1].get(name)
            if there not in (None, commit):
                raise CogitoError(f"{self.repo} has a tag {name} at commit {there[:12]} already: choose another name")
            return there == commit

        self._make(
            f"tag {name}",
            lambda: self._api.create_tag(self.repo, repo_type="dataset", tag=name, revision=commit, exist_ok=True),
            is_there,
        )

    def _make(self, what: str, ask: Callable[[], object], is_there: Callable[[], bool]) -> None:
        """Ask for a ref until it is there: the client takes any 409 for "is there already"."""
        for attempt in range(1, retry.ATTEMPTS + 1):
            self.call(f"create the {what}", ask)
            if is_there():
                return
            self.pause(attempt)
        raise CogitoError(f"the {what} of {self.repo} could not be created")

    def upload(self, additions: Sequence[Any], branch: str) -> None:
        """Send the bytes of large files; no commit refers to them yet. Bytes the Hub holds are not sent again."""
        self.call(
            f"upload {len(additions)} files to {self.repo}",
            lambda: self._api.preupload_lfs_files(
                self.repo, additions, repo_type="dataset", revision=branch
            ),
        )

    def commit(self, operations: Sequence[Any], branch: str, message: str, parent: str | None) -> str:
        """One commit on a branch; its name. Raises Conflict if the branch is not at `parent` any more."""
        done = self.call(
            f"commit to {self.repo}",
            lambda: self._api.create_commit(
                self.repo, operations, commit_message=message, repo_type="dataset", revision=branch,
                parent_commit=parent,
            ),
            conflicts=True,
        )  # fmt: skip
        return str(done.oid)

    # -- sentences ------------------------------------------------------------------------------------------------

    def _sentence(self, error: BaseException, what: str) -> CogitoError:
        from huggingface_hub import get_token
        from huggingface_hub.errors import OfflineModeIsEnabled, RepositoryNotFoundError

        status = retry.status_of(error)
        if isinstance(error, OfflineModeIsEnabled):
            return CogitoError("HF_HUB_OFFLINE is set, so the Hub cannot be asked: unset it to publish")
        if status == 401 and not get_token():
            text = f"{self.repo}: the Hub wants a token for this; run `hf auth login` or set HF_TOKEN"
        elif status == 401 and not isinstance(error, RepositoryNotFoundError):
            where = "the one in HF_TOKEN" if os.environ.get("HF_TOKEN") else "the one stored by `hf auth login`"
            text = f"the Hub does not accept the token ({where}): make a new one at huggingface.co/settings/tokens"
        elif status == 403:
            text = (
                f"{what}: the Hub forbids it to this token; it needs write permission for {self.repo.split('/')[0]} "
                "(huggingface.co/settings/tokens)"
            )
        elif status == 404 and isinstance(error, RepositoryNotFoundError):
            text = f"{what}: there is no dataset {self.repo} that this token may see"
        elif status is None and not retry.is_transport(error):
            text = f"{what}: {masked(' '.join(str(error).split()))}"
        else:
            text = f"{what}: {retry.reason_of(error)}; run the same command again, nothing that was uploaded is lost"
        return retry.HubFailure(text, status)
