"""Rebuild the shipped weights: supervised warm-up of cogito-nano from random initial weights.

    python -m cogito_nano.warmup --out DIR --seed 0

Two phases. First careful answers only, until the model sees. Then a mixture of careful and hasty answers, so that
sampled answers are right about a third of the time: the skill is there but rarely used, and reinforcement
learning has something to find. The report is printed and written to ``DIR/warmup.json``.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
import typer

from cogito_core.console import run_cli, say, table
from cogito_core.engines import open_engine
from cogito_nano.batches import Batch, encode_batch, encode_texts
from cogito_nano.drills import drill
from cogito_nano.model import build_model, continue_model, save_folder
from cogito_nano.precision import bfloat16_products
from cogito_nano.report import accuracy_report
from cogito_nano.targets import careful, hasty, reworded
from cogito_nano.tasks import CATEGORIES, NanoItem
from cogito_nano.tasks.splits import generate
from cogito_nano.tokenizer import nano_texts, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration

BATCH_SIZE = 48
CAREFUL_SHARE = 0.25
"""Share of careful answers in the second phase."""


@dataclass(frozen=True)
class Phase:
    """A stretch of supervised training: the learning rate stays at ``peak`` for 60% of it, then falls to nearly 0."""

    name: str
    steps: int
    peak: float
    answer: Callable[[NanoItem, random.Random], str]
    drilled: float = 0.0
    """Share of the steps, from the first one, that practise text-only look-ups beside the pictures."""


def phases(careful_steps: int, mixed_steps: int, careful_rate: float = 2e-3) -> tuple[Phase, Phase]:
    """The two phases of the module's first lines."""
    return (
        Phase("careful", careful_steps, careful_rate, lambda item, _: careful(item), drilled=0.7),
        Phase("mixed", mixed_steps, 3e-4, _mixed_answer),
    )


def warm_up(folder: Path, seed: int, plan: tuple[Phase, ...], start: Path | None = None) -> None:
    """Train phase after phase and write the last weights to ``folder``, each phase's to a subfolder.

    Training begins with random weights, or with those of the model folder ``start``. The same arguments give the
    same weights on the same machine.
    """
    tokenizer = train_tokenizer(nano_texts())
    model = continue_model(tokenizer, seed, start) if start else build_model(tokenizer, seed)
    for phase in plan:
        _train(model, tokenizer, phase, seed)
        save_folder(model, tokenizer, folder / phase.name)
    save_folder(model, tokenizer, folder)


def _mixed_answer(item: NanoItem, rng: random.Random) -> str:
    return careful(item) if rng.random() < CAREFUL_SHARE else hasty(item, rng)


def _questions(seed: int, rng: random.Random) -> Iterator[NanoItem]:
    """Warm-up questions without end, the categories in turn, some reworded as the data pipeline does it."""
    round_size = 3000
    part = 0
    while True:
        sources = [generate("warmup", category, round_size, seed + part) for category in CATEGORIES]
        for _ in range(round_size):
            for source in sources:
                yield reworded(next(source), rng)
        part += 1


def _train(
    model: Qwen2_5_VLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, phase: Phase, seed: int
) -> None:
    rng = random.Random(f"warmup/{phase.name}/{seed}")
    questions = _questions(rng.randrange(1 << 20), rng)
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    vectors = [weight for weight in model.parameters() if weight.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}],
        lr=phase.peak,
        betas=(0.9, 0.98),
    )
    began, losses = time.process_time(), []
    for step in range(phase.steps):
        for group in optimizer.param_groups:
            group["lr"] = phase.peak * min((step + 1) / 100, 2.55 * (1 - step / phase.steps) + 0.02, 1.0)
        rows = [(item, phase.answer(item, rng)) for item in (next(questions) for _ in range(BATCH_SIZE))]
        # Two halves by length: less padding for the same gradient.
        rows.sort(key=lambda row: len(row[0].problem) + len(row[1]))
        half = len(rows) // 2
        batches = [_encode(tokenizer, part) for part in (rows[:half], rows[half:])]
        if step < phase.drilled * phase.steps:
            questions_and_answers = [drill(rng) for _ in range(BATCH_SIZE)]
            batches.append(encode_texts(tokenizer, *zip(*questions_and_answers, strict=True)))
        losses.append(_step(model, optimizer, batches))
        if (step + 1) % 100 == 0:
            mean, spent = sum(losses[-100:]) / 100, time.process_time() - began
            say(f"{phase.name} step {step + 1}/{phase.steps}: loss {mean:.4f}, {spent:.0f} CPU s")


