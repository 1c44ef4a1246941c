"""How fast are overlap and lesion-wise metrics of 13,200 predicted slices in memory? ``make bench`` runs it.

The kit's counts of pixels and lesions are compared with a plain loop that looks at one component of one slice at a
time, on a tenth of the slices and scaled up. Fails where the aim is missed.
"""

import argparse
import json
import time

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.measure import label
from torch import Tensor

from strokegan_lib.evaluation.lesionwise import count_lesions
from strokegan_lib.evaluation.overlap import count_masks

SLICES, SIZE, SHARE = 13_200, 128, 10
AIM = {"seconds": 10.0, "times_as_fast": 2.0}


def made_up(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Predicted and true masks, (N, H, W) bool: 18 % with a lesion, false positives on half of all slices."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((SLICES, SIZE, SIZE), bool)
    for k in np.flatnonzero(rng.random(SLICES) < 0.1838):
        (row, column), (height, width) = rng.integers(20, 90, 2), rng.integers(2, 25, 2)
        truth[k, row : row + height, column : column + width] = True
    predicted = np.roll(truth, (1, 2), (1, 2))
    noise = gaussian_filter(rng.standard_normal((200, SIZE, SIZE), dtype=np.float32), (0, 2, 2))
    for k in np.flatnonzero(rng.random(SLICES) < 0.5):
        predicted[k] |= noise[k % 200] > 0.5  # a dozen small components
    return torch.from_numpy(predicted), torch.from_numpy(truth)


def kit(predicted: Tensor, truth: Tensor) -> np.ndarray:
    """Pooled Dice and lesion-wise F1."""
    return np.array([float(of(predicted, truth).pool().dice()) for of in (count_masks, count_lesions)])


def plain(predicted: Tensor, truth: Tensor) -> np.ndarray:
    """The same, a slice and a component at a time."""
    sums = np.zeros((2, 3))  # tp, fp, fn of pixels and of lesions
    for p, t in zip(predicted.numpy(), truth.numpy(), strict=True):
        lesions, answers = label(t, connectivity=2), label(p, connectivity=2)
        found = sum((p & (lesions == k)).any() for k in range(1, lesions.max() + 1))
        false = sum(not (t & (answers == k)).any() for k in range(1, answers.max() + 1))
        sums += [(p & t).sum(), (p & ~t).sum(), (~p & t).sum()], [found, false, lesions.max() - found]
    return 2 * sums[:, 0] / (2 * sums[:, 0] + sums[:, 1] + sums[:, 2])


def test_overlap() -> None:
    masks = made_up()
    few = [mask[::SHARE] for mask in masks]
    np.testing.assert_allclose(kit(*few), plain(*few))
    ours, theirs = [], []
    for _ in range(3):
        for way, given, into in ((kit, masks, ours), (plain, few, theirs)):
            start = time.perf_counter()
            way(*given)
            into.append(time.perf_counter() - start)
    result = {"seconds": min(ours), "times_as_fast": SHARE * min(theirs) / min(ours)}
    print(json.dumps({name: round(value, 2) for name, value in result.items()}))
    assert result["seconds"] <= AIM["seconds"] and result["times_as_fast"] >= AIM["times_as_fast"], AIM


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()  # no option but --help
    test_overlap()
