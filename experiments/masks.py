"""How like drawn masks the made ones are: size, place, variety, and whether they are copies."""

from dataclasses import asdict
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage, stats
from torch import Tensor

from experiments.realism import Scores, halvings, jackknife, mean_over_pairs
from experiments.runner import Place, Result
from strokegan_lib.balance.transplant import SMALLEST, Transplanter
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.evaluation.diversity import pairs
from strokegan_lib.evaluation.statistics import Interval, mean
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.training.weights import load_weights, shipped

MASKS = "masks-soop"  # the generator of masks
COUNT = 400  # masks made, about as many as SOOP has to learn from
BLUR = 3.0  # pixels, standard deviation: where strokes fall, not where their rims are
PAIRS = 2000  # whose Dice is averaged: most pairs do not touch
WHAT = (
    "Made, moved and training masks against those of held-out (validation and test) patients; halves: between halves of the "
    "held-out patients, or of these alone; as many: of as many masks as a half; 95 % intervals: jackknife over groups of "
    "patients for distances, of nearest_dice a bootstrap over patients, of pair_dice over pairs that share a patient together"
)


class MaskSample(NamedTuple):
    """Strokes, none empty, (n, H, W) 0/1, and the names of n patients."""

    stroke: np.ndarray
    patients: np.ndarray


def masks_of(slices: SliceSet, *parts: str) -> MaskSample:
    """The masks of some splits' slices with a stroke."""
    rows = np.sort(np.concatenate([slices.of_split(part) for part in parts]))
    rows = rows[slices.stroke[rows].sum((1, 2), dtype=np.int64) >= SMALLEST]
    return MaskSample(slices.stroke[rows], slices.table["patient"][rows])


def made(generator: MaskGenerator) -> MaskSample:
    """Masks from noise, each a patient of its own."""
    stroke, _ = generator.sample(COUNT, 0)
    return MaskSample(stroke, np.array([f"made {number}" for number in range(COUNT)]))


def moved(slices: SliceSet, seed: int = 0) -> MaskSample:
    """Masks of training patients, put into training slices without a stroke; a mask's patient is its donor."""
    train, rng = slices.of_split("train"), np.random.default_rng(seed)
    free = train[slices.table["has_stroke"][train] == 0]
    source = Transplanter(slices, train)
    placed = (source.place(int(row), rng) for row in rng.choice(free, 2 * COUNT))  # some do not fit
    plans = list(islice(filter(None, placed), COUNT))
    donors = [plan.donor for plan in plans]
    return MaskSample(np.stack([plan.stroke for plan in plans]), slices.table["patient"][donors])


def side_by_side(place: Place) -> Result:
    """Masks from noise, moved ones, and the training patients' own: what is made of these can hardly be nearer."""
    slices = place.data
    train, held_out = masks_of(slices, "train"), masks_of(slices, "validation", "test")
    generator, _ = load_weights(shipped(MASKS), "mask generator")
    samples = {"made": made(generator), "moved": moved(slices), "training": train}
    lines = [
        {"measure": measure, "masks": name, **score}
        for name, sample in samples.items()
        for measure, score in mask_scores(sample, held_out, train).items()
        if (measure, name) != ("nearest_dice", "training")  # each is its own nearest
    ]
    counts = {f"{name}_masks": len(of.stroke) for name, of in {**samples, "held_out": held_out}.items()}
    return Result(WHAT, {"": lines}, {"weights_sha256": sha256(shipped(MASKS)), "counts": counts})


def blurred(masks: np.ndarray) -> np.ndarray:
    """Masks as smooth patches, (n, H, W) -> (n, H * W)."""
    return ndimage.gaussian_filter(masks.astype(np.float32), (0, BLUR, BLUR)).reshape(len(masks), -1)


def total_variation(a: Tensor, b: Tensor) -> float:
    """Share, 0..1, of blurred strokes (n, H * W) that lies elsewhere than (m, H * W); slices of one height."""
    maps = [x.mean(0) / x.mean(0).sum() for x in (a, b)]  # each sums to 1
    return float((maps[0] - maps[1]).abs().sum() / 2)


# name: what is looked at, a row a slice, and how two samples of it are compared
DISTANCES = {
    # natural logarithm of each mask's pixels, (n, H, W) -> (n,): strokes differ a thousandfold; the mean distance that
    # values must be moved to turn one sample into the other
    "log_area": (lambda masks: np.log(masks.sum((1, 2), dtype=np.int64)), stats.wasserstein_distance),
    "place": (blurred, total_variation),
}


def mask_scores(made: MaskSample, held_out: MaskSample, train: MaskSample, *, seed: int = 0) -> Scores:
    """Measure made masks against those of patients that are not in *train*, which was learnt from.

    Beside each score stands ``halves``, the same between halves of the held-out patients or of them alone. Distances:
    0 is best, and never reached by chance; they shrink as samples grow, so that only ``fake_as_many``, of as many made
    masks as a half has, can be held against ``halves``. ``nearest_dice`` is that of a stroke with the nearest training
    stroke or its mirror image: well above the held-out patients' indicates copies; ``pair_dice`` that of two strokes:
    the higher, the less variety.
    """
    results: Scores = {}
    for name, (describe, distance) in DISTANCES.items():
        a, b = (torch.from_numpy(describe(sample.stroke)) for sample in (made, held_out))
        interval = jackknife(distance, a, b, made.patients, held_out.patients, seed=seed)
        rng = np.random.default_rng(seed)
        sides = [*halvings(held_out.patients, rng)]
        halves = [distance(b[first], b[second]) for first, second in sides]
        some = (rng.permutation(len(a))[: len(first)] for first, _ in sides)
        as_many = [distance(a[rows], b[second]) for rows, (_, second) in zip(some, sides, strict=True)]
        results[name] = asdict(interval) | {"low": max(0.0, interval.low)}
        results[name] |= {"halves": float(np.mean(halves)), "fake_as_many": float(np.mean(as_many))}
    both_sides = np.concatenate([train.stroke, train.stroke[:, :, ::-1]])
    ours, theirs = (variety(sample, both_sides, seed) for sample in (made, held_out))
    return results | {name: {**asdict(of), "halves": theirs[name].mean} for name, of in ours.items()}


def variety(sample: MaskSample, train: np.ndarray, seed: int) -> dict[str, Interval]:
    """Dice of strokes with the nearest of (m, H, W) training masks, and with each other."""
    both = pairs(sample.patients, PAIRS, seed)  # (PAIRS, 2) rows
    nearest = dice_between(sample.stroke, train).max(1)  # (n,)
    alike = dice_between(sample.stroke, sample.stroke)[tuple(both.T)]  # (PAIRS,)
    return {
        "nearest_dice": mean(nearest, sample.patients, seed=seed),
        "pair_dice": mean_over_pairs(alike, sample.patients[both]),
    }


def dice_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dice of every mask with every other, (n, H, W) and (m, H, W) -> (n, m), none of them empty."""
    rows = [torch.from_numpy(x.astype(np.float32)).flatten(1) for x in (a, b)]
    sizes = [x.sum(1) for x in rows]
    return (2 * rows[0] @ rows[1].T / (sizes[0][:, None] + sizes[1])).numpy()
