"""Small data sets: discs that look a little like brains, and noise that must come back bit for bit."""

from pathlib import Path

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter

ABOUT = About("discs", "made up", "none", "nobody", ("flair",), "pytest", limits=("tiny",))
TWO_CHANNELS = About("noise", "made up", "none", "nobody", ("a", "b"), "pytest", limits=("tiny",))
ROWS, COLUMNS = np.indices((128, 128))
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def disc(row: float, column: float, radius: float) -> np.ndarray:
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 <= radius**2


def brain(rng: np.random.Generator, lesion: bool) -> Arrays:
    """Image (1, 128, 128), stroke and foreground (128, 128) of one slice."""
    middle, radius = rng.uniform(60, 68, 2), rng.uniform(44, 56)
    foreground = disc(*middle, radius)
    fluid = disc(*middle, 9)
    stroke = np.zeros_like(foreground)
    if lesion:
        side = rng.choice((-1, 1))
        stroke = disc(middle[0], middle[1] + side * radius * 0.6, rng.uniform(3, 7)) & foreground & ~fluid
    image = rng.integers(120, 161, (128, 128))
    image = np.where(fluid, 15, np.where(stroke, 230, image)) * foreground
    return image.astype(np.uint8)[None], stroke, foreground


def add(writer: SliceSetWriter, arrays: Arrays, patient: str = "p", **scan) -> None:
    """Write the slices of one patient, planes 5 mm apart."""
    n = len(arrays[0])
    about = {"case": f"{patient}-a", "plane": np.arange(n), "z": np.arange(n) * 5.0, "source": "made up"}
    writer.add(*arrays, patient=patient, spacing=(1.5, 1.5, 5.0), **about | scan)


def brains(out: Path, patients: int = 60, each: int = 2, every: int = 3, seed: int = 0) -> SliceSet:
    """Write *patients* of *each* slices; every *every*-th patient, from the second on, has a lesion in all of them."""
    rng = np.random.default_rng(seed)
    with SliceSetWriter(out, ABOUT) as writer:
        for number in range(patients):
            slices = zip(*(brain(rng, number % every == 1) for _ in range(each)), strict=True)
            add(writer, tuple(map(np.stack, slices)), f"disc-{number}", source="discs")
    return SliceSet.open(out)


def noise(n: int, seed: int = 0) -> Arrays:
    """Slices of two channels of noise; every second one has some stroke."""
    rng = np.random.default_rng(seed)
    foreground = rng.random((n, 128, 128)) < 0.6
    stroke = foreground & (rng.random((n, 128, 128)) < 0.1) & (np.arange(n) % 2 == 0)[:, None, None]
    images = rng.integers(8, 256, (n, 2, 128, 128)).astype(np.uint8) * foreground[:, None]
    return images, stroke, foreground


def noise_set(out: Path, patients: int = 2, each: int = 3, every: int = 1) -> SliceSet:
    """Write patients p0, p1, ... of noise; every *every*-th has stroke, in every second slice."""
    with SliceSetWriter(out, TWO_CHANNELS) as writer:
        for k in range(patients):
            images, stroke, foreground = noise(each, k)
            add(writer, (images, stroke & (k % every == 0), foreground), f"p{k}")
    return SliceSet.open(out)
