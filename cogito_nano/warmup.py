"""Rebuild the shipped weights: supervised warm-up of cogito-nano from random initial weights.

    python -m cogito_nano.warmup --out DIR --seed 0

Two phases. First careful answers only, until the model sees. Then a mixture of careful and hasty answers, so that
sampled answers are right about a third of the time: the skill is there, but rarely used, and reinforcement
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

from cogito_core.console import run_cli, say
from cogito_nano.batches import Batch, encode_batch
from cogito_nano.model import build_model, save_folder
from cogito_nano.precision import bfloat16_products
from cogito_nano.report import accuracy_report
from cogito_nano.targets import careful, hasty, reworded
from cogito_nano.tasks import CATEGORIES, NanoItem
from cogito_nano.tasks.splits import generate
from cogito_nano.tokenizer import nano_texts, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration

BATCH_SIZE = 60
CAREFUL_SHARE = 0.25
LEARNING_RATE = 2e-3
MIXING_LEARNING_RATE = 3e-4


@dataclass(frozen=True)
class Phase:
    """A stretch of supervised training: the learning rate falls linearly from ``peak`` to a twentieth of it."""

    name: str
    steps: int
    peak: float
    answer: Callable[[NanoItem, random.Random], str]


def warm_up(
    out: Path, seed: int, careful_steps: int, mixed_steps: int
) -> tuple[Qwen2_5_VLForConditionalGeneration, PreTrainedTokenizerFast]:
    """Train from scratch and write the model folder; the same arguments give the same weights on one machine."""
    tokenizer = train_tokenizer(nano_texts())
    model = build_model(tokenizer, seed)
    stream = _stream(seed)
    rng = random.Random(f"warmup/{seed}")
    first = Phase("careful", careful_steps, LEARNING_RATE, lambda item, _: careful(item))
    second = Phase("mixed", mixed_steps, MIXING_LEARNING_RATE, _mixed_answer)
    for phase in (first, second):
        _train(model, tokenizer, phase, stream, rng)
        save_folder(model, tokenizer, out / phase.name)
    return model, tokenizer


def _mixed_answer(item: NanoItem, rng: random.Random) -> str:
    return careful(item) if rng.random() < CAREFUL_SHARE else hasty(item, rng)


def _stream(seed: int) -> Iterator[NanoItem]:
    """Warm-up questions without end, the categories in turn."""
    round_size = 3000
    part = 0
    while True:
        sources = [generate("warmup", category, round_size, seed * 1000 + part) for category in CATEGORIES]
        for _ in range(round_size):
            for source in sources:
                yield next(source)
        part += 1


def _train(
    model: Qwen2_5_VLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    phase: Phase,
    stream: Iterator[NanoItem],
    rng: random.Random,
) -> None:
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
        lr=phase.peak,
        betas=(0.9, 0.98),
    )
    began, shown = time.process_time(), 0.0
    for step in range(phase.steps):
        rate = phase.peak * min(1.0, (step + 1) / 100, 1.05 - step / phase.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = [(item, phase.answer(item, rng)) for item in (reworded(next(stream), rng) for _ in range(BATCH_SIZE))]
        # Two halves by length: less padding for the same sum of gradients.
        rows.sort(key=lambda row: len(row[0].problem) + len(row[1]))
        halves = [_encode(tokenizer, rows[: BATCH_SIZE // 2]), _encode(tokenizer, rows[BATCH_SIZE // 2 :])]
        total = sum(int(half.targets.sum()) for half in halves)
        loss = 0.0
        for half in halves:
            with bfloat16_products(model):
                part = _answer_loss(model, half) / total
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        shown += loss
        if (step + 1) % 100 == 0:
            say(f"{phase.name} step {step + 1}/{phase.steps}: loss {shown / 100:.4f}, {time.process_time() - began:.0f} CPU s")
            shown = 0.0


def _encode(tokenizer: PreTrainedTokenizerFast, rows: list[tuple[NanoItem, str]]) -> Batch:
    return encode_batch(
        tokenizer, [item.png_bytes for item, _ in rows], [item.problem for item, _ in rows], [text for _, text in rows]
    )


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
) -> None:
    """Train cogito-nano from random weights and report its accuracy by category."""
    torch.use_deterministic_algorithms(True)
    model, tokenizer = warm_up(out, seed, careful_steps, mixed_steps)
    save_folder(model, tokenizer, out)
    report = accuracy_report(model, tokenizer, per_category=60, seed=seed)
    (out / "warmup.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    say(json.dumps(report, indent=1))


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(main)
    run_cli(app)
