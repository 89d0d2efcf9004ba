"""One GRPO step of nano, ours beside TRL's GRPOTrainer: same model, prompts and answers, one thread, CPU seconds.

    python bench/grpo_step.py --trl-python /tmp/venv-trl/bin/python [--steps 7] [--json FILE]

TRL lives in an environment of its own: `pip install torch==2.13.0 trl==1.16.0 "transformers<5.20"`. Both sides sample
their own answers (that is the rollout's time) and then update on the answers of the job. No KL term on either side,
which is TRL's default. The first two steps warm up and do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

PROMPTS, SAMPLES, MAX_TOKENS, WARM_UP = 16, 8, 48, 2
PHASES = ("rollout", "update", "step")
SETTINGS = [
    f"prompts_per_step={PROMPTS}",
    f"prompts_per_update={PROMPTS}",
    f"samples_per_prompt={SAMPLES}",
    f"max_response_tokens={MAX_TOKENS}",
    "objective.kl=0",
    "record_rollouts=false",
]


def prepare(folder: Path, model: str, steps: int) -> None:
    """Write the job: the model, the pictures, the prompts, and answers of the model with their rewards."""
    from cogito_core.engines.base import Sampling
    from cogito_core.engines.models import resolve_model
    from cogito_core.engines.transformers_engine import TransformersEngine
    from cogito_core.sample import Picture, Sample
    from cogito_nano.tasks import CATEGORIES
    from cogito_nano.tasks.splits import generate
    from cogito_train.rollout import roll_out

    each = -(-PROMPTS * steps // len(CATEGORIES))
    columns = [list(generate("train", category, each, seed=0)) for category in CATEGORIES]
    items = [item for row in zip(*columns, strict=True) for item in row][: PROMPTS * steps]
    samples = [
        Sample(
            id=str(number),
            source="nano",
            category=item.category,
            split="train",
            problem=item.problem,
            images=(Picture(item.png_bytes),),
            answer=item.answer,
            answer_kind=item.answer_kind,
            choices=item.choices,
        )
        for number, item in enumerate(items)
    ]
    shutil.copytree(resolve_model(model), folder / "model")
    groups, _ = roll_out(
        TransformersEngine.load(str(folder / "model")),
        samples,
        prompt="nano",
        num_samples=SAMPLES,
        sampling=Sampling(max_tokens=MAX_TOKENS, logprobs=True),
        seed_parts=("bench",),
    )
    prompts = []
    for sample, group in zip(samples, groups, strict=True):
        (folder / f"{sample.id}.png").write_bytes(sample.images[0].bytes)
        prompts.append(
            {
                # TRL puts the picture before the text; the template then writes the same prompt.
                "text": sample.problem.replace("<image>", ""),
                "problem": sample.problem,
                "pictures": [f"{sample.id}.png"],
                "answer": sample.answer,
                "kind": sample.answer_kind,
                "choices": sample.choices,
                "answers": [answer.token_ids for answer in group.answers],
                "rewards": [float(value) for value in group.correct],
            }
        )
    job = {
        "steps": steps,
        "prompts_per_step": PROMPTS,
        "samples_per_prompt": SAMPLES,
        "max_tokens": MAX_TOKENS,
        "trl_micro_batch": PROMPTS * SAMPLES,
        "sample": True,
        "force_signal": False,
        "settings": SETTINGS,
        "prompts": prompts,
    }
    (folder / "job.json").write_text(json.dumps(job))


def use_plain_form(scorer: Any) -> None:
    """Let the update go through the plain form: one padded row an answer, prompt and pictures repeated."""
    import torch

    from cogito_train.scoring import plain_logprobs

    pack = scorer.pack
    waiting: list[Any] = []

    def keep(groups: Any) -> Any:
        waiting[:] = groups
        return pack(groups)

    def forward(batch: Any) -> Any:
        logprobs = plain_logprobs(scorer, waiting)
        return logprobs, torch.zeros_like(logprobs)

    scorer.pack, scorer.forward = keep, forward


def run_ours(folder: Path, *, plain: bool) -> None:
    """The worker of our side: steps of the trainer, the rollout's answers replaced by the job's."""
    import torch

    from cogito_core.engines.base import Answer
    from cogito_core.prompts import build_chat
    from cogito_core.sample import Picture, Sample
    from cogito_core.shards import write_shards
    from cogito_train.config import load_train_recipe
    from cogito_train.loop import Trainer
    from cogito_train.optim import new_optimizer
    from cogito_train.parallel import World
    from cogito_train.preflight import count_prompt_tokens
    from cogito_train.rollout import RolloutGroup, judge_answer

    job = json.loads((folder / "job.json").read_text())
    samples = [
        Sample(
            id=f"{number:06d}",
            source="nano",
            category="math",
            split="train",
            problem=prompt["problem"],
            images=tuple(Picture((folder / name).read_bytes()) for name in prompt["pictures"]),
            answer=prompt["answer"],
            answer_kind=prompt["kind"],
            choices=tuple(prompt["choices"]),
        )
        for number, prompt in enumerate(job["prompts"])
    ]
    write_shards(samples, folder / "data", split="train")
    recipe = load_train_recipe("nano", [*job["settings"], f"model={folder / 'model'}", f"data={folder}"])
    trainer = Trainer(recipe, folder, None, World.join())
    trainer.optimizer = new_optimizer(trainer.policy, recipe.optimizer)
    stage, tokenizer = recipe.stages[0], trainer.policy.tokenizer
    by_id = {trainer.data.train[row].id: row for row in range(len(samples))}
    spent = {"forward": 0.0, "backward": 0.0}

    def timed(name: str, function: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            done = function(*args, **kwargs)
            spent[name] += time.process_time() - start
            return done

        return run

    scorer: Any = trainer.policy.scorer
    if plain:
        use_plain_form(scorer)
    scorer.forward = timed("forward", scorer.forward)
    torch.Tensor.backward = timed("backward", torch.Tensor.backward)  # type: ignore[method-assign]
    result: dict[str, Any] = {"step": [], "rollout": [], "update": [], "forward": [], "backward": [], "rest": []}
    size = job["prompts_per_step"]
    for step in range(job["steps"]):
        numbers = range(step * size, (step + 1) * size)
        began = time.process_time()
        if job["sample"]:
            trainer._roll_out(stage, [by_id[f"{n:06d}"] for n in numbers], 0)
        sampled = time.process_time()
        spent.update(forward=0.0, backward=0.0)
        groups = []
        for number in numbers:
            sample, encoder = samples[number], trainer.policy.encoder
            prompt_tokens = count_prompt_tokens(encoder, build_chat("nano", sample.problem, sample.images))
            answers = tuple(
                Answer(
                    text=tokenizer.decode(ids, skip_special_tokens=True),
                    token_ids=tuple(ids),
                    logprobs=None,
                    finish="stop",
                    n_tokens=len(ids),
                    n_prompt_tokens=prompt_tokens,
                    seed=0,
                )
                for ids in job["prompts"][number]["answers"]
            )
            groups.append(RolloutGroup(sample, answers, tuple(judge_answer(sample, a.text) for a in answers)))
        scores = trainer._score(stage, groups)
        if job["force_signal"]:
            scores.advantages = np.array([job["prompts"][n]["rewards"] for n in numbers]) - 0.5
        trainer._update(stage, groups, scores, None)
        ended = time.process_time()
        result["rollout"].append(sampled - began)
        result["update"].append(ended - sampled)
        result["step"].append(ended - began)
        result["forward"].append(spent["forward"])
        result["backward"].append(spent["backward"])
        result["rest"].append(ended - sampled - spent["forward"] - spent["backward"])
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (folder / ("plain.json" if plain else "ours.json")).write_text(json.dumps(result))


def compare(
    folder: Path,
    trl_python: Path | None,
    *,
    name: str = "grpo",
    phases: Sequence[str] = PHASES,
    warm_up: int = WARM_UP,
    plain: bool = False,
) -> dict[str, dict[str, Any]]:
    """Run the workers one after the other, each alone with one thread; returns the figures by metric.

    With `plain` our own plain form runs too and stands beside under `plain`.
    """
    alone = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    here = Path(__file__).resolve().parent
    ours_environment = {**alone, "PYTHONPATH": str(here.parent)}
    worker = [sys.executable, str(here / "grpo_step.py"), "--worker", str(folder)]
    for more in ([], ["--plain"]) if plain else ([],):
        subprocess.run([*worker, *more], check=True, env=ours_environment)
    ours = json.loads((folder / "ours.json").read_text())
    beside = json.loads((folder / "plain.json").read_text()) if plain else None
    peer = None
    if trl_python is not None:
        command = [str(trl_python), str(here / "trl_worker.py"), str(folder)]
        subprocess.run(command, check=True, env=alone, stdout=subprocess.DEVNULL)
        peer = json.loads((folder / "trl.json").read_text())
    figures = {}
    for phase in phases:
        mine = statistics.median(ours[phase][warm_up:])
        theirs = statistics.median(peer[phase][warm_up:]) if peer else None
        figures[f"{name}_{phase}"] = _figure(mine, theirs, "CPU s")
        if beside is not None:
            figures[f"{name}_{phase}"]["plain"] = statistics.median(beside[phase][warm_up:])
    figures[f"{name}_peak_memory"] = _figure(ours["peak_mib"], peer["peak_mib"] if peer else None, "MiB")
    if beside is not None:
        figures[f"{name}_peak_memory"]["plain"] = beside["peak_mib"]
    return figures


def _figure(ours: float, peer: float | None, unit: str) -> dict[str, Any]:
    ratio = ours / peer if peer else None
    return {"ours": ours, "peer": peer, "peer_name": "trl 1.16.0 GRPOTrainer", "ratio": ratio, "unit": unit}


def show(title: str, figures: dict[str, dict[str, Any]]) -> None:
    """Print the figures as a table."""
    from cogito_core.console import table

    def shown(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    rows = [
        [name, shown(f["ours"], 3), shown(f.get("plain"), 3), shown(f["peer"], 3), shown(f["ratio"], 2), f["unit"]]
        for name, f in figures.items()
    ]
    table(title, ["metric", "ours", "our plain form", "TRL", "ours / TRL", "unit"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--trl-python", type=Path, help="python of the environment that has TRL; without it ours alone"
    )
    parser.add_argument("--model", default="nano")
    parser.add_argument("--steps", type=int, default=7, help="steps that count; the median is shown")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        import torch

        torch.set_num_threads(1)
        run_ours(options.worker, plain=options.plain)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare(folder, options.model, options.steps + WARM_UP)
        figures = compare(folder, options.trl_python)
    show(f"One GRPO step of nano: {PROMPTS} prompts x {SAMPLES} answers, median of {options.steps}", figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
