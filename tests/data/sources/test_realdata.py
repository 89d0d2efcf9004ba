"""The real upstream records: every one becomes a sample or is refused for a reason that holds.

Most of the pack has no pictures. Where it has none, stand-in pictures are put under the names that the records
give, so that every record's text and gold is read to the end; with the real pictures a smaller part is run.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from source_makers import png, run

from cogito_core.console import CogitoError
from cogito_core.runs import Ledger
from cogito_core.sample import Picture, Sample
from cogito_data.ingest import ingest
from cogito_data.sources.assemble import to_sample
from cogito_data.sources.base import Layout, Problem, Source, find_layouts, load_source
from cogito_data.sources.pictures import PictureReader
from cogito_data.sources.rows import BadRow, Row

pytestmark = pytest.mark.realdata

RECORDS: list[tuple[str, str, str, int, dict[str, int]]] = [
    # source, folder below realdata, layout, problems in it, refusals although every picture is there
    ("geometry3k", "geometry3k/original_layout", "original", 10, {}),
    ("geometry3k", "geometry3k/formalgeo7k", "formalgeo7k", 60, {}),
    ("geometry3k", "geometry3k/mathvista_slice", "mathvista_subset", 62, {"bad_choices": 1}),
    ("inter_gps", "geometry3k/original_layout", "original", 10, {}),
    ("geoqa_plus", "geoqa_plus/geo170k_test", "geo170k", 754, {}),
    ("geoqa_plus", "geoqa_plus/geo170k_test", "r1v_prompts", 754, {}),
    ("geoqa_plus", "geoqa_plus/formalgeo7k", "formalgeo7k", 200, {}),
    ("geoqa_plus", "geoqa_plus/mathvista_slice", "mathvista_subset", 62, {}),
    ("geos", "geos/original_layout", "original", 185, {}),
    ("geos", "geos/mathvista_slice", "mathvista_subset", 22, {}),
    ("raven", "raven/RAVEN-10000", "original", 17, {}),
    ("mm_iq", "mm_iq", "answers_only", 2710, {"no_picture": 2710}),
    ("clevr_math", "clevr_math/mathvista_slice", "mathvista_subset", 62, {}),
    ("super_clevr", "super_clevr/original_layout", "original", 463, {}),
    ("super_clevr", "super_clevr/r1v", "r1v_counting", 200, {}),
    ("super_clevr", "super_clevr/mathvista_slice", "mathvista_subset", 62, {}),
    ("ai2d", "ai2d/mova_eval", "vlm_jsonl", 3088, {"bad_choices": 1}),
    ("ai2d", "ai2d/mathvista_slice", "mathvista_subset", 43, {}),
    ("scienceqa", "scienceqa/original_layout", "original", 1773, {}),
    ("scienceqa", "scienceqa/llava_eval", "llava_json", 4241, {}),
    ("scienceqa", "scienceqa/mathvista_slice", "mathvista_subset", 9, {}),
    ("tqa", "tqa", "original", 24, {}),
    ("tqa", "tqa/mathvista_slice", "mathvista_subset", 16, {}),
    ("chartqa", "chartqa/ChartQA Dataset", "original", 2373, {}),
    ("chartqa", "chartqa/mova_eval", "vlm_jsonl", 2500, {}),
    ("chartqa", "chartqa/mathvista_slice", "mathvista_subset", 50, {}),
    ("tabmwp", "tabmwp/original_layout", "original", 2000, {}),
    ("tabmwp", "tabmwp/mathvista_slice", "mathvista_subset", 62, {}),
    ("dvqa", "dvqa/mathvista_slice", "mathvista_subset", 62, {}),
    ("figureqa", "figureqa/sample-train1", "original", 2276, {}),
    ("figureqa", "figureqa/demo_with_annotations", "demo", 68, {}),
    ("figureqa", "figureqa/mathvista_slice", "mathvista_subset", 62, {}),
    ("infographicvqa", "infographicvqa/dam_qa", "vlm_jsonl", 2801, {}),
    ("okvqa", "okvqa/lxmert", "lxmert", 5046, {"no_consensus": 154}),
    ("okvqa", "okvqa/chartast", "chartast", 5046, {"empty_gold": 1}),
    ("okvqa", "okvqa/original_layout", "original_questions", 14055, {"empty_gold": 14055}),
    ("vqav2", "vqav2/original_layout", "original", 3, {}),
    ("vqav2", "vqav2/dam_qa", "annotated_jsonl", 5077, {"no_consensus": 639}),
    ("vqav2", "vqav2/mathvista_slice", "mathvista_subset", 32, {}),
]


class StandIns(PictureReader):
    """Reads real pictures where they are and a small stand-in where they are not."""

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        self.missing = 0

    def read(self, row: Row, picture: Path | Picture) -> Picture:
        if isinstance(picture, Path) and not picture.is_file():
            self.missing += 1
            return Picture(png(), picture.name)
        return super().read(row, picture)


def layout_of(name: str, layout: str, folder: Path) -> tuple[Source, Layout, Path]:
    source = load_source(name)
    found = next(one for one in find_layouts(source, folder) if one.layout.name == layout)
    return source, found.layout, found.base


def all_rows(name: str, layout: str, folder: Path) -> tuple[list[Sample], Counter[str], int]:
    """Every record of a folder: samples, refusals by reason, and the number of problems."""
    source, found, base = layout_of(name, layout, folder)
    pictures = StandIns(base)
    samples: list[Sample] = []
    refused: Counter[str] = Counter()
    total = 0
    for row in found.read(base):
        total += 1
        try:
            problem = found.problem(row, base)
            assert isinstance(problem, Problem)
            samples.append(to_sample(source.manifest, problem, row, pictures, url="", revision=""))
        except BadRow as error:
            refused[error.reason] += 1
    return samples, refused, total


@pytest.mark.parametrize(("name", "folder", "layout", "count", "refusals"), RECORDS, ids=lambda value: str(value)[:40])
def test_every_record_is_read(
    shared_dir: Path, name: str, folder: str, layout: str, count: int, refusals: dict[str, int]
) -> None:
    samples, refused, total = all_rows(name, layout, shared_dir / "realdata" / folder)
    assert total == count
    assert dict(refused) == refusals
    assert len(samples) == count - sum(refusals.values())
    assert len({sample.id for sample in samples}) == len(samples), "ids are unique"
    for sample in samples:
        assert sample.faults() == []
        assert sample.problem.count("<image>") == len(sample.images)
        assert "<image>" not in sample.original_problem
        if sample.choices:
            assert sample.answer_kind == "choice"
            assert ord(sample.answer) - ord("A") in range(len(sample.choices))
            assert sample.problem.endswith(f"({chr(64 + len(sample.choices))}) {sample.choices[-1]}")


REAL_PICTURES = {
    # source: (kept with the pack's own pictures, refusals)
    "geos": (185, {}),
    "scienceqa": (1014, {"picture_missing": 759}),
    "tabmwp": (150, {"picture_missing": 1850}),
    "chartqa": (254, {"picture_missing": 2119}),
    "geometry3k": (10, {}),
    "raven": (17, {}),
    "super_clevr": (463, {}),
    "figureqa": (2276, {}),
    "geoqa_plus": (200, {}),
    "vqav2": (3, {}),
    "tqa": (24, {}),
    "mm_iq": (0, {"no_picture": 2710}),
    "clevr_math": (0, {"picture_missing": 62}),
    "dvqa": (0, {"picture_missing": 62}),
}


@pytest.mark.parametrize("name", REAL_PICTURES)
def test_ingest_from_the_folder_of_the_source(shared_dir: Path, tmp_path: Path, name: str) -> None:
    kept, refusals = REAL_PICTURES[name]
    if not kept:
        ((reason, count),) = refusals.items()
        with pytest.raises(CogitoError, match=f"not one of {count} rows could be used"):
            ingest(name, root=shared_dir / "realdata" / name, out=tmp_path / "out")
        assert [row["reason"] for row in Ledger(tmp_path / "out/ledger.jsonl").rows()] == [reason] * count
        return
    result, samples, ledger = run(name, shared_dir / "realdata" / name, tmp_path / "out")
    assert (result.kept, result.dropped) == (kept, refusals)
    assert len(samples) + len(ledger) == result.rows_read
    assert all(row["evidence"].count("\n") == 0 and row["id"].startswith(f"{name}/") for row in ledger)


def labels(shared_dir: Path, file: str) -> list[dict[str, object]]:
    with gzip.open(shared_dir / "labels" / file, "rt", encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def test_scienceqa_golds_agree_with_llavas_letters(shared_dir: Path) -> None:
    ours, _, _ = all_rows("scienceqa", "original", shared_dir / "realdata/scienceqa/original_layout")
    theirs, _, _ = all_rows("scienceqa", "llava_json", shared_dir / "realdata/scienceqa/llava_eval")
    letters = {sample.upstream_id: sample for sample in theirs}
    shared = [sample for sample in ours if sample.split == "test" and sample.upstream_id in letters]
    assert len(shared) == 361
    assert all(sample.answer == letters[sample.upstream_id].answer for sample in shared)
    # Upstream's file strips nothing, LLaVA's joins context and question its own way: options must be the same.
    folded = [(" ".join(c.split()) for c in s.choices) for s in shared]
    other = [(" ".join(c.split()) for c in letters[s.upstream_id].choices) for s in shared]
    assert [list(a) for a in folded] == [list(b) for b in other]


def test_geo170k_letters_point_at_the_values_of_r1v(shared_dir: Path) -> None:
    folder = shared_dir / "realdata/geoqa_plus/geo170k_test"
    letters = {s.upstream_id: s for s in all_rows("geoqa_plus", "geo170k", folder)[0]}
    values = {s.upstream_id.removeprefix("r1v-"): s for s in all_rows("geoqa_plus", "r1v_prompts", folder)[0]}
    assert letters.keys() == values.keys()
    agree = sum(
        letters[key].choices["ABCD".index(letters[key].answer)] == values[key].original_answer for key in letters
    )
    assert agree == 754


def test_chartqa_files_of_two_projects_agree(shared_dir: Path) -> None:
    ours, _, _ = all_rows("chartqa", "original", shared_dir / "realdata/chartqa/ChartQA Dataset")
    theirs, _, _ = all_rows("chartqa", "vlm_jsonl", shared_dir / "realdata/chartqa/mova_eval")
    golds = {(Path(str(s.meta["image"])).name, s.original_problem): s.answer for s in theirs}
    keys = [((str(s.meta["imgname"]), s.original_problem), s.answer) for s in ours]
    found = [golds[key] == answer for key, answer in keys if key in golds]
    # ChartQA-Split reworded 342 questions and corrected the golds of 60 others (0.01 to 1 for a percentage).
    assert len(found) == 2031
    assert found.count(False) == 60


def test_raven_targets_follow_upstreams_split_rule(shared_dir: Path) -> None:
    samples, _, _ = all_rows("raven", "original", shared_dir / "realdata/raven/RAVEN-10000")
    for sample in samples:
        number = int(sample.upstream_id.rpartition("-")[2])
        assert sample.split == ("train" if number % 10 < 6 else "val" if number % 10 < 8 else "test")


def test_tabmwp_golds_agree_with_the_graded_runs(shared_dir: Path) -> None:
    golds = {str(row["id"]).rpartition("/")[2]: str(row["gold"]) for row in labels(shared_dir, "tabmwp.jsonl.gz")}
    samples, _, _ = all_rows("tabmwp", "original", shared_dir / "realdata/tabmwp/original_layout")
    both = [sample for sample in samples if sample.upstream_id in golds]
    assert both, "the graded runs cover some of these problems"
    assert all(golds[s.upstream_id].replace(",", "") == s.original_answer.replace(",", "") for s in both)


def test_okvqa_soft_labels_hold_chartasts_single_gold(shared_dir: Path) -> None:
    soft = {s.upstream_id: s for s in all_rows("okvqa", "lxmert", shared_dir / "realdata/okvqa/lxmert")[0]}
    single = {s.upstream_id: s for s in all_rows("okvqa", "chartast", shared_dir / "realdata/okvqa/chartast")[0]}
    both = soft.keys() & single.keys()
    assert len(both) > 4800
    # ChartAst took one answer of ten, not always the best; LXMERT kept only the answers of its vocabulary.
    given = [single[key].original_answer in soft[key].meta["answer_scores"] for key in both]
    best = [single[key].original_answer in (soft[key].original_answer, *soft[key].answer_aliases) for key in both]
    assert sum(given) / len(both) > 0.85
    assert sum(best) / sum(given) > 0.95
