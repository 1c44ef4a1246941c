"""Notebook 05's training goes on after the kernel was killed, and after Interrupt."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from threading import Thread

import pytest
from kernels import Kernel, code_cells, kernel
from nbclient.exceptions import CellExecutionError, DeadKernelError
from student import lessons

from strokegan_lib.data.slices import SliceSet

TRAINING = "05-026"
STEPS = 16
# one method and little to do: what is tested is the way back, not what is learnt
SHORTER = f"""
from strokegan_lib.classroom import checkpoints
chosen = replace(chosen, steps={STEPS}, batch_size=8)
validation = validation[areas[validation] > 0][:8]
NAMES = {{"masked": NAMES["masked"]}}
checkpoints.SECONDS = 0.1
"""
LEARNT = """
import hashlib
weights = b"".join(v.numpy().tobytes() for v in runs["masked"].network.state_dict().values())
rows = [{k: v for k, v in row.items() if k != "seconds"} for row in runs["masked"].rows]
print(len(rows), hashlib.sha256(weights + repr(rows).encode()).hexdigest())
"""


def set_up(session: Kernel) -> str:
    """Run all that the training cell rests on, and return that cell."""
    code = {cell.id: cell.source for cell in code_cells(lessons()[5])}
    (gans,) = (source for source in code.values() if "def untrained(" in source)
    session.run(*list(code.values())[:3], SHORTER, gans)
    return code[TRAINING]


def steps_made(folder: Path) -> int:
    """Steps of the newest checkpoint; 0 without one."""
    found = [re.match(r"step-(\d+)-", file.name) for file in folder.rglob("*.pt")]
    return max((int(step[1]) for step in found if step), default=0)


def send(session: Kernel, name: signal.Signals, folder: Path) -> Thread:
    """Send a signal to the kernel once there is a new checkpoint."""
    before = steps_made(folder)

    def wait() -> None:
        while steps_made(folder) <= before:
            time.sleep(0.01)
        os.kill(session.km.provisioner.pid, name)

    waiting = Thread(target=wait)
    waiting.start()
    return waiting


def test_a_killed_kernel_and_an_interrupted_one_lose_no_training(tmp_path: Path, phantom: SliceSet):
    with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as first:
        training = set_up(first)
        send(first, signal.SIGKILL, tmp_path)  # as a machine that is taken away
        with pytest.raises(DeadKernelError):
            first.run(training)
    killed_after = steps_made(tmp_path)

    with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as second:
        set_up(second)
        send(second, signal.SIGINT, tmp_path)
        with pytest.raises(CellExecutionError, match="Stopped") as error:
            second.run(training)
        went_on = int(re.search(rf"goes on after step (\d+) of {STEPS}$", str(error.value), re.M)[1])
        stopped = int(re.search(rf"after step (\d+) of {STEPS}", error.value.evalue)[1])
        assert 0 < killed_after <= went_on <= stopped < STEPS

        assert f"goes on after step {stopped} of {STEPS}\n" in second.run(training)
        resumed = second.run(LEARNT)
        assert resumed.startswith(f"{STEPS} ")
        assert not any(tmp_path.rglob("*.pt"))  # the cell has ended: nothing is left
        assert "goes on" not in second.run(training)  # so this is a run that nobody disturbs
        assert second.run(LEARNT) == resumed
