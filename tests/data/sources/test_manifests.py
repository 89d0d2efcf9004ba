"""The manifests of the sources against the paper's Table 4, typed off it here, and against their adapters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cogito_data.sources.base import load_source, source_names

# arXiv 2507.22607, Table 4: category, data size, filter rate in per cent.
PAPER = {
    "geometry3k": ("math", 2101, 39), "geoqa_plus": ("math", 7886, 50), "geos": ("math", 367, 22),
    "geomverse": ("math", 8179, 12), "inter_gps": ("math", 946, 26), "multimath": ("math", 13503, 35),
    "raven": ("logic", 6919, 65), "mm_iq": ("logic", 2492, 7), "easyarc": ("logic", 600, 0),
    "clevr_math": ("counting", 1000, 92), "super_clevr": ("counting", 3000, 20), "ai2d": ("science", 5034, 35),
    "scienceqa": ("science", 1098, 82), "tqa": ("science", 5959, 31), "chartqa": ("chart", 5570, 72),
    "tabmwp": ("chart", 2963, 70), "dvqa": ("chart", 2589, 45), "figureqa": ("chart", 2000, 40),
    "arxivqa": ("chart", 2000, 57), "infographicvqa": ("chart", 626, 70), "okvqa": ("general", 1500, 12),
    "vqav2": ("general", 1500, 22), "llava_cot": ("general", 1500, 8),
}


def test_the_23_with_the_papers_figures() -> None:
    found = {}
    for name in source_names():
        manifest = load_source(name).manifest
        if manifest.paper is not None:
            found[name] = (manifest.category, manifest.paper.size, round(100 * manifest.paper.filter_rate))
    assert found == PAPER
    assert sum(size for _, size, _ in PAPER.values()) == 79_332


@pytest.mark.parametrize("name", source_names())
def test_manifest_and_adapter_agree(name: str) -> None:
    source = load_source(name)
    manifest, adapter = source.manifest, source.adapter
    assert manifest.name == name
    assert {layout.name for layout in adapter.layouts} == set(manifest.layouts)
    if manifest.hub is None:
        assert manifest.no_hub, "a source that cannot be streamed says why"
    elif manifest.hub.layout:
        assert manifest.hub.layout in manifest.layouts
    else:
        assert adapter.hub_row is not None
    assert manifest.citation.startswith("@")
    assert manifest.citation.count("{") == manifest.citation.count("}")
    assert manifest.training_splits


def test_a_repository_is_pinned_at_one_commit() -> None:
    revisions: dict[str, set[str]] = {}
    for name in source_names():
        hub = load_source(name).manifest.hub
        if hub is not None:
            revisions.setdefault(hub.repo, set()).add(hub.revision)
    assert all(len(found) == 1 for found in revisions.values())
    pinned = {revision for found in revisions.values() for revision in found} - {"main"}
    assert len(pinned) == 4
    assert all(re.fullmatch("[0-9a-f]{40}", revision) for revision in pinned)


def test_an_adapter_is_short(repository: Path) -> None:
    for path in (repository / "cogito_data/sources/adapters").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path.name
