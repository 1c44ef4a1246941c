"""Memorisation: are synthetic slices nearer to the training slices than those of new patients are?

A generator that hands out its training slices has a perfect Fréchet distance and perfect precision, and has
given away patients' pictures. Taught in notebook 07.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from strokegan_lib.evaluation.manifold import nearest
from strokegan_lib.evaluation.statistics import Interval, Patients, bootstrap, mean, ratio

TAIL = 0.05  # of held-out slices are this near to a training slice by chance


@dataclass(frozen=True)
class Memorisation:
    """Nearest-neighbour distances to the training set, synthetic against held-out slices."""

    # mean distance of synthetic slices over that of held-out ones: about 1 is what new patients have; well below 1
    # indicates copies; above 1 slices unlike any
    ratio: Interval
    # share of synthetic slices nearer to a training slice than all but TAIL of the held-out ones: .05 by chance; a
    # few copies among many show here, not in the ratio
    close: Interval


def memorisation(
    synthetic: Tensor,
    held_out: Tensor,
    train: Tensor,
    synthetic_patients: Patients,
    held_out_patients: Patients,
    *,
    seed: int = 0,
) -> Memorisation:
    """Compare distances to the nearest training row.

    The threshold of *close* is taken as given: its own chance is not in the interval.

    Args:
        synthetic, held_out, train: (m, F), (h, F), (n, F) features, or small pictures as rows.
        synthetic_patients, held_out_patients: (m,), (h,): what is resampled for the intervals.
    """
    ours, theirs = (nearest(x, train).cpu().numpy() for x in (synthetic, held_out))  # (m,), (h,)

    def ratio_of_means(sums: np.ndarray) -> np.ndarray:  # (..., 4) -> (...)
        return ratio(np.stack([ratio(sums[..., :2]), ratio(sums[..., 2:])], -1))

    terms = np.zeros((len(ours) + len(theirs), 4))
    terms[: len(ours), 0], terms[: len(ours), 1] = ours, 1
    terms[len(ours) :, 2], terms[len(ours) :, 3] = theirs, 1
    people = [f"synthetic {p}" for p in synthetic_patients] + [f"held out {p}" for p in held_out_patients]
    return Memorisation(
        bootstrap(terms, people, ratio_of_means, seed=seed),
        mean(ours <= np.quantile(theirs, TAIL), synthetic_patients, seed=seed),
    )
