"""How fast is a training step? The kit's against a plain one, in turns; the U-Net also against MONAI.

Kit and plain train the same networks with the same losses and differ in how it is computed. Plain is float32, with
tensors in PyTorch's own order, the N x N map in attention, one Adam call a tensor, every loss fetched at every step,
and slices read from a memory map and augmented one by one. MONAI's side is its BasicUNet of about the same size, its
loader, its transforms and its loss. A step is everything: batch, augmentation, every player's turn, record. The ratio
is the median of the rounds' ratios. Aims against plain on a CPU: 1.3 times as fast in fp32, 2.5 times in bf16.

Run by ``make bench``, on the quick profile's phantom.
"""

import argparse
import math
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from plain import PlainSlices
from plain_attention import use_plain_attention
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from turns import Side, Steps, device, in_turns, machine, synchronise

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
MONAI_SLICES = 960  # kept in memory, as its CacheDataset does; more would only take longer to begin
AIMS = {"fp32": 1.3, "bf16": 2.5}


def make_gan(name: str) -> GAN:
    task, given = TASKS[name]
    return build(resolve_settings(task, {**given, "width": WIDTH}))


def kit(folder: Path, name: str, size: int, precision: str) -> tuple[Steps, str]:
    """The kit's loop, ready to be measured."""
    slices, chosen = SliceSet.open(folder, verify=False), accelerator(precision)
    how = {"device": chosen.device, "augmentation": Augmentation()}
    batches = Batches(slices, slices.of_split("all"), size=size, **how)
    loop = Loop(make_gan(name), batches, Settings(steps=0), chosen, bar=False)

    def steps(count: int) -> None:
        loop.settings = replace(loop.settings, steps=loop.step + count)
        loop.run()
        synchronise()

    steps(1)
    return steps, ""


def plain(folder: Path, name: str, size: int) -> tuple[Steps, str]:
    """A plain loop around a GAN of the kit."""
    gan, adams = make_gan(name), {}
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

    def step(slices: list[Tensor]) -> None:
        planes = (part.to(device(), non_blocking=True) for part in slices)
        losses = gan.step(gan.networks, Batch(*planes, torch.empty(0)), update)
        _ = {key: loss.item() for key, loss in losses.items()}

    return steps_of(step, PlainSlices(folder, Augmentation()), DataLoader, size), ""


def monai(folder: Path, size: int) -> tuple[Steps, str]:
    """What a user of MONAI would write for a U-Net; its augmentation lacks the bias field, which it makes slowly."""
    from monai import transforms as t
    from monai.data import CacheDataset
    from monai.data import DataLoader as MonaiLoader
    from monai.losses import DiceCELoss
    from monai.networks.nets import BasicUNet

    both, a = ("image", "stroke"), Augmentation()
    transform = t.Compose([
        t.ScaleIntensityRanged("image", 0, 255, 0, 1), t.EnsureTyped(both, dtype=torch.float32),
        t.RandFlipd(both, prob=a.mirror, spatial_axis=1),
        t.RandAffined(
            both, prob=1.0, rotate_range=math.radians(a.rotation), scale_range=(a.scale, a.scale),
            shear_range=(a.shear, 0.0), translate_range=(a.shift, a.shift), mode=("bilinear", "nearest"),
            padding_mode="zeros",
        ),
        t.RandScaleIntensityd("image", factors=a.gain, prob=1.0),
        t.RandAdjustContrastd("image", prob=1.0, gamma=(1 / (1 + a.gamma), 1 + a.gamma)),
        t.RandGaussianNoised("image", prob=1.0, std=a.noise),
    ])  # fmt: skip
    slices = SliceSet.open(folder, verify=False)
    rows = range(min(MONAI_SLICES, len(slices)))
    cases = [{"image": slices.images[i].copy(), "stroke": slices.stroke[i][None].copy()} for i in rows]
    features = [WIDTH * times for times in (1, 1, 2, 4, 8, 1)]
    network = BasicUNet(2, 1, 1, features=features).to(device())
    loss, adam = DiceCELoss(sigmoid=True), torch.optim.Adam(network.parameters(), 1e-3)

    def step(batch: dict[str, Any]) -> None:
        image, stroke = (batch[key].as_tensor().to(device(), non_blocking=True) for key in both)
        adam.zero_grad()
        total = loss(network(image), stroke)
        total.backward()
        adam.step()
        total.item()

    data = CacheDataset(cases, transform, num_workers=0, progress=False)
    size_of = sum(p.numel() for p in network.parameters()) / 1e6
    return steps_of(step, data, MonaiLoader, size), f"BasicUNet, {size_of:.2f} M parameters"


def steps_of(step: Callable[[Any], None], data: Dataset, loader: type[DataLoader], size: int) -> Steps:
    """Steps over endless batches of a loader of the usual kind."""

    def endless() -> Iterator[Any]:
        batches = loader(data, batch_size=size, shuffle=True, drop_last=True)
        while True:
            yield from batches

    batches = endless()

    def steps(count: int) -> None:
        for _ in range(count):
            step(next(batches))
        synchronise()

    return steps


def compare(name: str, size: int, precision: str, folder: Path, rounds: int) -> None:
    """Measure one task at one batch size and print a row for each rival."""
    rivals: dict[str, tuple] = {"plain": (plain, folder, name, size)}
    if name == "unet" and find_spec("monai"):
        rivals["MONAI"] = (monai, folder, size)
    with ExitStack() as stack:
        ours = stack.enter_context(Side(kit, folder, name, size, precision))
        others = {rival: stack.enter_context(Side(*what)) for rival, what in rivals.items()}
        seconds = in_turns([ours, *others.values()], max(1, IMAGES // size), rounds)
    ms = [1000 * statistics.median(column) for column in zip(*seconds, strict=True)]
    for k, (rival, other) in enumerate(others.items(), 1):
        ratio = statistics.median(row[k] / row[0] for row in seconds)
        aim = AIMS.get(precision, "") if device().type == "cpu" and rival == "plain" else ""
        print(
            f"{name:10} {size:5}  {precision:9} {ms[0]:8.0f}  {rival:6} {ms[k]:8.0f}  {ratio:5.2f}  {aim:>4}"
            f"  {other.about}", flush=True,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="default: all")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    args = parser.parse_args()
    print(f"Training step: {machine()}; precision of this machine: {arithmetic()}; width {WIDTH}")
    print("task       batch  precision  kit, ms  against      ms  ratio   aim")
    folder = prepared(None, profile("quick")).folder
    for precision in dict.fromkeys((arithmetic(), "fp32")):
        for name in args.tasks:
            for size in SIZES:
                compare(name, size, precision, folder, args.rounds)


if __name__ == "__main__":
    main()
