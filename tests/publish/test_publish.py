"""`cogito-data publish` against a Hub on localhost: what arrives, what is sent again, what readers see."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from cogito_core.console import CogitoError
from cogito_core.shards import read_samples
from cogito_data.publish.command import Wish, run_publish

from .conftest import REPO, go
from .hub_server import HubServer
from .whole import check


def test_everything_arrives_in_one_commit_and_gets_its_tag(hub: HubServer, built: Path) -> None:
    commit = go(built, tag="v1", private=True)
    repository = hub.repository(REPO)
    assert repository.private
    assert repository.history["main"] == [repository.head().parent, commit]
    assert repository.tags == {"v1": commit}
    assert list(repository.branches) == ["main"]
    check(hub, REPO)
    tree = repository.head().tree
    shards = {path.name for path in (built / "data").glob("*.parquet")}
    assert len(shards) == 4
    assert {path.removeprefix("data/") for path in tree if path.startswith("data/")} == shards
    for name in shards:
        assert repository.content(tree[f"data/{name}"]) == (built / "data" / name).read_bytes()
    recipe = yaml.safe_load(repository.content(tree["recipe.yaml"]))
    assert recipe["data"]["mix"][0] == yaml.safe_load((built / "config.yaml").read_text())["data"]["mix"][0]


def test_a_stranger_loads_it_with_pictures_and_the_row_counts_of_the_card(hub: HubServer, built: Path) -> None:
    from datasets import load_dataset

    commit = go(built)
    loaded = load_dataset(REPO, revision=commit)
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 48, "validation": 6, "heldout": 6}
    for mine, theirs in zip(read_samples(built / "data", "train"), loaded["train"], strict=True):
        assert theirs["id"] == mine.id
        ours = Image.open(io.BytesIO(mine.images[0].bytes)).convert("RGB")
        assert theirs["images"][0].convert("RGB").tobytes() == ours.tobytes()


def test_an_unchanged_build_sends_nothing(hub: HubServer, built: Path) -> None:
    first = go(built, tag="v1")
    sent, commits = len(hub.uploads()), len(hub.repository(REPO).commits)
    hub.log.clear()
    assert go(built, tag="v1") == first
    assert len(hub.repository(REPO).commits) == commits
    assert sent > 0
    assert hub.uploads() == []
    assert {one.method for one in hub.log} == {"GET", "HEAD"}


def test_one_changed_shard_alone_is_sent(hub: HubServer, built: Path, changed: Path) -> None:
    go(built)
    before = hub.repository(REPO).head().tree
    hub.log.clear()
    go(changed, tag="v2")
    after = hub.repository(REPO).head().tree
    assert {path for path in after if after[path] != before.get(path)} - {"README.md"} == {
        "data/train-00001.parquet", "croissant.json", "manifest.json",
    }
    assert [one.path.rsplit("/", 1)[1] for one in hub.uploads()] == [after["data/train-00001.parquet"].sha256]
    check(hub, REPO)


def test_a_repository_that_keeps_parquet_inside_its_commits(
    hub: HubServer, built: Path, changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a rule in .gitattributes small shards are no large files: git's name of them counts, not their hash."""
    monkeypatch.setattr("publish.hub_store.LARGE", ("*.png",))
    go(built)
    assert hub.repository(REPO).head().tree["data/train-00001.parquet"].sha256 is None
    go(changed)
    check(hub, REPO)
    assert len(hub.repository(REPO).history["main"]) == 3


