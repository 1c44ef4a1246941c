"""Memorisation: are painted slices nearer to the training slices than new patients are?

No other yardstick asks. A generator that hands out its training slices has a perfect
Fréchet distance, perfect precision, and has given away patients' pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from strokegan_lib.evaluation.manifold import nearest
from strokegan_lib.evaluation.statistics import Interval, bootstrap, mean

TAIL = 0.05  # of held-out slices are this near to a training slice by chance


@dataclass(frozen=True)
class Memorisation:
    """Nearest-neighbour distances to the training set, painted against held-out slices.

    Attributes:
        ratio: mean distance of painted slices over that of held-out ones. About 1 is what new
            patients have; well below 1 speaks of copies; above 1 of slices unlike any.
        close: share of painted slices nearer to a training slice than all but TAIL of the
            held-out ones. .05 by chance; a few copies among many show here, not in the ratio.
    """

    ratio: Interval
    close: Interval


def memorisation(
    painted: Tensor,
    held_out: Tensor,
    train: Tensor,
    painted_patients: Sequence[str] | np.ndarray,
    held_out_patients: Sequence[str] | np.ndarray,
    *,
    seed: int = 0,
) -> Memorisation:
    """Compare distances to the nearest training row.

    The threshold of *close* is taken as given: its own chance is not in the interval.

    Args:
        painted, held_out, train: (m, F), (h, F), (n, F) features, or small pictures as rows.
        painted_patients, held_out_patients: (m,), (h,): what is resampled for the intervals.
        seed: of the bootstrap.
    """
    near = {"painted": nearest(painted, train), "held out": nearest(held_out, train)}
    d_painted, d_held_out = (d.cpu().numpy() for d in near.values())
    terms = np.zeros((len(d_painted) + len(d_held_out), 4))
    terms[: len(d_painted), 0], terms[: len(d_painted), 1] = d_painted, 1
    terms[len(d_painted) :, 2], terms[len(d_painted) :, 3] = d_held_out, 1
    people = np.concatenate(
        [[f"painted {p}" for p in painted_patients], [f"held out {p}" for p in held_out_patients]]
    )
    threshold = np.quantile(d_held_out, TAIL)
    return Memorisation(
        bootstrap(terms, people, ratio_of_means, seed=seed),
        mean(d_painted <= threshold, painted_patients, seed=seed),
    )


def ratio_of_means(sums: np.ndarray) -> np.ndarray:
    """(..., 4) sums and counts of two samples -> (...): the ratio of their means, NaN where it is 0/0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sums[..., 0] / sums[..., 1] / (sums[..., 2] / sums[..., 3])
    return np.where(np.isfinite(found), found, np.nan)
