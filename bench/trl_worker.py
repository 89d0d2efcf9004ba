"""The peer of bench/grpo_step.py and bench/trainer.py: TRL's GRPOTrainer on a prepared job, CPU seconds by phase.

Run by them in an environment of its own (`pip install torch==2.13.0 trl==1.16.0 "transformers<5.20"`); it imports
nothing of Cogito. The job folder holds `model/`, `job.json` and the pictures. TRL samples its own answers, so
that its rollout is timed; they are then replaced by the job's answers, so that both sides update on the same
tokens.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from picture_processor import load_processor
from PIL import Image
from transformers import Qwen2_5_VLForConditionalGeneration, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


class TimedTrainer(GRPOTrainer):
    """GRPOTrainer that gives every step the job's answers and notes the CPU seconds of sampling."""

    job: dict[str, Any]
    rollout_seconds: list[float]

    def _generate_single_turn(self, prompt_ids: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        if self.job["sample"]:
            super()._generate_single_turn(prompt_ids, *args, **kwargs)
        self.rollout_seconds.append(time.process_time() - began)
        size = self.job["prompts_per_step"]
        start = (len(self.rollout_seconds) - 1) * size
        answers = [answer for prompt in self.job["prompts"][start : start + size] for answer in prompt["answers"]]
        return answers, None


class PassClock:
    """CPU seconds spent in the model's forward passes and in backward passes since it was last read."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.forward = self.backward = 0.0
        model.register_forward_pre_hook(lambda *_: self._start())
        model.register_forward_hook(lambda *_: self._stop())
        original = torch.Tensor.backward

        def backward(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> None:
            began = time.process_time()
            original(tensor, *args, **kwargs)
            self.backward += time.process_time() - began

        torch.Tensor.backward = backward  # type: ignore[method-assign]

    def read(self) -> tuple[float, float]:
        """(forward, backward), and start again from 0."""
        seconds = self.forward, self.backward
        self.forward = self.backward = 0.0
        return seconds

    def _start(self) -> None:
        self._began = time.process_time()

    def _stop(self) -> None:
        self.forward += time.process_time() - self._began


class StepClock(TrainerCallback):
    """CPU seconds of whole steps."""

    def __init__(self, passes: PassClock) -> None:
        self.passes = passes
        self.seconds: list[float] = []
        self.forward: list[float] = []
        self.backward: list[float] = []

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self.passes.read()
        self._began = time.process_time()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Stop the clock."""
        self.seconds.append(time.process_time() - self._began)
        forward, backward = self.passes.read()
        self.forward.append(forward)
        self.backward.append(backward)


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    job = json.loads((folder / "job.json").read_text())
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder / "model", dtype=torch.float32, use_safetensors=True
    )
    rows = [
        {
            "prompt": [{"role": "user", "content": prompt["text"]}],
            "images": [Image.open(folder / name) for name in prompt["pictures"]],
            "rewards": prompt["rewards"],
            "keys": [json.dumps(answer) for answer in prompt["answers"]],
        }
        for prompt in job["prompts"]
    ]

    def reward(completion_ids: list[list[int]], rewards: list, keys: list, **_: Any) -> list[float]:
        return [
            values[known.index(json.dumps(list(ids)))]
            for ids, values, known in zip(completion_ids, rewards, keys, strict=True)
        ]

    samples = job["samples_per_prompt"]
    config = GRPOConfig(
        output_dir=str(folder / "trl"),
        max_steps=job["steps"],
        per_device_train_batch_size=job["trl_micro_batch"],
        gradient_accumulation_steps=job["prompts_per_step"] * samples // job["trl_micro_batch"],
        num_generations=samples,
        max_completion_length=job["max_tokens"],
        temperature=1.0,
        beta=0.0,
        learning_rate=5e-5,
        lr_scheduler_type="constant",
        shuffle_dataset=False,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_steps=1000,
        disable_tqdm=True,
    )
    clock = StepClock(PassClock(model))
    trainer = TimedTrainer(
        model=model,
        processing_class=load_processor(folder / "model"),
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list(rows),
        callbacks=[clock],
    )
    trainer.job, trainer.rollout_seconds = job, []
    trainer.train()
    update = [step - rollout for step, rollout in zip(clock.seconds, trainer.rollout_seconds, strict=True)]
    parts = zip(update, clock.forward, clock.backward, strict=True)
    result = {
        "step": clock.seconds,
        "rollout": trainer.rollout_seconds,
        "update": update,
        "forward": clock.forward,
        "backward": clock.backward,
        "rest": [whole - forward - backward for whole, forward, backward in parts],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    (folder / "trl.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
