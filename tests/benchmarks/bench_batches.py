"""How fast are batches? Three ways to make them, measured in turns in one run.

1. the kit: bytes kept on the device, a batch augmented in one call;
2. a DataLoader with two workers that reads the memory-mapped store and augments slice
   by slice (plain.py), prefetching;
3. nibabel: the same planes from .nii.gz volumes (image in int16, as scanners write it,
   stroke and foreground in uint8), not augmented; each plane is read from its file through
   ``dataobj``, as a data set class does. gzip cannot jump, so a plane costs all that lie
   before it.

Run by ``make bench``, or ``python tests/benchmarks/bench_batches.py [--data DIR]``; without
--data a set of 13,200 made-up slices is written to a temporary folder. Fails where a ratio
misses its aim.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import nibabel
import numpy as np
import torch
from plain import PlainSlices, augment_one
from scipy.ndimage import gaussian_filter
from torch.utils.data import DataLoader

from strokegan_lib.data.augment import Augmentation, Draw, noise_bank
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter

SIZE = 32  # slices a batch
ROUNDS = 5
BATCHES = 40  # measured in each round
WARM = 8  # batches before the clock starts: workers' start, what they prefetch
VOLUMES = 40  # written as .nii.gz: the time a plane does not depend on their number
AIM = {"loader": 3.0, "nibabel": 20.0}  # how many times as fast the kit must be


def write_made_up(folder: Path, patients: int = 440, planes: int = 30, seed: int = 0) -> None:
    """Write smooth ovals with grain, as large and about as hard to compress as brains."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    foreground = np.repeat(((x / 0.7) ** 2 + (y / 0.9) ** 2 < 1)[None], planes, 0)  # (planes, 128, 128)
    about = About("made-up", "random numbers", "none", "none", ("grey",), "bench_batches.py")
    with SliceSetWriter(folder, about) as writer:
        for k in range(patients):
            grain = gaussian_filter(rng.standard_normal((planes, 128, 128), dtype=np.float32), (0, 1, 1))
            images = np.where(foreground, np.clip(110 + 120 * grain, 8, 255), 0).astype(np.uint8)
            stroke = np.zeros_like(foreground)
            if k % 2:
                row, column = rng.integers(40, 80, 2)
                stroke[10:20, row : row + 12, column : column + 9] = True
            writer.add(
                images[:, None], stroke & foreground, foreground, patient=f"p{k:03d}", case="1",
                plane=np.arange(planes), z=4.0 * np.arange(planes), spacing=(1.5, 1.5, 4.0), source="made-up",
            )  # fmt: skip


class Volumes:
    """The first patients of a set as .nii.gz volumes: image, stroke and foreground."""

    def __init__(self, slices: SliceSet, folder: Path) -> None:
        self.places: list[tuple[list[Path], int]] = []  # the three files, number of the plane
        for patient in slices.patients[:VOLUMES]:
            rows = slices.of_patient(patient)
            arrays = {
                "image": slices.images[rows, 0].astype(np.int16),
                "stroke": slices.stroke[rows],
                "foreground": slices.foreground[rows],
            }
            paths = [folder / f"{patient}_{name}.nii.gz" for name in arrays]
            for path, planes in zip(paths, arrays.values(), strict=True):  # (planes, 128, 128)
                nibabel.save(nibabel.Nifti1Image(planes.transpose(2, 1, 0), np.eye(4)), path)
            self.places += [(paths, k) for k in range(len(rows))]

    def batch(self, chosen: np.ndarray) -> list[np.ndarray]:
        """Read the chosen planes: image, stroke and foreground, (B, 128, 128) each."""
        places = [self.places[i] for i in chosen]
        return [
            np.stack([np.asarray(nibabel.load(paths[which]).dataobj[..., k]) for paths, k in places])
            for which in range(3)
        ]


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


def seconds_a_batch(batches: Iterator, count: int, warm: int) -> float:
    for _ in range(warm):
        next(batches)
    start = time.perf_counter()
    for _ in range(count):
        next(batches)
    return (time.perf_counter() - start) / count


def measure(folder: Path, scratch: Path) -> dict:
    """Milliseconds a batch for each of the three ways (median of the rounds) and the ratios."""
    slices = SliceSet.open(folder, verify=False)
    start = time.perf_counter()
    kit = Batches(slices, slices.of_split("all"), size=SIZE, augmentation=Augmentation())
    loading = time.perf_counter() - start
    check_same_augmentation(slices, kit)
    volumes, rng = Volumes(slices, scratch), np.random.default_rng(0)
    order = iter(rng.permutation(len(slices)).tolist() * 2)
    rounds: dict[str, list[float]] = {"kit": [], "loader": [], "nibabel": []}
    for k in range(ROUNDS):
        step = k * (BATCHES + WARM)
        rounds["kit"].append(
            seconds_a_batch(map(kit.batch, range(step, step + BATCHES + WARM)), BATCHES, WARM)
        )
        visited = [next(order) for _ in range((BATCHES + WARM) * SIZE)]
        loader = DataLoader(
            PlainSlices(folder, Augmentation()),
            batch_size=SIZE,
            sampler=visited,
            num_workers=2,
            prefetch_factor=4,
        )
        rounds["loader"].append(seconds_a_batch(iter(loader), BATCHES, WARM))
        chosen = iter(rng.integers(0, len(volumes.places), (4, SIZE)))
        rounds["nibabel"].append(seconds_a_batch(map(volumes.batch, chosen), 3, 1))
    medians = {name: statistics.median(times) for name, times in rounds.items()}
    # within a round all three meet the same machine, so the ratio is taken there
    ratios = {
        name: statistics.median(a / b for a, b in zip(rounds[name], rounds["kit"], strict=True))
        for name in AIM
    }
    return {
        "slices": len(slices),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "seconds_to_load_the_set": round(loading, 2),
        "ms_a_batch": {name: round(1000 * s, 2) for name, s in medians.items()},
        "kit_times_as_fast_as": {name: round(ratios[name], 1) for name in AIM},
        "ms_of_each_round": {name: [round(1000 * s, 2) for s in times] for name, times in rounds.items()},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a SliceSet to measure on instead of made-up slices")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as scratch:
        if data is None:
            data = Path(scratch, "made-up")  # 650 MB
            write_made_up(data)
        result = measure(data, Path(scratch))
    print(json.dumps(result, indent=1))
    missed = {name: aim for name, aim in AIM.items() if result["kit_times_as_fast_as"][name] < aim}
    sys.exit(f"slower than aimed at: {missed}" if missed else 0)
