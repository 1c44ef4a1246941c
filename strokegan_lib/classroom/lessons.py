"""What every lesson begins with: its profile, its slices, and which of them to look at."""

import os

import numpy as np
import torch
from matplotlib import pyplot as plt

from strokegan_lib.classroom.datasets import one_channel, prepared
from strokegan_lib.classroom.figures import STYLE
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.profiles import Profile
from strokegan_lib.profiles import profile as profile_of

LEAST = 30  # pixels of a lesion that is to be seen in a small picture


def lesson(
    profile: str, data: str | os.PathLike = "", *, channels: int | None = None
) -> tuple[Profile, SliceSet]:
    """The profile by its name, and the slices: a prepared data set, or else the profile's phantom.

    Sets PyTorch's threads and seed, and the style of figures. A lesson whose networks come with the kit says
    ``channels=1``: a data set of several channels is then left, in a sentence, for the phantom.

    Raises:
        BadInput: no such profile; *data* is no sound SliceSet.
    """
    chosen = profile_of(profile)
    chosen.use_threads()
    torch.manual_seed(0)
    plt.rcParams.update(STYLE)
    return chosen, prepared(one_channel(data) if channels == 1 else data, chosen)


def held_out(slices: SliceSet) -> np.ndarray:
    """Rows of the validation and test patients, of whom nothing learns, (n,)."""
    return np.concatenate([slices.of_split("validation"), slices.of_split("test")])


def one_of_each(slices: SliceSet, rows: np.ndarray, stroke: bool) -> np.ndarray:
    """Of each patient the slice with the largest lesion, or the largest brain without one; largest first, (m,)."""
    if stroke:
        size = slices.lesion_pixels * (slices.lesion_pixels >= LEAST)
    else:
        size = slices.foreground.sum((1, 2), dtype=np.int64) * (slices.lesion_pixels == 0)
    ordered = rows[np.argsort(-size[rows], kind="stable")]
    ordered = ordered[size[ordered] > 0]
    _, first = np.unique(slices.table["patient"][ordered], return_index=True)
    return ordered[np.sort(first)]


def spread(rows: np.ndarray, count: int) -> np.ndarray:
    """Up to *count* of the rows, evenly spaced from the first to the last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))]


def pictures(slices: SliceSet, rows: np.ndarray) -> np.ndarray:
    """First channel of slices, (n, H, W) float32, 0..1."""
    return slices.images[rows, 0].astype(np.float32) / 255
