"""The update phase at the paper's token shape, ours beside TRL's GRPOTrainer, one CPU thread, random weights.

    python bench/trainer.py --trl-python /tmp/venv-trl/bin/python [--shape paper|half|small] [--steps 2] [--json FILE]

One prompt with one picture and 16 answers; the paper's shape is 1,400 prompt tokens (1,369 of the picture) and
answers of 300. The model is narrow (hidden 128, 4 layers) so that a CPU can run it; the ratio of tokens is that
of the real one. Answers are random and the same on all sides, nothing is sampled. TRL repeats prompt and picture for
each answer, and so does our own plain form, which runs too; the trainer reads them once (docs/training.md, "The
group-shared forward"). The update is forward, backward, and the rest: pictures, packing, loss, optimiser. The paper's
shape takes some two minutes with two steps.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from grpo_step import compare, show

ANSWERS = 16
SHAPES = {"paper": (37, 300), "half": (26, 150), "small": (12, 60)}
"""Merged patches along a side of the picture, tokens of an answer."""
PATCH = 28


def build_model(folder: Path, side: int) -> None:
    """nano's folder with a larger random model and pixel limits that fit the picture."""
    import torch
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    from cogito_core.engines.models import resolve_model

    shutil.copytree(resolve_model("nano"), folder)
    config = AutoConfig.from_pretrained(folder)
    config.vision_config.depth = 4
    config.vision_config.fullatt_block_indexes = [3]
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    path = folder / "preprocessor_config.json"
    values = json.loads(path.read_text())
    pixels = (side * PATCH) ** 2
    values.update({"min_pixels": pixels, "max_pixels": pixels})
    values["size"] = {"shortest_edge": pixels, "longest_edge": pixels}
    path.write_text(json.dumps(values))


def prepare(folder: Path, side: int, length: int, steps: int) -> None:
    """Write the job: the model, noise pictures, random answers."""
    from PIL import Image

    build_model(folder / "model", side)
    rng = np.random.default_rng(0)
    prompts = []
    for number in range(steps):
        noise = rng.integers(0, 255, size=(side * PATCH, side * PATCH, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
        prompts.append(
            {
                "text": "how many circles are there ?",
                "problem": "<image>how many circles are there ?",
                "pictures": [f"{number}.png"],
                "answer": "3",
                "kind": "number",
                "choices": [],
                "answers": rng.integers(20, 500, size=(ANSWERS, length)).tolist(),
                "rewards": [float(i % 2) for i in range(ANSWERS)],
            }
        )
    job = {
        "steps": steps,
        "prompts_per_step": 1,
        "samples_per_prompt": ANSWERS,
        "max_tokens": length,
        "trl_micro_batch": ANSWERS,
        "sample": False,
        "force_signal": True,
        "settings": [
            "prompts_per_step=1", "prompts_per_update=1", f"samples_per_prompt={ANSWERS}",
            f"max_response_tokens={length}", "max_prompt_tokens=4096", "objective.kl=0", "record_rollouts=false",
        ],
        "prompts": prompts,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--trl-python", type=Path, help="python of the environment that has TRL; without it ours alone"
    )
    parser.add_argument("--shape", choices=SHAPES, default="half")
    parser.add_argument("--steps", type=int, default=2, help="steps that count, after one to warm up")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    side, length = SHAPES[options.shape]
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch), side, length, options.steps + 1)
        name = f"{options.shape}_shape"
        phases = ("update", "forward", "backward", "rest")
        figures = compare(Path(scratch), options.trl_python, name=name, phases=phases, warm_up=1, plain=True)
    show(f"Update of one prompt: {side * side} picture tokens, {ANSWERS} answers of {length}", figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
