"""A hang names the phase and shows the stacks of every process."""

import os
import socket
import subprocess
import sys

PROGRAM = """
import threading, time
from cogito_train.parallel import World
from cogito_train.watchdog import stacks_when_late

def busy_elsewhere():
    # Until this process has written its stacks, and a while longer so that the other one writes its own.
    while any(isinstance(thread, threading.Timer) for thread in threading.enumerate()):
        time.sleep(0.05)
    time.sleep(3)

world = World.join()
world.barrier()
with stacks_when_late("quick", rank=world.rank, seconds=2):
    pass
with stacks_when_late("updating", rank=world.rank, seconds=1):
    if world.rank == 1:
        busy_elsewhere()
    world.barrier()
world.leave()
"""


def test_the_waiting_process_and_the_late_one_show_where_they_stand():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env={**common, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    waiting, late = (process.communicate()[1] for process in processes)
    assert [process.returncode for process in processes] == [0, 0], waiting + late
    assert "process 0: updating has taken 1 s" in waiting and "in barrier" in waiting
    assert "process 1: updating has taken 1 s" in late and "in busy_elsewhere" in late
    assert "quick" not in waiting + late
