"""What would waste a run is refused before its first step, in one sentence."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from cogito_core.console import CogitoError
from cogito_core.engines.encode import ChatEncoder, PixelLimits, RequestError
from cogito_core.engines.models import resolve_model
from cogito_core.prompts import build_chat
from cogito_core.sample import Picture, Sample
from cogito_core.shards import SampleStore, write_shards
from cogito_nano.tasks import CATEGORIES
from cogito_nano.tasks.splits import generate
from cogito_train import preflight
from cogito_train.config import load_train_recipe
from cogito_train.parallel import World
from cogito_train.plan import load_config, model_size
from cogito_train.preflight import (
    check_disk,
    check_first_rollouts,
    check_memory,
    count_prompt_tokens,
    unusable_golds,
)
from cogito_train.scores import StepScores


def _row(number: int, answer: str, kind: str = "number") -> Sample:
    return Sample(
        id=f"s/train/{number:03d}", source="s", category="math", split="train",
        problem="how many?", answer=answer, answer_kind=kind,
    )  # fmt: skip


def test_golds_the_verifier_refuses_are_named_and_left_out(tmp_path):
    rows = [_row(number, str(number)) for number in range(40)]
    rows[7] = _row(7, "maybe", kind="yes_no")
    write_shards(rows, tmp_path)
    store = SampleStore(tmp_path, "train")
    bad = unusable_golds(store)
    assert [refused.id for refused in bad.values()] == ["s/train/007"]
    assert store[next(iter(bad))].id == "s/train/007"


def _write_of_kind(rows: list[Sample], directory: Path, kinds: dict[int, str]) -> None:
    """Shards that some other tool wrote: ours refuse an unknown kind."""
    for path in write_shards(rows, directory):
        table = pq.read_table(path)
        changed = [kinds.get(number, kind) for number, kind in enumerate(table["answer_kind"].to_pylist())]
        column = table.schema.get_field_index("answer_kind")
        pq.write_table(table.set_column(column, table.schema.field(column), [changed]), path)


def test_a_kind_that_no_verifier_has_is_named_with_row_and_field(tmp_path):
    """By luck such a row's own gold is accepted: the verifier guesses a rule from the gold."""
    rows = [_row(number, str(number)) for number in range(40)]
    _write_of_kind(rows, tmp_path, {7: "nubmer"})
    bad = unusable_golds(SampleStore(tmp_path, "train"))
    assert [refused.id for refused in bad.values()] == ["s/train/007"]
    assert bad[7].reason.startswith("answer_kind: 'nubmer' is none of number, expression, choice")
    _write_of_kind(rows, tmp_path, dict.fromkeys(range(3), "nubmer"))
    with pytest.raises(CogitoError, match=r"3 of 40 rows .* the first is s/train/000: answer_kind: 'nubmer' is none"):
        unusable_golds(SampleStore(tmp_path, "train"))


def test_what_other_tools_call_a_kind_is_read(tmp_path):
    """EasyR1 and MathVista write integer and multi_choice: names that the verifier knows."""
    rows = [_row(number, str(number)) for number in range(2)] + [_row(2, "B", "choice")]
    _write_of_kind(rows, tmp_path, {0: "integer", 1: "float", 2: "multi_choice"})
    assert unusable_golds(SampleStore(tmp_path, "train")) == {}


def test_many_refused_golds_stop_the_run(tmp_path):
    write_shards([_row(number, "maybe", kind="yes_no") for number in range(10)], tmp_path)
    with pytest.raises(CogitoError, match="10 of 10 rows could never be solved"):
        unusable_golds(SampleStore(tmp_path, "train"))


def test_an_empty_gold_is_never_right(tmp_path):
    """Else an empty answer would be rewarded."""
    write_shards([_row(number, str(number) if number else " ") for number in range(30)], tmp_path)
    bad = unusable_golds(SampleStore(tmp_path, "train"))
    assert [refused.reason for refused in bad.values()] == ["the row has no gold"]


def _scores(correct: np.ndarray) -> StepScores:
    scores = StepScores.__new__(StepScores)
    scores.correct = correct
    return scores


def test_first_rollouts_that_teach_nothing_stop_the_run():
    check_first_rollouts(_scores(np.array([[True, False]])))
    with pytest.raises(CogitoError, match="none of the first 6 answers is right"):
        check_first_rollouts(_scores(np.zeros((2, 3), dtype=bool)))
    with pytest.raises(CogitoError, match="too easy"):
        check_first_rollouts(_scores(np.ones((2, 3), dtype=bool)))


def test_a_disk_too_small_is_said_before_the_first_step(tmp_path):
    recipe = load_train_recipe("nano", [])
    check_disk(tmp_path, 1_000_000, recipe)
    with pytest.raises(CogitoError, match="GiB free and the run needs about"):
        check_disk(tmp_path, 10**15, recipe)


def test_a_resumed_run_needs_no_room_for_what_it_holds_already(tmp_path, monkeypatch):
    recipe = load_train_recipe("nano", [])
    needed = 1000 * 4 * (2 * 3 + len(recipe.stages) + 2)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: SimpleNamespace(free=needed - 5000))
    with pytest.raises(CogitoError, match="GiB free"):
        check_disk(tmp_path, 1000, recipe)
    (tmp_path / "stages" / "easy").mkdir(parents=True)
    (tmp_path / "stages" / "easy" / "weights").write_bytes(b"x" * 5000)
    check_disk(tmp_path, 1000, recipe)


@pytest.fixture(scope="module")
def encoder() -> ChatEncoder:
    from transformers import AutoTokenizer
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    folder = resolve_model("nano")
    return ChatEncoder(
        AutoTokenizer.from_pretrained(folder),
        Qwen2VLImageProcessorPil.from_pretrained(folder),
        PixelLimits.of_folder(folder),
    )


@pytest.mark.parametrize("category", CATEGORIES)
def test_prompt_tokens_counted_from_headers_are_those_encoded(encoder, category):
    for item in generate("train", category, 3, seed=1):
        picture = Picture(item.png_bytes)
        for pictures in ((picture,), (picture, picture), ()):
            chat = build_chat("nano", item.problem.replace("<image>", ""), pictures)
            assert count_prompt_tokens(encoder, chat) == len(encoder.encode(chat).input_ids)


def test_a_picture_that_cannot_be_read_is_a_reason_and_no_crash(encoder):
    with pytest.raises(RequestError, match="cannot be read"):
        count_prompt_tokens(encoder, build_chat("nano", "how many?", (Picture(b"no picture", "a.png"),)))


@pytest.mark.parametrize(
    ("settings", "free", "fits"),
    [([], 180.0, True), ([], 150.0, False), (["objective.kl=0"], 150.0, True), (["lora.rank=64"], 45.0, True)],
)
def test_a_memory_too_small_is_said_before_the_model_is_loaded(monkeypatch, settings, free, fits):
    """7B in float32: 33.2e9 bytes each of weights, gradients and reference, twice that of moments, 154 GiB in all."""
    monkeypatch.setattr(preflight, "_free_memory", lambda: free)
    recipe = load_train_recipe("vl-cogito", settings)
    size = model_size(load_config(recipe.model, None))
    world = World(0, 1, torch.device("cpu"))
    if fits:
        check_memory(recipe, size, world)
    else:
        with pytest.raises(
            CogitoError, match=r"this machine has 150.0 GiB of memory free and training needs about 1\d\d"
        ):
            check_memory(recipe, size, world)


def test_the_free_memory_is_what_the_system_says():
    import os

    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    assert 0 < preflight._free_memory() < whole
