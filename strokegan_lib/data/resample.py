"""The one rule that brings any axial plane to 128 x 128 pixels.

Pad to a square (in millimetres), then average over the area of each new pixel. Together they are
one affine map between pixel grids, and separable: one small matrix a side.
"""

from functools import lru_cache

import numpy as np

SIZE = 128  # pixels a side: the paper's 128 x 128


@lru_cache(maxsize=64)
def area_weights(n: int, spacing: float, side: float, size: int = SIZE) -> np.ndarray:
    """Share of each of *size* new pixels' length that each of *n* old ones covers, (size, n) float64.

    The old pixels are *spacing* mm long and lie in the middle of the square's *side*, mm.
    """
    new = np.linspace(-side / 2, side / 2, size + 1)  # (size+1,) edges, mm
    old = (np.arange(n + 1) - n / 2) * spacing  # (n+1,) edges, mm
    low = np.maximum(new[:-1, None], old[None, :-1])  # (size, n)
    high = np.minimum(new[1:, None], old[None, 1:])  # (size, n)
    weights = np.clip(high - low, 0, None) * (size / side)
    weights.setflags(write=False)  # shared by the cache
    return weights


def pixel_size(shape: tuple[int, int], spacing: tuple[float, float], size: int = SIZE) -> float:
    """Side of a new (square) pixel in mm, for planes of *shape* and *spacing* (row, column)."""
    return max(shape[0] * spacing[0], shape[1] * spacing[1]) / size


def area_average(planes: np.ndarray, spacing: tuple[float, float], size: int = SIZE) -> np.ndarray:
    """Average planes over the area of each new pixel; outside the old plane counts as 0.

    Args:
        planes: (..., H, W), any real type.
        spacing: height and width of an old pixel, mm.
        size: new pixels a side; the result is (..., size, size) float64.
    """
    height, width = planes.shape[-2:]
    side = pixel_size((height, width), spacing, size) * size
    rows = area_weights(height, float(spacing[0]), side, size)  # (size, H)
    columns = area_weights(width, float(spacing[1]), side, size)  # (size, W)
    return rows @ planes.astype(np.float64) @ columns.T  # (..., size, size)


def resample_mask(mask: np.ndarray, spacing: tuple[float, float], size: int = SIZE) -> np.ndarray:
    """Where a mask, (..., H, W) bool or 0/1, covers half of a new pixel or more, (..., size, size) bool."""
    # the slack keeps exact halves inside whatever the order of the sums
    return area_average(mask, spacing, size) >= 0.5 - 1e-9


def resample_image(image: np.ndarray, foreground: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Area average of an image (..., H, W) over its foreground only, so that edges do not darken.

    Returns:
        (..., 128, 128) float64; 0 where no foreground is near.
    """
    share = area_average(foreground, spacing)
    total = area_average(image * foreground, spacing)
    return np.divide(total, share, out=np.zeros_like(total), where=np.broadcast_to(share > 1e-9, total.shape))
