"""The shipped weights: strict load, size, one prompt form everywhere, and a stored bound on accuracy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from cogito_core.engines import open_engine
from cogito_core.engines.encode import ChatEncoder, PixelLimits
from cogito_core.prompts import build_chat
from cogito_core.sample import Picture
from cogito_nano import WEIGHTS_DIR
from cogito_nano.batches import encode_batch
from cogito_nano.model import build_config, build_model, continue_model
from cogito_nano.precision import bfloat16_products
from cogito_nano.report import accuracy_report, answers_to, score
from cogito_nano.targets import careful
from cogito_nano.tasks import CATEGORIES, LEVELS, task
from cogito_nano.tasks.splits import generate
from cogito_nano.tokenizer import train_tokenizer
from cogito_nano.warmup import Phase, phases, warm_up


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(WEIGHTS_DIR)


@pytest.fixture(scope="module")
def image_processor() -> Any:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    return Qwen2VLImageProcessorPil.from_pretrained(WEIGHTS_DIR)


@pytest.fixture(scope="module")
def model() -> Any:
    from transformers import Qwen2_5_VLForConditionalGeneration

    loaded, info = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        WEIGHTS_DIR, dtype=torch.float32, output_loading_info=True
    )
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    return loaded.eval()


def test_the_weights_are_small_and_bfloat16() -> None:
    path = WEIGHTS_DIR / "model.safetensors"
    assert path.stat().st_size <= 4 * 2**20
    with safe_open(path, "pt") as weights:
        tensors = [weights.get_tensor(name) for name in weights.keys()]  # noqa: SIM118
    assert {tensor.dtype for tensor in tensors} == {torch.bfloat16}
    assert 1e6 < sum(tensor.numel() for tensor in tensors) < 3e6
    assert all(bool(tensor.isfinite().all()) for tensor in tensors)


def test_the_shipped_config_is_what_the_script_builds(model: Any, tokenizer: Any) -> None:
    shipped, built = model.config.to_dict(), build_config(tokenizer).to_dict()
    for part in ("text_config", "vision_config"):
        for key in ("dtype", "torch_dtype", "_attn_implementation"):
            shipped[part].pop(key, None)
            built[part].pop(key, None)
        assert shipped[part] == built[part]
    assert model.config.text_config.max_position_embeddings >= 4096
    assert len(tokenizer) == model.config.text_config.vocab_size


def test_a_seed_fixes_the_initial_weights(tokenizer: Any) -> None:
    first, second, other = (build_model(tokenizer, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_weights_move_to_another_tokenizer_by_token(model: Any, tokenizer: Any) -> None:
    same = continue_model(tokenizer, 0, WEIGHTS_DIR).state_dict()
    assert all(torch.equal(same[name], tensor) for name, tensor in model.state_dict().items())
    other_tokenizer = train_tokenizer(["red red blue", "How many shapes?"])
    moved = continue_model(other_tokenizer, 0, WEIGHTS_DIR)
    for token in ("<think>", "<|im_end|>", "e", "?"):
        ours = other_tokenizer.convert_tokens_to_ids(token)
        theirs = tokenizer.convert_tokens_to_ids(token)
        assert torch.equal(moved.lm_head.weight[ours], model.lm_head.weight[theirs])


def test_training_batches_equal_the_engines_encoding(model: Any, tokenizer: Any, image_processor: Any) -> None:
    encoder = ChatEncoder(tokenizer, image_processor, PixelLimits.of_folder(WEIGHTS_DIR))
    items = [task(category, level, 11) for category in CATEGORIES for level in LEVELS]
    batch = encode_batch(tokenizer, [i.png_bytes for i in items], [i.problem for i in items], ["6"] * len(items))
    pixels = []
    for row, item in enumerate(items):
        encoded = encoder.encode(build_chat("nano", item.problem, (Picture(item.png_bytes),)))
        length = int(batch.targets[row].int().argmax())
        assert batch.input_ids[row, :length].tolist() == encoded.input_ids
        assert encoded.image_grid_thw is not None
        assert batch.image_grid_thw[row].tolist() == encoded.image_grid_thw[0].tolist()
        pixels.append(encoded.pixel_values)
        answer = batch.input_ids[row][batch.targets[row]]
        assert tokenizer.decode(answer) == "6<|im_end|>"
    np.testing.assert_allclose(batch.pixel_values.numpy(), np.concatenate(pixels), atol=1e-5)
    image_tokens = (batch.input_ids == model.config.image_token_id).int()
    expected, _ = model.model.get_rope_index(batch.input_ids, image_tokens, image_grid_thw=batch.image_grid_thw)
    assert torch.equal(batch.position_ids, expected)


def test_accuracy_is_what_the_warm_up_reported() -> None:
    """20 held-out questions a category: within four standard errors of the stored figures."""
    stored = json.loads((WEIGHTS_DIR / "warmup.json").read_text(encoding="utf-8"))["base"]
    engine = open_engine("transformers", "nano")
    items = [item for category in CATEGORIES for item in generate("heldout", category, 20, 5)]
    greedy = score(items, answers_to(engine, items, temperature=0.0, seed=0))
    sampled = score(items, answers_to(engine, items, temperature=1.0, seed=0))
    for measured, known in ((greedy, stored["greedy"]), (sampled, stored["sampled"])):
        assert abs(measured["all"] - known["all"]) < 4 * (0.25 / len(items)) ** 0.5
    assert sampled["well-formed"] > 0.9
    assert 0.2 < sampled["all"] < 0.5


def test_products_in_bfloat16_are_near_and_leave_nothing_behind(model: Any, tokenizer: Any) -> None:
    item = task("general", 2, 4)
    batch = encode_batch(tokenizer, [item.png_bytes], [item.problem], ["red"])

    def hidden() -> torch.Tensor:
        with torch.no_grad():
            return model.model(
                input_ids=batch.input_ids,
                position_ids=batch.position_ids,
                pixel_values=batch.pixel_values,
                image_grid_thw=batch.image_grid_thw,
                use_cache=False,
            ).last_hidden_state.float()

    before = hidden()
    with bfloat16_products(model):
        inside = hidden()
    assert torch.equal(hidden(), before)
    difference = (inside - before).norm() / before.norm()
    assert 0 < difference < 0.05


def test_the_warm_up_is_reproducible(tmp_path: Path) -> None:
    """Four steps twice from one seed give the same bytes, another seed gives others; the folder can be opened."""
    plan = (Phase("careful", 2, 2e-3, lambda item, _: careful(item)), *phases(0, 2)[1:])
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        warm_up(tmp_path / name, seed, plan)
    one, two, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two", "other"))
    assert one == two != other
    report = accuracy_report(open_engine("transformers", str(tmp_path / "one")), per_category=1, seed=0)
    assert set(CATEGORIES) < set(report["greedy"])
