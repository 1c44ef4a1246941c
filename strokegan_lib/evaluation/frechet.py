"""Fréchet distance: two sets of features compared as two normal distributions. Taught in notebook 07."""

import numpy as np
import torch
from torch import Tensor

from strokegan_lib.evaluation.statistics import Patients

SHARES = np.linspace(0.5, 1, 11)  # of the patients: smaller samples than half bend the line


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """How far apart two sets are in mean and covariance (Fréchet 1957; FID: Heusel et al. 2017, eq. 6)::

        |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a^1/2 S_b S_a^1/2)^1/2)

    of (n, F) and (m, F), two rows or more each, in the features' units, squared. It compares nothing beyond mean
    and covariance, and small samples make it too large: their means and covariances differ by chance.
    """
    a, b = a.double(), b.double()
    gap = (a.mean(0) - b.mean(0)).square().sum()
    cov_a, cov_b = (torch.atleast_2d(torch.cov(x.T)) for x in (a, b))  # (F, F), of one feature as well
    root = psd_root(cov_a)
    # tr of the root of a matrix is the sum of the roots of its eigenvalues
    shared = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return float(gap + cov_a.trace() + cov_b.trace() - 2 * shared)


def psd_root(matrix: Tensor) -> Tensor:
    """The symmetric R with R R = matrix, for a symmetric matrix (F, F) without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)  # matrix = V D V^T and R = V D^1/2 V^T
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T  # rounding may take a 0 below 0


def frechet_at_infinity(
    a: Tensor,
    b: Tensor,
    patients_a: Patients | None = None,
    patients_b: Patients | None = None,
    *,
    repeats: int = 5,
    seed: int = 0,
) -> float:
    """The Fréchet distance that endless samples would have (FID-infinity: Chong and Forsyth 2020).

    The bias of a small sample falls as 1/n. So the distance is computed for shares s of the data, drawn
    without replacement, and the line ``distance = limit + slope / s`` is read off at 1/s = 0; chance may make it
    slightly negative. Patients are drawn whole: it is their number that makes the bias.

    Args:
        a, b: (n, F) and (m, F).
        patients_a, patients_b: (n,) and (m,), the patient of each row; None: each row its own.
        repeats, seed: of the draws at each share.
    """
    rng = np.random.default_rng(seed)
    sides = [
        (x, np.unique(np.arange(len(x)) if p is None else p, return_inverse=True)[1])
        for x, p in ((a, patients_a), (b, patients_b))
    ]

    def part(x: Tensor, who: np.ndarray, share: float) -> Tensor:
        count = who.max() + 1
        drawn = rng.permutation(count)[: max(2, round(share * count))]
        return x[torch.from_numpy(np.isin(who, drawn)).to(x.device)]

    shares = np.repeat(SHARES, repeats)
    distances = [frechet_distance(*(part(*side, share) for side in sides)) for share in shares]
    return float(np.polyfit(1 / shares, distances, 1)[1])
