"""Train as one of several processes: ``accelerate launch ... two_processes.py DATA OUT``.

Each process leaves what it holds in OUT, a file a task.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tiny
import torch
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.attention import SelfAttention
from strokegan_lib.models.gan import GAN, Update
from strokegan_lib.models.segmentation import TO_TWO
from strokegan_lib.models.unet import UNet
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.settings import Settings

TASKS = ("masked", "paper")  # the first without batch normalisation: a slice is treated by itself
GLOBAL_BATCH, STEPS = 4, 3


class Spy(Loop):
    """A loop that keeps the gradients of its first step, by network and parameter."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.gradients: dict[str, dict[str, Tensor]] = {}

    def _update(self, name: str, loss: Tensor) -> None:
        super()._update(name, loss)
        if self.step == 0:
            named = self.gan.networks[name].named_parameters()
            self.gradients[name] = {k: p.grad.clone() for k, p in named}


class InDouble:
    """A GAN in double precision, with attention at work: in single, one sum of a batch is off by 1e-4 by itself."""

    def __init__(self, gan: GAN) -> None:
        self.gan, self.optimisers = gan, gan.optimisers
        self.networks = {name: network.double() for name, network in gan.networks.items()}
        for module in (module for network in self.networks.values() for module in network.modules()):
            if isinstance(module, SelfAttention):
                nn.init.constant_(module.gamma, 0.5)

    def step(self, networks: dict[str, Any], batch: Batch, update: Update) -> dict[str, Tensor]:
        planes = (batch.image, batch.stroke, batch.foreground)
        return self.gan.step(networks, Batch(*(p.double() for p in planes), batch.index), update)


def make_gan(task: str) -> GAN:
    gan = tiny.make_gan(task)
    if task == "masked":
        gan.segmentor.unet = UNet(1, 1, width=4, halvings=TO_TWO, norm="none")
    return InDouble(gan)


def spy(task: str, slices: SliceSet, folder: Path | None = None, steps: int = STEPS) -> Spy:
    """The same slices in each step for any number of processes."""
    machine = accelerator("fp32")
    batches = Batches(slices, np.arange(len(slices)), size=GLOBAL_BATCH // machine.num_processes)
    # a checkpoint is due in one process and not in the other, as clocks differ
    settings = Settings(steps, checkpoint_seconds=0 if machine.is_main_process else 1000)
    return Spy(make_gan(task), batches, settings, machine, folder=folder, bar=False)


def main() -> None:
    slices, out = SliceSet.open(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    for task in TASKS:
        loop = spy(task, slices, out / task)
        loop.run()
        held = {
            "processes": loop.accelerator.num_processes, "gradients": loop.gradients,
            "parameters": {k: dict(n.named_parameters()) for k, n in loop.gan.networks.items()},
            "average": dict(loop.average.network.named_parameters()),
        }  # fmt: skip
        torch.save(held, out / f"{task}-{loop.accelerator.process_index}.pt")


if __name__ == "__main__":
    main()
