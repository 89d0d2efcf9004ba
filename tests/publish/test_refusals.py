"""What is not published: rows whose licence forbids it, unfinished builds, changed shards; and what masks secrets."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cogito_core.console import CogitoError, UsageError
from cogito_data.publish.command import Wish, prepare, run_publish
from cogito_data.publish.hub import Hub
from cogito_data.publish.licences import terms_of
from cogito_data.publish.masking import MaskingFilter, masked
from cogito_data.sources.base import source_names

from .conftest import REPO, edit_shard, go
from .hub_server import HubServer


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    run = tmp_path / "copied"
    shutil.copytree(built, run, ignore=shutil.ignore_patterns("work"))
    return run


def from_sources(run: Path, *names: str) -> None:
    """The first rows of the first training shard come from other sources."""
    edit_shard(run / "data" / "train-00000.parquet", "source", lambda values: [*names, *values[len(names) :]])


def test_rows_without_permission_are_refused_by_source_and_count(hub: HubServer, copied: Path) -> None:
    from_sources(copied, "geoqa_plus", "geoqa_plus", "multimath", "dvqa")
    with pytest.raises(CogitoError) as raised:
        go(copied)
    said = str(raised.value)
    assert "geoqa_plus: 2 rows, licence unstated (no licence file" in said
    assert "multimath: 1 rows" in said
    assert "dvqa" not in said
    assert said.endswith("say --allow-licence geoqa_plus --allow-licence multimath")
    assert hub.log == []


def test_a_permission_is_used_and_written_down(hub: HubServer, copied: Path) -> None:
    from_sources(copied, "geoqa_plus", "dvqa")
    go(copied, allowed=("geoqa_plus",))
    repository = hub.repository(REPO)
    tree = repository.head().tree
    manifest = json.loads(repository.content(tree["manifest.json"]))
    assert manifest["sources"]["geoqa_plus"]["published_on_own_word"] is True
    assert manifest["sources"]["dvqa"] == {
        "rows": {"train": 1}, "licence": "CC-BY-NC-4.0", "redistribution": True, "published_on_own_word": False,
        "read_at": manifest["sources"]["dvqa"]["read_at"],
    }
    card = repository.content(tree["README.md"]).decode()
    assert "license: other" in card
    assert "no permission of upstream is known" in card
    assert "attribution, non-commercial" in card


def test_a_source_without_a_manifest_is_unknown(copied: Path) -> None:
    from_sources(copied, "somewhere")
    with pytest.raises(CogitoError, match="somewhere: 1 rows, licence unknown"):
        prepare(copied, Wish(REPO))


def test_a_permission_for_nothing_is_a_wrong_command(built: Path) -> None:
    with pytest.raises(UsageError, match="no row is from that source; there are nano"):
        prepare(built, Wish(REPO, allowed=("geoqa_plus",)))


def test_every_source_that_may_not_be_redistributed_is_refused() -> None:
    """The manifests decide; a licence without a name never passes for a permission."""
    for name in source_names():
        terms = terms_of(name)
        assert terms.allowed in (True, False)
        if terms.licence == "unstated":
            assert terms.allowed is False, name


def test_an_unfinished_build_or_another_run_is_refused(copied: Path, tmp_path: Path) -> None:
    (copied / "summary.json").unlink()
    with pytest.raises(CogitoError, match="is not finished: run the same"):
        prepare(copied, Wish(REPO))
    (copied / "config.yaml").write_text("command: cogito-train\n")
    with pytest.raises(CogitoError, match="is no run directory of `cogito-data build`"):
        prepare(copied, Wish(REPO))
    with pytest.raises(CogitoError, match="it has no config.yaml"):
        prepare(tmp_path / "nowhere", Wish(REPO))


def test_shards_that_are_not_those_of_the_build_are_refused(copied: Path) -> None:
    (copied / "data" / "train-00001.parquet").unlink()
    with pytest.raises(CogitoError, match=r"the shards were changed after the build"):
        prepare(copied, Wish(REPO))


def test_a_repository_name_must_be_one() -> None:
    for name in ("set", "a/b/c", "org/se t", "-org/x"):
        with pytest.raises(CogitoError, match="--repo"):
            Hub(name)




@pytest.mark.parametrize("name", ["", "v 1", "-x", "a..b", "a/", "x.lock", "v1~", "../v"])
def test_names_that_git_does_not_take_are_refused_before_anything(hub: HubServer, built: Path, name: str) -> None:
    for wish in (Wish(REPO, tag=name), Wish(REPO, branch=name)):
        with pytest.raises(UsageError, match="git takes no such name"):
            run_publish(built, wish, dry_run=False)
    assert hub.log == []


SECRET = "hf_" + "Z9" * 17


def test_masking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "an-odd-token")
    text = f"PUT https://u:p@host/x?X-Amz-Signature=abc failed: Bearer abcdef, {SECRET}, an-odd-token"
    assert masked(text) == "PUT https://***@host/x?*** failed: Bearer ***, ***, ***"


def test_what_the_client_logs_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    record = logging.LogRecord("huggingface_hub", logging.WARNING, "", 0, "HTTP 503 for PUT %s", (f"http://x/?t={SECRET}",), None)
    assert MaskingFilter().filter(record)
    assert record.getMessage() == "HTTP 503 for PUT http://x/?***"


def test_a_shard_whose_chat_is_not_its_question_is_refused(copied: Path) -> None:
    path = copied / "data" / "train-00001.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("problem")
    texts = table.column("problem").to_pylist()
    texts[5] += " In cm."
    pq.write_table(table.set_column(place, "problem", pa.array(texts)), path)
    with pytest.raises(CogitoError, match="train-00001.parquet, row 5: the column 'prompt' is not what 'problem' and 'images' give"):
        prepare(copied, Wish(REPO))


def test_a_build_of_schema_version_1_says_what_to_do(copied: Path) -> None:
    for path in (copied / "data").glob("*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(["prompt"]), path)
    with pytest.raises(CogitoError, match="lacks the column 'prompt': it was built before schema version 2; remove .*summary.json and run"):
        prepare(copied, Wish(REPO))