def _step(model: Qwen2_5_VLForConditionalGeneration, optimizer: torch.optim.Optimizer, batches: list[Batch]) -> float:
    """One update; returns the mean negative log-probability of an answer token in nats."""
    tokens = sum(int(batch.targets.sum()) for batch in batches)
    loss = 0.0
    for batch in batches:
        with bfloat16_products(model):
            part_loss = _answer_loss(model, batch) / tokens
        part_loss.backward()
        loss += part_loss.item()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss


def _encode(tokenizer: PreTrainedTokenizerFast, rows: list[tuple[NanoItem, str]]) -> Batch:
    pictures = [item.png_bytes for item, _ in rows]
    return encode_batch(tokenizer, pictures, [item.problem for item, _ in rows], [text for _, text in rows])


def _answer_loss(model: Qwen2_5_VLForConditionalGeneration, batch: Batch) -> torch.Tensor:
    """The sum of the answer tokens' negative log-probabilities, in nats."""
    hidden: Any = model.model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        pixel_values=batch.pixel_values,
        image_grid_thw=batch.image_grid_thw,
        use_cache=False,
    ).last_hidden_state
    wanted = batch.targets[:, 1:]
    logits = model.lm_head(hidden[:, :-1][wanted])
    return torch.nn.functional.cross_entropy(logits.float(), batch.input_ids[:, 1:][wanted], reduction="sum")


def main(
    out: Annotated[Path, typer.Option(help="Folder to write the model to.")],
    seed: Annotated[int, typer.Option(help="Seed of weights, questions and answers.")] = 0,
    careful_steps: Annotated[int, typer.Option(help="Optimizer steps on careful answers.")] = 4000,
    mixed_steps: Annotated[int, typer.Option(help="Optimizer steps on the mixture.")] = 300,
    start: Annotated[Path | None, typer.Option(help="Model folder to begin with instead of random weights.")] = None,
    careful_rate: Annotated[float, typer.Option(help="Peak learning rate of the careful phase.")] = 2e-3,
    report_rows: Annotated[int, typer.Option(help="Validation questions of each category in the report.")] = 150,
) -> None:
    """Train cogito-nano from random weights and report its accuracy by category."""
    torch.use_deterministic_algorithms(True)
    warm_up(out, seed, phases(careful_steps, mixed_steps, careful_rate), start)
    report: dict[str, Any] = {}
    for name, folder in (("careful", out / "careful"), ("base", out)):
        engine = open_engine("transformers", str(folder))
        report[name] = accuracy_report(engine, per_category=report_rows, seed=seed)
        engine.close()
    report["settings"] = {
        "seed": seed,
        "start": "random" if start is None else str(start),
        "careful": [careful_steps, careful_rate],
        "mixed_steps": mixed_steps,
        "report_rows": report_rows,
    }
    (out / "warmup.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    columns = {f"{name}, {how}": report[name][how] for name in ("careful", "base") for how in ("greedy", "sampled")}
    keys = ["all", *CATEGORIES, "level 1", "level 2", "level 3", "well-formed"]
    table("Accuracy", ["", *columns], [[key, *(f"{part[key]:.2f}" for part in columns.values())] for key in keys])


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(main)
    run_cli(app)
