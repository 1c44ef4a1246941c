"""CarveMix: a lesion is carved out of one slice, with some tissue around it, and put into another.

Zhang et al., CarveMix: a simple data augmentation method for brain lesion segmentation,
MICCAI 2021. The rival of painting that needs no network.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance to the edge of a mask in pixels: negative inside, positive outside, (H, W)."""
    mask = np.asarray(mask, bool)
    return ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)


def draw_margin(distance: np.ndarray, rng: np.random.Generator) -> float:
    """How far beyond (or, negative, within) the edge to carve: uniform in -d/2..d, d being the lesion's depth.

    That is the draw of the authors' released code.

    Args:
        distance: (H, W) of :func:`signed_distance`.
    """
    depth = -float(distance.min())
    return rng.uniform(-depth / 2, depth)


def carve_and_mix(
    image: np.ndarray,
    stroke: np.ndarray,
    foreground: np.ndarray,
    donor_image: np.ndarray,
    donor_stroke: np.ndarray,
    donor_foreground: np.ndarray,
    margin: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Replace a region of a slice, image and mask alike, by the same region of another.

    The region holds the donor's lesion and what lies nearer to it than *margin* pixels, as
    far as it is brain in both slices: nothing is pasted onto air.

    Args:
        image, donor_image: (C, H, W).
        stroke, foreground, donor_stroke, donor_foreground: (H, W) bool or 0/1.
        margin: in pixels, see :func:`draw_margin`.

    Returns:
        The mixed image (C, H, W) and its stroke mask (H, W) bool.
    """
    region = signed_distance(donor_stroke) <= margin  # M
    region &= (np.asarray(foreground) == 1) & (np.asarray(donor_foreground) == 1)
    mixed = np.where(region, donor_image, image)  # X = X_i M + X_j (1 - M)
    return mixed, np.where(region, donor_stroke, stroke) == 1  # and so for Y
