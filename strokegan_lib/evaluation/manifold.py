"""Fidelity and coverage apart: where in feature space are the fakes, and where are they not?

A set's *manifold* is a ball around each of its rows, reaching to the row's k-th nearest neighbour in its own
set: small where rows are dense. One number such as the Fréchet distance cannot tell bad pictures from missing
ones; these four can. Taught in notebook 07.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 1024  # rows compared at a time


@dataclass(frozen=True)
class Manifold:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

    Each is a mean over rows, kept row by row so that an interval can be had. Density is about 1 for good fakes and
    may be more; hitting one ball that an outlier has made huge does not raise it.
    """

    precision: Tensor  # (m,) 0/1, is the fake in any ball of the real set?
    recall: Tensor  # (n,) 0/1, is the real row in any ball of the fake set?
    density: Tensor  # (m,) in how many balls of the real set does the fake lie, divided by k
    coverage: Tensor  # (n,) 0/1, does any fake lie in the ball of this real row?


def manifold(real: Tensor, fake: Tensor, k: int = 5) -> Manifold:
    """Compare two sets, (n, F) and (m, F), ball by ball; ValueError unless they have more than k rows.

    A ball holds k neighbours: 5 as in Naeem et al.; Kynkäänniemi et al. take 3.
    """
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"{k} neighbours need more than {k} rows, not {len(real)} and {len(fake)}")
    distance = distances(fake, real)  # (m, n)
    in_real = distance <= radii(real, k)  # which fake lies in which real row's ball
    in_fake = distance <= radii(fake, k)[:, None]
    balls = in_real.sum(1).double()  # (m,)
    return Manifold((balls > 0).double(), in_fake.any(0).double(), balls / k, in_real.any(0).double())


def radii(x: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest other row, (n, F) -> (n,)."""
    # itself is the first
    return torch.cat([distances(part, x).kthvalue(k + 1, dim=1).values for part in x.split(CHUNK)])


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Distance of each row of x to the nearest row of y, (n, F) and (m, F) -> (n,)."""
    return torch.cat([distances(part, y).amin(1) for part in x.split(CHUNK)])


def distances(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distances, (n, F) and (m, F) -> (n, m); exactly 0 for equal rows."""
    return torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist")
