"""How like real masks are synthetic ones: size, shape, place, variety, and whether they are copies.

Everything is measured against the masks of patients that nothing was learnt from, and beside each number
stands what two halves of those patients give: no two samples are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from scipy import ndimage, stats
from torch import Tensor

from experiments.realism_measures import HALVINGS, jackknife
from strokegan_lib.evaluation.diversity import pairs
from strokegan_lib.evaluation.statistics import Interval, mean

BLUR = 3.0  # pixels, standard deviation: where strokes fall, not where their rims are
PAIRS = 2000  # whose Dice is averaged: most pairs do not touch

Distance = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class MaskSample:
    """Masks of n slices with a stroke.

    Attributes:
        stroke, foreground: (n, H, W) uint8 or bool, 0/1, no stroke empty.
        patients: (n,) names; a made mask, which has none, counts as a patient of its own.
    """

    stroke: np.ndarray
    foreground: np.ndarray
    patients: np.ndarray

    def __len__(self) -> int:
        return len(self.stroke)


def log_areas(masks: np.ndarray) -> np.ndarray:
    """Natural logarithm of each mask's pixels, (n, H, W) -> (n,): strokes differ a thousandfold."""
    return np.log(masks.sum((1, 2), dtype=np.int64))


def pieces(masks: np.ndarray) -> np.ndarray:
    """Pieces of each mask, neighbours being pixels that share an edge, (n, H, W) -> (n,)."""
    return np.array([ndimage.label(mask)[1] for mask in masks])


def compactness(masks: np.ndarray) -> np.ndarray:
    """How round the masks are, (n, H, W) -> (n,): 16 area / perimeter^2, with pixels' edges as perimeter.

    1 for a square, pi / 4 for a large disc, less for what is frayed or in pieces. An edge of the picture counts.
    """
    padded = np.pad(masks.astype(bool), ((0, 0), (1, 1), (1, 1)))
    edges = sum(np.diff(padded, axis=axis).sum((1, 2), dtype=np.int64) for axis in (1, 2))
    return 16 * masks.sum((1, 2), dtype=np.int64) / edges**2


def left_shares(sample: MaskSample) -> np.ndarray:
    """Share of each stroke left of the middle of its brain's box, as displayed, (n,)."""
    shares = []
    for stroke, foreground in zip(sample.stroke, sample.foreground, strict=True):
        columns = np.flatnonzero(foreground.any(0))
        middle = (columns[0] + columns[-1]) / 2
        weight = (np.arange(stroke.shape[1]) < middle) + 0.5 * (np.arange(stroke.shape[1]) == middle)
        shares.append((stroke.sum(0) * weight).sum() / stroke.sum())
    return np.array(shares)


def wasserstein(a: Tensor, b: Tensor) -> float:
    """Mean distance that values must be moved to turn one sample into the other, (n, 1) and (m, 1)."""
    return float(stats.wasserstein_distance(a[:, 0].numpy(), b[:, 0].numpy()))


def difference_of_means(a: Tensor, b: Tensor) -> float:
    """Absolute difference of the means of (n, 1) and (m, 1)."""
    return float((a.mean() - b.mean()).abs())


def total_variation(a: Tensor, b: Tensor) -> float:
    """Share of the strokes that lies in other places: total variation, 0..1, of two incidence maps.

    Args:
        a, b: (n, H * W) and (m, H * W) masks, blurred. Slices of one height, brains of one size and alignment.
    """
    maps = [x.mean(0) / x.mean(0).sum() for x in (a, b)]  # each sums to 1
    return float((maps[0] - maps[1]).abs().sum() / 2)


def _column(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float64))[:, None]  # (n, 1)


def _blurred(sample: MaskSample) -> Tensor:
    blurred = ndimage.gaussian_filter(sample.stroke.astype(np.float32), (0, BLUR, BLUR))
    return torch.from_numpy(blurred).flatten(1)  # (n, H * W)


# name: what is looked at, a row a slice, and how two samples of it are compared
DISTANCES: dict[str, tuple[Callable[[MaskSample], Tensor], Distance]] = {
    "log_area": (lambda sample: _column(log_areas(sample.stroke)), wasserstein),
    "pieces": (lambda sample: _column(pieces(sample.stroke)), wasserstein),
    "compactness": (lambda sample: _column(compactness(sample.stroke)), wasserstein),
    "place": (_blurred, total_variation),
    "side": (lambda sample: _column(left_shares(sample)), difference_of_means),
    "brain_log_area": (lambda sample: _column(log_areas(sample.foreground)), wasserstein),
    "brain_compactness": (lambda sample: _column(compactness(sample.foreground)), wasserstein),
}


