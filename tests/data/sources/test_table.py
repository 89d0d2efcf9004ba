"""The table of sources against the paper's Table 4, typed off it here."""

from __future__ import annotations

from pathlib import Path

from source_makers import png, put

from cogito_data.ingest import ingest
from cogito_data.sources.table import COLUMNS, describe_source, source_table, table_rows

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


def test_the_23_with_the_papers_figures(tmp_path: Path) -> None:
    lines = {line.name: line for line in source_table(tmp_path) if line.paper_size is not None}
    found = {name: (line.category, line.paper_size, round(100 * (line.filter_rate or 0))) for name, line in lines.items()}
    assert found == PAPER
    assert sum(size for _, size, _ in PAPER.values()) == 79_332


def test_what_is_built_here_is_found(tmp_path: Path) -> None:
    put(tmp_path / "up/aaai/000.json", {"answer": "6", "text": "x?", "key": 1, "choices": {}})
    put(tmp_path / "up/aaai/000.png", png())
    ingest("geos", root=tmp_path / "up", out=tmp_path / "runs/some/geos")
    put(tmp_path / "runs/other/summary.json", {"source": "geos"})
    put(tmp_path / "runs/torn/summary.json", '{"sou')
    lines = {line.name: line for line in source_table(tmp_path / "runs")}
    assert lines["geos"].rows_built == 1
    assert lines["tqa"].built == ()
    assert all(len(row) == len(COLUMNS) for row in table_rows(list(lines.values())))
    assert ("built here", f"1 rows in {tmp_path / 'runs/some/geos'}") in describe_source("geos", tmp_path / "runs")


def test_a_source_is_described_with_terms_and_citation(tmp_path: Path) -> None:
    told = dict(describe_source("dvqa", tmp_path))
    assert told["licence"].startswith("CC-BY-NC-4.0")
    assert told["citation"].startswith("@inproceedings{kafle2018dvqa")
    assert told["paper"] == "2,589 rows, 45% removed by the difficulty filter"
