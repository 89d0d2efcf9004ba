"""The planner: exact counts, parts that add up, and the smallest set of GPUs for the paper's recipe."""

import pytest
import torch

from cogito_core.console import CogitoError
from cogito_train.config import load_train_recipe
from cogito_train.lora import add_adapters
from cogito_train.plan import (
    VARIANTS,
    load_config,
    make_plan,
    model_size,
    parse_memory,
    smallest_set,
    trained_parameters,
)

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
    assert parse_memory("80GiB") == parse_memory("80") == parse_memory("81920 MiB") == 80
    assert parse_memory("80G") == parse_memory("80GB") == parse_memory("80000MB") == parse_memory("0.08TB")
    assert parse_memory("80GB") == pytest.approx(74.5, abs=0.01)
    with pytest.raises(CogitoError, match="no amount of memory"):
        parse_memory("much")


def test_the_smallest_sets_with_every_way_to_need_less(sizes):
    found = {}
    for name in MODELS:
        for variant, settings in VARIANTS.items():
            plan = smallest_set(load_train_recipe("vl-cogito", settings), sizes[name], gpu_memory=parse_memory("80GB"))
            found[name, variant] = plan.gpus
    assert [found["3B", variant] for variant in VARIANTS] == [2, 1, 1, 1, 1]
    assert [found["7B", variant] for variant in VARIANTS] == [4, 2, 1, 1, 1]


def test_lora_trains_what_peft_adds(sizes):
    """The count against adapters that peft itself puts on a model of the same shape, on the meta device."""
    pytest.importorskip("peft")
    from transformers import Qwen2_5_VLForConditionalGeneration

    recipe = load_train_recipe("vl-cogito", ["lora.rank=64"])
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration(load_config(MODELS["3B"], None))
    add_adapters(model, recipe.lora, vision=True)
    added = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    assert trained_parameters(recipe, sizes["3B"]) == sum(added.values())
    decoder = sum(count for name, count in added.items() if ".visual." not in name)
    assert trained_parameters(recipe.model_copy(update={"train_vision": False}), sizes["3B"]) == decoder


def test_what_each_option_spares(sizes):
    plain, eight, offload, lora = (
        make_plan(load_train_recipe("vl-cogito", settings), sizes["7B"], gpus=4, gpu_memory=80)
        for settings in ([], ["optimizer.bits=8"], ["cpu_offload=true"], ["lora.rank=64"])
    )
    assert eight.update["Adam moments"] == pytest.approx(plain.update["Adam moments"] / 4, rel=0.02)
    assert sum(offload.host.values()) == pytest.approx(8_292_166_656 * 20 / 2**30)
    assert "weights, float32" not in offload.update and offload.seconds["update"] > plain.seconds["update"]
    assert lora.update["reference"] == 0 and lora.update["gradients"] < 0.03 * plain.update["gradients"]
    assert lora.flops["update"] < plain.flops["update"]


def test_rollouts_on_servers_need_no_engine_here(sizes):
    settings = ["engine=openai", "engine_options={urls: [http://a]}"]
    plan = make_plan(load_train_recipe("vl-cogito", settings), sizes["7B"], gpus=4, gpu_memory=80)
    assert set(plan.rollout) == {"weights, float32", "Adam moments", "reference", "CUDA and NCCL"}


def test_what_stays_on_the_gpu_while_it_samples(sizes):
    """The reference waits there for the update; the embedded engine's copy is float32, and none if it is alone."""
    whole = sizes["7B"].parameters * 4 / 2**30
    plan = make_plan(load_train_recipe("vl-cogito", []), sizes["7B"], gpus=4, gpu_memory=80)
    assert plan.rollout["reference"] == pytest.approx(whole / 4)
    assert plan.rollout["engine, bfloat16"] == pytest.approx(whole / 2)
    recipe = load_train_recipe("vl-cogito", ["engine=transformers"])
    assert make_plan(recipe, sizes["7B"], gpus=4, gpu_memory=80).rollout["engine, float32"] == pytest.approx(whole)
    assert "engine, float32" not in make_plan(recipe, sizes["7B"], gpus=1, gpu_memory=80).rollout


def test_a_micro_batch_is_at_least_a_prompt_with_one_answer(sizes):
    part = "activations (estimate)"
    small, least, large = (
        make_plan(load_train_recipe("vl-cogito", [f"micro_batch_tokens={n}"]), sizes["7B"], gpus=4, gpu_memory=80)
        for n in (1, 2048 + 4096, 4 * (2048 + 4096))
    )
    assert small.update[part] == least.update[part] == pytest.approx(large.update[part] / 4)


@pytest.mark.parametrize("text", ["-5GB", "0", "lots", "nan", "inf", "1e3"])
def test_what_is_no_memory_is_said(text):
    with pytest.raises(CogitoError, match="is no amount of memory"):
        parse_memory(text)
