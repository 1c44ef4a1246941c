"""How many lesions are found, whatever their size.

A lesion is a connected component of the truth, pixels that touch by a corner included. It is **found where
a single predicted pixel lies in it**; a predicted component is a false positive where it touches no lesion.
This is the rule of the ISLES 2022 challenge (Hernandez Petzsche et al., Scientific Data 9:762, 2022), in the
plane instead of in the volume. One prediction that covers the whole brain finds every lesion: read it beside
precision. Taught in notebook 06.
"""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from strokegan_lib.evaluation.overlap import CHUNK, Counts, check_masks

TOUCHING = np.zeros((3, 3, 3), bool)
TOUCHING[1] = True  # the eight neighbours in the plane, and never the next slice


def count_lesions(predicted: Tensor, truth: Tensor) -> Counts:
    """Lesions of each slice of masks (N, H, W): found (tp), false (fp) and missed (fn), Counts (N,).

    ``Counts.dice()`` is then the lesion-wise F1. ValueError unless the masks are bool.
    """
    check_masks(predicted, truth)
    counts = np.zeros((3, len(truth)), np.int64)  # found, false, missed
    for start in range(0, len(truth), CHUNK):
        part = slice(start, start + CHUNK)
        p, t = predicted[part].numpy(), truth[part].numpy()
        lesion_in, found = _components(t, p)
        predicted_in, right = _components(p, t)
        for k, where in enumerate((lesion_in[found], predicted_in[~right], lesion_in[~found])):
            counts[k, part] = np.bincount(where, minlength=len(t))
    return Counts(*torch.from_numpy(counts))


def _components(mask: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every component of masks (B, H, W): the slice it is in, and whether it touches *other*."""
    labels, number = ndimage.label(mask, TOUCHING)  # (B, H, W), 0 or 1..number
    where, touched = np.zeros(number + 1, np.int64), np.zeros(number + 1, bool)
    slices = np.nonzero(mask)[0]  # of each pixel
    where[labels[mask]] = slices
    touched[labels[mask & other]] = True
    return where[1:], touched[1:]  # without the background
