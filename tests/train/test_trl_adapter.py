"""PCuRL inside TRL's own GRPOTrainer. Runs where TRL 1.16 is installed (bench/grpo_step.py says how)."""

import io

import numpy as np
import pytest
from PIL import Image
from transformers import Qwen2_5_VLForConditionalGeneration

from bench.picture_processor import load_processor
from cogito_core.engines.models import resolve_model
from cogito_nano.tasks import CATEGORIES
from cogito_nano.tasks.splits import generate
from cogito_train.integrations.rules import stage_advantages
from cogito_train.integrations.trl import PCuRL, with_pcurl
from cogito_train.rewards import RewardRule

trl = pytest.importorskip("trl", reason="TRL is not installed here")

RULE = RewardRule(length="dynamic", max_target=24, repetition=0.5, limit=24)


def test_two_steps_train_on_our_advantages(tmp_path):
    from datasets import Dataset

    folder = resolve_model("nano")
    items = [next(generate("train", category, 1, seed=0)) for category in CATEGORIES][:4]
    rows = [
        {
            "prompt": [{"role": "user", "content": item.problem.replace("<image>", "")}],
            "images": [Image.open(io.BytesIO(item.png_bytes))],
            "gold": item.answer,
        }
        for item in items
    ]

    def accuracy(completions, gold, **_):
        return [float(f"boxed{{{g}}}" in c[0]["content"]) for c, g in zip(completions, gold, strict=True)]

    seen = []

    class Watched(with_pcurl(trl.GRPOTrainer)):
        pcurl = PCuRL(curve="hard", rule=RULE)

        def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
            rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
            golds = [row["gold"] for row in inputs]
            texts = [completion[0]["content"] for completion in completions]
            lengths = [len(ids) for ids in completion_ids_list]
            seen.append((accuracy(completions, golds), texts, lengths, rewards[:, 0].clone()))
            return rewards

        def _generate_and_score_completions(self, inputs):
            output = super()._generate_and_score_completions(inputs)
            seen[-1] = (*seen[-1], output["advantages"].clone())
            return output

    config = trl.GRPOConfig(
        output_dir=str(tmp_path), max_steps=2, per_device_train_batch_size=16, num_generations=8,
        max_completion_length=24, beta=0.0, use_cpu=True, bf16=False, gradient_checkpointing=False,
        report_to="none", save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = Watched(
        model=Qwen2_5_VLForConditionalGeneration.from_pretrained(folder),
        processing_class=load_processor(folder),
        reward_funcs=accuracy,
        args=config,
        train_dataset=Dataset.from_list(rows),
    )
    trainer.train()
    assert len(seen) == 2
    for right, texts, lengths, rewards, advantages in seen:
        groups = [position // 8 for position in range(16)]
        totals, expected = stage_advantages(groups, [r > 0.5 for r in right], texts, lengths, rule=RULE, curve="hard")
        np.testing.assert_allclose(rewards.numpy(), totals, atol=1e-6)
        np.testing.assert_allclose(advantages.numpy(), expected, atol=1e-5)
