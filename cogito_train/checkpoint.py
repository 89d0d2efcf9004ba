"""Exact resume: weights, optimiser and progress in one checkpoint. No random state is kept because there is
none.

Every seed and the data order are hashes of (run seed, stage, step, prompt, sample), so a run killed at any
instant and started again computes what the undisturbed run computes, bit for bit. Tensors are stored by
PyTorch's distributed checkpoint, which can be loaded by another number of processes, in its safetensors form:
its own form keeps a pickle beside the tensors, and opening a pickle runs whatever is in it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.distributed import checkpoint as dcp

from cogito_core.console import CogitoError
from cogito_train.optim import moments, set_step_counts
from cogito_train.parallel import World
from cogito_train.policy import Policy, replace_folder, write_json
from cogito_train.tensor_files import plain_errors


@dataclass
class Progress:
    """Where a run stands: `step` steps of stage number `stage` are done.

    `updates` counts the stage's optimiser updates, `position` the prompts drawn from its order. `best_*`
    belong to the stage; `finished` lists what each finished stage handed on; `start_weights` and
    `reference` are folders, relative to the run's where they lie in it: the weights that the stage started from and
    those that anchor the KL term.
    """

    stage: int = 0
    step: int = 0
    updates: int = 0
    position: int = 0
    best_step: int | None = None
    best_accuracy: float | None = None
    start_weights: str = ""
    reference: str = ""
    validations: list[dict[str, Any]] = field(default_factory=list)
    finished: list[dict[str, Any]] = field(default_factory=list)


def save_checkpoint(
    directory: Path, policy: Policy, optimizer: torch.optim.Optimizer, progress: Progress, world: World
) -> None:
    """Write a checkpoint in the place of the one before (a collective call). Raises OSError if the disk is full."""
    aside = directory.with_name(f".{directory.name}.aside")
    if world.is_main:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
    world.barrier()
    writer = dcp.HuggingFaceStorageWriter(str(aside), save_distributed=True)
    with plain_errors():
        dcp.save(_state(policy, optimizer, world), storage_writer=writer, no_dist=world.size == 1)
    if world.is_main:
        write_json(aside / "progress.json", asdict(progress))
        replace_folder(aside, directory)
    world.barrier()


def load_progress(directory: Path) -> Progress | None:
    """The progress of the checkpoint in `directory`, None if there is none yet.

    A kill between two renames leaves only the old folder under its hidden name: that one counts then.
    """
    _recover(directory)
    path = directory / "progress.json"
    if not directory.exists():
        return None
    try:
        return Progress(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CogitoError(f"{path} cannot be read ({error}); remove {directory} to start the run anew") from error


def load_checkpoint(directory: Path, policy: Policy, optimizer: torch.optim.Optimizer, world: World) -> None:
    """Load weights and optimiser state in place (a collective call).

    With LoRA only the adapters are stored: the frozen weights must be in place already.

    Raises CogitoError if a file is damaged, or a tensor is missing on either side: nothing may silently keep its old
    value.
    """
    try:
        with plain_errors():
            _load(directory, policy, optimizer, world)
    except (SafetensorError, OSError) as error:
        raise CogitoError(
            f"the checkpoint {directory} cannot be read ({error}); remove it to start the run anew"
        ) from error


def _load(directory: Path, policy: Policy, optimizer: torch.optim.Optimizer, world: World) -> None:
    state = _state(policy, optimizer, world)
    reader = dcp.HuggingFaceStorageReader(str(directory))
    # What belongs to the shards of other processes alone is theirs to check.
    others = [f".shard-{rank}." for rank in range(world.size) if rank != world.rank]
    everything = reader.read_metadata().state_dict_metadata
    stored = {name for name in everything if not any(mark in name for mark in others)}
    wanted = {f"{part}.{name}" for part, tensors in state.items() for name in tensors}
    if stored != wanted:
        odd = sorted(stored ^ wanted)
        raise CogitoError(f"the checkpoint {directory} does not fit this run: {len(odd)} tensors, {odd[0]} first")
    dcp.load(state, storage_reader=reader, no_dist=world.size == 1)
    set_step_counts(policy, optimizer, state["optimizer"], world.rank)


def _state(policy: Policy, optimizer: torch.optim.Optimizer, world: World) -> dict[str, dict[str, Tensor]]:
    kept = policy.trainable if policy.recipe.lora.rank else policy.scorer.named_parameters()
    weights = {name: p.detach() for name, p in kept}
    return {"weights": weights, "optimizer": moments(policy, optimizer, world.rank)}


def _recover(directory: Path) -> None:
    old = directory.with_name(f".{directory.name}.old")
    if not directory.exists() and old.exists():
        old.rename(directory)
