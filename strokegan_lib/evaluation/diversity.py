"""Diversity within a set: how alike are two of its pictures? (MS-SSIM) Taught in notebook 07."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Wang et al. 2003 weigh five scales. At 128 x 128 the fifth is 8 pixels wide, less than the
# window: four are left, their weights renormalised to sum to 1.
WEIGHTS = torch.tensor([0.0448, 0.2856, 0.3001, 0.2363], dtype=torch.float64)
WEIGHTS /= WEIGHTS.sum()
WINDOW, SIGMA = 11, 1.5  # pixels, of the Gaussian window
C1, C2 = 0.01**2, 0.03**2  # for pictures in 0..1; they keep flat windows from dividing by 0


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Multi-scale structural similarity of pairs of pictures (Wang, Simoncelli, Bovik 2003, eq. 7).

    In every Gaussian window, with means m, variances v and covariance c of the two pictures::

        luminance l = (2 m_x m_y + C1) / (m_x^2 + m_y^2 + C1)
        contrast and structure cs = (2 c + C2) / (v_x + v_y + C2)

        MS-SSIM = product over scales s of mean(cs)_s^w_s, the last scale with mean(l cs)

    where each scale halves the pictures. A negative mean counts as 0 (a root of it would not exist).

    From (B, 1, H, W) in 0..1, H and W 88 or more (the last scale must hold the window), to (B,) float64:
    1 for equal pictures, 0 for unlike ones.
    """
    x, y = x.double(), y.double()
    similarity = 1.0
    for scale, weight in enumerate(WEIGHTS.tolist()):
        if scale:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        full, structure = _windows(x, y)
        last = scale == len(WEIGHTS) - 1
        similarity = similarity * (full if last else structure).clamp(min=0) ** weight
    return similarity


def _windows(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Means of l cs and of cs over all windows that lie inside the pictures, (B,) each."""
    down, across = (gaussian_rows(n).to(x) for n in x.shape[2:])  # (H-10, H), (W-10, W)
    planes = torch.stack([x, y, x * x, y * y, x * y])  # (5, B, 1, H, W)
    mx, my, xx, yy, xy = down @ planes @ across.T  # (B, 1, H-10, W-10) each
    structure = (2 * (xy - mx * my) + C2) / (xx - mx**2 + yy - my**2 + C2)
    luminance = (2 * mx * my + C1) / (mx**2 + my**2 + C1)
    return (luminance * structure).mean((1, 2, 3)), structure.mean((1, 2, 3))


def gaussian_rows(n: int) -> Tensor:
    """A Gaussian window in every row, one place further each: (n - 10, n), rows sum to 1.

    Times a column of n pixels it is the mean in each window, several times as fast as a convolution.
    """
    place = torch.arange(n) - torch.arange(n - WINDOW + 1)[:, None]  # in the window, 0..10 inside
    weight = torch.exp(-0.5 * ((place - WINDOW // 2) / SIGMA) ** 2)
    weight = weight.double() * ((place >= 0) & (place < WINDOW))
    return weight / weight.sum(1, keepdim=True)


def pairs(patients: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Draw *count* pairs of rows of different patients at random, (count, 2) int64; a row may be in several.

    Every patient is as likely, however many slices it has. Two slices of one patient are alike, which
    says nothing of a set. *patients* (n,) are those of the rows; ValueError unless there are two or more.
    """
    rng = np.random.default_rng(seed)
    names, who = np.unique(patients, return_inverse=True)
    if len(names) < 2:
        raise ValueError("pairs need two patients or more")
    order = np.argsort(who, kind="stable")
    size = np.bincount(who)
    start = np.cumsum(size) - size
    first = rng.integers(len(names), size=count)
    second = (first + rng.integers(1, len(names), size=count)) % len(names)
    both = np.stack([first, second], 1)  # (count, 2) patients
    return order[start[both] + (rng.random((count, 2)) * size[both]).astype(int)]
