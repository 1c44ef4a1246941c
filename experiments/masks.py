"""How like drawn masks are made ones: size, place, variety, and whether they are copies.

A stroke for a slice that has none is made from noise, or moved there from another patient. Both know the training
patients alone and are compared with the patients that are left; so are the training patients' own masks, for nothing
made from them can be expected to come nearer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
import torch
from scipy import ndimage, stats
from torch import Tensor

from experiments.realism import HALVINGS, Scores, jackknife
from experiments.runner import Place, Result
from strokegan_lib.balance.transplant import SMALLEST, Transplanter
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import one_thread_each
from strokegan_lib.evaluation.diversity import pairs
from strokegan_lib.evaluation.statistics import mean
from strokegan_lib.files import sha256
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.training.weights import load_weights, shipped

COUNT = 400  # masks made, about as many as SOOP has to learn from
BLUR = 3.0  # pixels, standard deviation: where strokes fall, not where their rims are
PAIRS = 2000  # whose Dice is averaged: most pairs do not touch
COLUMNS = ("mean", "low", "high", "n", "patients", "as_many", "halves")
WHAT = (
    "Made, transplanted and training masks against those of held-out (validation and test) patients; log_area and place are "
    "distances (0 is best); halves: between halves of the held-out patients, or of these alone; as_many: of as many masks as a "
    "half; 95 % intervals: jackknife over groups of patients for distances, else bootstrap over patients, a made mask its own"
)


@dataclass(frozen=True)
class MaskSample:
    """Strokes, none empty, (n, H, W) 0/1, and the names of n patients."""

    stroke: np.ndarray
    patients: np.ndarray


def masks(place: Place) -> Result:
    """A line for each measure and way."""
    file = shipped("masks-soop")
    train, held_out = masks_of(place.data, "train"), masks_of(place.data, "validation", "test")
    with one_thread_each():
        generator, _ = load_weights(file, "mask generator")
        ways = {"made": made(generator), "transplanted": transplanted(place.data), "training": train}
        lines = [
            {"measure": measure, "masks": way, **{name: score[name] for name in COLUMNS}}
            for way, sample in ways.items()
            for measure, score in mask_scores(sample, held_out, train).items()
            if (measure, way) != ("nearest_dice", "training")  # each of them is its own nearest
        ]
    counts = {name: len(of.stroke) for name, of in {**ways, "held out": held_out}.items()}
    return Result(WHAT, {"": lines}, {"weights_sha256": sha256(file), "counts": counts})


def masks_of(slices: SliceSet, *parts: str) -> MaskSample:
    """The masks of some splits' slices with a stroke."""
    rows = np.sort(np.concatenate([slices.of_split(part) for part in parts]))
    rows = rows[slices.stroke[rows].sum((1, 2), dtype=np.int64) >= SMALLEST]
    return MaskSample(slices.stroke[rows], slices.table["patient"][rows])


def made(generator: MaskGenerator) -> MaskSample:
    """Masks from noise, each a patient of its own."""
    stroke, _ = generator.sample(COUNT, 0)
    return MaskSample(stroke, np.array([f"made {number}" for number in range(COUNT)]))


def transplanted(slices: SliceSet) -> MaskSample:
    """Masks of training patients moved to training slices without stroke; a mask's patient is its donor."""
    train = slices.of_split("train")
    free = train[slices.table["has_stroke"][train] == 0]
    transplanter, rng = Transplanter(slices, train), np.random.default_rng(0)
    tried = (transplanter.place(int(row), rng) for row in rng.choice(free, 2 * COUNT))
    placed = list(islice(filter(None, tried), COUNT))
    donors = slices.table["patient"][[one.donor for one in placed]]
    return MaskSample(np.stack([one.stroke for one in placed]), donors)


def log_areas(masks: np.ndarray) -> np.ndarray:
    """Natural logarithm of each mask's pixels, (n, H, W) -> (n,): strokes differ a thousandfold."""
    return np.log(masks.sum((1, 2), dtype=np.int64))


