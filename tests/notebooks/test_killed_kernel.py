"""Notebook 05's training goes on after the kernel was killed, and after Interrupt."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from cells import code_cells
from kernels import ROOT, SECONDS, Kernel, kernel

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
import hashlib, json
weights = b"".join(v.numpy().tobytes() for v in runs["masked"].network.state_dict().values())
rows = [{k: v for k, v in row.items() if k != "seconds"} for row in runs["masked"].rows]
print(json.dumps({"weights": hashlib.sha256(weights).hexdigest(), "rows": rows}))
"""


def cells() -> dict[str, str]:
    """The code cells of notebook 05, by their ids."""
    (file,) = (ROOT / "notebooks").glob("05_*.ipynb")
    return {cell.id: cell.source for cell in code_cells(file)}


def set_up(a_kernel: Kernel, code: dict[str, str]) -> None:
    """All that the training cell rests on: the first three cells, and the one that defines the GANs."""
    first, parameters, imports = list(code.values())[:3]
    (gans,) = (source for source in code.values() if "def untrained(" in source)
    a_kernel.run(first, parameters, imports, SHORTER, gans)


def at_checkpoint(folder: Path, after: int = 0) -> int:
    """Wait until the run has a checkpoint after more than *after* steps; its step."""
    end = time.monotonic() + SECONDS  # a cell that fails writes none
    while time.monotonic() < end:
        steps = [int(m[1]) for file in folder.rglob("*.pt") if (m := re.match(r"step-(\d+)-", file.name))]
        if (newest := max(steps, default=0)) > after:
            return newest
        time.sleep(0.01)
    raise TimeoutError(f"no checkpoint after step {after} in {folder} within {SECONDS:.0f} s")


def went_on(text: str) -> int:
    """The step after which a cell says that it goes on."""
    (step,) = re.findall(rf"^goes on after step (\d+) of {STEPS}$", text, re.M)
    return int(step)


def test_a_killed_kernel_and_an_interrupted_one_lose_no_training(tmp_path: Path, phantom: SliceSet):
    code, environment = cells(), {"STROKEGAN_RUNS": str(tmp_path)}
    with kernel(environment) as first:
        set_up(first, code)
        first.start(code[TRAINING])
        killed_after = at_checkpoint(tmp_path)
        first.kill()

    with kernel(environment) as second:
        set_up(second, code)
        request = second.start(code[TRAINING])
        at_checkpoint(tmp_path, killed_after)
        second.manager.interrupt_kernel()
        stopped = second.wait(request)
        assert killed_after <= went_on(stopped.text) < STEPS, stopped.text
        assert stopped.error == "Stopped" and len(stopped.traceback) == 1
        stopped_after = int(re.search(rf"Stopped after step (\d+) of {STEPS}", stopped.traceback[0])[1])

        assert went_on(second.run(code[TRAINING])) == stopped_after
        resumed = json.loads(second.run(LEARNT))
        assert [row["step"] for row in resumed["rows"]] == list(range(STEPS))
        assert not any(tmp_path.rglob("*.pt"))  # the cell has ended: nothing is left

        assert "goes on" not in second.run(code[TRAINING])  # so this is a run that nobody disturbs
        assert json.loads(second.run(LEARNT)) == resumed
