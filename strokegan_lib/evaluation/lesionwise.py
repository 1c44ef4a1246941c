"""How many lesions are found, whatever their size.

A lesion is a connected component of the truth, pixels that touch by a corner included. It is
**found where a single predicted pixel lies in it**; a predicted component is a false alarm
where it touches no lesion. So two lesions that one prediction covers are both found, and a
lesion that is found in three pieces is found once. This is the rule of the ISLES 2022
challenge (Hernandez Petzsche et al., Scientific Data 9:762, 2022), in the plane instead of in the volume.

A rule that asks for an overlap of, say, IoU .5 would measure outlines once more, which Dice
does already, and a lesion of ten pixels with an outline one pixel too wide fails it. The price:
one prediction that covers the whole brain finds every lesion. Read it beside precision.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from strokegan_lib.evaluation.overlap import CHUNK, Counts, check_masks

TOUCHING = np.zeros((3, 3, 3), bool)
TOUCHING[1] = True  # the eight neighbours in the plane, and never the next slice


def count_lesions(predicted: Tensor, truth: Tensor) -> Counts:
    """Count the lesions of each slice: found (tp), false (fp) and missed (fn).

    ``Counts.dice()`` is then the lesion-wise F1 and ``precision`` and ``sensitivity`` are
    lesion-wise too, with the same convention for 0/0.

    Args:
        predicted, truth: (N, H, W) bool, on the host.

    Returns:
        Counts (N,), in lesions.

    Raises:
        ValueError: other shapes or types.
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
    held = np.flatnonzero(mask.reshape(len(mask), -1).any(1))  # most slices are empty
    mask, other = mask[held], other[held]
    labels, number = ndimage.label(mask, TOUCHING)  # (b, H, W), 0 or 1..number
    labels, pixels = labels.reshape(-1), np.flatnonzero(mask)
    where, touched = np.zeros(number + 1, np.int64), np.zeros(number + 1, bool)
    where[labels[pixels]] = held[pixels // max(1, mask[:1].size)]
    touched[labels[np.flatnonzero(mask & other)]] = True
    return where[1:], touched[1:]  # without the background
