"""Shards: the same rows give the same bytes, every reader sees plain rows, damage is said in one sentence."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cogito_core.console import CogitoError
from cogito_core.sample import (
    SCHEMA,
    SCHEMA_VERSION,
    Picture,
    Sample,
    problem_hash,
    samples_to_table,
    table_to_samples,
)
from cogito_core.shards import SampleStore, count_rows, read_samples, write_shards


def _png(shade: int) -> bytes:
    noise = random.Random(shade).randbytes(40 * 30 * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (40, 30), noise).save(buffer, "PNG")
    return buffer.getvalue()


def _samples(n: int, per_picture: int = 4) -> list[Sample]:
    pictures = [Picture(_png(i), f"{i}.png") for i in range((n + per_picture - 1) // per_picture)]
    return [
        Sample(
            id=f"toy/train/{i:05d}",
            source="toy",
            category="counting",
            split="train",
            problem=f"<image>How many dots? ({i})",
            images=(pictures[i // per_picture],),
            answer=str(i),
            answer_aliases=(f"{i}.0",),
            answer_kind="number",
            answer_spec={"unit": "cm", "precision": 2},
            choices=("1", "2") if i % 2 else (),
            pass_rate=i / n if i % 3 else None,
            n_trials=8 if i % 3 else None,
            meta={"ten": [1, 2], "é": "ü"},
        )
        for i in range(n)
    ]


def test_rows_survive_the_round_trip() -> None:
    samples = _samples(9)
    assert table_to_samples(samples_to_table(samples)) == samples


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    samples = _samples(1300)
    write_shards(samples, tmp_path / "a", max_rows=600)
    random.Random(0).shuffle(samples)
    write_shards(samples, tmp_path / "b", max_rows=600)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert count_rows(tmp_path / "a") == 1300


def test_a_picture_with_many_questions_is_stored_once(tmp_path: Path) -> None:
    shared, single = _samples(400, per_picture=8), _samples(400, per_picture=1)
    write_shards(shared, tmp_path / "shared")
    write_shards(single, tmp_path / "single")
    sizes = [sum(p.stat().st_size for p in (tmp_path / name).iterdir()) for name in ("shared", "single")]
    assert sizes[0] < sizes[1] / 5


def test_fewer_rows_leave_no_stale_shard(tmp_path: Path) -> None:
    write_shards(_samples(30), tmp_path, max_rows=10)
    write_shards(_samples(5), tmp_path, max_rows=10)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["train-00000.parquet"]


def test_load_dataset_opens_the_directory_with_decoded_pictures(tmp_path: Path) -> None:
    import datasets

    write_shards(_samples(6), tmp_path / "data")
    loaded = datasets.load_dataset("parquet", data_dir=str(tmp_path / "data"), cache_dir=str(tmp_path / "c"))["train"]
    assert loaded.column_names == [*SCHEMA.names, "prompt"]
    row = loaded[0]
    assert row["images"][0].size == (40, 30)
    assert row["answer_aliases"] == ["0.0"]


def test_the_features_are_named_in_words_that_every_version_of_datasets_knows(tmp_path: Path) -> None:
    """`List` came with datasets 4: a file that says it cannot be opened by 2 and 3. A bare list means the same to all."""
    path, = write_shards(_samples(3), tmp_path)
    features = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
    kinds: set[str] = set()

    def walk(value: object) -> None:
        for part in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            walk(part)
        if isinstance(value, dict) and isinstance(value.get("_type"), str):
            kinds.add(value["_type"])

    walk(features)
    assert kinds == {"Value", "Image"}
    assert features["images"] == [{"_type": "Image"}] and list(features) == pq.read_schema(path).names


def test_random_access_equals_reading_through(tmp_path: Path) -> None:
    write_shards(_samples(1300), tmp_path, max_rows=700)
    straight = list(read_samples(tmp_path))
    store = SampleStore(tmp_path, cached_groups=1)
    assert len(store) == 1300
    for i in (0, 499, 500, 699, 700, 1299, 3):
        assert store[i] == straight[i]
    assert store.column("id") == [s.id for s in straight]
    with pytest.raises(IndexError):
        store[1300]


def test_reading_few_columns_keeps_the_hashes(tmp_path: Path) -> None:
    write_shards(_samples(4), tmp_path)
    full, few = list(read_samples(tmp_path)), list(read_samples(tmp_path, columns=["meta"]))
    assert [s.image_hash for s in few] == [s.image_hash for s in full]
    assert all(not s.images for s in few)


def test_a_truncated_shard_is_one_sentence(tmp_path: Path) -> None:
    path = write_shards(_samples(20), tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CogitoError, match="train-00000.parquet is not a readable Parquet file"):
        list(read_samples(tmp_path))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write_shards(_samples(3), tmp_path)[0]
    pq.write_table(pq.read_table(path).drop_columns(["answer"]), path)
    with pytest.raises(CogitoError, match="lacks the column 'answer'"):
        SampleStore(tmp_path)


def test_a_column_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    path = write_shards(_samples(3), tmp_path)[0]
    table = pq.read_table(path)
    at = table.schema.get_field_index("answer")
    pq.write_table(table.set_column(at, "answer", pa.array([1, 2, 3])), path)
    with pytest.raises(CogitoError, match="column 'answer' is int64, expected string"):
        list(read_samples(tmp_path))


def _rewrite(folder: Path, metadata: dict[str, str] | None, without: tuple[str, ...] = ()) -> list[Sample]:
    """A shard as another program would write it: other metadata, fewer columns. Returns its rows."""
    path = write_shards(_samples(6), folder)[0]
    rows = list(read_samples(folder))
    table = pq.read_table(path).drop_columns(list(without))
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return rows


def test_a_shard_states_its_schema_version(tmp_path: Path) -> None:
    path = write_shards(_samples(3), tmp_path)[0]
    assert pq.read_schema(path).metadata[b"cogito_schema_version"] == str(SCHEMA_VERSION).encode()


@pytest.mark.parametrize("version", [str(SCHEMA_VERSION + 1), "99"])
def test_newer_data_is_refused_with_the_way_out(tmp_path: Path, version: str) -> None:
    _rewrite(tmp_path, {"cogito_schema_version": version})
    wanted = f"train-00000.parquet has schema version {version}, this program reads up to {SCHEMA_VERSION}: .*pip install --upgrade"
    with pytest.raises(CogitoError, match=wanted):
        list(read_samples(tmp_path))
    with pytest.raises(CogitoError, match=wanted):
        SampleStore(tmp_path)


@pytest.mark.parametrize("version", ["", "one", "-1", "1.5"])
def test_a_version_that_is_no_number_is_named(tmp_path: Path, version: str) -> None:
    _rewrite(tmp_path, {"cogito_schema_version": version})
    with pytest.raises(CogitoError, match=f"states the schema version '{version}', which is no number"):
        list(read_samples(tmp_path))


@pytest.mark.parametrize("metadata", [None, {"cogito_schema_version": "0"}, {"other": "x"}])
def test_older_data_and_rewritten_data_get_the_defaults(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    """`datasets` drops our metadata when it writes a set anew; columns added later are filled in."""
    lost = ("original_problem", "image_hash", "problem_hash", "meta", "choices", "n_correct")
    before = _rewrite(tmp_path, metadata, lost)
    found = list(read_samples(tmp_path))
    for old, new in zip(before, found, strict=True):
        assert new.original_problem == old.problem
        assert (new.image_hash, new.problem_hash) == (old.image_hash, old.problem_hash)
        assert (new.meta, new.choices, new.n_correct) == ({}, (), None)
    store = SampleStore(tmp_path)
    assert store.column("image_hash") == [s.image_hash for s in before]
    assert store.column("meta") == ["{}"] * 6 and store.column("answer") == [s.answer for s in before]
    few = list(read_samples(tmp_path, columns=["answer"]))
    assert [s.image_hash for s in few] == [s.image_hash for s in before]


def test_data_too_old_to_be_filled_in_says_what_to_do(tmp_path: Path) -> None:
    _rewrite(tmp_path, {"cogito_schema_version": "0"}, ("answer_kind",))
    with pytest.raises(CogitoError, match="lacks the column 'answer_kind' and has schema version 0: .*make it anew"):
        list(read_samples(tmp_path))


def test_the_question_is_nfc_and_its_key_is_folded() -> None:
    sample = Sample(
        id="a", source="s", category="math", split="t", problem="e\u0301 x²", answer="1", answer_kind="number"
    )
    assert sample.problem == "é x²"
    assert problem_hash("<image>What  IS x²?") == problem_hash("what is x2?")


def test_faults_name_the_field() -> None:
    sample = Sample(id="a", source="s", category="maths", split="t", problem="<image>", answer=" ", answer_kind="int")
    assert [fault.split(":")[0] for fault in sample.faults()] == [
        "category", "answer_kind", "problem", "answer", "problem",
    ]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("answer_spec", "{broken", "the column 'answer_spec' holds no valid JSON"),
        ("meta", "[1]", "the column 'meta' holds list where a JSON object is needed"),
        ("answer", None, "the column 'answer' is null"),
        ("images", [{"bytes": None, "path": "x.png"}], "the column 'images' names a picture whose bytes are not"),
    ],
)
def test_a_broken_cell_is_named(tmp_path: Path, column: str, value: object, said: str) -> None:
    table = samples_to_table(_samples(3))
    cells = table.column(column).to_pylist()
    cells[1] = value
    place = table.schema.get_field_index(column)
    table = table.set_column(place, table.schema.field(column), pa.array(cells, type=table.schema.field(column).type))
    path = tmp_path / "train-00000.parquet"
    pq.write_table(table, path)
    for read in (lambda: list(read_samples(tmp_path)), lambda: SampleStore(tmp_path)[1]):
        with pytest.raises(CogitoError) as caught:
            read()
        assert said in str(caught.value) and str(path) in str(caught.value) and table.column("id")[1].as_py() in str(caught.value)
