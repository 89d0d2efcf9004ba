"""What goes wrong on the way: kills, broken connections, refusals, and other people's commits."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_data.publish.command import Wish, prepare, publish
from cogito_data.publish.hub import Hub

from .conftest import REPO, go
from .faults import Hold, Planned
from .hub_server import HubServer
from .test_publish import command
from .whole import check, is_whole

UPLOAD = "^PUT /lfs/"
COMMIT = f"^POST /api/datasets/{REPO}/commit/"


def killed(hub: HubServer, run: Path, hold: Hold, **wish: object) -> None:
    """Publish in a child of this process and kill -9 it when a request arrives (or is answered) at `hold`."""
    hub.faults.holds.append(hold)
    child = multiprocessing.get_context("fork").Process(target=go, args=(run,), kwargs=wish)
    child.start()
    assert hold.met.wait(20), "the publish never came to this point"
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    hold.release.set()


POINTS = {
    "before the repository is there": Hold("^POST /api/repos/create", done=False),
    "after the staging branch was made": Hold(f"^POST /api/datasets/{REPO}/branch/", done=True),
    "before the third upload": Hold(UPLOAD, done=False, skip=2),
    "after the third upload": Hold(UPLOAD, done=True, skip=2),
    "before the staging commit": Hold(COMMIT + "cogito-staging", done=False),
    "after the staging commit": Hold(COMMIT + "cogito-staging", done=True),
    "before the commit on main": Hold(COMMIT + "main", done=False),
    "after the commit on main": Hold(COMMIT + "main", done=True),
    "while reading back": Hold("^GET /datasets/.*/resolve/.*parquet", done=False),
    "before the tag": Hold(f"^POST /api/datasets/{REPO}/tag/", done=False),
    "after the tag": Hold(f"^POST /api/datasets/{REPO}/tag/", done=True),
}


@pytest.mark.parametrize("point", POINTS, ids=[name.replace(" ", "-") for name in POINTS])
def test_a_kill_at_any_point_is_made_good_by_the_same_command(
    hub: HubServer, built: Path, changed: Path, point: str
) -> None:
    """The second version over the first, so that a half-new set could be seen if there ever were one."""
    new = point != "before the repository is there"
    if new:
        go(built, tag="v1")
    hold = POINTS[point]
    killed(hub, changed, Hold(hold.pattern, hold.done, hold.skip if not new else 0), tag="v2")
    for oid in hub.repository(REPO).history["main"] if new else []:
        assert is_whole(hub.repository(REPO), hub.repository(REPO).commits[oid])
    commit = go(changed, tag="v2")
    repository = hub.repository(REPO)
    assert repository.tags["v2"] == commit == repository.head().oid
    assert list(repository.branches) == ["main"]
    assert len(repository.history["main"]) == (3 if new else 2)
    shard = repository.content(repository.head().tree["data/train-00001.parquet"])
    assert shard == (changed / "data" / "train-00001.parquet").read_bytes()
    check(hub, REPO)


def test_a_kill_in_the_middle_of_the_upload_keeps_what_is_there(hub: HubServer, built: Path) -> None:
    killed(hub, built, Hold(UPLOAD, done=True, skip=3))
    kept = {one.path for one in hub.uploads()}
    assert len(kept) >= 4
    go(built)
    check(hub, REPO)


def test_the_command_line_goes_on_after_kill_9(hub: HubServer, built: Path, tmp_path: Path) -> None:
    hold = Hold(COMMIT + "main", done=True)
    hub.faults.holds.append(hold)
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1",
                   "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    arguments = [sys.executable, "-m", "cogito_data", "publish", str(built), "--repo", REPO, "--tag", "v1"]
    child = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert hold.met.wait(60)
    child.kill()
    child.wait()
    hold.release.set()
    assert hub.repository(REPO).tags == {}
    done = command(hub, tmp_path, built, "--tag", "v1")
    assert done.returncode == 0, done.stderr
    assert "nothing to send" in done.stdout
    assert hub.repository(REPO).tags == {"v1": hub.repository(REPO).head().oid}
    assert len(hub.repository(REPO).history["main"]) == 2
    check(hub, REPO)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("no_waiting")
def test_a_fifth_of_all_requests_may_fail(
    hub: HubServer, built: Path, changed: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken and lost answers, every status that a Hub gives under load, slow and cut bodies."""
    monkeypatch.setattr("cogito_data.publish.upload.GROUP_FILES", 2)
    hub.faults.at_random(0.2, seed)
    go(built, tag="v1")
    commit = go(changed, tag="v2")
    hub.faults.rate = 0.0
    repository = hub.repository(REPO)
    assert len(hub.faults.injected) > 5
    assert repository.tags["v2"] == commit == repository.head().oid
    assert list(repository.branches) == ["main"]
    assert len(repository.history["main"]) == 3
    for oid in repository.history["main"]:
        assert is_whole(repository, repository.commits[oid])


