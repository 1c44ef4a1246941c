"""How far the outlines of prediction and truth lie apart, in millimetres.

The outline of a mask is every pixel of it with one of its four neighbours outside. From each pixel of one
outline the distance to the nearest pixel of the other is taken, both ways::

    HD95 = the larger of the two directions' 95th percentiles
    average symmetric surface distance = mean over all pixels of both outlines

**A miss has no outline, and is not dropped.** Where only one of the two masks is empty, both values are the
slice's diagonal (270 mm at 128 x 128 pixels of 1.5 mm); where both are empty, they are 0. MONAI gives NaN
for a miss, and its mean leaves the slice out: a segmentor that finds only easy lesions would look exact.
Taught in notebook 06.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree
from torch import Tensor
from tqdm import tqdm

from strokegan_lib.evaluation.overlap import check_masks


def surface_distances(
    predicted: Tensor, truth: Tensor, spacing: np.ndarray, *, bar: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """HD95 (N,) and average symmetric surface distance (N,) of each slice, float64, mm.

    Args:
        predicted, truth: (N, H, W) bool, on the host; else ValueError.
        spacing: (N, 2) height and width of a pixel, mm.
    """
    check_masks(predicted, truth)
    p, t = predicted.numpy(), truth.numpy()
    any_p, any_t = p.any((1, 2)), t.any((1, 2))
    diagonal = np.hypot(*((np.array(truth.shape[1:]) - 1) * spacing).T)  # (N,)
    hd95 = np.where(any_p != any_t, diagonal, 0.0)
    average = hd95.copy()
    both = np.flatnonzero(any_p & any_t)
    for i in tqdm(both, "surface distances", disable=None if bar else True, delay=1, leave=False):
        ours, theirs = (outline(mask[i]) * spacing[i] for mask in (p, t))  # (points, 2) mm
        there, back = KDTree(theirs).query(ours)[0], KDTree(ours).query(theirs)[0]
        hd95[i] = max(np.percentile(there, 95), np.percentile(back, 95))
        average[i] = np.concatenate([there, back]).mean()
    return hd95, average


def outline(mask: np.ndarray) -> np.ndarray:
    """Rows and columns of a mask's (H, W) outline, (points, 2); beyond the picture is outside."""
    return np.argwhere(mask & ~ndimage.binary_erosion(mask))  # its default neighbours are the four
