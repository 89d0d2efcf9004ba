"""Which rows a stage sees, and in which order."""

from collections import Counter

import pytest

from cogito_core.console import CogitoError
from cogito_core.sample import Sample
from cogito_core.shards import SampleStore, write_shards
from cogito_train.config import Filter, Stage, load_train_recipe
from cogito_train.stages import StageOrder, TrainingData, content_hash, select_rows, stage_steps, validation_samples


def _sample(number: int, split: str = "train", rate: float | None = None) -> Sample:
    return Sample(
        id=f"s/{split}/{number:03d}",
        source="geos" if number % 2 else "tabmwp",
        category="math" if number % 3 else "chart",
        split=split,
        problem=f"{number}?",
        answer=str(number),
        answer_kind="number",
        pass_rate=number / 10 if rate is None else rate,
    )


@pytest.fixture
def store(tmp_path) -> SampleStore:
    write_shards([_sample(number) for number in range(11)], tmp_path)
    return SampleStore(tmp_path, "train")


def _ids(store: SampleStore, rule: Filter) -> list[int]:
    return sorted(int(store[row].answer) for row in select_rows(store, rule))


def test_filters_are_joined(store):
    assert _ids(store, Filter()) == list(range(11))
    assert _ids(store, Filter(categories=["chart"])) == [0, 3, 6, 9]
    assert _ids(store, Filter(categories=["chart"], sources=["geos"])) == [3, 9]
    assert _ids(store, Filter(min_pass_rate=0.2, max_pass_rate=0.5)) == [2, 3, 4, 5]


def test_rows_left_out_stay_out(store):
    assert 4 not in select_rows(store, Filter(), without={4: "bad"})


def test_a_filter_that_leaves_nothing_or_needs_what_is_not_there_is_refused(store, tmp_path):
    with pytest.raises(CogitoError, match="leaves no row"):
        select_rows(store, Filter(sources=["nowhere"]))
    unmeasured = _sample(0)
    unmeasured.pass_rate = None
    write_shards([unmeasured, _sample(1)], tmp_path / "other")
    with pytest.raises(CogitoError, match="1 rows have no pass_rate"):
        select_rows(SampleStore(tmp_path / "other", "train"), Filter(max_pass_rate=0.5))


def test_every_epoch_is_another_permutation_of_all_rows():
    rows = list(range(100, 150))
    order = StageOrder(rows, run_seed=0, stage=Stage(name="a", steps=1, seed=1))
    epochs = [order.slice(50 * k, 50) for k in range(3)]
    assert all(sorted(epoch) == rows for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != rows


def test_the_order_depends_on_nothing_but_seeds_and_position():
    rows, stage = list(range(37)), Stage(name="a", steps=1, seed=1)
    whole = StageOrder(rows, run_seed=0, stage=stage).slice(0, 200)
    resumed = StageOrder(rows, run_seed=0, stage=stage)
    assert [row for start in (150, 0, 60) for row in resumed.slice(start, 50)] == (
        whole[150:200] + whole[0:50] + whole[60:110]
    )
    assert StageOrder(rows, run_seed=1, stage=stage).slice(0, 37) != whole[:37]
    assert StageOrder(rows, run_seed=0, stage=Stage(name="a", steps=1, seed=2)).slice(0, 37) != whole[:37]


def test_no_row_is_seen_twice_before_all_were_seen_once():
    order = StageOrder(list(range(64)), run_seed=3, stage=Stage(name="a", steps=1))
    assert set(Counter(order.slice(0, 160)).values()) == {2, 3}


def test_an_epoch_of_the_paper_is_155_steps():
    recipe = load_train_recipe("vl-cogito", [])
    assert stage_steps(recipe.stages[2], 79_332, recipe) == 155
    assert stage_steps(recipe.stages[0], 79_332, recipe) == 100


def test_validation_rows_are_the_same_at_every_call(tmp_path):
    write_shards([_sample(0)], tmp_path / "data")
    write_shards([_sample(number, "validation") for number in range(9)], tmp_path / "data", split="validation")
    data = TrainingData.open(str(tmp_path))
    ids = [[sample.id for sample in validation_samples(data, 4)] for _ in range(2)]
    assert ids[0] == ids[1] and len(set(ids[0])) == 4
    assert len(validation_samples(data, None)) == 9


def test_the_content_hash_sees_a_changed_gold(tmp_path):
    rows = [_sample(number) for number in range(3)]
    write_shards(rows, tmp_path / "a")
    write_shards(reversed(rows), tmp_path / "b")
    rows[1].answer = "12"
    write_shards(rows, tmp_path / "c")
    a, b, c = (content_hash(SampleStore(tmp_path / name, "train")) for name in "abc")
    assert a == b != c


def test_missing_data_is_one_sentence(tmp_path):
    with pytest.raises(CogitoError, match="--set data=DIR"):
        TrainingData.open(None)
    with pytest.raises(CogitoError, match="no data directory"):
        TrainingData.open(str(tmp_path / "nowhere"))
    (tmp_path / "data").mkdir()
    with pytest.raises(CogitoError, match="no shard"):
        TrainingData.open(str(tmp_path))


@pytest.mark.parametrize("twice", ["train", "validation"])
def test_an_id_that_stands_twice_is_refused(tmp_path, twice):
    rows = [_sample(number) for number in range(3)]
    write_shards(rows if twice == "validation" else [*rows, _sample(1)], tmp_path)
    again = _sample(2)
    again.split = "validation"
    write_shards([again if twice == "validation" else _sample(7, "validation")], tmp_path, split="validation")
    with pytest.raises(CogitoError, match=r"two rows of training and validation have the id 's/train/00"):
        TrainingData.open(str(tmp_path))
