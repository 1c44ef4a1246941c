"""How like real FLAIR slices the phantom's are, at the same height: grey levels, and detail at every scale.

A distance between two sets of pictures means little by itself, for two samples of the same people differ too. So each is
given beside the one between two disjoint halves of the real set, and the phantom set is as large as such a half.
"""

from __future__ import annotations

from itertools import count, islice

import numpy as np
import torch

from experiments.runner import Line, Place, Result
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.patient import head_of, make_patient
from strokegan_lib.phantom.scanner import WINDOW

CHANNEL, HALVINGS = "flair", 20
LEVELS = np.arange(8, 257)  # edges of the bins: a bin for each byte that tissue can have
WHAT = "Phantom FLAIR slices against real ones of the same height, one a patient; halves: two halves of the real set"
Slices = tuple[np.ndarray, np.ndarray]  # images (N, 128, 128) uint8, foregrounds (N, 128, 128) 0/1


def grey_levels(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Share of each grey level 8 to 255 within the foreground, (H, W) uint8 and 0/1 -> (248,); it sums to 1."""
    return np.histogram(image[foreground == 1], LEVELS, density=True)[0]


def grey_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance between two distributions of grey levels, in grey levels."""
    return float(np.abs(np.cumsum(a) - np.cumsum(b)).sum())


def radial_spectrum(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """log10 of the power at 1, 2, ... H/2 - 1 cycles an image, whatever the direction, (H, H) uint8 -> (H/2 - 1,)."""
    size = len(image)
    taper = np.outer(np.hanning(size), np.hanning(size))  # no jump where the picture ends
    k = np.fft.fftfreq(size, 1 / size)
    radius = np.rint(np.hypot(k[:, None], k[None, :])).astype(int).ravel()  # (H*H,)
    power = np.abs(np.fft.fft2(image / 255.0 * taper)) ** 2
    mean = np.bincount(radius, power.ravel()) / np.bincount(radius)
    return np.log10(mean[1 : size // 2] + 1e-12)


def spectrum_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square difference of two log10 spectra; 0.3 is a factor of two in power."""
    return float(np.sqrt(np.mean((a - b) ** 2)))


MEASURES = {
    "grey levels": (grey_levels, grey_distance),
    "radial spectrum": (radial_spectrum, spectrum_distance),
}


def likeness(place: Place) -> Result:
    """A line for each measure."""
    height = float(np.median(place.data.table["z"]))
    real = slices_at(place.data, height)
    phantom = grow_slices(len(real[0]) // 2, height)
    facts = {"height_mm": height, "phantom_slices": len(phantom[0]), "real_slices": len(real[0])}
    return Result(WHAT, {"": [measured(name, real, phantom) for name in MEASURES]}, facts)


def measured(name: str, real: Slices, phantom: Slices) -> Line:
    """Mean distance from the phantom slices to a half of the real ones, and between two such halves."""
    curve, distance = MEASURES[name]
    true, made = (
        np.stack([curve(*pair) for pair in zip(*of, strict=True)]) for of in (real, phantom)
    )  # (N, K)
    rng, half, apart, halves = np.random.default_rng(0), len(true) // 2, [], []
    for _ in range(HALVINGS):
        order = rng.permutation(len(true))
        one, other = (true[rows].mean(0) for rows in (order[:half], order[half : 2 * half]))
        halves.append(distance(one, other))
        apart += [distance(made.mean(0), one), distance(made.mean(0), other)]
    found = {"phantom": float(np.mean(apart)), "halves": float(np.mean(halves))}
    return {"measure": name, **found, "ratio": found["phantom"] / found["halves"]}


def slices_at(data: SliceSet, height: float) -> Slices:
    """The slices within half a plane of *height* (mm), an even number; the data have one slice a patient."""
    near = np.abs(data.table["z"] - height) <= data.table["thickness"] / 2 + 1e-3
    rows = np.flatnonzero(near & data.foreground[:].any((1, 2)))
    rows = rows[: len(rows) // 2 * 2]
    return data.images[rows, data.channels.index(CHANNEL)], data.foreground[rows]


def grow_slices(n: int, height: float, *, seed: int = 0) -> Slices:
    """The slice at that height of each of the first *n* phantom patients who have a stroke."""
    numbers = islice((k for k in count() if plan_stroke(k, seed)), n)

    def one(number: int) -> tuple[np.ndarray, np.ndarray]:
        # the real slices were brought to MNI space; the phantom's is looked for at the same anatomy
        head = head_of(number, seed)
        there = float(head.to_mni(torch.tensor([[0.0, head.middle(), height]]))[0, 2])
        patient = make_patient(number, seed=seed, contrast=CHANNEL, z=np.array([2 * height - there]))
        return WINDOW.to_bytes(patient.images, patient.foreground)[0], patient.foreground[0]

    images, foreground = zip(*in_order(one, numbers, workers=2), strict=True)
    return np.stack(images), np.stack(foreground)
