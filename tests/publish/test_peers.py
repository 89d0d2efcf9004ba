"""A published set picked up by others: EasyR1's and verl's dataset code, and a step of TRL's GRPOTrainer.

Each runs where the peer is: TRL and verl in an environment that has them (docs/publish.md says how), EasyR1, which is
no package, from the checkout named by COGITO_EASYR1.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from cogito_core.console import CogitoError, UsageError
from cogito_core.sample import Sample
from cogito_core.shards import read_samples, write_shards
from cogito_core.verify import judge
from cogito_data.peers import export_shards
from cogito_train.integrations.trl import accuracy
from cogito_train.integrations.verl_reward import compute_score
from cogito_train.rollout import judge_answer

from .conftest import REPO, go
from .hub_server import HubServer


def processor() -> Any:
    """nano's tokenizer and image processor as the peers want them."""
    from bench.picture_processor import load_processor
    from cogito_core.engines.models import resolve_model

    return load_processor(resolve_model("nano"))


@pytest.mark.parametrize("form", ["verl", "trl"])
def test_an_export_keeps_rows_and_picture_bytes(built: Path, tmp_path: Path, form: str) -> None:
    from datasets import load_dataset

    assert export_shards(built, form, tmp_path / "out", prompt="nano") == {"train": 48, "validation": 6, "heldout": 6}
    ours = list(read_samples(built / "data", "train"))
    assert list(read_samples(tmp_path / "out", "train")) == ours
    loaded = load_dataset("parquet", data_dir=str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    published = [row for path in sorted((built / "data").glob("train-*")) for row in pq.read_table(path).to_pylist()]
    for mine, plain, theirs in zip(ours, published, loaded, strict=True):
        assert theirs["id"] == mine.id
        assert theirs["images"][0].size == Image.open(io.BytesIO(mine.images[0].bytes)).size
        # verl makes parts of the marks itself; without words around the question the other chat is the published one.
        wanted = [{"role": "user", "content": mine.problem}] if form == "verl" else plain["prompt"]
        assert theirs["prompt"] == wanted and mine.problem.count("<image>") == len(mine.images)
    if form == "verl":
        assert [row["extra_info"]["index"] for row in loaded] == list(range(48))
        assert [row["reward_model"]["ground_truth"] for row in loaded] == [mine.answer for mine in ours]


def test_a_system_prompt_becomes_a_message_of_its_own(built: Path, tmp_path: Path) -> None:
    for form in ("verl", "trl"):
        export_shards(built / "data", form, tmp_path / form, prompt="train")
    verl, trl = (
        pq.read_table(tmp_path / form / "train-00000.parquet", columns=["prompt"]).column("prompt")[0].as_py()
        for form in ("verl", "trl")
    )
    assert [message["role"] for message in verl] == [message["role"] for message in trl] == ["system", "user"]
    assert trl[0]["content"] == [{"type": "text", "text": verl[0]["content"]}]
    assert trl[1]["content"][0] == {"type": "image", "text": None}
    with pytest.raises(UsageError, match="EasyR1 and TRL need none"):
        export_shards(built, "easyr1", tmp_path)


def test_an_older_set_exports_and_one_that_lacks_a_column_is_named(built: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for shard in (built / "data").glob("*.parquet"):
        pq.write_table(pq.read_table(shard).drop_columns(["prompt"]), old / shard.name)
    export_shards(old, "trl", tmp_path / "new", prompt="nano")
    for shard in (built / "data").glob("*.parquet"):
        assert pq.read_table(tmp_path / "new" / shard.name).equals(pq.read_table(shard))
    place = old / "train-00001.parquet"
    pq.write_table(pq.read_table(place).drop_columns(["choices"]), place)
    with pytest.raises(CogitoError, match="train-00001.parquet lacks the column 'choices'"):
        export_shards(old, "trl", tmp_path / "newer")


def test_verls_reward_is_our_verdict(built: Path, tmp_path: Path) -> None:
    export_shards(built, "verl", tmp_path, prompt="nano")
    samples = list(read_samples(built / "data", "train"))
    rows = [row for path in sorted(tmp_path.glob("train-*.parquet")) for row in pq.read_table(path, columns=["data_source", "reward_model", "extra_info"]).to_pylist()]
    seen = set()
    for mine, row in zip(samples, rows, strict=True):
        for text in (f"<think>x</think><answer>\\boxed{{{mine.answer}}}</answer>", f"it is {mine.answer}", "<think>x</think><answer>\\boxed{77}</answer>", ""):
            score = compute_score(row["data_source"], text, row["reward_model"]["ground_truth"], row["extra_info"])
            right = judge_answer(mine, text).is_right
            assert score == float(right) + 0.5 * text.startswith("<think>")
            seen.add(score)
    assert seen == {0.0, 0.5, 1.0, 1.5}


def test_trls_reward_is_our_verdict_on_rows_whose_rule_is_more_than_their_kind(tmp_path: Path) -> None:
    """A tolerance, another name for the gold, options: each row's right answer is wrong by its kind alone."""
    common: dict[str, Any] = {"source": "toy", "category": "math", "split": "train"}
    samples = [
        Sample(id="toy/train/1", problem="How long?", answer="100", answer_kind="number", answer_spec={"policy": "relative(5%)"}, **common),
        Sample(id="toy/train/2", problem="Who?", answer="Ada Lovelace", answer_kind="text", answer_aliases=("the Countess of Lovelace",), **common),
        Sample(id="toy/train/3", problem="Which?\n(A) red\n(B) green", answer="B", answer_kind="choice", choices=("red", "green"), **common),
    ]
    write_shards(samples, tmp_path)
    right = ["\\boxed{103}", "\\boxed{the Countess of Lovelace}", "\\boxed{green}"]
    assert [judge_answer(one, text).is_right for one, text in zip(samples, right, strict=True)] == [True] * 3
    assert [judge(text, one.answer, kind=one.answer_kind).is_right for one, text in zip(samples, right, strict=True)] == [False] * 3
    columns = pq.read_table(tmp_path / "train-00000.parquet").drop_columns(["images"]).to_pydict()
    for texts, wanted in ((right, 1.0), (["\\boxed{110}", "\\boxed{Babbage}", "\\boxed{red}"], 0.0), (["", "x", "?"], 0.0)):
        chats = [[{"role": "assistant", "content": text}] for text in texts]
        assert accuracy(completions=chats, prompts=columns["prompt"], **columns) == accuracy(texts, **columns) == [wanted] * 3


def one_step_of_trl(trl: Any, rows: Any, folder: Path) -> list[tuple[list[str], list[float]]]:
    """Train cogito-nano one step on rows as `load_dataset` gives them; the answers and verdicts of the batch."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    from cogito_core.engines.models import resolve_model

    seen: list[tuple[list[str], list[float]]] = []

    def watched(completions: Any, **columns: Any) -> list[float]:
        right = accuracy(completions, **columns)
        seen.append(([completion[0]["content"] for completion in completions], right))
        return right

    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(resolve_model("nano"))
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    config = trl.GRPOConfig(
        output_dir=str(folder), max_steps=1, per_device_train_batch_size=32, num_generations=8, learning_rate=1e-4,
        max_completion_length=24, beta=0.0, use_cpu=True, bf16=False, gradient_checkpointing=False,
        report_to="none", save_strategy="no", disable_tqdm=True, seed=1,
    )  # fmt: skip
    trl.GRPOTrainer(
        model=model, processing_class=processor(), reward_funcs=watched, args=config, train_dataset=rows
    ).train()
    assert 0 < sum(seen[0][1]) < 32, "without right and wrong answers there is nothing to learn from"
    assert any((value != before[name]).any() for name, value in model.named_parameters())
    return seen


def test_trl_trains_a_step_on_the_published_set(hub: HubServer, built: Path, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed here: docs/publish.md says how this is run")
    from datasets import load_dataset

    go(built)
    seen = one_step_of_trl(trl, load_dataset(REPO, split="train"), tmp_path)
    assert len(seen) == 1 and len(seen[0][0]) == 32


def test_trl_asks_with_words_between_pictures(built: Path, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed here: docs/publish.md says how this is run")
    from datasets import load_dataset
    from trl.data_utils import prepare_multimodal_messages

    one, two, three, four = list(read_samples(built / "data", "train"))[:4]
    between = f"Between {one.problem} and <image>?"
    mixed = [
        replace(one, problem=between, images=(*one.images, *two.images), image_hash=""),
        two, three, replace(four, problem=four.problem.replace("<image>", "")),
    ]  # fmt: skip
    write_shards(mixed, tmp_path / "data")
    rows = load_dataset("parquet", data_dir=str(tmp_path / "data"), split="train", cache_dir=str(tmp_path / "cache"))
    both = processor()
    for row in rows:
        filled = prepare_multimodal_messages(row["prompt"], images=row["images"])
        assert [part["image"] for part in filled[0]["content"] if part["type"] == "image"] == row["images"]
        asked = both.apply_chat_template(filled, tokenize=False)
        missing = len(row["images"]) - row["problem"].count("<image>")
        pad = "<|vision_start|><|image_pad|><|vision_end|>"
        assert ("<image>" * missing + row["problem"]).replace("<image>", pad) in asked
        plain = prepare_multimodal_messages([{"role": "user", "content": "a <image> b"}], images=row["images"])
        assert [part["type"] for part in plain[0]["content"]] == ["image"] * len(row["images"]) + ["text"]
    one_step_of_trl(trl, rows, tmp_path / "step")


def test_verls_dataset_takes_the_export(built: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("verl") is None or os.environ.get("COGITO_EASYR1"):
        pytest.skip("verl is not installed here: docs/publish.md says how this is run")
    module = importlib.import_module("verl.utils.dataset.rl_dataset")
    omegaconf = importlib.import_module("omegaconf")
    export_shards(built, "verl", tmp_path / "out", prompt="nano")
    ours = list(read_samples(built / "data", "train"))
    both = processor()
    config = omegaconf.OmegaConf.create({"cache_dir": str(tmp_path / "cache"), "filter_overlong_prompts": False, "max_prompt_length": 128})
    files = [str(path) for path in sorted((tmp_path / "out").glob("train-*.parquet"))]
    rows = module.RLHFDataset(files, both.tokenizer, config, processor=both)
    assert len(rows) == len(ours)
    batch = module.collate_fn([rows[i] for i in range(4)])
    assert [gold["ground_truth"] for gold in batch["reward_model"]] == [mine.answer for mine in ours[:4]]
    for mine, messages in zip(ours, batch["raw_prompt"], strict=False):
        pictures = [part["image"] for message in messages for part in message["content"] if part["type"] == "image"]
        expected = Image.open(io.BytesIO(mine.images[0].bytes)).convert("RGB")
        assert pictures[0].tobytes() == expected.tobytes()
        text = both.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
        inputs = both(text=[text], images=pictures, return_tensors="pt")
        assert (inputs["input_ids"] == both.image_token_id).sum() == inputs["image_grid_thw"].prod() // 4


def test_easyr1s_dataset_takes_the_published_set_as_it_is(
    hub: HubServer, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = os.environ.get("COGITO_EASYR1")
    if not checkout:
        pytest.skip("COGITO_EASYR1 names no checkout of EasyR1")
    monkeypatch.syspath_prepend(checkout)
    for name in [name for name in sys.modules if name.partition(".")[0] == "verl"]:
        monkeypatch.delitem(sys.modules, name)
    module = importlib.import_module("verl.utils.dataset")
    go(built)
    both = processor()
    ours = list(read_samples(built / "data", "train"))
    for place in (f"{REPO}@train", f"{built / 'data'}@train"):
        rows = module.RLHFDataset(
            place, both.tokenizer, both, prompt_key="problem", max_prompt_length=128, filter_overlong_prompts_workers=1,
        )  # fmt: skip
        assert len(rows) == len(ours)
        batch = module.collate_fn([rows[i] for i in range(6)])
        assert list(batch["ground_truth"]) == [mine.answer for mine in ours[:6]]
        assert batch["input_ids"].shape == (6, 128) and batch["position_ids"].shape == (6, 4, 128)
        assert [pictures["images"][0].size for pictures in batch["multi_modal_data"]] == [Image.open(io.BytesIO(mine.images[0].bytes)).size for mine in ours[:6]]
