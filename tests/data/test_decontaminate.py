"""Leaks: picture and question jointly, in tiers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cogito_core.console import CogitoError
from cogito_data.decontaminate import decontaminate, similarity
from cogito_data.probes import read_probes
from cogito_data.recipe import Decontaminate, Deduplicate
from tests.data.making import dropped, encoded, noise_picture, pool_of, sample
from tests.publish.hub_server import HubServer
from tests.publish.hub_store import Repository

LONG = "A train leaves the station at nine and travels along the coast until it has passed {} tunnels. How many hours?"


def benchmark(root: Path, rows: dict[str, dict[str, object]]) -> Path:
    """A release with a JSON of rows and the pictures they name."""
    folder = root / "bench"
    (folder / "images").mkdir(parents=True)
    for name, row in rows.items():
        if "seed" in row:
            picture = noise_picture(int(str(row.pop("seed"))))
            (folder / "images" / f"{name}.jpg").write_bytes(encoded(picture, "JPEG", quality=90))
        row["image"] = f"images/{name}.jpg"
    (folder / "rows.json").write_text(json.dumps(rows))
    return root


def settings(shared: str = "drop") -> Decontaminate:
    return Decontaminate.model_validate(
        {"against": [{"name": "bench", "files": ["rows.json"], "shared_pictures": shared}]})


@pytest.mark.parametrize("shared", ["drop", "flag"])
def test_tiers(tmp_path: Path, shared: str) -> None:
    root = benchmark(tmp_path, {
        "1": {"question": "How many red blocks are there?", "answer": "3", "seed": 1},
        "2": {"question": "What colour is the largest block of all?", "answer": "blue"},
        "3": {"question": LONG.format("three"), "answer": "5"},
        "4": {"question": "How many?", "answer": "7"},
    })
    seen, larger = noise_picture(1), noise_picture(1).resize((192, 144), Image.Resampling.NEAREST)
    pool = pool_of([
        sample("t1", "How many red blocks are there?", "3", pictures=[encoded(seen)]),
        sample("t1-reworded", "How many red blocks are there here?", "3", pictures=[encoded(larger)]),
        sample("t2", "Name the animal in the corner.", "owl", kind="text", pictures=[encoded(seen)]),
        sample("t3", "What colour is the largest block of all?", "blue", kind="text", pictures=[encoded(noise_picture(2))]),
        sample("t3-long", LONG.format("three") + " (Unit: hours)", "5 hours", kind="text"),
        sample("clean-number", LONG.format("four"), "5"),
        sample("clean-answer", "What colour is the largest block of all?", "red", kind="text"),
        sample("clean-picture", "How many red blocks are there?", "3", pictures=[encoded(noise_picture(3))]),
        sample("short", "How many?", "7", pictures=[encoded(noise_picture(4))]),
    ], tmp_path)
    hits = decontaminate(pool, settings(shared), Deduplicate(), read_probes(settings(shared), root))
    expected = {"t1": "leak_t1", "t1-reworded": "leak_t1", "t3": "leak_t3", "t3-long": "leak_t3"}
    if shared == "drop":
        expected["t2"] = "leak_t2"
    assert dropped(pool) == expected
    flagged = {hit.id.split("/")[-1]: hit.tier for hit in hits if not hit.dropped}
    assert flagged == ({"short": "T3"} if shared == "drop" else {"short": "T3", "t2": "T2"})


def test_a_template_is_only_flagged(tmp_path: Path) -> None:
    question = "What is the difference between the highest and the lowest value in the chart shown above?"
    root = benchmark(tmp_path, {"1": {"question": question, "answer": "5"}})
    pool = pool_of([sample(f"q{i}", question, "5", pictures=[encoded(noise_picture(i))]) for i in range(5)], tmp_path)
    hits = decontaminate(pool, settings(), Deduplicate(), read_probes(settings(), root))
    assert len(hits) == 5
    assert not pool.drops


def test_letters_are_read_as_their_options(tmp_path: Path) -> None:
    root = benchmark(tmp_path, {"1": {"question": "What colour is the largest block of all?", "answer": "B",
                                      "choices": ["red", "blue"]}})
    assert read_probes(settings(), root)[0].answer == "blue"


def test_a_missing_benchmark_and_a_missing_column_are_named(tmp_path: Path) -> None:
    with pytest.raises(CogitoError, match=r"there is no rows\.json in .*bench"):
        read_probes(settings(), tmp_path)
    root = benchmark(tmp_path, {"1": {"query": "x"}})
    with pytest.raises(CogitoError, match="no column 'question'"):
        read_probes(settings(), root)
    with pytest.raises(CogitoError, match="give --from ROOT"):
        read_probes(settings(), None)


def test_similarity_is_dice_on_bags_of_words() -> None:
    assert similarity("a b c d", "A, b! C?") == pytest.approx(6 / 7)
    assert similarity("", "") == 0.0


def _hub_copy() -> dict[str, bytes]:
    """A Hub copy as Parquet: two files, pictures as the Hub's image feature, options printed as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = {}
    for part in range(2):
        rows = [
            {"query": f"How many red blocks are there in number {part}-{i}?", "label": i, "options": "['one', 'two', 'three']",
             "images": [{"bytes": encoded(noise_picture(10 * part + i)), "path": "x.png"}]}
            for i in range(3)
        ]
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), buffer, row_group_size=2)
        files[f"data/test-{part}.parquet"] = buffer.getvalue()
    return files


READ = """
import json, sys
from pathlib import Path
from cogito_data.probes import read_probes
from cogito_data.recipe import Decontaminate
items = read_probes(Decontaminate.model_validate(json.loads(sys.argv[1])), None, kept=Path(sys.argv[2]))
print(json.dumps([[i.question, i.answer, i.picture_bytes().hex(), i.look is not None] for i in items]))
"""


def _read_from(hub: HubServer, tmp_path: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    probe = {"name": "bench", "files": ["rows.json"], "question": ["question", "query"], "answer": ["answer", "label"],
             "choices": "options", "picture": ["image", "images"],
             "hub": {"repo": "org/bench", "files": ["data/test-*.parquet"]}}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", READ, json.dumps({"against": [probe], **settings}), str(tmp_path / "kept.json")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_a_hub_copy_is_read_by_its_own_columns_and_stays_at_its_commit(tmp_path: Path) -> None:
    expected = [
        [f"How many red blocks are there in number {part}-{i}?", word, encoded(noise_picture(10 * part + i)).hex(), True]
        for part in range(2) for i, word in enumerate(("one", "two", "three"))
    ]
    with HubServer() as hub:
        repository = hub.repositories["datasets/org/bench"] = Repository("org/bench", "dataset")
        entries = {}
        for path, data in _hub_copy().items():
            repository.large[hashlib.sha256(data).hexdigest()] = data
            entries[path] = repository.large_entry(hashlib.sha256(data).hexdigest())
        commit = repository.write("main", entries, (), "data", "test", None)
        done = _read_from(hub, tmp_path)
        assert json.loads(done.stdout) == expected, done.stderr
        assert json.loads((tmp_path / "kept.json").read_text()) == {"org/bench": commit.oid}
        repository.write("main", {}, ("data/test-1.parquet",), "half of it is gone", "test", None)
        assert json.loads(_read_from(hub, tmp_path).stdout) == expected


def test_a_benchmark_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with HubServer() as hub:
        required, optional = _read_from(hub, tmp_path), _read_from(hub, tmp_path, optional=True)
    assert "bench is not below ROOT, and org/bench cannot be fetched from the Hub" in required.stderr
    assert json.loads(optional.stdout) == []
    assert "not compared with bench" in optional.stderr
