"""FSDP2 in bfloat16 over two processes: the gradient is the float32 one within bfloat16's rounding, kept in float32."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from .test_update import _gradient, _groups, _Policy

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import torch
from cogito_train.parallel import World, full_tensor, shard
from cogito_train.update import update_policy
from tests.train.test_update import _groups, _Policy, _Recorder

world = World.join()
policy = _Policy(objective={"kl": 0.0}, micro_batch_tokens=80)
shard(policy.scorer, world, param_dtype=torch.bfloat16, cpu_offload=False)
optimizer = _Recorder([p for _, p in policy.trainable], lr=1.0)
sums = update_policy(policy, optimizer, None, world.mine(_groups()), world, old_logprobs=None)
kinds = {str(t.dtype) for t in [*(p for _, p in policy.trainable), *optimizer.seen]}
whole = {name: full_tensor(grad) for (name, _), grad in zip(policy.trainable, optimizer.seen)}
if world.is_main:
    np.savez(sys.argv[2], loss=sums["loss"], tokens=sums["tokens"], norm=sums["grad_norm"], kinds=sorted(kinds),
             **{name: grad.numpy() for name, grad in whole.items()})
world.leave()
"""


def test_two_processes_in_bfloat16_give_the_float32_gradient_within_rounding(repository, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = tmp_path / "found.npz"
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", PROGRAM, str(repository), str(found)]
    processes = [
        subprocess.Popen(command, env={**common, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    ours = np.load(found)
    exact, sums = _gradient(_Policy(objective={"kl": 0.0}), _groups())
    assert list(ours["kinds"]) == ["torch.float32"]  # what is stored, reduced and stepped on stays whole
    assert ours["tokens"] == sums["tokens"]
    # On policy every ratio is 1, so the loss is a mean of advantages: no rounding of logits shows in it.
    assert float(ours["loss"]) == pytest.approx(sums["loss"], abs=1e-6)
    a = np.concatenate([ours[name].ravel() for name in exact])
    b = np.concatenate([grad.numpy().ravel() for grad in exact.values()])
    error = np.linalg.norm(a - b) / np.linalg.norm(b)
    # A bfloat16 number is off by up to 2^-9 of itself. Some 30 operations follow each other in the forward and as many
    # in the backward pass; were their errors all of one sign they would add up to 12%, at random to 1.5%.
    assert 2**-12 < error < 0.06, error
    assert float(ours["norm"]) == pytest.approx(sums["grad_norm"], rel=0.06)
