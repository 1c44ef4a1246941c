"""Which voxels are head or brain: one rule for each kind of scan, all three crude and stated.

The kit needs a foreground to tell dark tissue from air, not an anatomy: a rule that a student can read
beats a better one that needs a network. Masks are (P, H, W) bool; *spacing* is of plane, row, column in mm.
"""

import numpy as np

STRIPPED = "voxels above 0 in any channel (the data come without skull), holes filled plane by plane"
HEAD = "the largest piece brighter than 0.4 of the volume's mean after smoothing by 1 mm, holes filled plane by plane"
BRAIN_CT = "the largest piece of 1 to 90 HU after smoothing by 1 mm and cutting bridges of 4 mm, holes filled"


def stripped(images: np.ndarray) -> np.ndarray:
    """Foreground (P, H, W) of a scan whose skull has been removed: *images* (C, P, H, W), 0 outside."""
    return fill(np.any(images > 0, axis=0))


def head(image: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Foreground of an MR scan with its skull, the head: *image* (P, H, W) in any unit, air dark."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.clip(image, 0, None), [1 / s for s in spacing])
    return fill(largest_piece(smooth > 0.4 * smooth.mean()))


def brain_ct(image: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Foreground of a CT, *image* (P, H, W) in HU: the brain, which bone (with skull) or 0 (without) encloses."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    in_plane = (0, 1 / spacing[1], 1 / spacing[2])  # planes lie too far apart to smooth across
    smooth = gaussian_filter(image.astype(np.float32), in_plane)
    soft = (smooth > 1) & (smooth < 90)
    core = np.stack([distance_transform_edt(np.pad(p, 1), spacing[1:])[1:-1, 1:-1] > 2 for p in soft])
    core = largest_piece(core)
    grown = np.stack([distance_transform_edt(~np.pad(p, 1), spacing[1:])[1:-1, 1:-1] <= 2 for p in core])
    return fill(grown & soft)


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a mask, of any dimension, neighbours being those that share a face."""
    from scipy.ndimage import label

    pieces, n = label(mask)
    if n < 2:
        return mask
    return pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()


def fill(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of each plane, (P, H, W) bool."""
    from scipy.ndimage import binary_fill_holes

    return np.stack([binary_fill_holes(plane) for plane in mask])
