"""The Hub path: streamed row by row, pictures undecoded, one sentence when it cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from source_makers import files_of, jpeg, picture, png, put_parquet

import cogito_data.ingest as module
from cogito_core.console import CogitoError
from cogito_core.manifest import manifest_path
from cogito_core.sample import Sample
from cogito_core.shards import read_samples
from cogito_data.ingest import ingest


def manifest_for(name: str, repo: Path, out: Path, **hub: object) -> str:
    """The manifest of a source with its Hub copy at a local folder, which `datasets` streams the same way."""
    values = yaml.safe_load(manifest_path("sources", name).read_text(encoding="utf-8"))
    values["hub"] = {**values["hub"], "repo": str(repo), "config": None, **hub}
    out.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return str(out)


def hub_copy(folder: Path, n: int) -> Path:
    """A Hub repository of geometry3k: two Parquet files with undecoded pictures."""
    rows = [{"images": [picture(png(i) if i % 2 else jpeg(i))], "problem": f"<image>Find x in {i}.", "answer": str(i)}
            for i in range(n)]
    half = n // 2
    put_parquet(folder / "data/train-00000-of-00002.parquet", rows[:half])
    put_parquet(folder / "data/train-00001-of-00002.parquet", rows[half:])
    return folder


def test_streamed_rows_equal_those_of_a_local_copy(tmp_path: Path) -> None:
    name = manifest_for("geometry3k", hub_copy(tmp_path / "repo", 7), tmp_path / "geometry3k.yaml")
    streamed = ingest(name, from_hub=True, out=tmp_path / "hub")
    local = ingest("geometry3k", root=tmp_path / "repo", out=tmp_path / "local")
    assert streamed.kept == local.kept == 7
    first = {s.id: s for s in read_samples(tmp_path / "hub/data")}
    second = {s.id: s for s in read_samples(tmp_path / "local/data")}
    assert first.keys() == second.keys()
    for key, sample in first.items():
        same = second[key]
        assert (sample.problem, sample.answer, sample.image_hash) == (same.problem, same.answer, same.image_hash)
    assert first["geometry3k/train/3"].images[0].bytes == png(3), "streamed pictures keep their bytes"
    assert first["geometry3k/train/4"].images[0].bytes == jpeg(4)


def test_a_stream_is_read_lazily_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = manifest_for("geometry3k", hub_copy(tmp_path / "repo", 30), tmp_path / "geometry3k.yaml")
    monkeypatch.setattr(module, "UNIT_ROWS", 4)
    ingest(name, from_hub=True, out=tmp_path / "whole")
    real, done = module.to_sample, [0]

    def stop_at_17(*given, **more) -> Sample:  # type: ignore[no-untyped-def]
        if done[0] == 17:
            raise KeyboardInterrupt
        done[0] += 1
        return real(*given, **more)

    monkeypatch.setattr(module, "to_sample", stop_at_17)
    with pytest.raises(KeyboardInterrupt):
        ingest(name, from_hub=True, out=tmp_path / "out")
    seen: list[str] = []
    monkeypatch.setattr(module, "to_sample", lambda *a, **k: (seen.append(a[1].upstream_id), real(*a, **k))[1])
    ingest(name, from_hub=True, out=tmp_path / "out")
    assert seen[0] == "16", "four units of four rows were finished"
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_a_missing_column_is_named_before_the_first_row(tmp_path: Path) -> None:
    hub_copy(tmp_path / "repo", 2)
    name = manifest_for("geometry3k", tmp_path / "repo", tmp_path / "geometry3k.yaml", columns=["images", "problem", "solution"])
    with pytest.raises(CogitoError, match=r"column 'solution' is missing \(it has: images, problem, answer\)"):
        ingest(name, from_hub=True, out=tmp_path / "out")


def test_without_a_network_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A closed port on this machine stands for a network that is down.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CogitoError, match=r"cannot read hiyouga/geometry3k from the Hugging Face Hub.*--from DIR") as caught:
        ingest("geometry3k", from_hub=True, out=tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_source_without_a_streamable_copy_says_why(tmp_path: Path) -> None:
    with pytest.raises(CogitoError, match=r"geos cannot be streamed from the Hub: no copy on the Hub carries its pictures"):
        ingest("geos", from_hub=True, out=tmp_path / "out")


def test_an_unknown_key_in_a_manifest_is_named(tmp_path: Path) -> None:
    values = yaml.safe_load(manifest_path("sources", "geos").read_text(encoding="utf-8"))
    (tmp_path / "geos.yaml").write_text(yaml.safe_dump({**values, "licens": 1}), encoding="utf-8")
    with pytest.raises(CogitoError, match=r"geos\.yaml: unknown key 'licens' \(did you mean 'licence'\?\)"):
        ingest(str(tmp_path / "geos.yaml"), root=tmp_path, out=tmp_path / "out")
