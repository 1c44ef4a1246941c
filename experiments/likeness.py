"""How like two sets of slices are: grey levels, and detail at every scale.

Each distance is given beside the one between two halves of one set,
which is what chance alone makes of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LEVELS = np.arange(8, 257)  # edges of the bins: a bin for each byte that tissue can have


def grey_levels(images: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Share of each grey level within the foreground, averaged over slices.

    Args:
        images: (N, H, W) uint8.
        foreground: (N, H, W) bool.

    Returns:
        (248,) float64, for the bytes 8 to 255; sums to 1.
    """
    pairs = zip(images, foreground.astype(bool), strict=True)
    shares = [np.histogram(image[inside], LEVELS, density=True)[0] for image, inside in pairs if inside.any()]
    return np.mean(shares, axis=0)


def radial_spectrum(images: np.ndarray) -> np.ndarray:
    """Mean logarithm of the power at each spatial frequency, whatever the direction.

    Args:
        images: (N, H, H) uint8, square.

    Returns:
        (H/2 - 1,) float64, log10 of power at 1, 2, ... H/2 - 1 cycles an image.
    """
    size = images.shape[-1]
    taper = np.outer(np.hanning(size), np.hanning(size))  # no jump where the picture ends
    k = np.fft.fftfreq(size, 1 / size)
    radius = np.rint(np.hypot(k[:, None], k[None, :])).astype(int).ravel()  # (H*H,)
    counts = np.bincount(radius)[1 : size // 2]
    logs = []
    for image in images:
        power = np.abs(np.fft.fft2(image / 255.0 * taper)) ** 2
        logs.append(np.log10(np.bincount(radius, power.ravel())[1 : size // 2] / counts + 1e-12))
    return np.mean(logs, axis=0)


def grey_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance between two grey-level distributions, in grey levels."""
    return float(np.abs(np.cumsum(a) - np.cumsum(b)).sum())


def spectrum_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square difference of two log10 spectra; 0.3 is a factor of two in power."""
    return float(np.sqrt(np.mean((a - b) ** 2)))


def halves_distance(n: int, distance: Callable[[np.ndarray, np.ndarray], float], repeats: int = 20) -> float:
    """Mean distance between two equal, disjoint, random halves of a set.

    Args:
        n: size of the set.
        distance: of two arrays of indices into the set.
        repeats: random halvings, seeded.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(repeats):
        order = rng.permutation(n)
        found.append(distance(order[: n // 2], order[n // 2 : 2 * (n // 2)]))
    return float(np.mean(found))
