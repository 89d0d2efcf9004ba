"""The planner: exact counts, parts that add up, and the smallest set of GPUs for the paper's recipe."""

import pytest

from cogito_core.console import CogitoError
from cogito_train.config import load_train_recipe
from cogito_train.plan import load_config, make_plan, model_size, parse_memory, smallest_set

MODELS = {"3B": "Qwen/Qwen2.5-VL-3B-Instruct", "7B": "Qwen/Qwen2.5-VL-7B-Instruct"}


@pytest.fixture(scope="module")
def sizes():
    return {name: model_size(load_config(model, None)) for name, model in MODELS.items()}


def test_counts_are_those_of_the_published_models(sizes):
    assert sizes["3B"].parameters == 3_754_622_976 and sizes["7B"].parameters == 8_292_166_656
    assert sizes["3B"].kv_bytes_per_token == 36 * 1024 and sizes["7B"].kv_bytes_per_token == 56 * 1024
    assert sizes["3B"].vision_parameters == pytest.approx(0.669e9, rel=1e-3)


def test_the_smallest_sets_for_the_papers_recipe(sizes):
    recipe = load_train_recipe("vl-cogito", [])
    found = {name: smallest_set(recipe, size, gpu_memory=parse_memory("80GB")) for name, size in sizes.items()}
    assert {name: plan.gpus for name, plan in found.items()} == {"3B": 2, "7B": 4}
    for name, plan in found.items():
        assert not make_plan(recipe, sizes[name], gpus=plan.gpus // 2, gpu_memory=plan.gpu_memory).fits


def test_parts_add_up_and_shrink_with_more_gpus(sizes):
    recipe = load_train_recipe("vl-cogito", [])
    plans = [make_plan(recipe, sizes["7B"], gpus=gpus, gpu_memory=80) for gpus in (1, 2, 4, 8)]
    for plan in plans:
        assert plan.update_total == pytest.approx(sum(plan.update.values()))
    assert [p.update_total for p in plans] == sorted((p.update_total for p in plans), reverse=True)
    assert plans[0].update["weights, float32"] == pytest.approx(8_292_166_656 * 4 / 2**30)


def test_what_is_switched_off_costs_nothing(sizes):
    recipe = load_train_recipe("vl-cogito", ["objective.kl=0", "train_vision=false"])
    plan = make_plan(recipe, sizes["3B"], gpus=1, gpu_memory=80)
    assert plan.update["reference"] == 0
    assert plan.update["gradients"] == pytest.approx(
        (sizes["3B"].parameters - sizes["3B"].vision_parameters) * 4 / 2**30
    )


def test_amounts_of_memory():
    assert parse_memory("80GiB") == 80 and parse_memory("80") == 80
    assert parse_memory("80GB") == pytest.approx(74.5, abs=0.01)
    with pytest.raises(CogitoError, match="no amount of memory"):
        parse_memory("much")
