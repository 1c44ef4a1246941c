"""How fast is a training step? The kit's against a plain one, in turns.

Both train the same networks with the same losses and differ in how it is computed. Plain is float32, with
tensors in PyTorch's own order, the N x N map in attention, one Adam call a tensor, every loss fetched at every step,
and slices read from a memory map and augmented one by one. A step is everything: batch, augmentation, every player's
turn, record. Aims on a CPU: 1.3 times as fast in fp32, 2.5 times in bf16.

Run by ``make bench``, on the quick profile's phantom.
"""

from dataclasses import replace
from itertools import product
from pathlib import Path

import torch
from plain import plain_batches
from plain_attention import use_plain_attention
from torch import Tensor
from turns import Side, Steps, device, in_turns, machine, repeated

from strokegan_lib.classroom import prepared
from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.models.gan import GAN
from strokegan_lib.profiles import profile
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.precision import accelerator, arithmetic
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.tasks import build, resolve_settings

TASKS = {
    "masked": ("segmentation", {"method": "masked"}), "unet": ("segmentation", {"method": "unet"}),
    "synthesis": ("synthesis", {}),
}  # fmt: skip
WIDTH = 32  # of the networks
SIZES = (16, 32)  # slices a batch
IMAGES = 32  # on the clock in a turn, as a rule
AIMS = {"fp32": 1.3, "bf16": 2.5}


def make_gan(name: str) -> GAN:
    task, given = TASKS[name]
    return build(resolve_settings(task, {**given, "width": WIDTH}))


def kit(folder: Path, name: str, size: int, precision: str) -> Steps:
    """The kit's loop, ready to be measured."""
    slices, chosen = SliceSet.open(folder, verify=False), accelerator(precision)
    how = {"device": chosen.device, "augmentation": Augmentation()}
    batches = Batches(slices, slices.of_split("all"), size=size, **how)
    loop = Loop(make_gan(name), batches, Settings(steps=0), chosen, bar=False)

    def steps(count: int) -> None:
        loop.settings = replace(loop.settings, steps=loop.step + count)
        loop.run()

    steps(1)
    return steps


def plain(folder: Path, name: str, size: int) -> Steps:
    """A plain loop around a GAN of the kit."""
    gan, adams, batches = make_gan(name), {}, plain_batches(folder, size)
    for key, network in gan.networks.items():
        use_plain_attention(network.to(device()))
        how = gan.optimisers[key]
        adams[key] = torch.optim.Adam(
            network.parameters(), how.learning_rate, how.betas, foreach=False, fused=False
        )

    def update(key: str, loss: Tensor) -> None:
        adams[key].zero_grad()
        loss.backward()
        adams[key].step()

    def step() -> None:
        planes = (part.to(device(), non_blocking=True) for part in next(batches))
        losses = gan.step(gan.networks, Batch(*planes, torch.empty(0)), update)
        _ = {key: loss.item() for key, loss in losses.items()}

    return repeated(step)


def main() -> None:
    print(f"Training step: {machine()}; precision of this machine: {arithmetic()}; width {WIDTH}")
    print("task       batch  precision  kit, ms  plain, ms  ratio   aim")
    folder = prepared(None, profile("quick")).folder
    for precision, name, size in product(dict.fromkeys((arithmetic(), "fp32")), TASKS, SIZES):
        with Side(kit, folder, name, size, precision) as ours, Side(plain, folder, name, size) as theirs:
            kit_ms, plain_ms, faster = in_turns(ours, theirs, max(1, IMAGES // size))
        aim = AIMS.get(precision, "") if device().type == "cpu" else ""
        row = f"{name:10} {size:5}  {precision:9} {kit_ms:8.0f}  {plain_ms:9.0f}  {faster:5.2f}  {aim:>4}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
