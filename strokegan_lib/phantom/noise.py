"""Smooth random fields over the box of MNI space: what makes patients, tissues and lesions differ."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

from strokegan_lib.phantom.anatomy import grid_shape


@lru_cache(maxsize=8)
def _filter(spacing: float, size: float, power: int) -> np.ndarray:
    shape = grid_shape(spacing)
    axes = [fft.fftfreq(n, spacing) for n in shape[:2]] + [fft.rfftfreq(shape[2], spacing)]
    squared = sum(k**2 for k in np.meshgrid(*axes, indexing="ij")) * size**2  # (X, Y, Z//2+1)
    weights = squared ** (power / 2) * np.exp(-squared * np.pi)
    weights[0, 0, 0] = 0  # no mean
    return weights.astype(np.float32)


def smooth_noise(rng: np.random.Generator, spacing: float, size: float, power: int = 0) -> np.ndarray:
    """Gaussian random field with blobs of a given size, mean 0 and standard deviation 1.

    White noise is filtered in Fourier space by ``|k|^power exp(-pi |k|^2 size^2)``.

    Args:
        spacing: distance of grid points, mm.
        size: size of the blobs, mm; larger is smoother.
        power: 0 for blobs of *size* and larger, 2 and more for blobs of about *size* only.

    Returns:
        (X, Y, Z) float32 on the grid of *spacing* over the box.
    """
    shape = grid_shape(spacing)
    spectrum = fft.rfftn(rng.standard_normal(shape, dtype=np.float32)) * _filter(spacing, size, power)
    field = fft.irfftn(spectrum, shape)
    return field / field.std()
