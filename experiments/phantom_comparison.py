"""Phantom slices beside real ones of the same height: what is compared, and what comes out.

A distance between two sets of pictures means little by itself, for two samples of the
same people differ too. So each distance is given beside the one between two disjoint
halves of the real set, and the phantom set is as large as such a half.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import torch
from tqdm import tqdm

from experiments.likeness import (
    LEVELS,
    grey_distance,
    grey_levels,
    halves_distance,
    radial_spectrum,
    spectrum_distance,
)
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order, one_thread_each
from strokegan_lib.errors import BadInput
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.head import Head
from strokegan_lib.phantom.patient import head_of, make_patient
from strokegan_lib.phantom.scanner import WINDOW

CHANNEL = "flair"
TARGET = 3.0  # times the distance between two halves of the real set
BANDS = 12  # of spatial frequency, in the table of differences


@dataclass(frozen=True)
class Slices:
    """One slice of each of N patients.

    Attributes:
        patients: (N,) names.
        images: (N, 128, 128) uint8.
        foreground: (N, 128, 128) bool.
    """

    patients: np.ndarray
    images: np.ndarray
    foreground: np.ndarray

    def __len__(self) -> int:
        return len(self.patients)

    def __getitem__(self, chosen: np.ndarray) -> Slices:
        return Slices(self.patients[chosen], self.images[chosen], self.foreground[chosen])


def middle_height(data: SliceSet) -> float:
    """The height at which a set can be compared: the middle of its planes, mm."""
    return float(np.median(data.table["z"]))


def slices_at(data: SliceSet, height: float, *, with_stroke: bool = False) -> Slices:
    """Of each patient the slice nearest to *height*, where one lies within half a plane of it.

    Args:
        data: a set with a FLAIR channel.
        height: mm.
        with_stroke: only patients who have a stroke, in that slice or in another.

    Raises:
        BadInput: there is no FLAIR channel.
    """
    if CHANNEL not in data.channels:
        raise BadInput(
            data.folder, f"has no {CHANNEL} channel", f"give a set with one, made with --modality {CHANNEL}"
        )
    table = data.table
    away = np.abs(table["z"] - height)  # (N,) mm
    usable = away <= table["thickness"] / 2 + 1e-3  # a height has 4 digits in the table
    if with_stroke:
        usable &= np.isin(table["patient"], table["patient"][table["has_stroke"] == 1])
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(away[rows], kind="stable")]
    _, nearest = np.unique(table["patient"][rows], return_index=True)  # the first of each patient
    rows = np.sort(rows[nearest])  # as they lie on disk
    rows = rows[data.foreground[rows].any((1, 2))]
    images = data.images[rows, data.channels.index(CHANNEL)]  # (N, 1, 128, 128) -> (N, 128, 128)
    return Slices(table["patient"][rows], images, data.foreground[rows].astype(bool))


def height_in(head: Head, height: float) -> float:
    """The height in this head, mm, of a height in MNI space, in the middle of the brain."""
    there = head.to_mni(torch.tensor([[0.0, head.middle(), height]]))[0, 2]
    return height + (height - float(there))


def grow_slices(n: int, height: float, *, seed: int, workers: int) -> Slices:
    """One slice of each of the first *n* phantom patients who have a stroke.

    Args:
        height: of the slice in MNI space, mm.
        seed: of the phantom.
        workers: threads; the slices are the same for any number.
    """
    numbers = list(islice((k for k in count() if plan_stroke(k, seed)), n))

    def one(number: int) -> tuple[str, np.ndarray, np.ndarray]:
        # the real slices were brought to MNI space; the phantom's is looked for at the same anatomy
        z = height_in(head_of(number, seed), height)
        patient = make_patient(number, seed=seed, contrast=CHANNEL, z=np.array([z]))
        images = WINDOW.to_bytes(patient.images, patient.foreground)  # (1, 128, 128)
        return patient.name, images[0], patient.foreground[0]

    with one_thread_each():
        made = in_order(one, numbers, workers)
        bar = tqdm(made, "phantom patients", n, unit=" patients", file=sys.stdout, disable=None)
        names, images, foreground = zip(*bar, strict=True)
    return Slices(np.array(names), np.stack(images), np.stack(foreground))


@dataclass(frozen=True)
class Yardstick:
    """One measure of likeness.

    Attributes:
        name: what is measured.
        unit: of the distances.
        phantom: mean distance from the phantom slices to a half of the real ones.
        halves: mean distance between two disjoint halves of the real ones.
        curves: the measured curve of the phantom and of the real slices, (2, K).
    """

    name: str
    unit: str
    phantom: float
    halves: float
    curves: np.ndarray

    @property
    def ratio(self) -> float:
        """1 where the phantom is as like the real set as the real set is like itself."""
        return self.phantom / self.halves


def compare(real: Slices, phantom: Slices) -> tuple[Yardstick, Yardstick]:
    """Measure grey levels and spectrum of phantom and real slices.

    Args:
        real: twice as many as *phantom*, so that both samples of each distance are equal.

    Returns:
        the yardsticks of grey levels and of detail.
    """
    # one curve a slice: every half of the set is then a mean of rows
    grey = [_each(side, lambda s: grey_levels(s.images, s.foreground)) for side in (phantom, real)]
    detail = [_each(side, lambda s: radial_spectrum(s.images)) for side in (phantom, real)]
    return (
        _measure("grey levels", "grey levels", grey_distance, *grey),
        _measure("radial spectrum", "log10 of power", spectrum_distance, *detail),
    )


def _each(slices: Slices, curve) -> np.ndarray:
    """The curve of every slice by itself, (N, K)."""
    return np.stack([curve(slices[[i]]) for i in range(len(slices))])


def _measure(name: str, unit: str, distance, phantom: np.ndarray, real: np.ndarray) -> Yardstick:
    mean = phantom.mean(0)  # (N, K) -> (K,)

    def between_halves(a: np.ndarray, b: np.ndarray) -> float:
        return distance(real[a].mean(0), real[b].mean(0))

    def to_halves(a: np.ndarray, b: np.ndarray) -> float:
        return (distance(mean, real[a].mean(0)) + distance(mean, real[b].mean(0))) / 2

    found = (halves_distance(len(real), between) for between in (to_halves, between_halves))
    return Yardstick(name, unit, *found, np.stack([mean, real.mean(0)]))


def differences(grey: Yardstick, detail: Yardstick) -> dict[str, list[tuple[int, float]]]:
    """Where the phantom differs: what a person who tunes it needs to know.

    Returns:
        ``grey levels``: (level, phantom less real share of darker pixels) every 16 levels;
        ``radial spectrum``: (first frequency of the band, phantom less real log10 power).
    """
    darker = np.cumsum(grey.curves[0] - grey.curves[1])
    power = detail.curves[0] - detail.curves[1]
    bands = np.array_split(np.arange(len(power)), BANDS)
    return {
        grey.name: [(int(LEVELS[i]), round(float(darker[i]), 4)) for i in range(0, len(darker), 16)],
        detail.name: [(int(band[0]) + 1, round(float(power[band].mean()), 3)) for band in bands],
    }
