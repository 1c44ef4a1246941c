"""Notebook 05's training goes on after its kernel was killed, as if nothing had happened."""

import os
import re
import signal
import time
from pathlib import Path
from threading import Thread

import pytest
from kernels import Kernel, code_cells, kernel
from nbclient.exceptions import DeadKernelError
from student import lessons

from strokegan_lib.data.slices import SliceSet

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
weights = [v.numpy().tobytes() for v in runs["masked"].network.state_dict().values()]
rows = [{k: v for k, v in row.items() if k != "seconds"} for row in runs["masked"].rows]
print(hash((b"".join(weights), repr(rows))))
"""


def set_up(session: Kernel) -> str:
    """Run all that the training cell rests on, and return that cell."""
    code = [cell.source for cell in code_cells(lessons()[5])]
    (gans,) = (source for source in code if "def untrained(" in source)
    (training,) = (source for source in code if "kept.run(loop, method)" in source)
    session.run(*code[:3], SHORTER, gans)
    return training


def test_a_killed_kernel_loses_no_training(tmp_path: Path, phantom: SliceSet):
    with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as first:
        training = set_up(first)

        def kill() -> None:
            while not list(tmp_path.rglob("step-*.pt")):
                time.sleep(0.01)
            os.kill(first.km.provisioner.pid, signal.SIGKILL)  # as a machine that is taken away

        Thread(target=kill).start()
        with pytest.raises(DeadKernelError):
            first.run(training)

    with kernel({"STROKEGAN_RUNS": str(tmp_path)}) as second:
        training = set_up(second)
        went_on = re.search(rf"^goes on after step (\d+) of {STEPS}$", second.run(training), re.M)
        assert 0 < int(went_on[1]) < STEPS
        resumed = second.run(LEARNT)
        assert not any(tmp_path.rglob("*.pt"))  # the cell has ended: nothing is left
        assert "goes on" not in second.run(training)  # so this is a run that nobody disturbs
        assert second.run(LEARNT) == resumed
