"""LoRA, 8-bit Adam and CPU offload train nano, and a stopped run goes on bit for bit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cogito_core.console import CogitoError, MissingExtra
from cogito_core.engines.models import resolve_model
from cogito_train.config import load_train_recipe
from cogito_train.loop import Trainer
from cogito_train.lora import adapted_layers, adapters_off
from cogito_train.optim import moments, new_optimizer
from cogito_train.parallel import World
from cogito_train.policy import Policy

from .conftest import small_recipe, train
from .tiny import nano_data

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")

ALONE = World(0, 1, torch.device("cpu"))
SHORT = (
    "stages.0.steps=2", "stages.1.steps=1", "stages.2.steps=1", "prompts_per_step=3", "prompts_per_update=3",
    "max_response_tokens=12", "validation.rows=1", "validation.samples=1", "optimizer.learning_rate=1e-3",
    "record_rollouts=false",
)  # fmt: skip
OPTIONS = {
    "lora": ["lora.rank=4", "lora.alpha=8"],
    "eight bits, offloaded": ["optimizer.bits=8", "cpu_offload=true"],
}


@pytest.fixture(autouse=True)
def _no_process_group():
    yield
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("option", OPTIONS)
def test_trains_and_resumes_bit_for_bit(data, tmp_path, monkeypatch, option):
    pytest.importorskip("peft")
    pytest.importorskip("bitsandbytes")
    recipe, done = small_recipe(data, *SHORT, *OPTIONS[option]), []
    train(recipe, tmp_path / "straight")
    record = Trainer._record

    def stop_later(self, *args):
        record(self, *args)
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_record", stop_later)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "run")
    monkeypatch.undo()
    train(recipe, tmp_path / "run")
    for name in ("metrics.jsonl", "final/model.safetensors", "stages/medium/best/model.safetensors", "summary.json"):
        ours, theirs = (tmp_path / folder / name for folder in ("run", "straight"))
        if name == "summary.json":
            assert json.loads(ours.read_text())["stages"] == json.loads(theirs.read_text())["stages"]
        else:
            assert ours.read_bytes() == theirs.read_bytes(), name
    rows = _rows(tmp_path / "straight")
    assert len(rows) == 4 and max(row["grad_norm"] for row in rows) > 0
    assert all(row["engine_gap"] < 1e-4 for row in rows)
    before = load_file(resolve_model("nano") / "model.safetensors")
    after = load_file(tmp_path / "straight" / "final" / "model.safetensors")
    assert {name: tensor.shape for name, tensor in after.items()} == {n: t.shape for n, t in before.items()}


def test_offloaded_and_sharded_it_is_the_same_training(data, tmp_path):
    """FSDP2 with one process and offloading against no FSDP2 at all: the same rewards, weights to rounding."""
    for name, option in (("plain", []), ("offload", ["cpu_offload=true"])):
        train(small_recipe(data, *SHORT, *option), tmp_path / name)
    for ours, theirs in zip(_rows(tmp_path / "offload"), _rows(tmp_path / "plain"), strict=True):
        assert ours["solved_histogram"] == theirs["solved_histogram"]
        assert ours["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-3, abs=1e-6)
    ours, theirs = (load_file(tmp_path / name / "final" / "model.safetensors") for name in ("offload", "plain"))
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in theirs) < 1e-4


@pytest.fixture(scope="module")
def lora_policy(tmp_path_factory):
    pytest.importorskip("peft")
    data = nano_data(tmp_path_factory.mktemp("lora"), train=1, validation=1)
    policy = Policy(small_recipe(data, "lora.rank=4", "lora.alpha=8"), ALONE)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _, layer in adapted_layers(policy.scorer.model):
            layer.lora_B["default"].weight.normal_(std=0.05, generator=generator)
    return policy


def test_merged_weights_are_those_of_peft(lora_policy):
    streamed = dict(lora_policy.stream_weights("float32"))
    names = [name for name, _ in adapted_layers(lora_policy.scorer.model)]
    assert any(".visual." in name for name in names) and any("language_model" in name for name in names)
    for name, layer in adapted_layers(lora_policy.scorer.model):
        expected = layer.base_layer.weight + layer.get_delta_weight("default")
        torch.testing.assert_close(streamed[f"{name}.weight"], expected, rtol=0, atol=1e-6)
        assert not torch.equal(streamed[f"{name}.weight"], layer.base_layer.weight)
    assert not any("lora" in name or "base_layer" in name for name in streamed)


def test_the_reference_is_the_model_without_adapters(lora_policy, tmp_path):
    from cogito_core.engines.encode import Encoded
    from cogito_train.shared_forward import Group

    batch = lora_policy.scorer.pack([Group(Encoded([5, 6, 7], None, None), [[8, 9], [10]])])
    clean = Policy(lora_policy.recipe.model_copy(update={"lora": type(lora_policy.recipe.lora)()}), ALONE)
    with torch.no_grad():
        anchor, _ = lora_policy.reference(lora_policy.folder)(batch)
        now, _ = lora_policy.scorer(batch)
        expected, _ = clean.scorer(batch)
        clean.load_weights(_export(lora_policy, tmp_path))
        merged, _ = clean.scorer(batch)
    torch.testing.assert_close(anchor, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(now, merged, rtol=0, atol=1e-5)
    assert float((now - anchor).abs().max()) > 1e-3


def _export(policy: Policy, root: Path) -> Path:
    policy.export(root / "weights", dtype="float32")
    return root / "weights"


def test_only_adapters_are_trained_and_stored(lora_policy):
    names = [name for name, _ in lora_policy.trainable]
    assert names and all(".lora_" in name for name in names)
    stored = moments(lora_policy, new_optimizer(lora_policy, lora_policy.recipe.optimizer), 0)
    assert len(stored) == 3 * len(names)


def test_adapters_come_back_after_an_error(lora_policy):
    layers = [layer for _, layer in adapted_layers(lora_policy.scorer.model)]
    with pytest.raises(RuntimeError), adapters_off(lora_policy.scorer.model):
        assert {layer.scaling["default"] for layer in layers} == {0.0}
        raise RuntimeError
    assert {layer.scaling["default"] for layer in layers} == {2.0}


def test_eight_bits_are_eight_bits(data):
    pytest.importorskip("bitsandbytes")
    policy = Policy(small_recipe(data, "optimizer.bits=8"), ALONE)
    stored = moments(policy, new_optimizer(policy, policy.recipe.optimizer), 0)
    large = [t for n, t in stored.items() if n.endswith((".state1", ".state2")) and t.numel() >= 4096]
    assert large and all(t.dtype == torch.uint8 for t in large)
    size = sum(t.nbytes for t in stored.values())
    assert size < 0.3 * sum(2 * p.nbytes for _, p in policy.trainable)


def test_what_does_not_go_with_lora_is_refused(data):
    for setting in ("hand_over.optimizer=keep", "hand_over.reference=keep"):
        with pytest.raises(CogitoError, match="with LoRA every stage starts new adapters"):
            load_train_recipe("nano", [f"data={data}", "lora.rank=4", setting])


@pytest.mark.parametrize(("module", "setting"), [("peft", "lora.rank=4"), ("bitsandbytes.optim", "optimizer.bits=8")])
def test_a_missing_library_is_named(data, monkeypatch, module, setting):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    recipe = small_recipe(data, setting)
    with pytest.raises(MissingExtra, match=r"cogito-vlm\[memory\]"):
        new_optimizer(Policy(recipe, ALONE), recipe.optimizer)
