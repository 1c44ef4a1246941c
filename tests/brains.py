"""A small data set of discs: brains with a dark ventricle, some with a bright lesion."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter

ABOUT = About("discs", "made up", "none", "nobody", ("flair",), "pytest", limits=("tiny",))
ROWS, COLUMNS = np.indices((128, 128))


def disc(row: float, column: float, radius: float) -> np.ndarray:
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 <= radius**2


def brain(rng: np.random.Generator, lesion: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def brains(out: Path, patients: int = 60, each: int = 2, every: int = 3, seed: int = 0) -> SliceSet:
    """Write *patients* of *each* slices; every *every*-th patient, from the second on, has a lesion in all of them."""
    rng = np.random.default_rng(seed)
    with SliceSetWriter(out, ABOUT) as writer:
        for number in range(patients):
            images, strokes, foregrounds = zip(
                *(brain(rng, number % every == 1) for _ in range(each)), strict=True
            )
            writer.add(
                np.stack(images), np.stack(strokes), np.stack(foregrounds), patient=f"disc-{number}",
                case=f"disc-{number}-a", plane=np.arange(each), z=np.arange(each) * 5.0,
                spacing=(1.5, 1.5, 5.0), source="discs",
            )  # fmt: skip
    return SliceSet.open(out)
