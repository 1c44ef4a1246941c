"""How fast are batches? Three ways to make them, measured in turns in one run.

1. the kit: bytes kept on the device, a batch augmented in one call;
2. a DataLoader with two workers that reads the memory-mapped store and augments slice by slice (plain.py);
3. nibabel: planes read from .nii.gz volumes through ``dataobj``, as a data set class does, not augmented.

Run by ``make bench``, or ``python tests/benchmarks/bench_batches.py [--data DIR]``; without --data a set of 13,200
made-up slices is written to a temporary folder. Fails where a ratio misses its aim.
"""

import argparse
import json
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


def volumes(slices: SliceSet, folder: Path) -> Iterator[list[np.ndarray]]:
    """Batches of planes of the first patients: image, stroke and foreground, (B, 128, 128) each, from .nii.gz volumes."""
    places = []  # the three files, number of the plane
    for patient in slices.patients[:VOLUMES]:
        rows = slices.of_patient(patient)
        paths = [folder / f"{patient}_{name}.nii.gz" for name in ("image", "stroke", "foreground")]
        arrays = slices.images[rows, 0].astype(np.int16), slices.stroke[rows], slices.foreground[rows]
        for path, planes in zip(paths, arrays, strict=True):  # (planes, 128, 128)
            nibabel.save(nibabel.Nifti1Image(planes.transpose(2, 1, 0), np.eye(4)), path)
        places += [(paths, k) for k in range(len(rows))]
    rng = np.random.default_rng(0)
    while True:
        chosen = [places[i] for i in rng.integers(0, len(places), SIZE)]
        yield [
            np.stack([np.asarray(nibabel.load(paths[which]).dataobj[..., k]) for paths, k in chosen])
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
    kit = Batches(slices, slices.of_split("all"), size=SIZE, augmentation=Augmentation())
    check_same_augmentation(slices, kit)
    ours, theirs = map(kit.batch, range(ROUNDS * (BATCHES + WARM))), volumes(slices, scratch)
    how = {"batch_size": SIZE, "shuffle": True, "num_workers": 2, "prefetch_factor": 4}
    rounds: dict[str, list[float]] = {"kit": [], "loader": [], "nibabel": []}
    for _ in range(ROUNDS):
        rounds["kit"].append(seconds_a_batch(ours, BATCHES, WARM))
        loader = DataLoader(PlainSlices(folder, Augmentation()), **how)
        rounds["loader"].append(seconds_a_batch(iter(loader), BATCHES, WARM))
        rounds["nibabel"].append(seconds_a_batch(theirs, 3, 1))
    # within a round all three meet the same machine, so the ratio is taken there
    ratios = {
        name: statistics.median(a / b for a, b in zip(rounds[name], rounds["kit"], strict=True))
        for name in AIM
    }
    return {
        "slices": len(slices),
        "threads": torch.get_num_threads(),
        "ms_a_batch": {name: round(1000 * statistics.median(times), 2) for name, times in rounds.items()},
        "kit_times_as_fast_as": {name: round(ratio, 1) for name, ratio in ratios.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a SliceSet to measure on instead of made-up slices")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as scratch:
        if data is None:
            write_made_up(data := Path(scratch, "made-up"))  # 650 MB
        result = measure(data, Path(scratch))
    print(json.dumps(result, indent=1))
    missed = {name: aim for name, aim in AIM.items() if result["kit_times_as_fast_as"][name] < aim}
    sys.exit(f"slower than aimed at: {missed}" if missed else 0)


if __name__ == "__main__":
    main()