@pytest.mark.parametrize("kind", ["408", "409", "412", "425", "429", "500", "503", "reset", "lost", "truncated"])
@pytest.mark.usefixtures("no_waiting")
def test_each_fault_of_the_one_commit_is_overcome(hub: HubServer, built: Path, kind: str) -> None:
    hub.faults.planned.append(Planned(COMMIT + "main", kind, times=2))
    commit = go(built)
    assert [found for _, found in hub.faults.injected] == [kind, kind]
    assert hub.repository(REPO).history["main"][1:] == [commit]
    check(hub, REPO)


def other_commit(hub: HubServer, path: str, data: bytes) -> None:
    """Someone else commits to main."""
    repository = hub.repository(REPO)
    repository.write("main", {path: repository.add_regular(data)}, (), "theirs", "someone", None)


def test_another_commit_in_between_is_kept(hub: HubServer, built: Path, changed: Path) -> None:
    """The Hub answers 412: the difference is taken anew on top of theirs."""
    go(built)
    commit = with_commit_in_between(hub, changed, "notes.md", b"read me first")
    repository = hub.repository(REPO)
    assert repository.head().oid == commit
    assert repository.content(repository.head().tree["notes.md"]) == b"read me first"
    assert [repository.commits[oid].author for oid in repository.history["main"]] == ["system", "org", "someone", "org"]
    assert sum(one.status == 412 for one in hub.log) == 1
    check(hub, REPO)


def test_another_commit_on_our_own_files_is_not_run_over(hub: HubServer, built: Path, changed: Path) -> None:
    go(built)
    with pytest.raises(CogitoError, match=r"someone else changed croissant.json of org/set .* nothing of theirs was replaced"):
        with_commit_in_between(hub, changed, "croissant.json", b"{}")
    assert hub.repository(REPO).head().author == "someone"


def with_commit_in_between(hub: HubServer, run: Path, path: str, data: bytes) -> str:
    """Publish while someone else commits just before our commit on main arrives."""
    hold = Hold(COMMIT + "main", done=False)
    hub.faults.holds.append(hold)

    def interfere() -> None:
        hold.met.wait(20)
        other_commit(hub, path, data)
        hold.release.set()

    other = threading.Thread(target=interfere)
    other.start()
    try:
        return go(run)
    finally:
        other.join()


def test_a_branch_that_never_stands_still_ends_in_a_sentence(hub: HubServer, built: Path) -> None:
    hub.faults.planned.append(Planned(COMMIT + "main", "412", times=99))
    with pytest.raises(CogitoError, match="changed 6 times while this was published"):
        go(built)
    assert len(hub.repository(REPO).history["main"]) == 1


def test_a_file_of_someone_else_is_not_replaced_unasked(hub: HubServer, built: Path, changed: Path) -> None:
    go(built)
    other_commit(hub, "README.md", b"my own words")
    with pytest.raises(CogitoError, match=r"README.md of org/set was edited after the last publish; .*--overwrite"):
        go(changed)
    uploads = len(hub.uploads())
    assert hub.repository(REPO).head().author == "someone"
    go(changed, overwrite=True)
    assert len(hub.uploads()) == uploads + 1
    check_last(hub)


