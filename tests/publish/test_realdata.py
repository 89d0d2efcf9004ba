"""Real upstream records through build, publish and back: their licences, citations, leaks and odd texts."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from cogito_core.shards import read_samples
from cogito_data.command import run_build

from .conftest import REPO, go
from .hub_server import HubServer
from .test_card import without_fences
from .whole import check

RECIPE = {
    "name": "real",
    "data": {
        "any_split": True,
        "mix": [{"source": "geos"}, {"source": "raven"}, {"source": "vqav2"}],
        "decontaminate": {"against": [{"name": "mathvista", "files": ["data/testmini.json"], "picture": "image"}]},
    },
}


@pytest.mark.realdata
def test_real_rows_are_published_with_their_terms_and_evidence(
    hub: HubServer, shared_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "real.yaml").write_text(yaml.safe_dump(RECIPE))
    run = tmp_path / "run"
    run_build(str(tmp_path / "real.yaml"), root=shared_dir / "realdata", out=run, engine=None, model=None, seed=None,
              exact_rate=False, workers=1, cluster=None)  # fmt: skip
    capsys.readouterr()
    go(run, tag="v1")
    assert "any_split" in capsys.readouterr().err
    check(hub, REPO)
    repository = hub.repository(REPO)
    tree = repository.head().tree
    card = repository.content(tree["README.md"]).decode()
    body = without_fences(card)
    rows = Counter(sample.source for sample in read_samples(run / "data"))
    manifest = json.loads(repository.content(tree["manifest.json"]))
    assert {name: sum(one["rows"].values()) for name, one in manifest["sources"].items()} == dict(rows)
    assert {name: one["licence"] for name, one in manifest["sources"].items()} == {
        "geos": "Apache-2.0", "raven": "GPL-3.0", "vqav2": "CC-BY-4.0",
    }  # fmt: skip
    assert "Not for training or for reported results" in body
    for cited in ("seo2015geos", "zhang2019raven", "goyal2017vqa"):
        assert cited in card
    leaks = [json.loads(line) for line in gzip.decompress(repository.content(tree["evidence/leaks.jsonl.gz"])).splitlines()]
    tiers = Counter(leak["tier"] for leak in leaks if leak["dropped"])
    flagged = sum(not leak["dropped"] for leak in leaks)
    assert tiers["T1"] >= 4, "the four GEOS pictures that MathVista re-encoded"
    assert f"| mathvista | drop | {tiers['T1']} | {tiers['T2']} | {tiers['T3']} | {flagged} |" in body
    assert str(shared_dir) not in card + json.dumps(manifest) + json.dumps(leaks)
