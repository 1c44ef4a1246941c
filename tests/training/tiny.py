"""The smallest run that is a run: ``tiny.py TASK DATA OUT STEPS`` trains in a process of its own."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.gan import GAN, OptimiserConfig, Update
from strokegan_lib.training.loop import Loop, Settings
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.tasks import TASKS, build

ROWS = {name: row for task in TASKS.values() for name, row in task.rows.items()}


class Toy:
    """Two players of a few weights each, for what the loop does whatever it trains."""

    def __init__(self) -> None:
        self.networks: dict[str, nn.Module] = {
            "painter": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1)),
            "critic": nn.Conv2d(1, 2, 3),
        }
        self.optimisers = {"painter": OptimiserConfig(1e-3), "critic": OptimiserConfig(4e-4, (0.5, 0.999))}

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        painted = networks["painter"](batch.image)
        critic = -F.l1_loss(networks["critic"](painted.detach()), networks["critic"](batch.image))
        update("critic", critic)
        painter = F.mse_loss(painted, batch.image)
        update("painter", painter)
        return {"critic": critic, "painter": painter, "spread": painted.std()}


def make_gan(task: str, channels: int = 1, **changes: Any) -> GAN:
    """A GAN four channels wide: the name of a task's row, such as 'masked', 'styled' or 'dcgan', or 'toy'."""
    torch.manual_seed(0)
    return Toy() if task == "toy" else build(replace(ROWS[task], width=4, **changes), channels)


def make_loop(
    task: str | GAN, slices: SliceSet, folder: Path | None = None, *, precision: str = "fp32",
    validate: Any = None, **settings: Any,
) -> Loop:  # fmt: skip
    """Augmented batches of two slices, a checkpoint after every step."""
    rows = np.arange(len(slices))
    batches = Batches(slices, rows, size=2, augmentation=Augmentation(), lesion_share=0.5)
    gan, name = (make_gan(task), task) if isinstance(task, str) else (task, "other")
    settings = Settings(**{"steps": 4, "checkpoint_seconds": 0, **settings})
    return Loop(gan, batches, settings, accelerator(precision), validate, folder, {"task": name}, bar=False)


def stop_after(loop: Loop, steps: int, sent: int = signal.SIGINT) -> Loop:
    """Press Ctrl-C within step number *steps* (1, 2, ...), between the turns of two players."""
    original = loop._update

    def update(names: str, loss: Tensor) -> None:
        original(names, loss)
        if loop.step == steps - 1 and names == "critic":
            signal.raise_signal(sent)

    loop._update = update
    return loop


def state_of(loop: Loop) -> dict[str, Any]:
    """All that a step can change."""
    return {name: value for name, value in loop._state().items() if name != "about"}


def losses_of(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """The record without its clock."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def differences(a: Any, b: Any, where: str = "") -> list[str]:
    """Where two states differ, in as little as a bit."""
    if isinstance(a, Tensor):
        return [] if a.dtype == b.dtype and torch.equal(a, b) else [where]
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [found for name in a for found in differences(a[name], b[name], f"{where}.{name}")]
    if isinstance(a, (list, tuple)) and len(a) == len(b):
        return [found for k in range(len(a)) for found in differences(a[k], b[k], f"{where}[{k}]")]
    return [] if a == b else [where]


def main() -> None:
    task, data, out, steps = sys.argv[1:]
    torch.set_num_threads(1)
    make_loop(task, SliceSet.open(data), Path(out), steps=int(steps)).run()


if __name__ == "__main__":
    main()
