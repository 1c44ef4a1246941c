"""Notebook 05's training goes on after the kernel was killed, and after Interrupt."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from threading import Thread

from cells import code_cells
from kernels import Kernel, kernel
from student import lessons

from strokegan_lib.data.slices import SliceSet

TRAINING = "05-026"
STEPS = 24
# one method and fewer steps: what is tested is the way back, not what is learnt
SHORTER = f"""
import dataclasses
from strokegan_lib.classroom import checkpoints
chosen = dataclasses.replace(chosen, steps={STEPS})
NAMES = {{"masked": NAMES["masked"]}}
checkpoints.SECONDS = 0.5
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


def at_checkpoint(folder: Path, after: int = 0) -> int:
    """Wait until the run has a checkpoint after more than *after* steps; its step."""
    newest = 0
    while newest <= after:
        time.sleep(0.01)
        steps = [re.match(r"step-(\d+)-", file.name) for file in folder.rglob("*.pt")]
        newest = max((int(step[1]) for step in steps if step), default=0)
    return newest


def test_a_killed_kernel_and_an_interrupted_one_lose_no_training(tmp_path: Path, phantom: SliceSet):
    with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as first:
        first.client.execute(set_up(first))
        killed_after = at_checkpoint(tmp_path)
        os.kill(first.manager.provisioner.pid, signal.SIGKILL)  # as a machine that is taken away

    with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as second:
        training = set_up(second)
        waiting = Thread(
            target=lambda: (at_checkpoint(tmp_path, killed_after), second.manager.interrupt_kernel())
        )
        waiting.start()
        printed, error = second.try_cell(training)
        waiting.join()
        went_on = int(re.search(rf"^goes on after step (\d+) of {STEPS}$", printed, re.M)[1])
        assert killed_after <= went_on < STEPS and "Stopped" in error
        stopped = int(re.search(rf"after step (\d+) of {STEPS}", error)[1])

        assert f"goes on after step {stopped} of {STEPS}\n" in second.run(training)
        resumed = second.run(LEARNT)
        assert resumed.startswith(f"{STEPS} ")
        assert not any(tmp_path.rglob("*.pt"))  # the cell has ended: nothing is left
        assert "goes on" not in second.run(training)  # so this is a run that nobody disturbs
        assert second.run(LEARNT) == resumed