def wasserstein(a: Tensor, b: Tensor) -> float:
    """Mean distance that values must be moved to turn one sample into the other, (n,) and (m,)."""
    return float(stats.wasserstein_distance(a.numpy(), b.numpy()))


def blurred(masks: np.ndarray) -> np.ndarray:
    """Masks as smooth patches, (n, H, W) -> (n, H * W)."""
    return ndimage.gaussian_filter(masks.astype(np.float32), (0, BLUR, BLUR)).reshape(len(masks), -1)


def total_variation(a: Tensor, b: Tensor) -> float:
    """Share, 0..1, of blurred strokes, (n, H * W) and (m, H * W), in other places; slices of one height, alike aligned."""
    maps = [x.mean(0) / x.mean(0).sum() for x in (a, b)]  # each sums to 1
    return float((maps[0] - maps[1]).abs().sum() / 2)


# name: what is looked at, a row a slice, and how two samples of it are compared
DISTANCES = {"log_area": (log_areas, wasserstein), "place": (blurred, total_variation)}


def mask_scores(made: MaskSample, held_out: MaskSample, train: MaskSample, *, seed: int = 0) -> Scores:
    """Measure masks, *made* or others, against those of patients that are not in *train*, which was learnt from.

    Beside each score stand ``halves``, the same between halves of the held-out patients or of them alone, and
    ``as_many``, of made masks as many as a half. Distances: 0 is best, and never reached by chance. ``nearest_dice``
    is that of a stroke with the nearest training stroke or its mirror image: well above the held-out patients'
    indicates copies; ``pair_dice`` that of two strokes: the higher, the less variety.
    """
    results: Scores = {}
    for name, (describe, distance) in DISTANCES.items():
        a, b = (torch.from_numpy(describe(sample.stroke)) for sample in (made, held_out))
        interval = jackknife(distance, a, b, made.patients, held_out.patients, seed=seed)
        results[name] = asdict(interval) | {"low": max(0.0, interval.low)}
        results[name] |= _by_chance(distance, a, b, held_out.patients, seed)
    both_sides = np.concatenate([train.stroke, train.stroke[:, :, ::-1]])
    for sample, column in ((made, "mean"), (held_out, "halves")):
        first, second = pairs(sample.patients, PAIRS, seed).T
        nearest = dice_between(sample.stroke, both_sides).max(1)
        alike = dice_between(sample.stroke, sample.stroke)[first, second]
        found = {
            "nearest_dice": mean(nearest, sample.patients, seed=seed),
            "pair_dice": mean(alike, sample.patients[first], seed=seed),
        }
        for name, score in found.items():
            results.setdefault(name, asdict(score) | {"as_many": None})[column] = score.mean
    return results


def dice_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dice of every mask with every other, (n, H, W) and (m, H, W) -> (n, m), none of them empty."""
    rows = [torch.from_numpy(x.astype(np.float32)).flatten(1) for x in (a, b)]
    sizes = [x.sum(1) for x in rows]
    return (2 * rows[0] @ rows[1].T / (sizes[0][:, None] + sizes[1])).numpy()


def _by_chance(distance, made: Tensor, held_out: Tensor, patients: np.ndarray, seed: int) -> dict[str, float]:
    """Mean distance of halves of the held-out patients, and of the second half to as many made masks."""
    rng, own = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    names, who = np.unique(patients, return_inverse=True)
    halves, as_many = [], []
    for _ in range(HALVINGS):
        first = np.isin(who, rng.permutation(len(names))[: len(names) // 2])
        other = held_out[torch.from_numpy(~first)]
        halves.append(distance(held_out[torch.from_numpy(first)], other))
        as_many.append(distance(made[torch.from_numpy(own.permutation(len(made))[: first.sum()])], other))
    return {"halves": float(np.mean(halves)), "as_many": float(np.mean(as_many))}
