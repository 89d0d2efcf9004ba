"""The processes of a run: one alone, or several under torchrun that share the model by FSDP2."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import distributed

# A process that waits longer than this for another one has met a hang: better a stack trace than silence.
COLLECTIVE_TIMEOUT_S = 1800

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """This process among `size` of them, and the device it computes on."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def join(cls) -> World:
        """Join the group that torchrun announces in the environment; alone if it announces none."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        has_gpu = torch.cuda.is_available()
        device = torch.device("cuda", local) if has_gpu else torch.device("cpu")
        if has_gpu:
            torch.cuda.set_device(device)
        if size == 1:
            return cls(0, 1, device)
        if not distributed.is_initialized():
            limit = datetime.timedelta(seconds=int(os.environ.get("COGITO_TIMEOUT_S", COLLECTIVE_TIMEOUT_S)))
            distributed.init_process_group(_backend(has_gpu), timeout=limit)
        return cls(distributed.get_rank(), size, device)

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def leave(self) -> None:
        """Leave the group."""
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def mine(self, items: Sequence[T]) -> list[T]:
        """This process's share: every `size`-th item from `rank` on."""
        return list(items[self.rank :: self.size])

    def gather(self, share: list[T]) -> list[T]:
        """The shares of all processes (as dealt by `mine`) put back in order; equal on every process."""
        if self.size == 1:
            return share
        shares: list[Any] = [None] * self.size
        distributed.all_gather_object(shares, share)
        total = sum(len(part) for part in shares)
        return [shares[i % self.size][i // self.size] for i in range(total)]

    def sum(self, values: dict[str, float]) -> dict[str, float]:
        """Each value summed over all processes."""
        if self.size == 1:
            return values
        keys = sorted(values)
        return dict(zip(keys, self._reduce([values[k] for k in keys], distributed.ReduceOp.SUM), strict=True))

    def max(self, value: float) -> float:
        """The largest value of all processes."""
        return value if self.size == 1 else self._reduce([value], distributed.ReduceOp.MAX)[0]

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            distributed.barrier()

    def _reduce(self, values: list[float], operation: Any) -> list[float]:
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor, op=operation)
        return [float(v) for v in tensor]


def _backend(has_gpu: bool) -> str:
    # Offloaded shards are reduced where they lie, so gloo is there beside NCCL.
    return "cpu:gloo,cuda:nccl" if has_gpu else "gloo"


def shard(scorer: Any, world: World, *, param_dtype: torch.dtype, cpu_offload: bool) -> None:
    """Shard a scorer over all processes with FSDP2: vision blocks, decoder layers, then the rest at the root.

    Parameters stay float32 in their shards; computation is in `param_dtype`, gradients are reduced in
    float32. With `cpu_offload` shards, gradients and so the optimiser live in the main memory; a layer is on the GPU
    while it works.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy, OffloadPolicy, fully_shard

    if not distributed.is_initialized():  # one process that shards with nobody, for the sake of offloading
        store = distributed.HashStore()
        distributed.init_process_group(_backend(world.device.type == "cuda"), store=store, rank=0, world_size=1)
    mesh = init_device_mesh(world.device.type, (world.size,))
    policy = MixedPrecisionPolicy(param_dtype=param_dtype, reduce_dtype=torch.float32)
    on_gpu = world.device.type == "cuda"
    offload = CPUOffloadPolicy(pin_memory=on_gpu) if cpu_offload else OffloadPolicy()
    inner = scorer.model.model
    for block in (*inner.visual.blocks, *inner.language_model.layers):
        fully_shard(block, mesh=mesh, mp_policy=policy, offload_policy=offload)
    fully_shard(scorer, mesh=mesh, mp_policy=policy, offload_policy=offload)
    scorer.always_see = True


def full_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor put together (a collective call), any other as it is."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def local_tensor(tensor: Any) -> Any:
    """This process's part of a sharded tensor, in the same memory; any other tensor as it is."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def like(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A whole tensor cut up as `target` is, for copying into it (a collective call where that is sharded)."""
    if hasattr(target, "device_mesh"):
        from torch.distributed.tensor import distribute_tensor

        sharded: Any = target
        return distribute_tensor(source.to(target.device), sharded.device_mesh, sharded.placements)
    return source.to(target.device)