def test_shards_that_the_new_version_lacks_disappear_with_it(hub: HubServer, built: Path, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "less"
    shutil.copytree(built, run, ignore=shutil.ignore_patterns("work"))
    lost = run / "data" / "heldout-00000.parquet"
    n = pq.read_metadata(lost).num_rows
    lost.unlink()
    summary = json.loads((run / "summary.json").read_text())
    assert summary["splits"].pop("heldout") == n
    (run / "summary.json").write_text(json.dumps(summary))
    go(built)
    go(run)
    assert "data/heldout-00000.parquet" not in hub.repository(REPO).head().tree
    check(hub, REPO)


def test_the_manifest_says_what_lies_beside_it(hub: HubServer, built: Path) -> None:
    go(built)
    repository = hub.repository(REPO)
    tree = repository.head().tree
    manifest = json.loads(repository.content(tree["manifest.json"]))
    assert manifest["splits"] == {"train": 48, "heldout": 6, "validation": 6}
    assert {entry["path"] for entry in manifest["files"]} == set(tree) - {"manifest.json", ".gitattributes"}
    assert sum(entry.get("rows", 0) for entry in manifest["files"]) == 60
    assert manifest["provenance"]["manifests"]["recipes/nano.yaml"]
    text = json.dumps(manifest)
    assert str(built) not in text
    assert "argv" not in text


def test_a_branch_of_its_own_leaves_main_alone(hub: HubServer, built: Path) -> None:
    go(built, branch="candidate", tag="v1-rc")
    repository = hub.repository(REPO)
    assert len(repository.history["main"]) == 1
    assert "README.md" not in repository.head().tree
    hub.log.clear()
    go(built)
    assert repository.head().tree == repository.head("candidate").tree
    assert hub.uploads() == []


def test_a_dry_run_without_a_hub_shows_the_set(
    hub: HubServer, built: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("cogito_data.publish.retry.wait_before", lambda *_: 0.0)
    run_publish(built, Wish(REPO), dry_run=True)
    said = capsys.readouterr()
    assert said.out.count("data/") == 4 and "14 files" in said.out and "nothing was changed" in said.out
    assert "which of them the Hub has already is not known" in said.err


def test_a_dry_run_names_every_file_and_changes_nothing(
    hub: HubServer, built: Path, changed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(path.relative_to(built) for path in built.rglob("*"))
    run_publish(built, Wish(REPO), dry_run=True)
    said = capsys.readouterr().out
    assert hub.repositories == {}
    assert "would be created, public" in said
    assert said.count("│ new ") == 14
    assert sorted(path.relative_to(built) for path in built.rglob("*")) == files
    go(built)
    capsys.readouterr()
    head = hub.repository(REPO).head()
    hub.log.clear()
    run_publish(changed, Wish(REPO), dry_run=True)
    said = capsys.readouterr().out
    assert hub.repository(REPO).head() == head
    assert {one.method for one in hub.log} == {"GET"}
    lines = {line.split("│")[1].strip(): line.split("│")[4].strip() for line in said.splitlines() if "data/" in line}
    assert lines == {
        "data/heldout-00000.parquet": "already there", "data/train-00000.parquet": "already there",
        "data/train-00001.parquet": "changed", "data/validation-00000.parquet": "already there",
    }
    assert f"{(changed / 'data/train-00001.parquet').stat().st_size:,}" in said


def test_a_long_upload_says_how_far_and_how_fast(
    hub: HubServer, built: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogito_core.console.PLAIN_INTERVAL_S", 0.0)
    monkeypatch.setattr("cogito_data.publish.upload.GROUP_FILES", 1)
    monkeypatch.setattr("cogito_data.publish.upload.MEBI", 1000)
    go(built)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("upload: ")]
    total = sum(one.size for one in hub.repository(REPO).head().tree.values()) / 1000
    shown = [int(line.split("/")[0].removeprefix("upload: ")) for line in lines]
    assert len(shown) > 5
    assert shown == sorted(shown)
    assert abs(shown[-1] - total) < 2
    assert "MB/s" in lines[0]


def test_a_tag_is_never_moved(hub: HubServer, built: Path, changed: Path) -> None:
    first = go(built, tag="v1")
    uploads = len(hub.uploads())
    with pytest.raises(CogitoError, match="has a tag v1 with other content"):
        go(changed, tag="v1")
    assert hub.repository(REPO).tags == {"v1": first}
    assert len(hub.uploads()) == uploads


def test_private_is_not_taken_for_granted(hub: HubServer, built: Path) -> None:
    go(built)
    with pytest.raises(CogitoError, match="is public already"):
        go(built, private=True)


def test_the_command_line_publishes_and_no_token_is_left_anywhere(hub: HubServer, built: Path, tmp_path: Path) -> None:
    done = command(hub, tmp_path, built, "--tag", "v1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{hub.url}/datasets/{REPO}/tree/v1"
    assert "read back at" in done.stdout
    assert any(one.with_token for one in hub.log)
    assert not any(one.with_token for one in hub.uploads())
    repository = hub.repository(REPO)
    published = [repository.content(entry) for entry in repository.head().tree.values()]
    texts = [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in published]
    texts += [path.read_bytes() for folder in (built, tmp_path) for path in folder.rglob("*") if path.is_file()]
    texts += [done.stdout.encode(), done.stderr.encode()]
    assert all(hub.token.encode() not in text and b"X-Signature" not in text for text in texts)


def command(hub: HubServer, folder: Path, run: Path, *options: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """`cogito-data publish` as a user runs it."""
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "0", **changes,
    }
    arguments = [sys.executable, "-m", "cogito_data", "publish", str(run), "--repo", REPO, *options]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120)
