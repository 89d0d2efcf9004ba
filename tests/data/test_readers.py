"""A build's shards open unchanged in the readers that people use, and all of them see the same rows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cogito_core.sample import SCHEMA, Sample
from cogito_core.shards import read_samples
from cogito_data.final import write_shard
from cogito_data.prepare import prepare_shard
from cogito_data.recipe import Difficulty
from cogito_data.trials import Measured
from tests.data.making import encoded, noise_picture, sample

PNGS = [encoded(noise_picture(n)) for n in range(40)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two final shards as a build writes them: several questions a picture, two pictures, none, some measured."""
    import numpy as np

    from cogito_core.shards import write_shards

    folder = tmp_path_factory.mktemp("readers")
    rows = [sample(f"q{n:03d}", f"Question {n}, größer als 5 µm?", str(n), pictures=[PNGS[n % 40]]) for n in range(160)]
    rows += [sample("two", "What changed?", "owl", kind="text", pictures=PNGS[:2]), sample("none", "How many days?", "7")]
    rows += [sample("mc", "Which is red?", "B", kind="choice", choices=("lime", "apple"), pictures=[PNGS[3]])]
    shard, = write_shards(rows, folder / "ingested")
    prepare_shard(str(folder / "part"), str(shard), True, False, None)
    settings = Difficulty(model="m", drop_above=0.5)
    (folder / "data").mkdir()
    for number, chunk in enumerate(np.array_split(np.arange(len(rows)), 2)):
        measured = Measured(len(chunk), settings)
        measured.add(range(0, len(chunk), 2), right=3, done=8, tokens=90)
        write_shard(str(folder / f"data/train-{number:05d}.parquet"), [(str(shard), str(folder / "part"))], chunk, measured)
    return folder / "data"


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose pictures are {bytes, path} dicts."""
    return {**row, "images": [{"bytes": one["bytes"], "path": one["path"]} for one in row["images"]]}


@pytest.fixture(scope="module")
def expected(data: Path) -> list[dict[str, Any]]:
    """Our own reader's rows as plain values, and the chat that stands beside them."""
    return [
        asked(one) |
        {name: json_text(getattr(one, name)) if name in ("answer_spec", "meta")
         else [{"bytes": p.bytes, "path": p.path} for p in one.images] if name == "images"
         else list(getattr(one, name)) if isinstance(getattr(one, name), tuple) else getattr(one, name)
         for name in SCHEMA.names}
        for one in read_samples(data)
    ]


def asked(one: Sample) -> dict[str, Any]:
    """The column `prompt`: no question here has words between its pictures."""
    assert one.problem.startswith("<image>" * len(one.images))
    words = {"type": "text", "text": one.problem.replace("<image>", "")}
    return {"prompt": [{"role": "user", "content": [*({"type": "image", "text": None} for _ in one.images), words]}]}


def json_text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_what_is_expected_is_what_was_put_in(expected: list[dict[str, Any]]) -> None:
    assert len(expected) == 163
    for row in expected:
        if row["id"].startswith("made/train/q"):
            number = int(row["id"][-3:])
            assert (row["answer"], row["images"][0]["bytes"]) == (str(number), PNGS[number % 40])
    assert sum(row["pass_rate"] is not None for row in expected) == 82


def test_pyarrow(data: Path, expected: list[dict[str, Any]]) -> None:
    table = pq.read_table(data)
    assert table.schema.names == [*SCHEMA.names, "prompt"]
    assert table.to_pylist() == expected


def test_polars(data: Path, expected: list[dict[str, Any]]) -> None:
    for frame in (polars.read_parquet(data / "*.parquet"), polars.scan_parquet(data / "*.parquet").collect()):
        assert [plain(row) for row in frame.to_dicts()] == expected
    chosen = polars.scan_parquet(data / "*.parquet").filter(polars.col("answer_kind") == "text").select("answer").collect()
    assert sorted(chosen["answer"].to_list()) == ["apple", "owl"]


def test_duckdb(data: Path, expected: list[dict[str, Any]]) -> None:
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM read_parquet('{data}/*.parquet') ORDER BY filename, file_row_number")
        names = [column[0] for column in found.description]
        rows = [plain(dict(zip(names, values, strict=True))) for values in found.fetchall()]
        assert [{name: row[name] for name in (*SCHEMA.names, "prompt")} for row in rows] == expected
        shared = connection.execute(
            f"SELECT images[1].bytes, count(*) FROM read_parquet('{data}/*.parquet') "
            "WHERE len(images) = 1 GROUP BY 1 ORDER BY 2 DESC LIMIT 1").fetchone()
        assert shared == (PNGS[3], 5)


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets(data: Path, expected: list[dict[str, Any]], tmp_path: Path, streaming: bool) -> None:
    from datasets import load_dataset

    loaded = load_dataset("parquet", data_dir=str(data), split="train", streaming=streaming, cache_dir=str(tmp_path))
    rows = list(loaded)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert {k: v for k, v in row.items() if k != "images"} == {k: v for k, v in wanted.items() if k != "images"}
        for shown, encoded_picture in zip(row["images"], wanted["images"], strict=True):
            # Decoded by `datasets` as our metadata says, with nobody casting a column.
            assert isinstance(shown, Image.Image)
            assert shown.convert("RGB").tobytes() == Image.open(io.BytesIO(encoded_picture["bytes"])).convert("RGB").tobytes()
