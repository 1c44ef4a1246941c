"""How fast are batches? The kit's against a DataLoader with two workers, in turns; ``make bench`` runs it.

The kit keeps the bytes on the device and augments a batch in one call; the loader reads the memory-mapped store and
augments slice by slice (plain.py). Both give the same batch from the same draw. Fails where the aim is missed.
"""

import sys
from dataclasses import fields
from itertools import count
from pathlib import Path

import numpy as np
import torch
from plain import augment_one, plain_batches
from turns import Side, Steps, in_turns, machine, repeated

from strokegan_lib.classroom import prepared
from strokegan_lib.data.augment import Augmentation, Draw, noise_bank
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.profiles import profile

SIZE = 32  # slices a batch
BATCHES = 80  # a turn: many, for the workers fetch four ahead while the other side has its turn
AIM = 2.0  # times as fast; measured were 3.0 on an Intel Xeon, 2.4 to 2.6 on an AMD EPYC


def kit_batches(folder: Path) -> Batches:
    slices = SliceSet.open(folder, verify=False)
    return Batches(slices, slices.of_split("all"), size=SIZE, augmentation=Augmentation())


def check_same_augmentation(folder: Path) -> None:
    """Both ways give the same batch from the same draw, but for rounding."""
    slices, kit = SliceSet.open(folder, verify=False), kit_batches(folder)
    batch = kit.batch(0)
    draw = Augmentation().draw(np.random.default_rng((kit.seed, 4, 0)), SIZE, slices.images.shape[1])
    for i, row in enumerate(batch.index.tolist()):
        one = Draw(**{f.name: getattr(draw, f.name)[i : i + 1] for f in fields(Draw)})
        images, stroke = (torch.from_numpy(array[row].copy()) for array in (slices.images, slices.stroke))
        noise = noise_bank(torch.device("cpu"), stroke.numel())[one.start[0]].view(images.shape)
        image, stroke, foreground = augment_one(images, stroke, one, noise)
        agree = (foreground == batch.foreground[i]) & (stroke == batch.stroke[i])
        assert agree.float().mean() > 0.999
        assert (image - batch.image[i]).abs()[agree.expand_as(image)].max() < 1e-3


def kit(folder: Path) -> Steps:
    return repeated(map(kit_batches(folder).batch, count()).__next__)


def loader(folder: Path) -> Steps:
    return repeated(plain_batches(folder, SIZE, workers=2).__next__)


def main() -> int:
    folder = prepared(None, profile("quick")).folder
    check_same_augmentation(folder)
    with Side(kit, folder) as ours, Side(loader, folder) as theirs:
        kit_ms, loader_ms, faster = in_turns(ours, theirs, BATCHES)
    print(f"Batches of {SIZE}, augmented: {machine()}")
    print(f"kit {kit_ms:.1f} ms, loader {loader_ms:.1f} ms: {faster:.1f} times as fast, aim {AIM}")
    return int(faster < AIM)


if __name__ == "__main__":
    sys.exit(main())
