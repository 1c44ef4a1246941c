"""Train as one of several processes: ``accelerate launch ... two_processes.py DATA OUT``.

Each process leaves what it holds in OUT, a file a task.
"""

import sys
from pathlib import Path

import numpy as np
import tiny
import torch
from torch import Tensor

from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.gan import GAN
from strokegan_lib.models.segmentation import TO_TWO
from strokegan_lib.models.unet import UNet
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.settings import Settings

# and how many steps; the first without batch normalisation: a slice is treated by itself
TASKS = {"masked": 1, "paper": 3}
GLOBAL_BATCH = 4


def make_gan(task: str) -> GAN:
    gan = tiny.make_gan(task)
    if task == "masked":
        gan.segmentor.unet = UNet(2, 1, width=4, halvings=TO_TWO, norm="none")
    return gan


def loop_of(task: str, slices: SliceSet, folder: Path | None = None) -> Loop:
    """The same slices in each step for any number of processes."""
    machine = accelerator("fp32")
    batches = Batches(slices, np.arange(len(slices)), size=GLOBAL_BATCH // machine.num_processes)
    # a checkpoint is due in one process and not in the other, as clocks differ
    settings = Settings(TASKS[task], checkpoint_seconds=0 if machine.is_main_process else 1000)
    return Loop(make_gan(task), batches, settings, machine, folder=folder, bar=False)


def moments(loop: Loop) -> dict[str, dict[int, Tensor]]:
    """Adam's first moments by network and parameter: a tenth of the gradients, after one step."""
    states = {name: optimiser.state_dict()["state"] for name, optimiser in loop.optimisers.items()}
    return {name: {key: of["exp_avg"] for key, of in state.items()} for name, state in states.items()}


def main() -> None:
    slices, out = SliceSet.open(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    for task in TASKS:
        loop = loop_of(task, slices, out / task)
        loop.run()
        held = {
            "processes": loop.accelerator.num_processes, "moments": moments(loop),
            "parameters": {k: dict(n.named_parameters()) for k, n in loop.gan.networks.items()},
            "average": dict(loop.average.network.named_parameters()),
        }  # fmt: skip
        torch.save(held, out / f"{task}-{loop.accelerator.process_index}.pt")


if __name__ == "__main__":
    main()
