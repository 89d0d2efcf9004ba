"""Rows that cannot be used go to the ledger with a reason and the run goes on; prompts without signal are
replaced.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cogito_core.console import CogitoError
from cogito_core.sample import Picture
from cogito_core.shards import read_samples, write_shards
from cogito_train.preflight import unusable_golds
from cogito_train.stages import TrainingData, validation_samples

from .conftest import small_recipe, train
from .tiny import nano_data

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


def _rewrite(directory: Path, change) -> list[str]:
    rows = sorted(read_samples(directory / "data", "train"), key=lambda sample: sample.id)
    changed = [change(number, row) for number, row in enumerate(rows)]
    write_shards(changed, directory / "data", split="train")
    return [row.id for row in rows]


def _spoil(number, row):
    if number == 2:  # a picture cut off in the middle
        data = row.images[0].bytes
        return replace(row, images=(Picture(data[: len(data) // 2], "half.png"),), image_hash="")
    if number == 3:  # a question longer than the limit
        return replace(row, problem=row.problem + " how many" * 200, problem_hash="")
    if number == 4:  # a gold that its kind cannot have
        return replace(row, answer="perhaps", answer_kind="yes_no")
    return row


def test_bad_rows_are_dropped_with_a_reason_and_only_once(tmp_path):
    directory = nano_data(tmp_path / "in", train=5, validation=1)
    ids = _rewrite(directory, _spoil)
    recipe = small_recipe(directory, "prompts_per_step=16", "prompts_per_update=16", "samples_per_prompt=2")
    train(recipe, tmp_path / "run")
    ledger = [json.loads(line) for line in (tmp_path / "run" / "ledger.jsonl").read_text().splitlines()]
    reasons = {row["id"]: (row["reason"], row["evidence"]) for row in ledger}
    assert len(reasons) == len(ledger) == 3
    assert reasons[ids[2]][0] == "not_askable" and "half.png" in reasons[ids[2]][1]
    assert reasons[ids[3]][0] == "not_askable" and "max_prompt_tokens" in reasons[ids[3]][1]
    assert reasons[ids[4]][0] == "gold_not_accepted" and "perhaps" in reasons[ids[4]][1]
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    # 29 rows are left to draw from, two of them cannot be asked: every epoch of them misses two prompts.
    assert len(rows) == 8 and min(row["prompts"] for row in rows) < 16
    assert sum(16 - row["prompts"] for row in rows) == pytest.approx(2 * 8 * 16 / 29, abs=2)


def test_a_held_out_row_that_cannot_be_solved_is_not_validated_on(tmp_path):
    """It would count as wrong for ever and hold the accuracy down."""
    directory = nano_data(tmp_path / "in", train=1, validation=4)
    rows = sorted(read_samples(directory / "data", "validation"), key=lambda sample: sample.id)
    rows[3] = replace(rows[3], answer="perhaps", answer_kind="yes_no")
    write_shards(rows, directory / "data", split="validation")
    data = TrainingData.open(str(directory))
    bad = unusable_golds(data.validation)
    assert [refused.id for refused in bad.values()] == [rows[3].id]
    used = [sample.id for sample in validation_samples(data, None, bad)]
    assert used == [row.id for row in data.validation if row.id != rows[3].id]
    assert len(validation_samples(data, 23, bad)) == 23 == len(used)


def test_a_later_stage_without_rows_is_found_before_the_first_step(data, tmp_path):
    recipe = small_recipe(data, "stages.2.filter.sources=[nowhere]")
    with pytest.raises(CogitoError, match=r"stage hard: .*leaves no row of 36"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_if_nothing_can_be_asked_the_sentence_says_where_to_look(tmp_path):
    directory = nano_data(tmp_path / "in", train=1, validation=1)
    _rewrite(directory, lambda number, row: replace(row, images=(Picture(b"no picture"),), image_hash=""))
    with pytest.raises(CogitoError, match=r"none of the prompts of step 1 of stage easy.*ledger\.jsonl"):
        train(small_recipe(directory), tmp_path / "run")


def test_dynamic_sampling_replaces_prompts_without_signal(data, tmp_path):
    """With format off, nano's well-formed answers differ by right and wrong alone: many groups are all wrong."""
    settings = [f"stages.{i}.rewards.format=0" for i in range(3)] + ["stages.2.rewards.length=none"]
    counts = {}
    for rounds in (0, 6):
        run = tmp_path / str(rounds)
        train(small_recipe(data, *settings, f"dynamic_sampling={rounds}"), run)
        counts[rounds] = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(row["no_signal"] for row in counts[0]) > 0
    full = [row for row in counts[6] if row["prompts"] == 4]
    assert full and all(row["no_signal"] == 0 for row in full)
