"""How fast are batches? The kit's against a DataLoader with two workers, in turns; ``make bench`` runs it.

The kit keeps the bytes on the device and augments a batch in one call; the loader reads the memory-mapped store and
augments slice by slice (plain.py). Both give the same batch from the same draw. Fails where the aim is missed.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import fields

import numpy as np
import torch
from plain import PlainSlices, augment_one
from torch.utils.data import DataLoader, RandomSampler
from turns import machine

from strokegan_lib.classroom import prepared
from strokegan_lib.data.augment import Augmentation, Draw, noise_bank
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.profiles import profile

SIZE = 32  # slices a batch
ROUNDS, BATCHES = 5, 40  # measured in each round
WARM = 8  # batches before the clock starts: workers' start, what they prefetch
AIM = 3.0  # times as fast


def check_same_augmentation(slices: SliceSet, kit: Batches) -> None:
    """Both ways give the same batch from the same draw, but for rounding."""
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


def seconds_a_batch(batches: Iterator) -> float:
    for _ in range(WARM):
        next(batches)
    start = time.perf_counter()
    for _ in range(BATCHES):
        next(batches)
    return (time.perf_counter() - start) / BATCHES


def main() -> int:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()  # no option but --help
    slices = prepared(None, profile("quick"))
    kit = Batches(slices, slices.of_split("all"), size=SIZE, augmentation=Augmentation())
    check_same_augmentation(slices, kit)
    ours, rounds = map(kit.batch, range(ROUNDS * (BATCHES + WARM))), []
    for _ in range(ROUNDS):
        plain = PlainSlices(slices.folder, Augmentation())
        drawn = RandomSampler(plain, replacement=True, num_samples=2 * SIZE * (BATCHES + WARM))
        loader = DataLoader(plain, SIZE, sampler=drawn, num_workers=2, prefetch_factor=4)
        rounds.append((seconds_a_batch(ours), seconds_a_batch(iter(loader))))
    kit_ms, plain_ms = (1000 * statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(theirs / us for us, theirs in rounds)  # within a round the machine is the same
    print(f"Batches of {SIZE}, augmented: {machine()}")
    print(f"kit {kit_ms:.1f} ms, loader {plain_ms:.1f} ms: {ratio:.1f} times as fast, aim {AIM}")
    return int(ratio < AIM)


if __name__ == "__main__":
    sys.exit(main())
