"""Checks before the first step: what would waste a run is found in its first minute."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import torch

from cogito_core.console import CogitoError
from cogito_core.engines.base import Chat
from cogito_core.engines.encode import IMAGE_TOKEN, ChatEncoder, RequestError
from cogito_core.images import picture_size, smart_resize
from cogito_core.sample import ANSWER_KINDS, json_cell
from cogito_core.shards import SampleStore
from cogito_core.verify import judge
from cogito_core.verify.kinds import canonical_kind
from cogito_train.config import TrainRecipe
from cogito_train.parallel import World
from cogito_train.plan import GIB, OVERHEAD, ModelSize, make_plan
from cogito_train.rollout import Refused
from cogito_train.scores import StepScores

# With more golds than this that the verifier does not accept, the data or its answer kinds are wrong as a whole.
MAX_BAD_GOLDS = 0.05

_GOLD_COLUMNS = ("id", "answer", "answer_kind", "answer_spec", "answer_aliases", "choices")


def unusable_golds(data: SampleStore) -> dict[int, Refused]:
    """Rows without a gold, of a kind that no verifier has, or whose gold, boxed as a model would, the verifier does
    not call right.

    Raises CogitoError if they are more than one in twenty.
    """
    columns = [data.column(name) for name in _GOLD_COLUMNS]
    bad: dict[int, Refused] = {}
    for row, (sample_id, answer, kind, spec_text, aliases, choices) in enumerate(zip(*columns, strict=True)):
        if not answer.strip():
            bad[row] = Refused(sample_id, "the row has no gold")
            continue
        if canonical_kind(kind) not in ANSWER_KINDS:
            # The verifier would guess a rule from the gold: right for a plain number, and by luck for all else.
            bad[row] = Refused(sample_id, f"answer_kind: '{kind}' is none of {', '.join(ANSWER_KINDS)}")
            continue
        spec = json_cell(spec_text, f"{data.directory}, row {sample_id!r}: the column 'answer_spec'")
        verdict = judge(
            f"<think></think><answer>\\boxed{{{answer}}}</answer>",
            answer,
            kind=kind,
            choices=choices or (),
            aliases=aliases or (),
            policy=spec.get("policy", "exact"),
            spec=spec,
        )
        if not verdict.is_right:
            bad[row] = Refused(sample_id, f"the verifier calls the row's own gold '{answer}' {verdict.outcome}")
    if len(bad) > MAX_BAD_GOLDS * len(data):
        first = next(iter(bad.values()))
        raise CogitoError(
            f"{data.directory}: {len(bad)} of {len(data)} rows could never be solved; the first is {first.id}: "
            f"{first.reason}"
        )
    return bad


def count_prompt_tokens(encoder: ChatEncoder, chat: Chat) -> int:
    """Tokens of a prompt with all of its image tokens, from the picture headers alone: nothing is decoded.

    Raises RequestError if the chat cannot be asked.
    """
    ids = encoder.tokenizer(encoder.render(chat), add_special_tokens=False)["input_ids"]
    image_token = encoder.tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
    total = sum(token != image_token for token in ids)
    limits = encoder.limits
    for picture in chat.images:
        name = picture.path or "picture"
        try:
            width, height = picture_size(picture.bytes, where=name)
            tall, wide = smart_resize(
                height, width, factor=limits.factor, min_pixels=limits.min_pixels, max_pixels=limits.max_pixels
            )
        except (CogitoError, ValueError) as error:
            raise RequestError(f"{name}: {error}") from error
        total += (tall // limits.factor) * (wide // limits.factor)
    return total


def check_first_rollouts(scores: StepScores) -> None:
    """Raise CogitoError if the first step's answers are all wrong or all right: nothing could be learned."""
    answers = scores.correct.size
    if not scores.correct.any():
        raise CogitoError(
            f"none of the first {answers} answers is right: the model, the prompt or the verifier does not fit the "
            "data (train.check_first_rollouts=false trains all the same)"
        )
    if scores.correct.all():
        raise CogitoError(
            f"all of the first {answers} answers are right: these rows are too easy to learn from "
            "(train.check_first_rollouts=false trains all the same)"
        )


def check_memory(recipe: TrainRecipe, size: ModelSize, world: World) -> None:
    """Raise CogitoError if a process's share of the plan is more than its GPU has, or the machine's main memory.

    On a GPU an in-process engine's part is left to the engine, which states its own limit.
    """
    plan = make_plan(recipe, size, gpus=world.size, gpu_memory=0.0)
    if world.device.type == "cuda":
        _enough(f"the GPU {world.device}", torch.cuda.mem_get_info(world.device)[0] / GIB, plan.update_total)
    share = sum(plan.host.values()) / world.size
    if world.device.type == "cpu":
        share += sum(gib for part, gib in plan.update.items() if part != OVERHEAD)
    _enough("this machine", _free_memory(), int(os.environ.get("LOCAL_WORLD_SIZE", "1")) * share)


def _enough(place: str, free: float, needed: float) -> None:
    if free < needed:
        raise CogitoError(
            f"{place} has {free:.1f} GiB of memory free and training needs about {needed:.1f} GiB (cogito-train plan "
            "shows the parts): use more GPUs, optimizer.bits=8, cpu_offload, lora.rank or fewer micro_batch_tokens"
        )


def _free_memory() -> float:
    """GiB of main memory that can be had without swapping; unlimited where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return math.inf
    values = dict(line.split(":", 1) for line in lines)
    return int(values["MemAvailable"].split()[0]) * 1024 / GIB if "MemAvailable" in values else math.inf


def check_disk(directory: Path, num_parameters: int, recipe: TrainRecipe) -> None:
    """Raise CogitoError if the disk cannot hold what a run keeps at its fullest.

    That is two checkpoints (one while it replaces the other) of weights and two moments in float32, and for each
    stage the best weights in float32 with one candidate aside. What a resumed run holds of it already counts.
    """
    needed = num_parameters * 4 * (2 * 3 + len(recipe.stages) + 2)
    held = sum(path.stat().st_size for path in (directory / "stages").rglob("*") if path.is_file())
    free = shutil.disk_usage(directory).free
    if free + held < needed:
        raise CogitoError(
            f"{directory} has {free / GIB:.2f} GiB free and the run needs about {(needed - held) / GIB:.2f} GiB more "
            "for its checkpoints; free some space or choose another -o"
        )