def dice_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dice of every mask with every other, (n, H, W) and (m, H, W) -> (n, m), none of them empty."""
    flat = [torch.from_numpy(x.astype(np.float32)).flatten(1) for x in (a, b)]
    sizes = [x.sum(1) for x in flat]
    return (2 * flat[0] @ flat[1].T / (sizes[0][:, None] + sizes[1])).numpy()


def nearest_dice(strokes: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Highest Dice of each stroke with a training stroke or its mirror image, (n,): 1 is a copy."""
    both = np.maximum(dice_between(strokes, train), dice_between(strokes, train[:, :, ::-1]))
    return both.max(1)


def outside(sample: MaskSample, brain: np.ndarray) -> np.ndarray:
    """Share of each stroke outside *brain*, (H, W) bool, (n,)."""
    return (sample.stroke * ~brain).sum((1, 2)) / sample.stroke.sum((1, 2), dtype=np.int64)


def mask_scores(
    made: MaskSample, held_out: MaskSample, train: MaskSample, *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Measure masks against those of patients that nothing was learnt from.

    Args:
        made: the masks in question: made, transplanted, or the training masks themselves, for comparison.
        held_out: of patients that are not in *train*.
        train: what was learnt from or borrowed.
        seed: of halvings, pairs and groups.

    Returns:
        name -> mean, low, high, n, patients (see Interval), ``halves``, the same between halves of the
        held-out patients or of them alone, and ``as_many``, of made masks as many as a half. First the
        distances of DISTANCES: 0 is best, and never reached by chance. Then ``outside``, the mean share
        of a stroke outside the training patients' mean brain; ``brain_dice``, of the foregrounds with
        that brain; ``pair_dice``, of two strokes: the higher, the less variety; ``nearest_dice``, of a
        stroke with the nearest training stroke: well above the held-out patients' indicates copies.
    """
    results: dict[str, dict[str, Any]] = {}
    for name, (describe, distance) in DISTANCES.items():
        a, b = describe(made), describe(held_out)
        chance = list(_halves(a, b, held_out.patients, seed))
        interval = jackknife(distance, a, b, made.patients, held_out.patients, seed=seed)
        results[name] = {
            **asdict(interval),
            "low": max(0.0, interval.low),
            "halves": float(np.mean([distance(one, other) for one, other, _ in chance])),
            "as_many": float(np.mean([distance(some, other) for _, other, some in chance])),
        }
    brain = train.foreground.mean(0) >= 0.5
    values: dict[str, Callable[[MaskSample], np.ndarray]] = {
        "outside": lambda s: outside(s, brain),
        "brain_dice": lambda s: dice_between(s.foreground, brain[None])[:, 0],
        "nearest_dice": lambda s: nearest_dice(s.stroke, train.stroke),
    }
    scores = {
        name: [mean(of(sample), sample.patients, seed=seed) for sample in (made, held_out)]
        for name, of in values.items()
    }
    scores["pair_dice"] = [_pair_dice(sample, seed) for sample in (made, held_out)]
    return results | {
        name: {**asdict(ours), "halves": theirs.mean, "as_many": None}
        for name, (ours, theirs) in scores.items()
    }


def _halves(
    made: Tensor, held_out: Tensor, patients: np.ndarray, seed: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Halves of the held-out patients at random, and as many made masks."""
    rng, own = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    names, who = np.unique(patients, return_inverse=True)
    for _ in range(HALVINGS):
        first = np.isin(who, rng.permutation(len(names))[: len(names) // 2])
        some = torch.from_numpy(own.permutation(len(made))[: int(first.sum())])
        yield held_out[torch.from_numpy(first)], held_out[torch.from_numpy(~first)], made[some]


def _pair_dice(sample: MaskSample, seed: int) -> Interval:
    """Mean Dice of two strokes of different patients."""
    first, second = pairs(sample.patients, PAIRS, seed).T
    both = dice_between(sample.stroke, sample.stroke)[first, second]
    return mean(both, sample.patients[first], seed=seed)
