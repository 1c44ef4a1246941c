"""How like real FLAIR slices the phantom's are, at the same height: grey levels, and detail at every scale.

A distance between two sets of pictures means little by itself, for two samples of the same people differ too. So each is
given beside the one between two disjoint halves of the real set, and the phantom set is as large as such a half.
"""

from __future__ import annotations

from itertools import count, islice

import numpy as np
import torch

from experiments.likeness import (
    grey_distance,
    grey_levels,
    halves_distance,
    radial_spectrum,
    spectrum_distance,
)
from experiments.runner import Line, Place, Result
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.patient import head_of, make_patient
from strokegan_lib.phantom.scanner import WINDOW

CHANNEL = "flair"
MEASURES = {  # name: curve of one slice from its image and foreground, (1, H, W) each; distance of two mean curves
    "grey levels": (grey_levels, grey_distance),
    "radial spectrum": (lambda image, _: radial_spectrum(image), spectrum_distance),
}


def likeness(place: Place) -> Result:
    """A line for each measure."""
    height = float(np.median(place.data.table["z"]))
    real = slices_at(place.data, height)
    phantom = grow_slices(len(real[0]) // 2, height)
    what = "Phantom FLAIR slices against real ones of the same height, one a patient; halves: two halves of the real set"
    facts = {"height_mm": height, "phantom_slices": len(phantom[0]), "real_slices": len(real[0])}
    return Result(what, {"": [measured(name, real, phantom) for name in MEASURES]}, facts)


def measured(name: str, real: tuple[np.ndarray, ...], phantom: tuple[np.ndarray, ...]) -> Line:
    """Mean distance from the phantom slices to a half of the real ones, and between two such halves."""
    curve, distance = MEASURES[name]
    # a curve a slice, (N, K): that of half the set is then a mean of rows
    true, made = (np.stack([curve(image[None], inside[None]) for image, inside in zip(*of, strict=True)]) for of in (real, phantom))  # fmt: skip

    def between(a: np.ndarray, b: np.ndarray) -> float:
        return distance(true[a].mean(0), true[b].mean(0))

    def beside(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([distance(made.mean(0), true[half].mean(0)) for half in (a, b)]))

    apart, halves = (halves_distance(len(true), of) for of in (beside, between))
    return {"measure": name, "phantom": apart, "halves": halves, "ratio": apart / halves}


def slices_at(data: SliceSet, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each patient the slice nearest to *height* (mm), where one lies within half a plane of it.

    Returns:
        images (N, 128, 128) uint8 and foregrounds (N, 128, 128) 0/1, N even.
    """
    table = data.table
    away = np.abs(table["z"] - height)  # (N,) mm
    usable = (away <= table["thickness"] / 2 + 1e-3) & data.foreground[:].any((1, 2))
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(away[rows], kind="stable")]
    _, nearest = np.unique(table["patient"][rows], return_index=True)  # the first of each patient
    rows = np.sort(rows[nearest])[: len(nearest) // 2 * 2]
    return data.images[rows, data.channels.index(CHANNEL)], data.foreground[rows]


def grow_slices(n: int, height: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """As ``slices_at``, of each of the first *n* phantom patients who have a stroke."""
    numbers = islice((k for k in count() if plan_stroke(k, seed)), n)

    def one(number: int) -> tuple[np.ndarray, np.ndarray]:
        # the real slices were brought to MNI space; the phantom's is looked for at the same anatomy
        head = head_of(number, seed)
        there = float(head.to_mni(torch.tensor([[0.0, head.middle(), height]]))[0, 2])
        patient = make_patient(number, seed=seed, contrast=CHANNEL, z=np.array([2 * height - there]))
        return WINDOW.to_bytes(patient.images, patient.foreground)[0], patient.foreground[0]

    images, foreground = zip(*in_order(one, numbers, workers=2), strict=True)
    return np.stack(images), np.stack(foreground)