def test_a_strange_card_or_shard_is_not_replaced_unasked(hub: HubServer, built: Path) -> None:
    Hub(REPO).create(private=False)
    other_commit(hub, "data/train-00099.parquet", b"not ours")
    with pytest.raises(CogitoError, match=r"holds a file data/train-00099.parquet that no earlier publish of cogito-data wrote"):
        go(built)
    go(built, overwrite=True)
    assert "data/train-00099.parquet" not in hub.repository(REPO).head().tree
    check_last(hub)


def check_last(hub: HubServer) -> None:
    assert is_whole(hub.repository(REPO), hub.repository(REPO).head())


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("hf_" + "x" * 34, "the Hub does not accept the token (the one in HF_TOKEN)"),
        (HubServer.read_token, "the Hub forbids it to this token; it needs write permission for org"),
        ("", "the Hub wants a token for this; run `hf auth login` or set HF_TOKEN"),
    ],
)
def test_a_token_that_does_not_do_is_named_and_not_shown(
    hub: HubServer, built: Path, monkeypatch: pytest.MonkeyPatch, token: str, sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(CogitoError) as raised:
        go(built)
    assert sentence in str(raised.value)
    # Not even behind the sentence, where --debug would show it.
    assert raised.value.__cause__ is None and raised.value.__suppress_context__
    shown = str(raised.value) + "".join(capsys.readouterr())
    assert not token or token not in shown
    assert hub.repositories == {}


def test_a_namespace_of_someone_else_is_named(hub: HubServer, built: Path) -> None:
    wish = Wish("others/set")
    with pytest.raises(CogitoError, match="it needs write permission for others"):
        publish(Hub(wish.repo), prepare(built, wish), wish)


def test_an_offline_setting_is_named_at_once(hub: HubServer, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CogitoError, match="HF_HUB_OFFLINE is set, so the Hub cannot be asked: unset it to publish"):
        publish(Hub(REPO, sleep=pytest.fail), prepare(built, Wish(REPO)), Wish(REPO))
    assert hub.log == []


@pytest.mark.usefixtures("no_waiting")
def test_an_unreachable_hub_is_one_sentence(hub: HubServer, built: Path) -> None:
    hub.faults.at_random(1.0, 0, kinds=("reset",))
    with pytest.raises(CogitoError, match="no answer from the Hub .* run the same command again"):
        go(built)


def test_bytes_damaged_on_the_hub_are_found(hub: HubServer, built: Path) -> None:
    go(built)
    repository = hub.repository(REPO)
    entry = repository.head().tree["data/train-00000.parquet"]
    assert entry.sha256 is not None
    data = bytearray(repository.large[entry.sha256])
    data[len(data) // 2] ^= 1
    repository.large[entry.sha256] = bytes(data)
    with pytest.raises(CogitoError, match=r"bytes \d+-\d+ of data/train-00000.parquet differ"):
        go(built, tag="v1")
    assert repository.tags == {}


def test_a_set_that_does_not_load_gets_no_tag(hub: HubServer, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All hashes are right, but `datasets` in a process of its own finds no such revision."""
    from cogito_data.publish.stranger import first_rows_apart

    for name, value in (("HF_ENDPOINT", hub.url), ("HF_HUB_OFFLINE", "0"), ("HF_HOME", str(tmp_path))):
        monkeypatch.setenv(name, value)
    go(built)
    wish = Wish(REPO, tag="v1")

    def of_another_revision(repo: str, commit: str, wanted: object) -> dict[str, list[dict[str, object]]]:
        return first_rows_apart(repo, "0" * 40, {"train": 1})

    with pytest.raises(CogitoError, match=f"load {REPO} with datasets: .*"):
        publish(Hub(REPO), prepare(built, wish), wish, of_another_revision)
    assert hub.repository(REPO).tags == {}
